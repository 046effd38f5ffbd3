"""The header lines of many CSV files, and how each file is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.errors import InputError
from pipeline.readers.csv.lines import first_record
from pipeline.readers.decoding import compression_of, marked_encoding
from pipeline.readers.dialect import RFC_4180, Dialect
from pipeline.readers.file_heads import HEAD, damage, for_each, head, stored_head
from pipeline.readers.splits import FileSplit, whole_files
from pipeline.storage import FileInfo

# A header that is not complete within so many bytes is none.
_MOST_HEADER = 4 << 20


@dataclass(frozen=True)
class Headers:
    """The different header lines, a file and line of each, and the number of the one that each file has.

    -1: the file is empty. `pieces`: the files with what is known of their text.
    """

    lines: list[str]
    places: list[str]
    of_file: list[int]
    pieces: list[FileSplit]


class FileHeaders:
    """The headers of an input's CSV files; each file is looked at once, when its header is first asked for."""

    def __init__(self, files: Sequence[FileInfo], dialect: Dialect = RFC_4180) -> None:
        self.dialect = dialect
        self._pieces = whole_files(files)
        self._found: list[tuple[FileSplit, str | None, int]] = []

    def of_files(self, most: int | None = None) -> Headers:
        """The headers of the first `most` files, or of all; `InputError` for a file that is no text."""
        new = self._pieces[len(self._found) : most]
        self._found += for_each(lambda piece: _looked_at(piece, self.dialect), new)
        return _merged(self._found[:most], self.dialect)


def no_header(files: Sequence[str]) -> InputError:
    """What is wrong with files that are all empty."""
    return InputError(f"{', '.join(files[:3])}: empty, there is not even a header line")


def _merged(found: Sequence[tuple[FileSplit, str | None, int]], dialect: Dialect) -> Headers:
    places: dict[str, str] = {}
    for piece, header, line in found:
        if header is not None:
            places.setdefault(header, "--header" if dialect.header else f"{piece.path}, line {line}")
    number = {text: index for index, text in enumerate(places)}
    of_file = [-1 if header is None else number[header] for _, header, _ in found]
    return Headers(list(places), list(places.values()), of_file, [piece for piece, *_ in found])


def _looked_at(piece: FileSplit, dialect: Dialect) -> tuple[FileSplit, str | None, int]:
    """A file with what its head tells of its text, its header (None when it is empty), and the header's line."""
    text = stored_head(piece, HEAD)
    if compression_of(text):
        piece = replace(piece, whole=True)
        text = head(piece, HEAD)
        if b"\n" not in text and b"\r" not in text and len(text) < HEAD and (error := damage(piece)):
            raise InputError(f"{piece.path}: {error}, in its header line")
    encoding = marked_encoding(text) or dialect.encoding
    if encoding != "utf-8":
        piece = replace(piece, whole=True, encoding=encoding)
        text = head(piece, HEAD)
    record = first_record(text, dialect, len(text) < HEAD)
    if record is None and len(text) == HEAD:
        text = head(piece, _MOST_HEADER)
        record = first_record(text, dialect, True)
    if b"\r" in text and b"\n" not in text:
        piece = replace(piece, whole=True, carriage_returns=True)
        record = first_record(text.replace(b"\r", b"\n"), dialect, True)
    if record is None and len(text) == _MOST_HEADER:
        raise InputError(f"{piece.path}: no header in its first {_MOST_HEADER >> 20} MiB")
    if record is None:
        return piece, None, 0
    if dialect.header:
        return piece, dialect.header_line, 1
    header, line = record
    return piece, _sound(header, f"{piece.path}, line {line}", dialect), line


def _sound(header: bytes, place: str, dialect: Dialect) -> str:
    """The header as text; `InputError` where it is none."""
    shown = header[:60].decode(errors="backslashreplace")
    if b"\0" in header:
        raise InputError(
            f"{place}: the header holds zero bytes: {shown!r}; for --encoding utf-16-le, or not a CSV file"
        )
    if b"\r" in header and not dialect.multi_line:
        raise InputError(f"{place}: the header holds a \\r: {shown!r}; line ends are mixed, \\n or \\r\\n is expected")
    try:
        return header.decode()
    except UnicodeDecodeError:
        known = (
            f"not {dialect.encoding}" if dialect.encoding != "utf-8" else "not UTF-8; for --encoding cp1252 or another"
        )
        raise InputError(f"{place}: the header is {known}: {shown}") from None
