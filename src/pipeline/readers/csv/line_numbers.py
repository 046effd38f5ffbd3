"""Physical lines of places in a file, from 1, however the file was cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from pipeline.engines.tasks import run_tasks
from pipeline.readers import chunks
from pipeline.readers.splits import FileSplit

Offsets = NDArray[np.int64]


class LineNumbers:
    """Lines of places in a piece, asked for in ascending order; `before`: how many lines end before the piece."""

    def __init__(self, piece: FileSplit, before: int) -> None:
        self._blocks = iter(chunks.open_chunks(piece, piece.start))
        self._end = piece.start
        self._passed, self._breaks = before, self._breaks_of(b"")

    @staticmethod
    def _breaks_of(block: bytes) -> Offsets:

        return np.flatnonzero(np.frombuffer(block, np.uint8) == 0x0A)

    def of(self, positions: Offsets) -> Offsets:
        """The lines that the positions, in ascending order, stand on."""

        numbers = np.zeros(len(positions), np.int64)
        done = 0
        while done < len(positions):
            high = int(np.searchsorted(positions, self._end))
            numbers[done:high] = self._passed + 1 + np.searchsorted(self._breaks, positions[done:high])
            done = high
            if done < len(positions) and not self._next():
                numbers[done:] = self._passed + 1
                break
        return numbers

    def _next(self) -> bool:
        """Goes on to the next block; False behind the last one."""
        self._passed += len(self._breaks)
        block = next(self._blocks, None)
        self._breaks = self._breaks_of(block or b"") + self._end
        self._end += len(block or b"")
        return block is not None


def lines_before(spark: SparkSession, pieces: Mapping[int, Sequence[FileSplit]]) -> dict[tuple[int, int], int]:
    """How many lines end before each piece of the files that are cut, by file and start: a job that only counts."""

    parts = [piece for file in sorted(pieces) for piece in pieces[file] if len(pieces[file]) > 1]

    def work(number: int) -> Iterator[Any]:
        """The number of line ends in a piece."""

        piece = parts[number]
        count = sum(
            chunks.read(piece, low, high).count(b"\n") for low, high in chunks.steps(piece.start, piece.end, piece.end)
        )
        yield pa.record_batch(
            [pa.array([number], pa.int32()), pa.array([count], pa.int64())], names=["number", "count"]
        )

    result: dict[tuple[int, int], int] = {}
    if parts:
        counts = dict(tuple(row) for row in run_tasks(spark, len(parts), work, "number int, count long").collect())
        for number, piece in enumerate(parts):
            result[piece.file, piece.start] = (
                0 if piece.start == 0 else result[piece.file, parts[number - 1].start] + counts[number - 1]
            )
    return result
