"""Files on disk and objects on S3 by one set of functions; paths are local, `file://`, `s3://` or `s3a://`.

Every write is whole or not there. Errors are `InputError` for what a person can put right (a wrong name, no access),
else `PipelineError`. S3 takes the usual AWS chain of credentials and `AWS_ENDPOINT_URL`. Nothing here needs Spark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.storage.local import LocalStore
from pipeline.storage.paths import FileInfo, Store, is_s3, normalise

__all__ = [
    "FileInfo", "delete", "delete_tree", "exists", "info", "is_s3", "join", "list_files", "list_prefix", "make_folder",
    "normalise", "open_read", "read_bytes", "read_lines", "read_range", "write_bytes",
]  # fmt: skip

_LOCAL = LocalStore()


def _store(path: str) -> Store:
    if not is_s3(path):
        return _LOCAL
    from pipeline.storage.s3 import STORE  # only for s3://: boto3 takes its time to load

    return STORE


def list_files(pattern: str) -> list[FileInfo]:
    """The files that a path means: a file, a folder (all in it), or a glob of either; sorted by the path's UTF-8 bytes.

    A glob has `*`, `?`, `[..]` and, as a whole level, `**`; a name that exists is never taken for a glob. Files and
    folders whose names begin with `_` or `.` count only when that is written out. Paths come back absolute, `s3a://` as
    `s3://`.
    `InputError` when there is nothing, with similar names.
    """
    path = normalise(pattern)
    found = _store(path).find(path)
    if not found:
        raise InputError(f"{pattern}: no such file or folder; {_store(path).suggest(path)}")
    return found


def list_prefix(folder: str) -> list[FileInfo]:
    """All files under the folder, hidden ones too, sorted; an empty list when there is no such folder."""
    path = normalise(folder)
    return _store(path).list_prefix(path.rstrip("/"))


def read_range(path: str, start: int, length: int, version: str = "") -> bytes:
    """At most `length` bytes from `start`, fewer only at the file's end. A `version` is checked (`InputError`)."""
    path = normalise(path)
    return _store(path).read_range(path, start, length, version)


def open_read(path: str, version: str = "") -> BinaryIO:
    """A buffered binary stream of one version of the file; on S3 a range whose connection breaks is read again."""
    path = normalise(path)
    return _store(path).open_read(path, version)


def read_bytes(path: str) -> bytes:
    """The whole content."""
    with open_read(path) as stream:
        return stream.read()


def read_lines(path: str) -> Iterator[str]:
    """The lines of a UTF-8 file without their \\n, which alone ends a line."""
    with open_read(path) as stream:
        for line in stream:
            yield line.removesuffix(b"\n").decode()


def write_bytes(path: str, data: bytes) -> None:
    """Writes the file whole or not at all, over one that is there; folders are made."""
    path = normalise(path)
    _store(path).write_bytes(path, data)


def make_folder(path: str) -> None:
    """Makes the folder and those above it, unless they are there; S3 needs none."""
    path = normalise(path)
    _store(path).make_folder(path)


def info(path: str) -> FileInfo | None:
    """Size and version of a file; None when there is none (a folder is none)."""
    path = normalise(path)
    return _store(path).info(path)


def exists(path: str) -> bool:
    """True when there is a file of this name."""
    return info(path) is not None


def delete(path: str) -> None:
    """Deletes a file; none is no error."""
    path = normalise(path)
    _store(path).delete(path)


def delete_tree(folder: str) -> None:
    """Deletes all under the folder; none is no error. A whole bucket or file system is refused."""
    path = normalise(folder).rstrip("/")
    if path.count("/") < (3 if is_s3(path) else 2):
        raise InputError(f"{folder}: will not delete a whole bucket or top folder")
    _store(path).delete_tree(path)


def join(base: str, *parts: str) -> str:
    """A path under `base`, spelt as `base` is."""
    names = [part.strip("/") for part in parts]
    return "/".join([base.rstrip("/"), *names] if base else names)
