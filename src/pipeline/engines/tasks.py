"""Work that tasks make rows of by themselves: a frame that is not made of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.engines.base import RowCounter, Work
from transforms.kernels.batches import Batches, map_batches


def with_count(work: Work, note: Callable[[int, int], None]) -> Work:
    """The work, which notes a task's number and rows once it has made them all."""

    def counted(number: int) -> Iterator[pa.RecordBatch]:
        """The batches of the task."""
        rows = 0
        for batch in work(number):
            rows += batch.num_rows
            yield batch
        note(number, rows)

    return counted


def run_tasks(spark: SparkSession, count: int, work: Work, schema: str, counter: RowCounter | None = None) -> DataFrame:
    """A frame of the Arrow batches that `work` gives for the task numbers 0 to `count` - 1, one partition per task.

    With a `counter` the rows are counted where they are made.
    """
    counted = counter.wrap(work) if counter else work

    def run(numbers: Batches) -> Iterator[pa.RecordBatch]:
        """The batches of the tasks whose numbers a partition holds."""
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from counted(number)

    return map_batches(spark.range(0, count, 1, max(1, count)), run, schema)
