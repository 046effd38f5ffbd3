"""The lock of a folder on disk."""

from __future__ import annotations

import fcntl
import json
import os

from pipeline.errors import BusyError
from pipeline.publish.lock.note import LOCK_FILE, left_behind, note, who
from pipeline.storage.local import translate_errors


class LocalLock:
    """`flock` on DIR/_runs/.lock: the kernel frees it when its process ends, however it ends. The file itself stays."""

    def __init__(self, directory: str, owner: str) -> None:
        self.directory, self.owner = directory, owner
        self._handle = -1

    def acquire(self) -> list[str]:
        """Raises `BusyError` when somebody else holds it."""
        path = os.path.join(self.directory, "_runs", LOCK_FILE)
        with translate_errors(self.directory, "used as a destination"):
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
