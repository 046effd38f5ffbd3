"""Rows written by the tasks themselves: every task makes one file under a name of its own attempt and reports it.

Only what a task reports is published, so that a task that ran more than once leaves nothing in a published file.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from pipeline import storage
from pipeline.storage.writing import open_write

Batches = Iterable[pa.RecordBatch]

_PART = "_part"
_REPORT = "part int, path string, rows long, bytes long, sha256 string, kind string, input string"


@dataclass(frozen=True)
class PartFile:
    """A file that a task wrote: its place among the parts, its rows, its size, 64 hex digits of SHA-256."""

    part: int
    path: str
    rows: int
    bytes: int
    sha256: str
    kind: str = ""
    input: str = ""

    def as_batch(self) -> pa.RecordBatch:
        """One row for the driver."""
        columns = [pa.array([value], pa.int32() if not at else None) for at, value in enumerate(astuple(self))]
        return pa.RecordBatch.from_arrays(columns, names=[name.split()[0] for name in _REPORT.split(", ")])


def lines_of(texts: pa.Array) -> bytes:
    """The texts of a string array, none of them null, each with a line end.

    >>> lines_of(pa.array(["a", "", "b,c"]))
    b'a\\n\\nb,c\\n'
    """
    return "".join([f"{text}\n" for text in texts.to_pylist()]).encode()


def _new_path(folder: str, part: int, suffix: str) -> str:
    return storage.join(folder, f"part-{part:05d}-{secrets.token_hex(8)}{suffix}")


def write_lines(frame: DataFrame, folder: str, suffix: str = ".txt") -> list[PartFile]:
    """Writes the column `value` of each partition, in its order, as one file of lines; empty partitions write none."""
    empty = [F.lit("").alias(name) for name in ("kind", "input")]
    return write_grouped_lines(frame.select("value", *empty), folder, suffix)


def write_grouped_lines(frame: DataFrame, folder: str, suffix: str = ".jsonl") -> list[PartFile]:
    """As `write_lines`, one file for each `kind` and `input` of a partition; rows of a pair must follow each other."""

    def write(batches: Batches) -> Iterator[pa.RecordBatch]:
        """A file for each pair in the partition."""
        pieces = ((pair, part, texts) for batch in batches for pair, part, texts in _by_pair(batch))
        piece = next(pieces, None)
        while piece is not None:
            pair, part, _ = piece
            path, rows = _new_path(folder, part, suffix), 0
            with open_write(path) as stream:
                while piece is not None and piece[0] == pair:
                    stream.write(lines_of(piece[2]))
                    rows += len(piece[2])
                    piece = next(pieces, None)
            yield PartFile(part, path, rows, stream.bytes, stream.sha256, *pair).as_batch()

    return _run(frame.select("value", "kind", "input"), write)


def _by_pair(batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, str], int, pa.Array]]:
    """The stretches of a batch with one kind and input: the pair, the number of the part, the texts."""
    texts, *keys = batch.columns
    pairs = list(zip(keys[0].to_pylist(), keys[1].to_pylist(), strict=True))
    low = 0
    for at in range(1, len(pairs) + 1):
        if at == len(pairs) or pairs[at] != pairs[low]:
            yield pairs[low], keys[2][low].as_py(), texts.slice(low, at - low)
            low = at


def write_parquet(frame: DataFrame, folder: str) -> list[PartFile]:
    """Writes the columns of each partition as one Parquet file; a frame without rows gives one file without rows."""
    names: Sequence[str] = frame.columns

    def write(batches: Batches) -> Iterator[pa.RecordBatch]:
        """One file for the partition."""
        filled = (batch for batch in batches if batch.num_rows)
        batch = next(filled, None)
        if batch is None:
            return
        part, rows = batch.column(batch.num_columns - 1)[0].as_py(), 0
        path = _new_path(folder, part, ".parquet")
        schema = batch.select(names).schema
        with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, schema)) as writer:
            while batch is not None:
                writer.write_batch(batch.select(names))
                rows += batch.num_rows
                batch = next(filled, None)
        yield PartFile(part, path, rows, stream.bytes, stream.sha256).as_batch()

    found = _run(frame, write)
    if found:
        return found
    path = _new_path(folder, 0, ".parquet")
    with open_write(path) as stream:
        pq.write_table(to_arrow_schema(frame.schema).empty_table(), stream)
    return [PartFile(0, path, 0, stream.bytes, stream.sha256)]


def _run(frame: DataFrame, write: Callable[[Batches], Iterator[pa.RecordBatch]]) -> list[PartFile]:
    """Runs the writer over all partitions; what it reports, in the order of the partitions."""
    numbered = frame.withColumn(_PART, F.spark_partition_id())
    found = [PartFile(*row) for row in numbered.mapInArrow(write, _REPORT).collect()]
    return sorted(found, key=lambda one: one.part)
