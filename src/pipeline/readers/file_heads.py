"""The heads of many files, read some at a time: header lines of CSV files, the form of JSON files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from pipeline.readers import chunks
from pipeline.readers.csv.lines import first_record
from pipeline.readers.json.detect_format import HEAD, sniff
from pipeline.readers.splits import FileSplit

_AT_ONCE = 16
# A header line longer than this is not one.
_MOST_HEADER = 4 << 20

Result = TypeVar("Result")


def for_each(work: Callable[[FileSplit], Result], pieces: Sequence[FileSplit]) -> list[Result]:
    """The results of `work` for the pieces, some at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, pieces))


def _head(piece: FileSplit, length: int) -> bytes:
    """The first bytes of the file, decompressed."""
    if not piece.is_gzip:
        return chunks.read(piece, 0, min(length, piece.size))
    parts, have = [], 0
    for block in chunks.open_chunks(piece, 0):
        parts.append(block)
        have += len(block)
        if have >= length:
            break
    return b"".join(parts)[:length]


def headers_of(pieces: Sequence[FileSplit], multi_line: bool) -> tuple[list[str], list[int]]:
    """The different header lines of the files, and for each file which one it has (-1: the file is empty)."""

    def header(piece: FileSplit) -> str | None:
        """The header line of a file, null when it is empty."""
        head = _head(piece, HEAD)
        if len(head) == HEAD and (multi_line or b"\n" not in head):
            head = _head(piece, _MOST_HEADER)
        return first_record(head, multi_line=multi_line) if head else None

    found = for_each(header, pieces)
    headers = list(dict.fromkeys(text for text in found if text is not None))
    number = {text: index for index, text in enumerate(headers)}
    return headers, [-1 if text is None else number[text] for text in found]


def with_form(pieces: Sequence[FileSplit]) -> list[FileSplit]:
    """The same whole files with the form of their records."""

    def detected(piece: FileSplit) -> FileSplit:
        return replace(piece, form=sniff(_head(piece, HEAD), piece.size <= HEAD))

    return for_each(detected, pieces)
