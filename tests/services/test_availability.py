"""Fetching the availability answer from a real HTTP server on this machine, which behaves well or badly on request."""

from __future__ import annotations

import datetime
import gzip
import json
import pathlib
import socket
from collections.abc import Iterator

import pytest

from pipeline.errors import UsageError
from services.availability import FetchError, Patience, check, fetch, main, parser
from tests.services.odd_server import GOOD, Behaviour, Server, broken_chunks, reply, silent, trickling, truncated

NAME = "carpark-availability-20210523T094026Z.json"
QUICK = ("--read-timeout", "0.3", "--timeout", "0.8", "--pause", "0.01", "--attempts", "3")


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
    ids=[
        "500",
        "429",
        "truncated",
        "broken chunks",
        "silent",
        "trickling",
        "half a document",
        "a web page",
        "no items",
    ],
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
        (reply(b"[1]"), "not an availability answer: TypeError"),
        (reply(b'{"items": 5}'), "not an availability answer: TypeError: 'int'"),
        (reply(b'{"items": {"a": 1}}'), "not an availability answer: TypeError"),
        (reply(b"{}"), "not an availability answer: KeyError: 'items'"),
        (reply(b'{"items": [{"timestamp": "2021-05-23T17:40:26", "carpark_data": []}]}'), "no car park in it"),
        (
            reply(b'{"items": [{"timestamp": "soon", "carpark_data": [{"carpark_number": "A", "carpark_info": []}]}]}'),
            "Invalid isoformat string: 'soon'",
        ),
        (
            reply(b'{"items": [{"timestamp": "2021-05-23T17:40:26", "carpark_data": [{"error": 1}]}]}'),
            "without carpark_number",
        ),
    ],
)
def test_an_answer_that_stays_bad_replaces_nothing_and_is_reported_in_one_line(
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


def test_nobody_listening_is_reported_in_one_line(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert main(["--url", url, "--destination", str(tmp_path), "--attempts", "1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"availability: {url}: no answer: Failed to establish a new connection: ")
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_reported(
    server: Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(server, tmp_path / "file", reply(GOOD)) == 1
    assert "not saved" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--destination", "d"], "--url"),
        (["--url", "ftp://127.0.0.1/", "--destination", "d"], "not an http or https address"),
        (["--url", "http://me:secret@127.0.0.1/", "--destination", "d"], "no credentials in the address"),
        (
            ["--url", "http://127.0.0.1/", "--destination", "d", "--timeout", "0"],
            "not a number from 0.001 to 86400",
        ),
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
    items = [
        {"timestamp": "2021-05-23T08:00:00", "carpark_data": parks},
        {"timestamp": "2021-05-22T23:59:59Z", "carpark_data": parks},
    ]
    assert check(json.dumps({"items": items}).encode()) == datetime.datetime(2021, 5, 23, 0, 0, 0, tzinfo=datetime.UTC)
