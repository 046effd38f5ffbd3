"""Files of tables on S3 by the storage layer: with the credentials and retries that the rest of a run has.

pyarrow's own client of S3 looks for credentials by another chain, which need not find those of a job on AWS Glue.
"""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any

from pyiceberg.io import InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO

from pipeline import storage

_WHOLE = 1 << 20  # an object up to this size is read whole; of a larger one, blocks of it


class StoreIO(PyArrowFileIO):
    """What pyiceberg asks for metadata and footers; rows are still read by pyarrow."""

    def new_input(self, location: str) -> Any:
        """A file to read."""
        return _Object(location)

    def new_output(self, location: str) -> Any:
        """A file to write."""
        return _Object(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Deletes a file; fine when it is not there."""
        storage.delete(location if isinstance(location, str) else location.location)


class _Object(InputFile, OutputFile):
    def __len__(self) -> int:
        found = storage.info(self.location)
        if found is None:
            raise FileNotFoundError(self.location)
        return found.size

    def exists(self) -> bool:
        return storage.exists(self.location)

    def to_input_file(self) -> _Object:
        return self

    def open(self, seekable: bool = True) -> Any:
        size = len(self)
        if size <= _WHOLE:
            return io.BytesIO(storage.read_bytes(self.location))
        return io.BufferedReader(_Blocks(self.location, size), _WHOLE)

    def create(self, overwrite: bool = False) -> Any:
        if not overwrite and self.exists():
            raise FileExistsError(self.location)
        return _Written(self.location)


class _Blocks(io.RawIOBase):
    """An object by ranges."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size, self.at = path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self.size - self.at)
        if length <= 0:
            return 0
        data = storage.read_range(self.path, self.at, length)
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)

    def readall(self) -> bytes:
        data = storage.read_range(self.path, self.at, self.size - self.at)
        self.at = self.size
        return data


class _Written(io.BytesIO):
    """Bytes that become an object when they are all there."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            super().close()  # nothing is written
        self.close()

    def close(self) -> None:
        if not self.closed:
            storage.write_bytes(self.path, self.getvalue())
        super().close()
