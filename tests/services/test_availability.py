"""Fetching the availability answer from a real HTTP server on this machine, which behaves well or badly on request."""

from __future__ import annotations

import datetime
import gzip
import http.server
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipeline.errors import UsageError
from services.availability import FetchError, Patience, check, fetch, main, parser

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
NAME = "carpark-availability-20210523T094026Z.json"
QUICK = ("--read-timeout", "0.3", "--timeout", "0.8", "--pause", "0.01", "--attempts", "3")

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

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/carpark-availability"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def run(server: Server, folder: pathlib.Path, *behaviours: Behaviour) -> int:
    server.behaviours = list(behaviours)
    return main(["--url", server.url, "--destination", str(folder), *QUICK])


def files(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_good_answer_is_saved_byte_for_byte_under_its_own_time(
    server: Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "answers"
    assert run(server, folder, reply(GOOD)) == 0
    assert files(folder) == [NAME]
    assert (folder / NAME).read_bytes() == GOOD
    assert capsys.readouterr().out == f"{folder / NAME}\n"


def test_a_compressed_answer_is_saved_plain(server: Server, tmp_path: pathlib.Path) -> None:
    assert run(server, tmp_path, reply(gzip.compress(GOOD), Content_Encoding="gzip")) == 0
    assert (tmp_path / NAME).read_bytes() == GOOD


@pytest.mark.parametrize(
    "bad",
    [
        reply(b"sorry", 500),
        reply(b"wait", 429, Retry_After="0"),
        truncated,
        broken_chunks,
        silent,
        trickling,
        reply(GOOD[:-3]),
        reply(b"<html>Maintenance</html>"),
        reply(b'{"items": []}'),
    ],
    ids=["500", "429", "truncated", "broken chunks", "silent", "trickling", "half a document", "a web page", "no items"],
)
def test_after_a_bad_answer_it_asks_again(server: Server, tmp_path: pathlib.Path, bad: Behaviour) -> None:
    assert run(server, tmp_path, bad, reply(GOOD)) == 0
    assert len(server.paths) == 2
    assert files(tmp_path) == [NAME]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (reply(b"sorry", 503), "HTTP status 503"),
        (truncated, "the answer broke off"),
        (silent, "no answer"),
        (trickling, "the answer did not end in time"),
        (reply(b"<html>"), "not JSON"),
        (reply(b"\xff\xfe{}"), "not JSON"),
        (reply(b"[1]"), "not an object"),
        (reply(b'{"items": {}}'), "items is not a list of objects"),
        (reply(b'{"items": [{"timestamp": "2021-05-23T17:40:26", "carpark_data": []}]}'), "no car park in it"),
        (reply(b'{"items": [{"timestamp": "soon", "carpark_data": [{"carpark_number": "A", "carpark_info": []}]}]}'), "timestamp is 'soon'"),
        (reply(b'{"items": [{"timestamp": "2021-05-23T17:40:26", "carpark_data": [{"error": 1}]}]}'), "without carpark_number"),
    ],
)
def test_an_answer_that_stays_bad_replaces_nothing_and_is_told_in_one_line(
    server: Server, tmp_path: pathlib.Path, bad: Behaviour, message: str
) -> None:
    (tmp_path / NAME).write_text("the answer before")
    server.behaviours = [bad]
    patience = Patience(read=0.3, total=0.8, attempts=3, pause=0.01)
    with pytest.raises(FetchError, match=message) as caught:
        fetch(server.url, patience)
    assert str(caught.value).startswith(server.url)
    assert "attempt 3 of 3" in str(caught.value)
    assert run(server, tmp_path, bad) == 1
    assert files(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_text() == "the answer before"


def test_a_refusal_is_not_repeated(server: Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, tmp_path, reply(b"no", 403)) == 1
    assert len(server.paths) == 1
    assert capsys.readouterr().err == f"availability: {server.url}: HTTP status 403 Forbidden\n"


def test_a_redirect_is_followed_and_a_loop_of_redirects_ends(
    server: Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(server, tmp_path, reply(b"", 302, Location="/v2"), reply(GOOD)) == 0
    assert server.paths == ["/carpark-availability", "/v2"]
    assert run(server, tmp_path, reply(b"", 302, Location="/again")) == 1
    assert len(server.paths) == 2 + 4
    assert "redirects more than 3 times" in capsys.readouterr().err


def test_nobody_listening_is_told_in_one_line(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert main(["--url", url, "--destination", str(tmp_path), "--attempts", "1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"availability: {url}: no answer")
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_told(server: Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(server, tmp_path / "file", reply(GOOD)) == 1
    assert "not saved" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--destination", "d"], "--url"),
        (["--url", "ftp://127.0.0.1/", "--destination", "d"], "not an http or https address"),
        (["--url", "http://me:secret@127.0.0.1/", "--destination", "d"], "no credentials in the address"),
        (["--url", "http://127.0.0.1/", "--destination", "d", "--timeout", "0"], "not a positive number of seconds"),
        (["--url", "http://127.0.0.1/", "--destination", "d", "--attempts", "0"], "not a number from 1 to 100"),
        (["--url", "http://127.0.0.1/", "--destination", "d", "--dest", "e"], "unrecognized arguments: --dest"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=message):
        parser().parse_args(arguments)
    assert main(arguments) == 2
    assert "secret" not in capsys.readouterr().err


def test_the_newest_item_names_the_file_and_a_time_without_zone_is_eight_hours_ahead() -> None:
    parks = [{"carpark_number": "A", "carpark_info": []}]
    items = [{"timestamp": "2021-05-23T08:00:00", "carpark_data": parks}, {"timestamp": "2021-05-22T23:59:59Z", "carpark_data": parks}]
    assert check(json.dumps({"items": items}).encode()) == datetime.datetime(2021, 5, 23, 0, 0, 0, tzinfo=datetime.UTC)
