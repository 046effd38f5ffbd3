"""Fetches the live answer of the car park availability API and saves it, checked and whole, under its own time.

    partner-jobs availability --url https://... --destination answers/

The file is called carpark-availability-<time>.json with the answer's own time in UTC, so the carparks job can take the
folder. An answer is checked before it is saved; whatever goes wrong, files that are there stay as they are.
Exit codes: 0 saved, 1 no good answer, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import tenacity
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from pipeline import storage
from pipeline.errors import PipelineError, UsageError

LARGEST = 64 * 1024 * 1024
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0
_LOCAL = datetime.timezone(datetime.timedelta(hours=8))  # of timestamps without a zone
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip"}


class FetchError(PipelineError):
    """No good answer came: exit code 1."""


class PassingError(FetchError):
    """No good answer came this time; asking again may help, after `retry_after` seconds if the server says so."""

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


def fetch_once(url: str, patience: Patience) -> bytes:
    """The body of one answer with status 200; `PassingError` or `FetchError` otherwise."""
    deadline = time.monotonic() + patience.total
    redirects = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=3)
    timeout = urllib3.Timeout(connect=patience.connect, read=patience.read)
    try:
        with (
            urllib3.PoolManager(retries=redirects, timeout=timeout) as http,
            http.request("GET", url, preload_content=False, headers=_HEADERS) as response,
        ):
            return _body(response, deadline)
    except MaxRetryError as error:
        if "too many redirects" in str(error.reason):
            raise FetchError("the address redirects more than 3 times") from error
        # urllib3 begins with the object that it is about.
        raise PassingError(f"no answer: {str(error.reason).rpartition('>: ')[2]}") from error
    except HTTPError as error:
        raise PassingError(f"the answer broke off: {error}") from error


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    if response.status != 200:
        wait = response.headers.get("Retry-After", "")
        message = f"HTTP status {response.status} {response.reason or ''}".rstrip()
        if response.status not in _RETRY_STATUS:
            raise FetchError(message)
        raise PassingError(message, float(wait) if wait.isdigit() else None)
    body = b""
    while chunk := response.read1(1 << 20):  # what has come, not a full chunk: a trickle must meet the deadline
        body += chunk
        if len(body) > LARGEST:
            raise FetchError(f"the answer is larger than {LARGEST} bytes")
        if time.monotonic() > deadline:
            raise PassingError(f"the answer did not end in time, {len(body)} bytes came")
    return body


def check(body: bytes) -> datetime.datetime:
    """The time of an answer (of its newest item); `PassingError` when it is not a whole answer with readings."""
    try:
        answer = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise PassingError(f"not JSON: {error}") from error
    try:
        items = [item for item in answer["items"] if item["carpark_data"]]
        parks = [park for item in items for park in item["carpark_data"]]
        if any(not park.keys() >= {"carpark_number", "carpark_info"} for park in parks):
            raise ValueError("a car park without carpark_number or carpark_info")
        times = [datetime.datetime.fromisoformat(item["timestamp"]) for item in items]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise PassingError(f"not an availability answer: {type(error).__name__}: {error}") from error
    if not times:
        raise PassingError("not an availability answer: no car park in it")
    return max((t if t.tzinfo else t.replace(tzinfo=_LOCAL)).astimezone(datetime.UTC) for t in times)


def fetch(url: str, patience: Patience) -> tuple[bytes, datetime.datetime]:
    """A checked answer and its time, asked for up to `patience.attempts` times with growing pauses; or `FetchError`."""

    def once() -> tuple[bytes, datetime.datetime]:
        body = fetch_once(url, patience)
        return body, check(body)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, PassingError) else None
        return min(patience.pause * 2 ** (state.attempt_number - 1) if asked is None else asked, _LONGEST_WAIT)

    def report(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        print(f"availability: {error}; asking again in {state.upcoming_sleep:g} s", file=sys.stderr)

    # urllib3.Retry would repeat statuses and connections, but no answer that trickles, breaks off or is not JSON.
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PassingError),
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=wait,
        before_sleep=report,
        reraise=True,
    )
    try:
        return retrying(once)
    except PassingError as error:
        raise FetchError(f"{url}: {error} (attempt {patience.attempts} of {patience.attempts})") from error
    except FetchError as error:
        raise FetchError(f"{url}: {error}") from error


def save(body: bytes, taken: datetime.datetime, destination: str) -> str:
    """Writes the answer whole or not at all, in a folder or under an `s3://` prefix; its path."""
    path = storage.join(destination, f"carpark-availability-{taken:%Y%m%dT%H%M%SZ}.json")
    try:
        storage.write_bytes(path, body)
    except PipelineError as error:
        raise FetchError(f"not saved: {error}") from error
    return path


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See partner-jobs availability --help")


def _address(text: str) -> str:
    parts = urllib3.util.parse_url(text)
    if parts.scheme not in ("http", "https") or not parts.host:
        raise argparse.ArgumentTypeError(f"'{text}' is not an http or https address")
    if parts.auth:
        raise argparse.ArgumentTypeError("no credentials in the address, please")
    return text


def _number(kind: type[float], low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= (value := kind(text)) <= high:
                return value
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from {low} to {high}")

    return convert


def parser() -> argparse.ArgumentParser:
    """The command line of the fetch."""
    usual, seconds = Patience(), _number(float, 0.001, 86_400)
    result = _Parser(prog="partner-jobs availability", description=__doc__.partition("\n")[0], allow_abbrev=False)
    result.add_argument("--url", required=True, type=_address, help="address of the API")
    result.add_argument("--destination", required=True, metavar="DIR", help="folder that gets the answer")
    for name, value, text in (
        ("--connect-timeout", usual.connect, "until connected"),
        ("--read-timeout", usual.read, "between bytes"),
        ("--timeout", usual.total, "for one whole answer"),
        ("--pause", usual.pause, "before the second attempt, then doubled"),
    ):
        result.add_argument(name, type=seconds, default=value, metavar="SECONDS", help=f"{text} (default: {value:g})")
    count = _number(int, 1, 100)
    result.add_argument("--attempts", type=count, default=usual.attempts, metavar="N", help="default: %(default)s")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Fetches, checks, saves; a `PipelineError` becomes one line on stderr and its exit code."""
    try:
        options = parser().parse_args(argv)
        waits = (options.connect_timeout, options.read_timeout, options.timeout)
        patience = Patience(*waits, attempts=options.attempts, pause=options.pause)
        print(save(*fetch(options.url, patience), options.destination))
    except PipelineError as error:
        print(f"availability: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
