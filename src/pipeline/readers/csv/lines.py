"""CSV text to records: physical lines, or lines put together where a quoted value holds line breaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.readers.spans import RecordSpans

Offsets = NDArray[np.int64]

UNCLOSED = "unclosed_quote"
BOM = b"\xef\xbb\xbf"
# A value that goes on for longer than this is taken for one whose closing quote is missing.
MOST_QUOTED = 1 << 20

_QUOTED = re.compile(rb'"[^"]*(?:""[^"]*)*"')


def csv_records(parts: Iterable[tuple[int, bytes]], *, header: bool, multi_line: bool = False) -> Iterator[RecordSpans]:
    """Records of CSV text that comes in parts with their offsets in the file; empty lines are left out.

    With `header` the first record is dropped. A record with an odd number of quotes is `unclosed_quote`; with
    `multi_line` it is taken together with the following lines up to the next such one, when quotes then stand only
    where values begin and end; else it stays a line of its own, and the next line is a record again.
    """
    held, base = b"", -1
    for offset, part in parts:
        base = offset if base < 0 else base
        text = held + part
        stop = text.rfind(b"\n") + 1
        used = 0
        if stop:
            found, used = _records(text[:stop], base, header, multi_line, False)
            header = header and used == 0
            yield from found
        held, base = text[used:], base + used
    if held:
        yield from _records(held, base, header, multi_line, True)[0]


def first_record(head: bytes, *, multi_line: bool = False) -> str:
    """The header: the first record of the text, without byte order mark and line end."""
    first = head[: head.find(b"\n") + 1] or head
    if multi_line:
        first = next(
            (text for found in csv_records([(0, head)], header=False, multi_line=True) for text in found.texts()), b""
        )
    return first.removeprefix(BOM).rstrip(b"\r\n").decode(errors="replace")


def _records(text: bytes, base: int, header: bool, multi_line: bool, final: bool) -> tuple[list[RecordSpans], int]:
    """The records of `text`, which begins with a line, and how many bytes they take."""

    raw = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(raw == 0x0A)
    if not len(breaks) or breaks[-1] != len(text) - 1:
        breaks = np.append(breaks, len(text))
    odd = _odd(raw, breaks) if b'"' in text else np.zeros(0, np.int64)
    if multi_line and len(odd):
        breaks, odd, used = _put_together(text, breaks, odd.tolist(), final)
        if not used:
            return [], 0
    else:
        used = len(text)
    starts = np.concatenate((np.zeros(1, np.int64), breaks[:-1] + 1))
    before = raw[np.maximum(breaks - 1, 0)]
    ends = breaks - ((before == 0x0D) & (breaks > starts))
    keep = ends > starts
    if header:
        keep[0] = False
    errors = np.zeros(len(starts), np.bool_)
    errors[odd] = True
    unclosed = dict.fromkeys(np.flatnonzero(errors[keep]).tolist(), UNCLOSED)
    starts, ends = starts[keep], ends[keep]
    return [RecordSpans(text, base, starts, ends, unclosed, False)], used


def _odd(raw: Any, breaks: Offsets) -> Offsets:
    """The numbers of the lines that hold an odd number of quotes."""

    quotes = np.flatnonzero(raw == 0x22)
    until = np.searchsorted(quotes, breaks)
    return np.flatnonzero(np.diff(until, prepend=0) & 1)


def _put_together(text: bytes, breaks: Offsets, odd: list[int], final: bool) -> tuple[Offsets, Any, int]:
    """Line ends that end a record, the numbers of records with an unclosed quote, and the bytes used."""

    inner = np.zeros(len(breaks), np.bool_)
    alone: list[int] = []
    used, at = len(text), 0
    while at < len(odd):
        start = int(breaks[odd[at] - 1]) + 1 if odd[at] else 0
        if at + 1 == len(odd) and not final and len(text) - start < MOST_QUOTED:
            breaks, inner, used = breaks[: odd[at]], inner[: odd[at]], start
            break
        if at + 1 < len(odd) and _is_sound(text[start : int(breaks[odd[at + 1]])]):
            inner[odd[at] : odd[at + 1]] = True
            at += 2
        else:
            alone.append(odd[at])
            at += 1
    number = np.cumsum(~inner) - 1
    return breaks[~inner], number[np.array(alone, np.int64)], used


def _is_sound(record: bytes) -> bool:
    """Whether quotes begin and end values: neither a letter nor a digit outside touches them."""
    if len(record) > MOST_QUOTED:
        return False
    bare = _QUOTED.sub(b'"', record)
    return b"\n" not in bare and re.search(rb'[0-9A-Za-z\x80-\xff]"|"[0-9A-Za-z\x80-\xff]', bare) is None
