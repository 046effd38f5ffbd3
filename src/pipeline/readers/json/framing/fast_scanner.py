"""The fast way through JSON text: all records of a window at once, as far as nothing is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.readers.json.framing.separators import Gap, Item, read_gap
from pipeline.readers.json.framing.structural_index import NEWLINE, structure

Offsets = NDArray[np.int64]

# Deeper text than this is checked bracket by bracket.
_PASSES = 64


@dataclass
class ScannedRecords:
    """The records of a window that are objects or arrays, in order.

    `starts`, `ends`: offsets; there is one more start when the last record does not end here. `levels`: the level
    behind each end (1: inside the array whose elements are the records), `start_levels`: the level of each start.
    `trouble`: where the first wrong thing is, or the window's length. `closed`: offset behind the end of the array,
    -1 while it is open or when its end does not matter.
    """

    starts: Offsets
    ends: Offsets
    levels: Any
    start_levels: Any
    trouble: int
    closed: int = -1


def unmatched(kinds: bytes) -> bytes | None:
    """What is left of brackets without the pairs: closing ones, then opening ones; None when a pair mismatches."""
    for _ in range(_PASSES):
        shorter = kinds.replace(b"{}", b"").replace(b"[]", b"")
        if len(shorter) == len(kinds):
            break
        kinds = shorter
    else:
        return _walk(kinds)[0]
    opening = kinds.lstrip(b"}]")
    return kinds if not opening.strip(b"{[") else None


def _walk(kinds: bytes) -> tuple[bytes | None, int]:
    """The same, bracket by bracket, and the index of the first closing bracket that does not match (-1: none)."""
    closing, stack = bytearray(), bytearray()
    for index, kind in enumerate(kinds):
        if kind in b"{[":
            stack.append(kind)
        elif not stack:
            closing.append(kind)
        elif stack.pop() != kind - 2:
            return None, index
    return bytes(closing + stack), -1


def scan_records(data: bytes, level: int, *, lines: bool = False, ends_with_array: bool = False) -> ScannedRecords:
    """The records in `data`, which begins between two records on `level`; `lines`: each line is read by itself.

    With `ends_with_array` reading ends where the array does that `data` begins in. With `lines`, trouble is reported as
    the start of its line.
    """

    found = structure(data, newlines=lines)
    at, kinds, trouble, closed = found.at, found.kinds, found.trouble, -1
    delta = 3 - (kinds & 6).astype(np.int8)
    if lines:
        delta[kinds == NEWLINE] = 0
    depth = level + np.cumsum(delta, dtype=np.int32)
    wrong = depth < (1 if ends_with_array else 0)
    if lines:
        wrong |= (kinds == NEWLINE) & (depth != 0)
    first = int(np.argmax(wrong)) if len(wrong) else 0
    if len(wrong) and wrong[first]:
        trouble = int(at[first])
        closed = trouble + 1 if ends_with_array and kinds[first] == 0x5D else -1
        at, kinds, delta, depth = at[:first], kinds[:first], delta[:first], depth[:first]
    brackets = kinds != NEWLINE if lines else slice(None)
    text = b"[" * level + kinds[brackets].tobytes()
    if unmatched(text) is None:
        trouble, closed = int(at[brackets][_walk(text)[1] - level]), -1
    if lines and trouble < len(data):
        trouble = data.rfind(b"\n", 0, trouble) + 1
    keep = int(np.searchsorted(at, trouble))
    clean = _records(at[:keep], kinds[:keep], delta[:keep], depth[:keep], level)
    clean.trouble, clean.closed = (trouble if closed < 0 else len(data)), closed
    return clean


def _records(at: Offsets, kinds: Any, delta: Any, depth: Any, level: int) -> ScannedRecords:
    """Records among sound brackets: objects at the top, and the elements of arrays at the top."""

    start_levels = depth - (delta > 0)
    shallow = np.flatnonzero((start_levels + (delta < 0) <= 2) & (delta != 0) & (start_levels <= 1))
    at, kinds, opening, depth = at[shallow], kinds[shallow], delta[shallow] > 0, depth[shallow]
    on = depth - opening
    top = (on == 0) & opening
    is_array = np.concatenate(([level == 1], kinds[top] == 0x5B))[np.cumsum(top)]
    is_record = on == is_array
    starts, ends = is_record & opening, is_record & ~opening
    return ScannedRecords(at[starts], at[ends] + 1, depth[ends], on[starts], 0)


def regular_gaps(data: bytes, ends: Offsets, starts: Offsets, levels: Any) -> Any:
    """For each gap between a record and the next: whether it is just blanks, with exactly one comma in an array."""

    text = np.frombuffer(data, np.uint8)
    length = starts - ends
    total = int(length.sum())
    if total == len(length):
        marks = text[ends]
        return np.where(levels == 1, marks == 0x2C, _blank(marks) | (marks == 0x2C))
    # The bytes of all gaps, one after the other.
    begin = np.cumsum(length) - length
    marks = text[np.arange(total) + np.repeat(ends - begin, length)]
    commas = marks == 0x2C
    odd = ~(_blank(marks) | commas)
    sums = np.concatenate(([0], np.cumsum(commas + (odd.astype(np.int64) << 32))))
    within = sums[begin + length] - sums[begin]
    return np.where(levels == 1, within == 1, within < (1 << 32))


def _blank(marks: Any) -> Any:
    return (marks == 0x20) | (marks == 0x0A) | (marks == 0x0D) | (marks == 0x09)


def gap_items(data: bytes, clean: ScannedRecords, before: Gap, count: int) -> tuple[list[Item], bool]:
    """Scalars and garbage in the gaps before the first `count` starts, and whether all gaps are plain separators.

    `before` is the state at the window's start; the gap before the first record is read into it.
    """

    if not count:
        return [], True
    read_gap(data, 0, int(clean.starts[0]), before)
    items, ends, starts, levels = (
        before.items,
        clean.ends[: count - 1],
        clean.starts[1:count],
        clean.levels[: count - 1],
    )
    before.items = []
    if count == 1:
        return items, True
    odd = np.flatnonzero(~regular_gaps(data, ends, starts, levels))
    for index in odd.tolist():
        gap = Gap(int(levels[index]))
        read_gap(data, int(ends[index]), int(starts[index]), gap)
        items.extend(gap.items)
    return items, not len(odd)
