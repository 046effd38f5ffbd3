"""What one task does: reads its splits of CSV files and gives their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pipeline.readers import chunks
from pipeline.readers.corrections import NO_CORRECTIONS, Corrections, corrected
from pipeline.readers.csv.lines import behind_preamble, csv_records
from pipeline.readers.dialect import Dialect
from pipeline.readers.spans import RecordSpans
from pipeline.readers.splits import FileSplit


def csv_spans(piece: FileSplit, dialect: Dialect, content: bytes | None = None) -> Iterator[RecordSpans]:
    """The CSV records that belong to the piece, without the file's header."""
    blocks = chunks.open_chunks(piece, max(piece.start - 1, 0), content)
    parts = chunks.whole_lines(blocks, piece.start, chunks.NO_END if piece.is_last else piece.end)
    if not piece.start:
        parts = behind_preamble(parts, dialect)
    last = None
    for found in csv_records(parts, dialect, header=piece.start == 0 and not dialect.header):
        if last is not None:
            yield last
        last = found
    yield from chunks.with_end(last, blocks, last is not None and len(last.starts) > 0 and blocks.open_line)


def csv_task(
    pieces: Sequence[FileSplit], dialect: Dialect, corrections: Corrections = NO_CORRECTIONS
) -> Iterator[tuple[int, RecordSpans]]:
    """The records of a task's pieces, with the number of their file."""
    for piece, content in chunks.contents(pieces):
        finds = csv_spans(piece, dialect, content)
        if piece.carriage_returns and dialect.multi_line:
            finds = map(_as_written, finds)
        for found in corrected(finds, corrections.get(piece.file, {})):
            yield piece.file, found


def _as_written(found: RecordSpans) -> RecordSpans:
    """The records with the \\r in their quoted values, which were read as line ends like all of their file."""
    raw = np.frombuffer(found.data, np.uint8).copy()
    for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
        raw[start:end][raw[start:end] == 0x0A] = 0x0D
    return replace(found, data=raw.tobytes())
