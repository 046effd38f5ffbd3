"""Files on disk, whole or absent: written under a temporary name in their own folder and renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from pipeline.errors import InputError, PipelineError
from pipeline.storage.paths import FileInfo, by_path, is_hidden, is_pattern, name_matches, suggest

# Where a file is prepared. Never the target's own name: one that is 255 bytes long could not be added to.
TEMPORARY = re.compile(r"\.staged-[0-9a-f]{16}")
_GIVEN = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


def temporary_name(folder: str) -> str:
    """A new hidden name in the folder, which `leftovers` knows again."""
    return os.path.join(folder, f".staged-{secrets.token_hex(8)}")


@contextlib.contextmanager
def translate_errors(path: str, doing: str) -> Iterator[None]:
    """Turns what the system says into one line: `InputError` for what a person can put right."""
    try:
        yield
    except OSError as error:
        text = f"{path}: cannot be {doing}: {error.strerror or error}"
        if error.filename and str(error.filename) != path:
            text += f": {error.filename}"
        given = isinstance(error, _GIVEN)
        raise (InputError if given else PipelineError)(text) from error


def sync_folder(folder: str) -> None:
    """Makes renames in the folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network file systems do not take it
            os.fsync(handle)
    finally:
        os.close(handle)


def _walk(path: str, hidden: bool = False, seen: frozenset[tuple[int, int]] = frozenset()) -> Iterator[FileInfo]:
    """The file, or the files under the folder; links are followed, a link back to where one came from is not."""
    with translate_errors(path, "read"):
        info = os.stat(path)
    if not hidden and (stat.S_ISFIFO(info.st_mode) or stat.S_ISSOCK(info.st_mode)):
        raise InputError(f"{path}: a pipe or socket, which cannot be read in parts; save what it gives as a file")
    if not stat.S_ISDIR(info.st_mode):
        yield FileInfo(path, info.st_size, str(info.st_mtime_ns))
        return
    here = (info.st_dev, info.st_ino)
    if here in seen:
        return
    with translate_errors(path, "listed"):
        names = os.listdir(path)
    for name in names:
        if hidden or not is_hidden(name):
            yield from _walk(os.path.join(path, name), hidden, seen | {here})


def _expand(folder: str, segments: Sequence[str]) -> Iterator[FileInfo]:
    """The files of a glob. `glob.glob` would skip a folder that may not be listed without a word."""
    head, rest, names = segments[0], segments[1:], list[str]()
    with translate_errors(folder, "listed"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        names = os.listdir(folder)
    if head == "**" and rest:
        yield from _expand(folder, rest)
    for name in names:
        path = os.path.join(folder, name)
        if not name_matches(name, head):
            continue
        if not rest:
            yield from _walk(path)
        elif os.path.isdir(path):
            yield from _expand(path, segments if head == "**" else rest)


class LocalStore:
    """The local file system."""

    def find(self, pattern: str) -> list[FileInfo]:
        """See `storage.list_files`; an empty list when there is nothing."""
        path = pattern.rstrip("/") or "/"
        if os.path.lexists(path):
            if pattern.endswith("/") and not os.path.isdir(path):
                return []
            return by_path(_walk(path))
        if not is_pattern(path):
            return []
        segments = [segment for segment in path.split("/") if segment]
        fixed = next(at for at, segment in enumerate(segments) if is_pattern(segment))
        return by_path(_expand("/" + "/".join(segments[:fixed]), segments[fixed:]))

    def suggest(self, path: str) -> str:
        """What is there instead, for the message."""
        path = path.rstrip("/")
        if os.path.isdir(path):
            return "the folder has no files" + (" but ones that begin with _ or ." if os.listdir(path) else "")
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            path, parent = parent, os.path.dirname(parent)
        try:
            names = [name for name in os.listdir(parent) if not is_hidden(name)]
        except OSError as error:
            return f"the folder {parent} cannot be listed: {error.strerror}"
        return f"in {parent}: {suggest(os.path.basename(path), names)}" if names else f"{parent} is empty"

    def list_prefix(self, folder: str) -> list[FileInfo]:
        """All files under the folder."""
        return by_path(_walk(folder, hidden=True)) if os.path.isdir(folder) else []

    def open_read(self, path: str, version: str) -> BinaryIO:
        """A stream from the file's beginning."""
        with translate_errors(path, "read"):
            stream = open(path, "rb", buffering=1 << 20)  # noqa: SIM115 - the caller closes it
        if version and str(os.fstat(stream.fileno()).st_mtime_ns) != version:
            stream.close()
            raise InputError(f"{path}: changed while it was read")
        return stream

    def read_range(self, path: str, start: int, length: int, version: str) -> bytes:
        """Bytes of the file; fewer only at its end."""
        with translate_errors(path, "read"), self.open_read(path, version) as stream:
            stream.seek(start)
            return stream.read(length)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Whole under its name, or not at all."""
        folder = os.path.dirname(path)
        staged = temporary_name(folder)
        with translate_errors(path, "written"):
            os.makedirs(folder, exist_ok=True)
            try:
                with open(staged, "xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(staged, path)
                sync_folder(folder)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(staged)

    def info(self, path: str) -> FileInfo | None:
        """The file's size and version; None when there is no such file."""
        if not os.path.isfile(path):
            return None
        found = os.stat(path)
        return FileInfo(path, found.st_size, str(found.st_mtime_ns))

    def delete(self, path: str) -> None:
        """Gone afterwards, also when it was before."""
        with translate_errors(path, "deleted"), contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def make_folder(self, folder: str) -> None:
        """There afterwards, with those above it."""
        with translate_errors(folder, "written"):
            os.makedirs(folder, exist_ok=True)

    def delete_tree(self, folder: str) -> None:
        """Gone with all in it; somebody else deleting or making a file in it at the same time is no error."""

        def raise_others(_function: object, path: str, error: tuple[Any, BaseException, Any]) -> None:
            if getattr(error[1], "errno", None) == errno.ENOTEMPTY:
                shutil.rmtree(path, onerror=raise_others)
            elif not isinstance(error[1], FileNotFoundError):
                raise error[1]

        with translate_errors(folder, "deleted"):
            if os.path.islink(folder):
                os.unlink(folder)
            elif os.path.isdir(folder):
                shutil.rmtree(folder, onerror=raise_others)
