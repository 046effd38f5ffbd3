"""What local files and objects on S3 have in common: the spelling of paths, globs, and what a store can do."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from pipeline.errors import InputError

_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class FileInfo:
    """A file or object: its path, its size in bytes, and a text that changes when its content does.

    `version` is the modification time in nanoseconds of a local file, the ETag of an object.
    """

    path: str
    size: int
    version: str


class Store(Protocol):
    """What a store can do; `pipeline.storage` says what each means. Paths are normalised."""

    def find(self, pattern: str) -> list[FileInfo]: ...
    def suggest(self, path: str) -> str: ...
    def list_prefix(self, folder: str) -> list[FileInfo]: ...
    def read_range(self, path: str, start: int, length: int, version: str) -> bytes: ...
    def open_read(self, path: str, version: str) -> BinaryIO: ...
    def write_bytes(self, path: str, data: bytes) -> None: ...
    def info(self, path: str) -> FileInfo | None: ...
    def delete(self, path: str) -> None: ...
    def make_folder(self, folder: str) -> None: ...
    def delete_tree(self, folder: str) -> None: ...


def is_s3(path: str) -> bool:
    """True for s3://bucket/key, also spelt s3a:// or s3n://."""
    return path[:6].lower().startswith(("s3://", "s3a://", "s3n://"))


def normalise(path: str) -> str:
    """One spelling: `s3://bucket/key`, or an absolute local path. `file:` URIs are decoded, `~` is the home folder.

    Keys and local paths are taken as they are, blanks, plus and percent signs included.
    """
    if not path or "\0" in path:
        raise InputError(f"not a path: {path!r}")
    if is_s3(path):
        bucket, _, key = path.partition("://")[2].partition("/")
        if not bucket:
            raise InputError(f"{path}: expected s3://BUCKET/KEY, there is no bucket")
        return f"s3://{bucket}/{key}"
    if path[:5].lower() == "file:":
        path = unquote(urlsplit(path).path)
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        raise InputError(f"{path}: unknown kind of path; expected a local path, file:// or s3://")
    tail = "/" if path.endswith("/") and path.strip("/") else ""
    return os.path.abspath(os.path.expanduser(path)) + tail


def split_s3(path: str) -> tuple[str, str]:
    """Bucket and key of a normalised path."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return bucket, key


def is_pattern(path: str) -> bool:
    """True when the path has a wildcard: `*`, `?`, `[..]`, or `**` for folders of any depth."""
    return bool(_WILD.search(path))


def is_hidden(name: str) -> bool:
    """True for names that listings skip unless they are asked for: _SUCCESS, _runs, .crc."""
    return name.startswith((".", "_"))


def name_matches(name: str, segment: str) -> bool:
    """True when one level of a glob takes the name; a wildcard never takes a leading `_` or `.` that is not written."""
    return fnmatch.fnmatchcase(name, segment) and (is_hidden(segment) or (name != "" and not is_hidden(name)))


def glob_matches(names: Sequence[str], segments: Sequence[str]) -> bool:
    """True when a glob takes a file, both split at `/`; a folder that matches means all visible files in it."""
    if not segments:
        return all(name and not is_hidden(name) for name in names)
    deep = segments[0] == "**" and len(segments) > 1
    if deep and glob_matches(names, segments[1:]):
        return True
    if not names or not name_matches(names[0], segments[0]):
        return False
    return glob_matches(names[1:], segments if deep else segments[1:])


def fixed_part(pattern: str) -> str:
    """The folders before the first wildcard."""
    found = _WILD.search(pattern)
    return pattern if found is None else pattern[: pattern.rfind("/", 0, found.start()) + 1]


def by_path(files: Iterable[FileInfo]) -> list[FileInfo]:
    """Each file once, in the order of the UTF-8 bytes of its path."""
    once = {file.path: file for file in files}
    for path in once:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{os.fsencode(path)!r}: the name of this file is not UTF-8") from error
    return [once[path] for path in sorted(once, key=str.encode)]


def suggest(name: str, names: Sequence[str]) -> str:
    """The names closest to the wanted one, or else the first ones that are there."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"similar: {', '.join(close)}"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"there: {', '.join(sorted(names)[:5])}{more}"
