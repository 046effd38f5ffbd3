"""Parts joined into one file on disk: copied, synced and hashed in threads, while the caller goes on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.errors import PipelineError
from pipeline.storage.local import sync_folder, temporary_name, translate_errors

_BUFFER = 1 << 20
_POOL = ThreadPoolExecutor(4, thread_name_prefix="concat")


class LocalStaged:
    """A file in the making, or ready, under a temporary name in the folder of its target or the nearest above."""

    def __init__(self, target: str, parts: Sequence[str], header: bytes) -> None:
        self.target, self._parts, self._header = target, parts, header
        self._stop = threading.Event()
        with translate_errors(target, "written"):
            self.bytes = len(header) + sum(os.stat(part).st_size for part in parts)
            self.temporary = temporary_name(_existing_folder(target))
        linked = len(parts) == 1 and not header and _link(parts[0], self.temporary)
        self._sha256: Future[str] = _POOL.submit(self._prepare, linked)

    @property
    def sha256(self) -> str:
        """64 hex digits; waits for them."""
        return self._sha256.result()

    def wait(self) -> None:
        """Returns when the file is whole on disk; raises what went wrong, also when a part changed its size."""
        with translate_errors(self.target, "written"):
            self._sha256.result()
            size = os.stat(self.temporary).st_size
        if size != self.bytes:
            raise PipelineError(f"{self.target}: {size} bytes written, expected {self.bytes}: a part changed meanwhile")

    def publish(self) -> None:
        """Gives the file its name in one step."""
        self.wait()
        with translate_errors(self.target, "written"):
            folder = os.path.dirname(self.target)
            os.makedirs(folder, exist_ok=True)
            os.replace(self.temporary, self.target)
            sync_folder(folder)

    def discard(self) -> None:
        """Removes the file if it has not got its name."""
        self._stop.set()
        if not self._sha256.cancel():
            self._sha256.exception()
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)

    def _prepare(self, linked: bool) -> str:
        if not linked:
            self._copy()
        with open(self.temporary, "rb", buffering=0) as file, ThreadPoolExecutor(1) as background:
            # The disk and the processor work at the same time.
            synced = background.submit(os.fsync, file.fileno())
            digest = hashlib.file_digest(file, "sha256")
            synced.result()
        return digest.hexdigest()

    def _copy(self) -> None:
        with open(self.temporary, "xb") as out:
            out.write(self._header)
            for part in self._parts:
                if self._stop.is_set():
                    raise PipelineError(f"{self.target}: discarded while it was written")
                with open(part, "rb", buffering=0) as file:
                    shutil.copyfileobj(file, out, _BUFFER)


def _link(part: str, name: str) -> bool:
    """Whether the part could get a further name: some file systems have no hard links."""
    try:
        os.link(part, name)
    except OSError:
        return False
    return True


def _existing_folder(target: str) -> str:
    # Nothing that a reader sees may change before publication, so folders are made then and not here.
    folder = os.path.dirname(target)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
