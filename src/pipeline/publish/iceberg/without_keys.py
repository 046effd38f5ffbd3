"""Parquet files written anew without the rows of some keys: what a merge does to the files that a table has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from pipeline import storage
from pipeline.engines.tasks import run_tasks
from pipeline.publish.part_files import REPORT, PartFile, new_path
from pipeline.storage.writing import open_write


def _parquet(path: str) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(storage.read_bytes(path)))


def _columns(file: pq.ParquetFile, names: Sequence[str]) -> pa.Table:
    """These columns, named by their numbers: those of two files go together by place."""
    return file.read(list(names)).select(list(names)).rename_columns([str(number) for number in range(len(names))])


def _is_in(rows: pa.Table, keys: pa.Table) -> pa.Array:
    """For each row whether it is among the keys, whose types may be wider."""
    numbers = pa.array(range(rows.num_rows), pa.int64())
    numbered = rows.cast(keys.schema).append_column("row", numbers)
    return pc.is_in(numbers, numbered.join(keys, keys.column_names, join_type="left semi").column("row"))


def write_without(
    spark: SparkSession,
    paths: Sequence[str],
    key: Sequence[str],
    keys_from: Sequence[str],
    keys: Sequence[str],
    folder: str,
) -> list[PartFile]:
    """Writes those of the files anew that have rows whose `key` is in columns of other files, without these rows.

    Out, for each of those: its number among `paths` as `part`, the rows that stay, and in `group` how many do not.
    Where none stays there is no file. A null in a key is like no other; a file without such a column has no keys.
    A task holds one file and all keys in memory.
    """

    def work(number: int) -> Iterator[pa.RecordBatch]:
        """One file."""
        file = _parquet(paths[number])
        if not {*key} <= {*file.schema_arrow.names}:
            return
        gone = _is_in(_columns(file, key), pa.concat_tables([_columns(_parquet(path), keys) for path in keys_from]))
        removed, rows = pc.sum(gone).as_py() or 0, file.metadata.num_rows
        if removed == rows:
            yield PartFile(number, "", 0, 0, "", str(removed)).as_batch()
        elif removed:
            path = new_path(folder, number, ".parquet")
            schema = file.schema_arrow
            with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, schema)) as writer:
                begin = 0
                for group in range(file.num_row_groups):
                    batch = file.read_row_group(group)
                    writer.write_table(batch.filter(pc.invert(gone.slice(begin, batch.num_rows))))
                    begin += batch.num_rows
            yield PartFile(number, path, rows - removed, stream.bytes, stream.sha256, str(removed)).as_batch()

    if not paths or not keys_from:
        return []
    storage.make_folder(folder)
    found = [PartFile(*row) for row in run_tasks(spark, len(paths), work, REPORT).collect()]
    return sorted(found, key=lambda one: one.part)
