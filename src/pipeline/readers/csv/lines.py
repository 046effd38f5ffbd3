"""CSV text to records: physical lines, or lines put together where a quoted value holds line breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.readers.dialect import Dialect, record_patterns
from pipeline.readers.spans import RecordSpans

Offsets = NDArray[np.int64]

BOM = b"\xef\xbb\xbf"
# A value that goes on for longer than this is taken for one whose closing quote is missing.
MOST_QUOTED = 1 << 20


def csv_records(parts: Iterable[tuple[int, bytes]], dialect: Dialect, *, header: bool) -> Iterator[RecordSpans]:
    """Records of CSV text that comes in parts with their offsets in the file; empty lines are left out.

    With `header` the first of all records is dropped. A record is a line; with `multi_line` a line that ends within a
    quoted value is taken together with the following ones up to where the value is closed. Where nothing closes it, it
    stays a line of its own, and the next line is a record again.
    """
    held, base = b"", -1
    for offset, part in parts:
        base = offset if base < 0 else base
        text = held + part
        stop = text.rfind(b"\n") + 1
        used = 0
        if stop:
            found, used = _records(text[:stop], base, dialect, False)
            if header and used:
                found, header = _behind_header(found)
            yield from found
        held, base = text[used:], base + used
    if held:
        found, _ = _records(held, base, dialect, True)
        yield from _behind_header(found)[0] if header else found


def _behind_header(found: list[RecordSpans]) -> tuple[list[RecordSpans], bool]:
    """The records without the first one, and whether that is still to come."""
    rest = [RecordSpans(one.data, one.base, one.starts[1:], one.ends[1:], {}, False) for one in found]
    return rest, not any(len(one.starts) for one in found)


def first_record(head: bytes, dialect: Dialect, whole: bool) -> tuple[bytes, int] | None:
    """The first record of a file's head and its line; None without any, or when it goes on behind it (not `whole`)."""
    parts = behind_preamble([(0, head)], dialect)
    for found in csv_records(parts, dialect, header=False):
        for text, start, end in zip(found.texts(), found.places().tolist(), found.ends.tolist(), strict=True):
            complete = whole or b"\n" in found.data[end:]
            return (text, head.count(b"\n", 0, start) + 1) if complete else None
    return None


def behind_preamble(parts: Iterable[tuple[int, bytes]], dialect: Dialect) -> Iterator[tuple[int, bytes]]:
    """The text of a file without byte order mark and the lines to skip."""
    parts, text, begin = iter(parts), b"", None
    for _, part in parts:
        text += part
        begin = _begin(text, dialect.skip_lines)
        if begin is not None:
            yield begin, text[begin:]
            break
    yield from parts


def _begin(text: bytes, skip: int) -> int | None:
    """Where the text begins behind what is left out; None when that is not over yet."""
    at = len(BOM) if text.startswith(BOM) else 0
    for _ in range(skip):
        at = text.find(b"\n", at) + 1
        if not at:
            return None
    return None if len(text) < len(BOM) and BOM.startswith(text) else at


def _records(text: bytes, base: int, dialect: Dialect, final: bool) -> tuple[list[RecordSpans], int]:
    """The records of `text`, which begins with a line, and how many bytes they take."""

    raw = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(raw == 0x0A)
    if not len(breaks) or breaks[-1] != len(text) - 1:
        breaks = np.append(breaks, len(text))
    used = len(text)
    if dialect.multi_line and dialect.quote and dialect.quote.encode() in text:
        breaks, used = _put_together(text, breaks, dialect, final)
        if not used:
            return [], 0
    starts = np.concatenate((np.zeros(1, np.int64), breaks[:-1] + 1))
    before = raw[np.maximum(breaks - 1, 0)]
    ends = breaks - ((before == 0x0D) & (breaks > starts))
    keep = ends > starts
    for begin in dialect.comment:
        lines = np.flatnonzero(raw[starts] == begin.encode()[0])
        keep[[line for line in lines.tolist() if text.startswith(begin.encode(), starts[line])]] = False
    return [RecordSpans(text[:used], base, starts[keep], ends[keep], {}, False)], used


def in_doubt(text: bytes, starts: Offsets, ends: Offsets, dialect: Dialect) -> Offsets:
    """The records that need care: with improper quotes, or with an escape."""
    found = improper_quotes(text, starts, ends, dialect) if dialect.quote else np.zeros(0, np.int64)
    if dialect.escape:
        escapes = np.flatnonzero(np.frombuffer(text, np.uint8) == ord(dialect.escape))
        rows = np.searchsorted(starts, escapes, side="right") - 1
        found = np.union1d(found, rows[(rows >= 0) & (escapes < ends[rows])])
    return found


def improper_quotes(text: bytes, starts: Offsets, ends: Offsets, dialect: Dialect) -> Offsets:
    """The records with quotes that do not open a value, close one or double another, one after the other.

    Those whose quotes are all within values that do not begin with one are not among them.
    """
    raw = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(raw == ord(dialect.quote))
    rows = np.searchsorted(starts, quotes, side="right") - 1
    inside = (rows >= 0) & (quotes < ends[rows])
    quotes, rows = quotes[inside], rows[inside]
    rank = np.arange(len(quotes)) - np.searchsorted(quotes, starts)[rows]
    before, behind = raw[np.maximum(quotes - 1, 0)], raw[np.minimum(quotes + 1, len(raw) - 1)]
    quote, delimiter = ord(dialect.quote), ord(dialect.delimiter)
    begins = (before == delimiter) | (quotes == starts[rows])
    opens = begins | (before == quote)
    closes = (behind == delimiter) | (behind == quote) | (quotes + 1 == ends[rows])
    is_last = np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, np.bool_)
    open_end = is_last & (rank % 2 == 0)
    wrong = np.unique(rows[np.where(rank % 2 == 0, ~opens | open_end, ~closes)])
    found: Offsets = np.intersect1d(wrong, rows[begins])
    return found


def _put_together(text: bytes, breaks: Offsets, dialect: Dialect, final: bool) -> tuple[Offsets, int]:
    """The line ends that end a record, and the bytes used."""

    starts = np.concatenate((np.zeros(1, np.int64), breaks[:-1] + 1))
    raw = np.frombuffer(text, np.uint8)
    ends = breaks - ((raw[np.maximum(breaks - 1, 0)] == 0x0D) & (breaks > starts))
    whole, unclosed = record_patterns(dialect)
    inner = np.zeros(len(breaks), np.bool_)
    behind = 0
    comments = tuple(begin.encode() for begin in dialect.comment)
    for line in in_doubt(text, starts, ends, dialect).tolist():
        start = int(starts[line])
        if start < behind or (comments and text.startswith(comments, start)):
            continue
        limit = min(start + MOST_QUOTED, len(text))
        record = whole.match(text, start, limit)
        if record and (record.end() < limit or limit == len(text)):
            last = int(np.searchsorted(breaks, record.end()))
            inner[line:last] = True
            behind = int(breaks[last])
        elif unclosed.match(text, start, limit):
            if limit == len(text) and not final and len(text) - start < MOST_QUOTED:
                return breaks[:line][~inner[:line]], start
            # Nothing closes it, nor what begins in what it would hold.
            behind = limit
    return breaks[~inner], len(text)
