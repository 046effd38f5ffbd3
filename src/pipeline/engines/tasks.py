"""Work that tasks make rows of by themselves: a frame that is not made of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

Work = Callable[[int], Iterator[pa.RecordBatch]]


def run_tasks(spark: SparkSession, count: int, work: Work, schema: str) -> DataFrame:
    """A frame of the Arrow batches that `work` gives for the task numbers 0 to `count` - 1, one partition per task."""

    def run(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of the tasks whose numbers a partition holds."""
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from work(number)

    return spark.range(0, count, 1, max(1, count)).mapInArrow(run, schema)
