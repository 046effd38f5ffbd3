"""One run at a time on a destination: a kernel lock on disk, a lease with a heartbeat on S3."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import socket
from types import TracebackType
from typing import Any, Protocol

from pipeline import storage
from pipeline.errors import BusyError
from pipeline.publish import concat as compose
from pipeline.storage.local import translate_errors

LOCK_FILE = ".lock"


class Holder(Protocol):
    """The lock of one store: `take` gives the ids of runs that were killed while they held it."""

    def take(self) -> list[str]: ...
    def clean(self) -> None: ...
    def check(self) -> None: ...
    def release(self) -> None: ...


def note(owner: str, killed: list[str]) -> dict[str, Any]:
    """What the lock says of its holder."""
    since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"run_id": owner, "since": since, "host": socket.gethostname(), "process": os.getpid(), "killed": killed}


def who(text: bytes) -> str:
    """The holder as a message names it."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        found = json.loads(text)
        return f"run {found['run_id']} since {found['since']} (process {found['process']} on {found['host']})"
    return "another run"


def left_behind(text: bytes) -> list[str]:
    """The runs that a lock names without a release: the holder, and killed ones it had not cleaned up after."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        found = json.loads(text)
        return [str(found["run_id"]), *map(str, found["killed"])]
    return []


class LocalLock:
    """`flock` on DIR/_runs/.lock: the kernel frees it when its process ends, however it ends. The file itself stays."""

    def __init__(self, directory: str, owner: str) -> None:
        self.directory, self.owner = directory, owner
        self._handle = -1

    def take(self) -> list[str]:
        """Raises `BusyError` when somebody else holds it."""
        path = os.path.join(self.directory, "_runs", LOCK_FILE)
        with translate_errors(path, "locked"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = who(os.pread(handle, 65536, 0))
                os.close(handle)
                raise BusyError(f"{self.directory}: in use by {holder}; one run at a time") from error
            except OSError:
                os.close(handle)
                raise
        self._handle = handle
        killed = left_behind(os.pread(handle, 65536, 0))
        self._write(json.dumps(note(self.owner, killed)).encode())
        return killed

    def clean(self) -> None:
        """Nothing of killed runs is left."""
        self._write(json.dumps(note(self.owner, [])).encode())

    def check(self) -> None:
        """The kernel never takes it away."""

    def release(self) -> None:
        """Empties the note and frees the lock."""
        self._write(b"")
        os.close(self._handle)

    def _write(self, text: bytes) -> None:
        with translate_errors(self.directory, "locked"):
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))


class Lock:
    """`with Lock(DIR, run_id):` one run at a time on DIR; a second gets `BusyError` naming the holder and since when.

    On entering, what killed runs left there is removed. `check()` raises when the lock was lost: call it before a step
    that cannot be taken back.
    """

    def __init__(self, directory: str, owner: str) -> None:
        self.directory = storage.normalise(directory).rstrip("/")
        self.owner = owner
        self._holder: Holder = self._of_store()

    def _of_store(self) -> Holder:
        if not storage.is_s3(self.directory):
            return LocalLock(self.directory, self.owner)
        from pipeline.publish.lock_s3 import Lease

        return Lease(self.directory, self.owner)

    def __enter__(self) -> Lock:
        killed = self._holder.take()
        try:
            if killed:
                compose.sweep(self.directory, killed)
                self._holder.clean()
        except BaseException:
            self._holder.release()
            raise
        return self

    def check(self) -> None:
        """Raises `BusyError` when another run has taken the lock over."""
        self._holder.check()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.release()
