"""An HTTP server on this machine that behaves well or badly on request."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable

GOOD = json.dumps(
    {
        "items": [
            {
                "timestamp": "2021-05-23T17:40:26+08:00",
                "carpark_data": [
                    {
                        "carpark_number": "HE12",
                        "update_datetime": "2021-05-23T17:23:34",
                        "carpark_info": [{"lot_type": "C", "total_lots": "91", "lots_available": "22"}],
                    }
                ],
            }
        ]
    }
).encode()

Behaviour = Callable[[http.server.BaseHTTPRequestHandler], None]


def reply(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def truncated(request: http.server.BaseHTTPRequestHandler) -> None:
    reply(GOOD[:100], Content_Length=str(len(GOOD)))(request)
    request.close_connection = True


def broken_chunks(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"40\r\n" + GOOD[:64] + b"\r\n")
    request.close_connection = True


def silent(request: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(0.6)


def trickling(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(GOOD)))
    request.end_headers()
    for byte in GOOD[:40]:
        request.wfile.write(bytes([byte]))
        time.sleep(0.05)


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client may leave at any time, and standard error belongs to the program under test."""


class Server:
    """Answers each request with the next behaviour, the last one for ever; counts requests."""

    def __init__(self) -> None:
        self.behaviours: list[Behaviour] = []
        self.paths: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.paths.append(self.path)
                behaviour = outer.behaviours[min(len(outer.paths), len(outer.behaviours)) - 1]
                try:
                    behaviour(self)
                except OSError:
                    self.close_connection = True  # the client has left, as it should

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: requests are counted."""

        self.http = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/carpark-availability"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
