"""JSON text to records: the fast way where the text is sound, a careful one for each place where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.readers.json.framing.fast_scanner import ScannedRecords, gap_items, scan_records
from pipeline.readers.json.framing.recovery import MORE, next_record, value_end
from pipeline.readers.json.framing.separators import Gap, Item, read_gap
from pipeline.readers.spans import RecordSpans

TRUNCATED, MALFORMED, TOO_LONG = "truncated", "malformed_json", "too_long"
MIB = 1 << 20
# A record longer than this is refused: a column value of the engine cannot hold more than double that.
MOST_RECORD = 768 * MIB
# Behind damage the next record is looked for within so many bytes.
MOST_SEARCH = 64 * MIB
# After trouble the next windows are small, so that many bad records do not mean reading many windows again.
CAUTIOUS = 64 << 10
# A record that does not end within this is checked for damage at its beginning.
SUSPICIOUS, LOOK = 16 * MIB, 2 * MIB
# Text without any record, only scalars or garbage, is read in pieces of this length.
LONG_GAP = 4 * MIB


class JsonReader:
    """Splits the text that `blocks` brings, from offset `base` of the file, into records.

    Records that start at or behind `end` are left to who reads on from there. `lines`: every line is read by itself, so
    that damage ends with its line. `ends_with_array`: the text begins inside an array and reading ends with it; then
    `rest` is what was read too much, at offset `at`.
    """

    def __init__(
        self,
        blocks: Iterator[bytes],
        base: int,
        end: int | None = None,
        *,
        lines: bool = False,
        level: int = 0,
        ends_with_array: bool = False,
    ) -> None:
        self.blocks, self.at, self.end = blocks, base, end
        self.lines, self.ends_with_array = lines, ends_with_array
        self.gap = Gap(level, value=False)
        self.rest, self.final, self.done, self.closed = b"", False, False, False
        self.cut_off = False
        self.limit = 1 << 62

    def records(self) -> Iterator[RecordSpans]:
        """Everything there is, in the order of the file."""
        self._more()
        while not self.done:
            whole = self.limit >= len(self.rest)
            part = self.rest if whole else self.rest[: self.limit]
            clean = scan_records(part, self.gap.level, lines=self.lines, ends_with_array=self.ends_with_array)
            trouble = self.at + clean.trouble if clean.trouble < len(part) else -1
            yield from self._clean(part, clean)
            if not self.done:
                yield from self._behind(clean, whole, trouble)

    def _behind(self, clean: ScannedRecords, whole: bool, trouble: int) -> Iterator[RecordSpans]:
        """Goes on behind the records of a window: damage, a longer window, the end, or more text."""
        if trouble >= 0:
            self.limit = CAUTIOUS
            yield from self._bad_line(trouble) if self.lines else self._careful(len(self.rest), self.final)
        elif not whole:
            self.limit *= 4
        elif self.final:
            self.cut_off = self.cut_off and not self.lines
            yield from self._to(self.at + len(self.rest))
            self.done = True
        else:
            yield from self._incomplete(len(clean.starts) > len(clean.ends))

    def _more(self) -> None:
        """Reads at least as much again as there is, so that a long record is not scanned too often."""
        wanted, parts = max(1, len(self.rest)), [self.rest]
        while wanted > 0 and not self.final:
            block = next(self.blocks, None)
            self.final = block is None
            parts.append(block or b"")
            wanted -= len(parts[-1])
        self.rest = b"".join(parts) if self.rest else b"".join(parts[1:]) if len(parts) != 2 else parts[1]
        self.limit = max(self.limit, CAUTIOUS)

    def _drop(self, count: int) -> None:
        self.rest, self.at = self.rest[count:], self.at + count
        self.gap.comma = self.gap.closed = -1
        self.gap.items = []

    def _clean(self, part: bytes, clean: ScannedRecords) -> Iterator[RecordSpans]:
        """The records that end in the window; afterwards `rest` begins behind the last of them."""

        starts, ends = clean.starts, clean.ends
        owned = len(starts) if self.end is None else int(np.searchsorted(starts, self.end - self.at))
        self.done = owned < len(starts)
        # The gap behind a record belongs to it, up to the next start, whoever owns that one.
        reach, count = min(owned + 1, len(starts)), min(owned, len(ends))
        items, plain = gap_items(part, clean, self.gap, reach)
        drop = 0
        if reach > count:
            drop, self.gap = int(starts[count]), Gap(int(clean.start_levels[count]))
        elif reach:
            drop, self.gap = int(ends[count - 1]), Gap(int(clean.levels[count - 1]))
        if clean.closed >= 0 and not self.done:
            self.gap.items = []
            read_gap(part, drop, clean.closed, self.gap, ends_with_array=True)
            items, drop = items + self.gap.items, clean.closed
            self.done = self.closed = True
        yield from self._found(part, starts[:count], ends[:count], items, plain)
        self._drop(drop)

    def _found(self, data: bytes, starts: Any, ends: Any, items: list[Item], plain: bool) -> Iterator[RecordSpans]:

        if not items:
            if len(starts):
                yield RecordSpans(data, self.at, starts, ends, {}, plain)
            return
        starts = np.concatenate((starts, np.array([item[0] for item in items], np.int64)))
        ends = np.concatenate((ends, np.array([item[1] for item in items], np.int64)))
        errors = [None] * (len(starts) - len(items)) + [item[2] for item in items]
        order = np.argsort(starts, kind="stable")
        by_place = {place: error for place, old in enumerate(order.tolist()) if (error := errors[old]) is not None}
        yield RecordSpans(data, self.at, starts[order], ends[order], by_place, False)

    def _emit(self, items: list[Item], drop: int) -> Iterator[RecordSpans]:
        """Single records, then `rest` begins at `drop`."""

        none = np.zeros(0, np.int64)
        yield from self._found(self.rest, none, none, items, False)
        self._drop(drop)

    def _bad_line(self, place: int) -> Iterator[RecordSpans]:
        """Everything up to the end of the line that begins at offset `place` of the file; then all begins anew."""
        self.cut_off = False
        while (stop := self.rest.find(b"\n", place - self.at)) < 0 and not self.final:
            self._more()
        end = self.at + (len(self.rest) if stop < 0 else stop)
        yield from self._to(end)
        self.gap = Gap(0, value=False)

    def _to(self, end: int) -> Iterator[RecordSpans]:
        """The careful way up to offset `end` of the file, where everything ends."""
        while self.at < end and not self.done:
            yield from self._careful(end - self.at, True)
        if self.gap.level == 1 and not self.done and not self.cut_off:
            # An array that is not closed: what it lost cannot be known, so this is reported as a record without text.
            yield from self._emit([(0, 0, TRUNCATED)], 0)

    def _careful(self, stop: int, final: bool) -> Iterator[RecordSpans]:
        """One step: a gap and the record behind it, up to the next believable record when it is damaged."""
        gap, data = replace(self.gap, items=[]), self.rest
        start = read_gap(data, 0, stop, gap, to_record=True, final=final, ends_with_array=self.ends_with_array)
        items, level = gap.items, gap.level
        self.closed = gap.closed >= 0
        self.done = self.closed or (self.end is not None and start < stop and self.at + start >= self.end)
        if start >= stop and not final and not self.done:
            # The last word may go on behind the window.
            yield from self._incomplete(False)
            return
        self.gap = gap
        if self.done or start >= stop:
            yield from self._emit(items, start)
            return
        sound = self._sound_end(data, start, stop, level)
        end, error = (sound, None) if sound >= 0 else self._value(data, start, stop, final, level)
        if end == MORE:
            yield from self._emit(items, start)
            self.gap = Gap(level)
            self._more()
            return
        shown = end if error is None else start + len(data[start:end].rstrip(b" \t\r\n,"))
        self.cut_off = error == TRUNCATED and end == stop
        yield from self._emit([*items, (start, shown, error)], end)
        self.gap = Gap(level)

    def _sound_end(self, data: bytes, start: int, stop: int, level: int) -> int:
        """Where the record at `start` ends when its brackets and quotes are sound, as the fast way sees it; else -1."""
        length = CAUTIOUS
        while True:
            part = data[start : min(start + length, stop)]
            clean = scan_records(part, level, ends_with_array=self.ends_with_array)
            if len(clean.ends):
                return start + int(clean.ends[0])
            if clean.trouble < len(part) or start + length >= stop:
                return -1
            length *= 8

    def _value(self, data: bytes, start: int, stop: int, final: bool, level: int) -> tuple[int, str | None]:
        """Where the record at `start` ends, with what is wrong with it; MORE when more must be read to tell."""
        verdict = value_end(data, start, stop)
        if verdict.end >= 0:
            return verdict.end, None
        long = len(data) - start > (MOST_RECORD if verdict.open else MOST_SEARCH)
        if verdict.open and not final and not long:
            return MORE, None
        found = next_record(
            data, start, verdict.trouble, stop, final=final, in_array=level == 1, nested=self.ends_with_array
        )
        if found == MORE and not long:
            return MORE, None
        end = found if found >= 0 else stop
        if found < 0 and long:
            return end, TOO_LONG
        text = data[start:end]
        balanced = text.count(b"{") == text.count(b"}") and text.count(b"[") == text.count(b"]")
        return end, MALFORMED if balanced else TRUNCATED

    def _incomplete(self, pending: bool) -> Iterator[RecordSpans]:
        """The window is used up: reads more, after a check of a record that is suspiciously long, or of a long gap."""
        if pending and len(self.rest) > SUSPICIOUS:
            verdict = value_end(self.rest, 0, LOOK)
            if len(self.rest) > MOST_RECORD or (verdict.end < 0 and not verdict.open):
                yield from self._careful(len(self.rest), self.final)
                return
        elif not pending and len(self.rest) > LONG_GAP:
            cut = max(self.rest.rfind(b"," if self.gap.level else b"\n"), 0) or len(self.rest)
            cut = read_gap(self.rest, 0, cut, self.gap, to_record=True)
            yield from self._emit(self.gap.items, cut)
        self._more()
