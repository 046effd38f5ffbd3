"""How many lines end before each part of a file that was cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from pipeline.engines.tasks import run_tasks
from pipeline.readers import chunks
from pipeline.readers.splits import FileSplit


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
        before = 0
        for number, piece in enumerate(parts):
            before = before if piece.start else 0
            result[piece.file, piece.start] = before
            before += counts[number]
    return result
