"""A stand-in between a job and an S3 server: every request takes a while longer, and those under way are counted."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlparse


@dataclass
class Traffic:
    """Requests for objects so far: how many, most at once, seconds of each added up, seconds with any under way.

    `bytes`: what the bodies of all requests and answers held.
    """

    requests: int = 0
    under_way: int = 0
    most: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    since: float = 0.0
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Counts one request."""
        began = time.monotonic()
        with self.lock:
            self.requests += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            if self.under_way == 1:
                self.since = began
        try:
            yield
        finally:
            with self.lock:
                self.under_way -= 1
                ended = time.monotonic()
                self.seconds += ended - began
                if not self.under_way:
                    self.busy += ended - self.since


@contextlib.contextmanager
def slow_store(url: str, seconds: float) -> Iterator[tuple[str, Traffic]]:
    """Listens on 127.0.0.1, hands requests on to `url`; gives its own URL and the traffic of GETs of objects."""
    host, traffic = urlparse(url).netloc, Traffic()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def hand_on(self) -> None:
            is_object = self.command == "GET" and urlparse(self.path).path.count("/") > 1
            with traffic.one() if is_object else contextlib.nullcontext():
                time.sleep(seconds if is_object else 0)
                try:
                    self.answer()
                except (OSError, http.client.HTTPException):
                    self.close_connection = True
                    self.send_error(502)

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(host, timeout=120)
            connection.request(self.command, self.path, body, dict(self.headers))
            found = connection.getresponse()
            content = found.read()
            with traffic.lock:
                traffic.bytes += len(body) + len(content)
            self.send_response_only(found.status)
            for name, value in found.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            # What HEAD tells is the object's size, not that of an answer without a body.
            length = found.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = hand_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed for a request."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", traffic
    finally:
        server.shutdown()
        server.server_close()
