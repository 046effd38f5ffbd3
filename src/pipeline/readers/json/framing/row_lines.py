"""Lines that are arrays of scalars: each is one record, a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from pipeline.readers.json.framing.record_splitter import JsonReader
from pipeline.readers.spans import RecordSpans

# A byte order mark counts as a space, as it does before other records.
ROW = re.compile(
    rb"(?m)^(?:[ \t]|\xef\xbb\xbf)*"
    rb"(\[(?![ \t]*\])[^\"\[\]{}\n]*(?:\"(?:[^\"\\\n]|\\.)*\"[^\"\[\]{}\n]*)*\])[ \t\r]*$"
)


def rows_and_lines(texts: Iterator[bytes], at: int) -> Iterator[RecordSpans]:
    """The records of lines from offset `at` on: rows whole, of other lines what every line gives."""
    held = b""
    for text in texts:
        held += text
        end = held.rfind(b"\n") + 1
        yield from _records(held[:end], at)
        held, at = held[end:], at + end
    yield from _records(held, at)


def _records(lines: bytes, at: int) -> Iterator[RecordSpans]:
    low = 0
    run: list[tuple[int, int]] = []
    for start, end in [*(row.span(1) for row in ROW.finditer(lines)), (len(lines), len(lines))]:
        if lines[low:start].strip():
            yield from _run(lines, at, run)
            yield from JsonReader(iter([lines[low:start]]), at + low, lines=True).records()
            run = []
        if end > start:
            run.append((start, end))
        low = end
    yield from _run(lines, at, run)


def _run(lines: bytes, at: int, run: list[tuple[int, int]]) -> Iterator[RecordSpans]:
    if run:
        starts, ends = np.array(run, np.int64).T
        yield RecordSpans(lines, at, starts, ends, {}, False)
