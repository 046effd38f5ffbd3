"""Rows written by the tasks themselves: every task makes files under names of its own attempt and reports them.

Only what a task reports is published, so that a task that ran more than once leaves nothing in a published file. The
kernels here take streams of batches whose last column, `_part`, is the number of the stream.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from operator import itemgetter

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from pipeline import storage
from pipeline.engines.registry import engine_of
from pipeline.publish.table_target import FileShape
from pipeline.storage.writing import open_write
from transforms.kernels.batches import Batches, Kernel
from transforms.kernels.blocks import BlockTable, from_blocks
from transforms.render import Render, block_of
from transforms.text import quoted

_GROUP_ROWS, _GROUP_BYTES = 128 << 10, 64 << 20  # a row group of a Parquet file, of a table of blocks
REPORT = "part int, path string, rows long, bytes long, sha256 string, group string"


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
        return pa.RecordBatch.from_arrays(columns, names=[name.split()[0] for name in REPORT.split(", ")])


def new_path(folder: str, part: int, suffix: str) -> str:
    """A name of its own for a file of this part."""
    return storage.join(folder, f"part-{part:05d}-{secrets.token_hex(8)}{suffix}")


def write_lines(frame: DataFrame, render: Render, order: Sequence[str], few: bool, folder: str) -> list[PartFile]:
    """Writes a line for each row, sorted by `order`, as files of lines; streams without rows write none."""

    def pieces(batches: Batches) -> Iterator[tuple[str, int, pa.Array]]:
        """Group, part and lines of each batch."""
        for batch in batches:
            if batch.num_rows:
                yield "", _part_of(batch), render(batch)

    return _run(frame, order, few, lambda batches: _write_pieces(pieces(batches), folder), folder)


def write_grouped(frame: DataFrame, order: Sequence[str], few: bool, folder: str) -> list[PartFile]:
    """Writes the column `lines` as a file for each value of `group` in a stream; `group` is the first of `order`."""

    def pieces(batches: Batches) -> Iterator[tuple[str, int, pa.Array]]:
        """The stretches of batches with one group."""
        for batch in batches:
            groups, lines = batch.column("group").to_pylist(), batch.column("lines")
            low = 0
            for at in range(1, len(groups) + 1):
                if at == len(groups) or groups[at] != groups[low]:
                    yield groups[low], _part_of(batch), lines.slice(low, at - low)
                    low = at

    return _run(frame, order, few, lambda batches: _write_pieces(pieces(batches), folder), folder)


def _part_of(batch: pa.RecordBatch) -> int:
    return int(batch.column("_part")[0].as_py())


def _write_pieces(pieces: Iterator[tuple[str, int, pa.Array]], folder: str) -> Iterator[pa.RecordBatch]:
    """A file for each group of pieces that follow each other."""
    piece = next(pieces, None)
    while piece is not None:
        group, part, _ = piece
        path, rows = new_path(folder, part, ".txt"), 0
        with open_write(path) as stream:
            while piece is not None and piece[0] == group:
                stream.write(block_of(piece[2]))
                rows += len(piece[2])
                piece = next(pieces, None)
        yield PartFile(part, path, rows, stream.bytes, stream.sha256, group).as_batch()


def write_parquet(
    frame: DataFrame, names: Sequence[str], order: Sequence[str], few: bool, folder: str, shape: FileShape | None = None
) -> list[PartFile]:
    """Writes the named columns as Parquet files; no rows at all give one file without rows, with a shape none."""

    def formed(batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns of the file."""
        return shape.of(batch) if shape else batch.select(names)

    def write(batches: Batches) -> Iterator[pa.RecordBatch]:
        """One file for the stream."""
        filled = (batch for batch in batches if batch.num_rows)
        first = next(filled, None)
        if first is None:
            return
        part, rows = _part_of(first), 0
        path = new_path(folder, part, ".parquet")
        schema = formed(first).schema
        with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, schema)) as writer:
            for some in _groups(map(formed, itertools.chain([first], filled))):
                rows += sum(map(len, some))
                writer.write_table(pa.Table.from_batches(some, schema), _GROUP_ROWS)
        yield PartFile(part, path, rows, stream.bytes, stream.sha256).as_batch()

    found = _run(frame, order, few, write, folder)
    if found or shape:
        return found
    return [write_empty_parquet(engine_of(frame.sparkSession).empty_rows(frame.select(*map(quoted, names))), folder)]


def write_empty_parquet(rows: pa.Table, folder: str) -> PartFile:
    """Writes a table without rows, so that there is a file with its columns."""
    path = new_path(folder, 0, ".parquet")
    storage.make_folder(folder)
    with open_write(path) as stream:
        pq.write_table(rows, stream)
    return PartFile(0, path, 0, stream.bytes, stream.sha256)


def write_blocks(
    frame: DataFrame, tables: Sequence[BlockTable], suffix: str, folder: str, shapes: Sequence[FileShape] = ()
) -> list[PartFile]:
    """Writes the rows of blocks, those of a table in the order of their keys, as a file for each table and part.

    In: `group` int (index into `tables`), `part` int, `piece` int, `block` binary. Files are Parquet where the suffix
    is, else the lines in the last column. A part without rows is no file. `shapes`: those of the tables, where they
    have any.
    """

    def write(batches: Batches) -> Iterator[pa.RecordBatch]:
        """A file for all blocks of one table and part, which follow each other."""
        rows = (row for batch in batches for row in zip(*_numbers(batch), batch.column("block"), strict=True))
        for (group, part), own in itertools.groupby(rows, itemgetter(0, 1)):
            found = _opened(own, tables[group])
            schema, path, count = tables[group].schema, new_path(folder, part, suffix), 0
            if shapes:
                schema, path = shapes[group].schema, new_path(shapes[group].folder, part, suffix)
                found = map(shapes[group].of, found)
            with open_write(path) as stream, contextlib.ExitStack() as opened:
                if suffix == ".parquet":
                    writer = opened.enter_context(pq.ParquetWriter(stream, schema))
                for some in _groups(found):
                    count += sum(map(len, some))
                    if suffix == ".parquet":
                        writer.write_table(pa.Table.from_batches(some, schema), _GROUP_ROWS)
                    else:
                        stream.write(b"".join(block_of(batch.columns[-1]) for batch in some))
            yield PartFile(part, path, count, stream.bytes, stream.sha256, str(group)).as_batch()

    for one in [shape.folder for shape in shapes] or [folder]:
        storage.make_folder(one)
    keys, count = ["group", "part"], sum(table.parts for table in tables)
    engine = engine_of(frame.sparkSession)
    written = engine.map_sorted(frame, count, keys, [*keys, "piece"], write, REPORT).collect()
    return sorted((PartFile(*row) for row in written), key=lambda one: (int(one.group), one.part))


def _numbers(batch: pa.RecordBatch) -> list[list[int]]:
    return [batch.column(name).to_pylist() for name in ("group", "part", "piece")]


def _opened(blocks: Iterator[tuple[int, int, int, pa.Scalar]], table: BlockTable) -> Iterator[pa.RecordBatch]:
    """The rows of a part, one piece after the other."""
    for _, own in itertools.groupby(blocks, itemgetter(2)):
        yield from from_blocks([block.as_buffer() for *_, block in own], table)


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """The batches as groups of rows: as many as a row group has, or as memory should hold."""
    some, rows, size = list[pa.RecordBatch](), 0, 0
    for batch in batches:
        if some and (rows + len(batch) > _GROUP_ROWS or size > _GROUP_BYTES):
            yield some
            some, rows, size = [], 0, 0
        some.append(batch)
        rows, size = rows + len(batch), size + batch.nbytes
    if some:
        yield some


def _run(frame: DataFrame, order: Sequence[str], few: bool, write: Kernel, folder: str) -> list[PartFile]:
    """Runs the writer over all streams, for files of the folder; what it reports, in the order of the streams."""
    storage.make_folder(folder)
    found = [PartFile(*row) for row in engine_of(frame.sparkSession).write_sorted(frame, order, few, write, REPORT)]
    return sorted(found, key=lambda one: one.part)
