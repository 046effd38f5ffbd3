"""Work that tasks make rows of by themselves: a frame that is not made of another one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.engines.base import RowCounter, Work
from pipeline.engines.registry import engine_of
from transforms.kernels.batches import Batches, map_batches


def run_tasks(spark: SparkSession, count: int, work: Work, schema: str, counter: RowCounter | None = None) -> DataFrame:
    """A frame of the Arrow batches that `work` gives for the task numbers 0 to `count` - 1, in no order.

    A partition runs its tasks one after the other. With a `counter` the rows are counted where they are made.
    """
    counted = counter.wrap(work) if counter else work
    # One task needs no engine: it may run while the session is still being made.
    partitions = engine_of(spark).partitions(count) if count > 1 else 1

    def run(firsts: Batches) -> Iterator[pa.RecordBatch]:
        """The batches of a partition's tasks: every so many partitions one, so that large neighbours are shared out."""
        for first in itertools.chain.from_iterable(batch.column(0).to_pylist() for batch in firsts):
            for number in range(first, count, partitions):
                yield from counted(number)

    return map_batches(spark.range(0, min(count, partitions), 1, partitions), run, schema)
