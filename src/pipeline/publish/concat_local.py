"""Parts put together on disk: the kernel copies, another thread hashes, and the caller goes on in the meantime."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.errors import PipelineError
from pipeline.storage.local import sync_folder, temporary_name, translate_errors

_CHUNK = 32 << 20
_POOLS: dict[int, ThreadPoolExecutor] = {}


def _pool() -> ThreadPoolExecutor:
    # One a process: threads do not survive a fork.
    return _POOLS.setdefault(os.getpid(), ThreadPoolExecutor(4, thread_name_prefix="compose"))


class LocalStaged:
    """A file in the making, or ready, under a temporary name in the folder of its target or the nearest above."""

    def __init__(self, target: str, parts: Sequence[str], header: bytes) -> None:
        self.target, self._parts, self._header = target, parts, header
        self._stop = threading.Event()
        with translate_errors(target, "written"):
            sizes = [os.stat(part).st_size for part in parts]
            self.bytes = len(header) + sum(sizes)
            self.temporary = temporary_name(_folder_that_is_there(target))
        linked = len(parts) == 1 and not header and self._link(parts[0])
        self._copied: Future[None] = _pool().submit(_sync if linked else self._copy, self.temporary)
        self._hashed: Future[str] = _pool().submit(self._hash)

    @property
    def sha256(self) -> str:
        """64 hex digits; waits for them."""
        return self._hashed.result()

    def wait(self) -> None:
        """Returns when the file is whole on disk; raises what went wrong."""
        with translate_errors(self.target, "written"):
            self._copied.result()
            self._hashed.result()
        if (size := os.stat(self.temporary).st_size) != self.bytes:
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
        for work in (self._copied, self._hashed):
            if not work.cancel():
                work.exception()
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)

    def _link(self, part: str) -> bool:
        # One part and nothing before it: a second name for the same bytes instead of a copy.
        try:
            os.link(part, self.temporary)
        except OSError:
            return False
        return True

    def _copy(self, temporary: str) -> None:
        with open(temporary, "xb", buffering=0) as out:
            out.write(self._header)
            for part in self._parts:
                with open(part, "rb", buffering=0) as file:
                    self._append(out.fileno(), file.fileno())
        _sync(temporary)

    def _append(self, out: int, source: int) -> None:
        while not self._stop.is_set():
            try:
                if not os.copy_file_range(source, out, _CHUNK):
                    return
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM):
                    raise
                self._append_by_hand(out, source)
                return

    def _append_by_hand(self, out: int, source: int) -> None:
        while not self._stop.is_set() and (data := os.read(source, 1 << 20)):
            view = memoryview(data)
            while view:
                view = view[os.write(out, view) :]

    def _hash(self) -> str:
        digest = hashlib.sha256(self._header)
        for part in self._parts:
            with open(part, "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size:
                    content = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
                    with content, memoryview(content) as view:
                        self._update(digest, view)
        return digest.hexdigest()

    def _update(self, digest: hashlib._Hash, view: memoryview) -> None:
        for at in range(0, len(view), _CHUNK):
            if self._stop.is_set():
                return
            with view[at : at + _CHUNK] as piece:
                digest.update(piece)


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder_that_is_there(target: str) -> str:
    # Nothing that a reader sees may change before publication, so folders are made then and not here.
    folder = os.path.dirname(target)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
