"""Rows written by the tasks themselves: every task makes files under names of its own attempt and reports them.

Only what a task reports is published, so that a task that ran more than once leaves nothing in a published file. The
kernels here take streams of batches whose last column, `_part`, is the number of the stream.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from pipeline import storage
from pipeline.engines.registry import engine_of
from pipeline.storage.writing import open_write
from transforms.kernels.batches import Batches, Kernel
from transforms.render import Render, block_of
from transforms.text import quoted

_REPORT = "part int, path string, rows long, bytes long, sha256 string, group string"


@dataclass(frozen=True)
class PartFile:
    """A file that a task wrote: its place among the parts, its rows, its size, 64 hex digits of SHA-256, its group."""

    part: int
    path: str
    rows: int
    bytes: int
    sha256: str
    group: str = ""

    def as_batch(self) -> pa.RecordBatch:
        """One row for the driver."""
        columns = [pa.array([value], pa.int32() if not at else None) for at, value in enumerate(astuple(self))]
        return pa.RecordBatch.from_arrays(columns, names=[name.split()[0] for name in _REPORT.split(", ")])


def _new_path(folder: str, part: int, suffix: str) -> str:
    return storage.join(folder, f"part-{part:05d}-{secrets.token_hex(8)}{suffix}")


def write_lines(frame: DataFrame, render: Render, order: Sequence[str], few: bool, folder: str) -> list[PartFile]:
    """Writes a line for each row, sorted by `order`, as files of lines; streams without rows write none."""

    def pieces(batches: Batches) -> Iterator[tuple[str, int, pa.Array]]:
        """Group, part and lines of each batch."""
        for batch in batches:
            if batch.num_rows:
                yield "", _part_of(batch), render(batch)

    return _run(frame, order, few, lambda batches: _write_pieces(pieces(batches), folder))


def write_grouped(frame: DataFrame, order: Sequence[str], few: bool, folder: str) -> list[PartFile]:
    """Writes the column `lines`, texts or arrays of texts, as a file for each value of `group` in a stream.

    In: `group` (integer or text) is the first column of `order`.
    """

    def pieces(batches: Batches) -> Iterator[tuple[str, int, pa.Array]]:
        """The stretches of batches with one group, their lines flattened."""
        for batch in batches:
            groups, lines = batch.column("group").to_pylist(), batch.column("lines")
            low = 0
            for at in range(1, len(groups) + 1):
                if at == len(groups) or groups[at] != groups[low]:
                    part = lines.slice(low, at - low)
                    yield str(groups[low]), _part_of(batch), part.flatten() if pa.types.is_list(part.type) else part
                    low = at

    return _run(frame, order, few, lambda batches: _write_pieces(pieces(batches), folder))


def _part_of(batch: pa.RecordBatch) -> int:
    return int(batch.column("_part")[0].as_py())


def _write_pieces(pieces: Iterator[tuple[str, int, pa.Array]], folder: str) -> Iterator[pa.RecordBatch]:
    """A file for each group of pieces that follow each other."""
    piece = next(pieces, None)
    while piece is not None:
        group, part, _ = piece
        path, rows = _new_path(folder, part, ".txt"), 0
        with open_write(path) as stream:
            while piece is not None and piece[0] == group:
                stream.write(block_of(piece[2]))
                rows += len(piece[2])
                piece = next(pieces, None)
        yield PartFile(part, path, rows, stream.bytes, stream.sha256, group).as_batch()


def write_parquet(
    frame: DataFrame, names: Sequence[str], order: Sequence[str], few: bool, folder: str
) -> list[PartFile]:
    """Writes the named columns as Parquet files; no rows at all give one file without rows."""

    def write(batches: Batches) -> Iterator[pa.RecordBatch]:
        """One file for the stream."""
        filled = (batch for batch in batches if batch.num_rows)
        batch = next(filled, None)
        if batch is None:
            return
        part, rows = _part_of(batch), 0
        path = _new_path(folder, part, ".parquet")
        schema = batch.select(names).schema
        with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, schema)) as writer:
            while batch is not None:
                writer.write_batch(batch.select(names))
                rows += batch.num_rows
                batch = next(filled, None)
        yield PartFile(part, path, rows, stream.bytes, stream.sha256).as_batch()

    found = _run(frame, order, few, write)
    if found:
        return found
    path = _new_path(folder, 0, ".parquet")
    with open_write(path) as stream:
        pq.write_table(engine_of(frame.sparkSession).empty_rows(frame.select(*map(quoted, names))), stream)
    return [PartFile(0, path, 0, stream.bytes, stream.sha256)]


def _run(frame: DataFrame, order: Sequence[str], few: bool, write: Kernel) -> list[PartFile]:
    """Runs the writer over all streams; what it reports, in the order of the streams."""
    found = [PartFile(*row) for row in engine_of(frame.sparkSession).write_sorted(frame, order, few, write, _REPORT)]
    return sorted(found, key=lambda one: one.part)
