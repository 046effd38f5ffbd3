"""One run at a time on a destination: a kernel lock on disk, a lease with a heartbeat on S3."""

from __future__ import annotations

import fcntl
import json
import os
from types import TracebackType

from pipeline import storage
from pipeline.errors import BusyError
from pipeline.publish import concat as compose
from pipeline.publish.lock_base import LOCK_FILE, LockBackend, left_behind, note, who
from pipeline.publish.lock_s3 import Lease
from pipeline.storage.local import translate_errors


class LocalLock:
    """`flock` on DIR/_runs/.lock: the kernel frees it when its process ends, however it ends. The file itself stays."""

    def __init__(self, directory: str, owner: str) -> None:
        self.directory, self.owner = directory, owner
        self._handle = -1

    def acquire(self) -> list[str]:
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
    that cannot be taken back. `backend` is the lock of DIR's store when it is not given.
    """

    def __init__(self, directory: str, owner: str, backend: LockBackend | None = None) -> None:
        self.directory = storage.normalise(directory).rstrip("/")
        self._backend = backend or _backend(self.directory, owner)

    def __enter__(self) -> Lock:
        killed = self._backend.acquire()
        try:
            if killed:
                compose.remove_stale(self.directory, killed)
                self._backend.clean()
        except BaseException:
            self._backend.release()
            raise
        return self

    def check(self) -> None:
        """Raises `BusyError` when another run has taken the lock over."""
        self._backend.check()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.release()


def _backend(directory: str, owner: str) -> LockBackend:
    return Lease(directory, owner) if storage.is_s3(directory) else LocalLock(directory, owner)
