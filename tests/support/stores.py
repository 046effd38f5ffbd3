"""Places to keep files for tests: a folder on disk and a prefix in each S3 server, with names that need care."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support import servers
from tests.support.servers import Endpoint

BUCKET = "a-bucket"
ODD = "a b+c%20é"  # blank, plus, percent, more than ASCII
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """An empty folder: its path, the kind of its store, and what a process needs to reach it."""

    path: str
    kind: str
    environment: dict[str, str]
    endpoint: Endpoint | None = None

    def __truediv__(self, name: str) -> str:
        return f"{self.path}/{name}"


class Servers:
    """S3 servers, each started when a test first asks for it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._running: dict[str, Endpoint] = {}

    def get(self, kind: str) -> Endpoint:
        """The server of a kind, `moto` or `s3proxy`, with the bucket made."""
        if kind not in self._running:
            start = {"moto": servers.moto_server, "s3proxy": servers.s3proxy}[kind]
            self._running[kind] = self._stack.enter_context(start())
            self._running[kind].client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": servers.REGION}
            )
        return self._running[kind]

    def close(self) -> None:
        """Ends them."""
        self._stack.close()


@contextlib.contextmanager
def s3_servers() -> Iterator[Servers]:
    """All S3 servers of a test process."""
    found = Servers()
    try:
        yield found
    finally:
        found.close()


def local_place(folder: pathlib.Path) -> Place:
    """A folder on disk."""
    path = folder / ODD
    path.mkdir()
    return Place(str(path), "local", {})


def s3_place(kind: str, endpoint: Endpoint) -> Place:
    """A prefix that no other test has."""
    return Place(f"s3://{BUCKET}/{ODD}/{next(_NUMBERS)}", kind, endpoint.environment, endpoint)
