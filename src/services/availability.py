"""Fetches the live answer of the car park availability API and saves it, checked and whole, under its own time.

    python -m services.availability --url https://... --destination answers/

The file is called carpark-availability-<time>.json with the answer's own time in UTC, so the carparks job can take the
folder. An answer is checked before it is saved; whatever goes wrong, files that are there stay as they are.
Exit codes: 0 saved, 1 no good answer, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from pipeline.errors import PipelineError, UsageError

LARGEST = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip"}


class FetchError(PipelineError):
    """No good answer came: exit code 1."""


class PassingError(FetchError):
    """No good answer came this time; asking again may help."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Patience:
    """Seconds to connect, between bytes and for one whole answer; attempts, and seconds before the second."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 60.0
    attempts: int = 4
    pause: float = 1.0


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    parts, size = [], 0
    while chunk := response.read1(_CHUNK):  # what has come, not a full chunk: a trickle must meet the deadline
        parts.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            raise FetchError(f"the answer is larger than {LARGEST} bytes")
        if time.monotonic() > deadline:
            raise PassingError(f"the answer did not end in time, {size} bytes came")
    return b"".join(parts)


def fetch_once(url: str, patience: Patience) -> bytes:
    """The body of one answer with status 200; `PassingError` or `FetchError` otherwise."""
    deadline = time.monotonic() + patience.total
    redirects = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=3)
    timeout = urllib3.Timeout(connect=patience.connect, read=patience.read)
    try:
        with urllib3.PoolManager(retries=redirects, timeout=timeout) as http:
            response = http.request("GET", url, preload_content=False, headers=_HEADERS)
            try:
                _check_status(response)
                return _body(response, deadline)
            finally:
                response.close()
    except MaxRetryError as error:
        if "too many redirects" in str(error.reason):
            raise FetchError("the address redirects more than 3 times") from error
        raise PassingError(f"no answer: {error.reason}") from error
    except HTTPError as error:
        raise PassingError(f"the answer broke off: {error}") from error


def _check_status(response: urllib3.BaseHTTPResponse) -> None:
    if response.status == 200:
        return
    message = f"HTTP status {response.status}" + (f" {response.reason}" if response.reason else "")
    if response.status not in _AGAIN:
        raise FetchError(message)
    wait = response.headers.get("Retry-After", "")
    raise PassingError(message, float(wait) if wait.isdigit() else None)


def _objects(value: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise PassingError(f"not an availability answer: {what} is not a list of objects")
    return value


def check(body: bytes) -> datetime.datetime:
    """The time of an answer (of its newest item); `PassingError` when it is not a whole answer with readings."""
    try:
        answer = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PassingError(f"not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise PassingError("not an availability answer: not an object")
    times = []
    for item in _objects(answer.get("items"), "items"):
        parks = _objects(item.get("carpark_data"), "carpark_data")
        times += [_time(item.get("timestamp"))] * bool(parks)
        if any("carpark_number" not in park or "carpark_info" not in park for park in parks):
            raise PassingError("not an availability answer: a car park without carpark_number or carpark_info")
    if not times:
        raise PassingError("not an availability answer: no car park in it")
    return max(times)


def _time(text: Any) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise PassingError(f"not an availability answer: timestamp is {text!r}") from error
    zoned = found if found.tzinfo else found.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    return zoned.astimezone(datetime.UTC)


def fetch(url: str, patience: Patience) -> tuple[bytes, datetime.datetime]:
    """A checked answer and its time, asked for up to `patience.attempts` times with growing pauses."""
    for attempt in range(1, patience.attempts + 1):
        try:
            body = fetch_once(url, patience)
            return body, check(body)
        except PassingError as error:
            if attempt == patience.attempts:
                raise FetchError(f"{url}: {error} (attempt {attempt} of {patience.attempts})") from error
            wait = error.retry_after if error.retry_after is not None else patience.pause * 2 ** (attempt - 1)
            print(f"availability: {error}; asking again in {min(wait, _LONGEST_WAIT):g} s", file=sys.stderr)
            time.sleep(min(wait, _LONGEST_WAIT))
        except FetchError as error:
            raise FetchError(f"{url}: {error}") from error
    raise UsageError("--attempts: at least 1")


def save(body: bytes, taken: datetime.datetime, destination: str) -> pathlib.Path:
    """Writes the answer beside its final name and moves it there, so the name never shows half a file."""
    folder = pathlib.Path(destination)
    path = folder / f"carpark-availability-{taken:%Y%m%dT%H%M%SZ}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=".", suffix=".unfinished", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            pathlib.Path(unfinished).chmod(0o644)
            pathlib.Path(unfinished).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                pathlib.Path(unfinished).unlink()
            raise
    except OSError as error:
        raise FetchError(f"{path}: not saved: {error.strerror}") from error
    return path


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See python -m services.availability --help")


def _address(text: str) -> str:
    parts = urllib3.util.parse_url(text)
    if parts.scheme not in ("http", "https") or not parts.host:
        raise argparse.ArgumentTypeError(f"'{text}' is not an http or https address")
    if parts.auth:
        raise argparse.ArgumentTypeError("no credentials in the address, please")
    return text


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number of seconds")
    return value


def _attempts(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 100")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line of the fetch."""
    usual = Patience()
    found = _Parser(
        prog="availability", description="Saves the live answer of the availability API.", allow_abbrev=False
    )
    found.add_argument("--url", required=True, type=_address, help="address of the API")
    found.add_argument("--destination", required=True, metavar="DIR", help="folder that gets the answer")
    for name, value, text in (
        ("--connect-timeout", usual.connect, "until connected"),
        ("--read-timeout", usual.read, "between bytes"),
        ("--timeout", usual.total, "for one whole answer"),
        ("--pause", usual.pause, "before the second attempt, then doubled"),
    ):
        found.add_argument(name, type=_positive, default=value, metavar="SECONDS", help=f"{text} (default: {value:g})")
    found.add_argument("--attempts", type=_attempts, default=usual.attempts, metavar="N", help="default: %(default)s")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Fetches, checks, saves; a `PipelineError` becomes one line on stderr and its exit code."""
    try:
        options = parser().parse_args(argv)
        waits = (options.connect_timeout, options.read_timeout, options.timeout)
        patience = Patience(*waits, attempts=options.attempts, pause=options.pause)
        body, taken = fetch(options.url, patience)
        print(save(body, taken, options.destination))
    except PipelineError as error:
        print(f"availability: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
