"""What the locks of all stores have in common: the file's name, what it says of its holder, and what a lock can do."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
from typing import Any, Protocol

LOCK_FILE = ".lock"


class LockBackend(Protocol):
    """The lock of one store: `acquire` gives the ids of runs that were killed while they held it."""

    def acquire(self) -> list[str]: ...
    def clean(self) -> None: ...
    def check(self) -> None: ...
    def release(self) -> None: ...


def note(owner: str, killed: list[str]) -> dict[str, Any]:
    """What the lock says of its holder."""
    since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"run_id": owner, "since": since, "host": socket.gethostname(), "process": os.getpid(), "killed": killed}


def who(text: bytes) -> str:
    """The holder as a message names it; "another run" when the text is none of ours."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        found = json.loads(text)
        return f"run {found['run_id']} since {found['since']} (process {found['process']} on {found['host']})"
    return "another run"


def left_behind(text: bytes) -> list[str]:
    """The runs that a lock names without a release: the holder, and killed ones it had not cleaned up after.

    An empty list when the text is none of ours.
    """
    with contextlib.suppress(ValueError, KeyError, TypeError):
        found = json.loads(text)
        return [str(found["run_id"]), *map(str, found["killed"])]
    return []
