"""Files that are written bit by bit: whole under their name at the end, or not there; hashed on the way."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from pipeline.storage.local import translate_errors
from pipeline.storage.paths import is_s3, normalise


class HashedStream(io.RawIOBase):
    """A stream to write to; `bytes` and `sha256` describe what was written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._digest = stream, hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        """Writes all of the block."""
        view = memoryview(block)
        self._stream.write(view)
        self._digest.update(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.bytes


@contextlib.contextmanager
def open_write(path: str) -> Iterator[HashedStream]:
    """A stream whose content is the file once the block ends; with an error nothing is left.

    The name must be nobody else's: on disk the file is made under it, on S3 it is spooled to disk and sent at the end.
    On disk its folder must be there (`storage.make_folder`): an attempt that is late finds none and leaves nothing.
    """
    path = normalise(path)
    with _on_s3(path) if is_s3(path) else _on_disk(path) as stream:
        yield stream


@contextlib.contextmanager
def _on_disk(path: str) -> Iterator[HashedStream]:
    with translate_errors(path, "written"), contextlib.ExitStack() as on_error:
        with open(path, "xb", buffering=1 << 20) as file:
            # Only now: a file that was there before is not ours.
            on_error.callback(_remove, path)
            yield HashedStream(file)
        on_error.pop_all()


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


@contextlib.contextmanager
def _on_s3(path: str) -> Iterator[HashedStream]:
    from pipeline.storage.s3 import upload  # local runs do not load boto3

    with tempfile.TemporaryFile(buffering=1 << 20) as file:
        yield HashedStream(file)
        file.seek(0)
        upload(path, file)
