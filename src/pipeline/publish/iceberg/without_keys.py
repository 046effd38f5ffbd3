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


def write_without(
    spark: SparkSession, paths: Sequence[str], key: str, keys_from: Sequence[str], keys_column: str, folder: str
) -> list[PartFile]:
    """Writes those of the files anew that have rows whose `key` is in a column of other files, without these rows.

    Out, for each of those: its number among `paths` as `part`, the rows that stay, and in `group` how many do not.
    Where none stays there is no file. A task holds one file and all keys in memory.
    """

    def work(number: int) -> Iterator[pa.RecordBatch]:
        """One file."""
        file = _parquet(paths[number])
        present = file.read([key]).column(0)
        keys = pa.concat_tables([_parquet(path).read([keys_column]) for path in keys_from]).column(0).cast(present.type)
        gone = pc.is_in(present, keys)
        removed, rows = pc.sum(gone).as_py() or 0, file.metadata.num_rows
        if removed == rows:
            yield PartFile(number, "", 0, 0, "", str(removed)).as_batch()
        elif removed:
            path = new_path(folder, number, ".parquet")
            schema = file.schema_arrow
            with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, schema)) as writer:
                for group in range(file.num_row_groups):
                    batch = file.read_row_group(group)
                    writer.write_table(batch.filter(pc.invert(pc.is_in(batch.column(key), keys))))
            yield PartFile(number, path, rows - removed, stream.bytes, stream.sha256, str(removed)).as_batch()

    if not paths or not keys_from:
        return []
    found = [PartFile(*row) for row in run_tasks(spark, len(paths), work, REPORT).collect()]
    return sorted(found, key=lambda one: one.part)
