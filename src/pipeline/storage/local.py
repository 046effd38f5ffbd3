"""Files on disk, whole or absent: written under a temporary name beside their own and renamed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from pipeline.errors import InputError, PipelineError
from pipeline.storage.paths import FileInfo, by_path, compiled, is_hidden, is_pattern, near, segment_regex

# Where a file is prepared. Never the target's own name: one that is 255 bytes long could not be added to.
TEMPORARY = re.compile(r"\.staged-[0-9a-f]{16}")
_GIVEN = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


def temporary_name(folder: str) -> str:
    """A new hidden name in the folder, which `leftovers` knows again."""
    return os.path.join(folder, f".staged-{secrets.token_hex(8)}")


@contextlib.contextmanager
def told(path: str, doing: str) -> Iterator[None]:
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


def _visible(folder: str, hidden: bool, seen: frozenset[tuple[int, int]] = frozenset()) -> Iterator[FileInfo]:
    """The files under a folder; links are followed, a link back to where one came from is not."""
    with told(folder, "listed"):
        place = os.stat(folder)
        entries = list(os.scandir(folder))
    here = (place.st_dev, place.st_ino)
    if here in seen:
        return
    for entry in entries:
        if is_hidden(entry.name) and not hidden:
            continue
        with told(entry.path, "read"):
            if entry.is_dir():
                inner = True
            else:
                inner, info = False, entry.stat()
        if inner:
            yield from _visible(entry.path, hidden, seen | {here})
        else:
            yield FileInfo(entry.path, info.st_size, str(info.st_mtime_ns))


def _expand(folder: str, segments: Sequence[str]) -> Iterator[FileInfo]:
    head, rest = segments[0], segments[1:]
    try:
        entries = [entry for entry in os.scandir(folder) if not (head == "**" and is_hidden(entry.name))]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error
    if head == "**":
        if rest:
            yield from _expand(folder, rest)
        for entry in entries:
            if entry.is_dir():
                yield from _expand(entry.path, segments)
            elif not rest:
                yield from _found(entry.path)
        return
    wanted = compiled(segment_regex(head), head)
    for entry in entries:
        if wanted.fullmatch(entry.name):
            if rest and entry.is_dir():
                yield from _expand(entry.path, rest)
            elif not rest:
                yield from _found(entry.path)


def _found(path: str) -> Iterator[FileInfo]:
    if os.path.isdir(path):
        yield from _visible(path, False)
        return
    with told(path, "read"):
        info = os.stat(path)
    yield FileInfo(path, info.st_size, str(info.st_mtime_ns))


class LocalStore:
    """The local file system."""

    def find(self, pattern: str) -> list[FileInfo]:
        """See `storage.list_files`; an empty list when there is nothing."""
        path = pattern.rstrip("/") or "/"
        if os.path.lexists(path):
            if pattern.endswith("/") and not os.path.isdir(path):
                return []
            return by_path(_found(path))
        if not is_pattern(path):
            return []
        segments = [segment for segment in path.split("/") if segment]
        fixed = next(at for at, segment in enumerate(segments) if is_pattern(segment))
        return by_path(_expand("/" + "/".join(segments[:fixed]), segments[fixed:]))

    def nearby(self, path: str) -> str:
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
        return f"in {parent}: {near(os.path.basename(path), names)}" if names else f"{parent} is empty"

    def list_prefix(self, folder: str) -> list[FileInfo]:
        """All files under the folder."""
        return by_path(_visible(folder, True)) if os.path.isdir(folder) else []

    def open_read(self, path: str, version: str) -> BinaryIO:
        """A stream from the file's beginning."""
        with told(path, "read"):
            stream = open(path, "rb", buffering=1 << 20)  # noqa: SIM115 - the caller closes it
        if version and str(os.fstat(stream.fileno()).st_mtime_ns) != version:
            stream.close()
            raise InputError(f"{path}: changed while it was read")
        return stream

    def read_range(self, path: str, start: int, length: int, version: str) -> bytes:
        """Bytes of the file; fewer only at its end."""
        with told(path, "read"), self.open_read(path, version) as stream:
            stream.seek(start)
            return stream.read(length)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Whole under its name, or not at all."""
        with told(path, "written"), _prepared(path, data) as staged:
            os.replace(staged, path)
            sync_folder(os.path.dirname(path))

    def write_if_absent(self, path: str, data: bytes) -> bool:
        """A hard link takes a name only when it is free, and gives it to a whole file."""
        with told(path, "written"), _prepared(path, data) as staged:
            try:
                os.link(staged, path)
            except FileExistsError:
                return False
            sync_folder(os.path.dirname(path))
            return True

    def info(self, path: str) -> FileInfo | None:
        """The file's size and version; None when there is no such file."""
        if not os.path.isfile(path):
            return None
        found = os.stat(path)
        return FileInfo(path, found.st_size, str(found.st_mtime_ns))

    def delete(self, path: str) -> None:
        """Gone afterwards, also when it was before."""
        with told(path, "deleted"), contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def delete_tree(self, folder: str) -> None:
        """Gone with all in it; somebody else deleting at the same time is no error."""

        def again(_function: object, path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
            if not isinstance(error[1], FileNotFoundError):
                raise error[1]

        with told(folder, "deleted"):
            if os.path.islink(folder):
                os.unlink(folder)
            elif os.path.isdir(folder):
                shutil.rmtree(folder, onerror=again)


@contextlib.contextmanager
def _prepared(path: str, data: bytes) -> Iterator[str]:
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    staged = temporary_name(folder)
    try:
        with open(staged, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield staged
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staged)
