"""Spark as an engine: local, on a cluster, on Glue."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark import AccumulatorParam, StorageLevel, inheritable_thread_target
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from pipeline.engines.base import RowCounter, Work, with_count
from pipeline.engines.glue import is_glue_run
from transforms.kernels.batches import Kernel, forget_source, map_batches
from transforms.text import quoted

# More steps at once only wait for each other.
_AT_ONCE = 4


def runs_in_driver(master: str) -> bool:
    """True when tasks run in the driver's JVM."""
    return master.startswith("local") and not master.startswith("local-cluster")


def in_own_thread(spark: SparkSession, step: Callable[[], Any]) -> Callable[[], Any]:
    """The step as what a thread of its own runs, with the job group of the caller's; Spark 4 asks for the session."""
    target: Any = inheritable_thread_target
    made: Callable[[], Any] = target(step) if spark.version.startswith("3.") else target(spark)(step)
    return made


class _RowsByTask(AccumulatorParam[dict[int, int]]):
    """Task numbers with their rows: a task that runs again says the same once more."""

    def zero(self, value: dict[int, int]) -> dict[int, int]:
        """No task."""
        return {}

    def addInPlace(self, value1: dict[int, int], value2: dict[int, int]) -> dict[int, int]:  # noqa: N802 (Spark's)
        """The tasks of both."""
        value1.update(value2)
        return value1


class TaskCounter:
    """Counted by the tasks themselves, each under its number."""

    def __init__(self, spark: SparkSession) -> None:
        self._rows = spark.sparkContext.accumulator({}, _RowsByTask())

    def wrap(self, work: Work) -> Work:
        """The work, which sends how many rows it made once it has made them all."""
        sent = self._rows
        return with_count(work, lambda number, rows: sent.add({number: rows}))

    def value(self) -> int:
        """The sum over the tasks."""
        return sum(self._rows.value.values())


class SparkEngine:
    """See `engines.base.Engine`."""

    name = "spark"

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        # The rows of checkpoints, which have no other handle, by the frame that reads them.
        self._rows: WeakKeyDictionary[DataFrame, Any] = WeakKeyDictionary()
        self.versions = {"engine": "spark", "spark": spark.version, "glue": "yes" if is_glue_run(sys.argv) else "no"}

    @property
    def cores(self) -> int:
        """Spark's default parallelism."""
        return self.spark.sparkContext.defaultParallelism

    def partitions(self, tasks: int) -> int:
        """One for each task: Spark runs one when a core is free, and one again when it fails."""
        return tasks

    def counter(self) -> RowCounter:
        """Counts in the tasks."""
        return TaskCounter(self.spark)

    def cache(self, frame: DataFrame) -> DataFrame:
        """Kept in memory and on disk, once made: as rows without a plan where plans are final and all is one JVM."""
        once = self.spark.conf.get("spark.sql.adaptive.enabled") == "false"
        if once and runs_in_driver(str(self.spark.sparkContext.master)):
            kept = frame.localCheckpoint(eager=False)
            self._rows[kept] = kept._jdf.queryExecution().logical().rdd()
            return kept
        forget_source(frame)
        return frame.persist(StorageLevel.MEMORY_AND_DISK)

    def reused(self, frame: DataFrame, key: str = "") -> DataFrame:
        """Kept, parted by the key: what compares rows of a key moves them no more."""
        if key:
            frame = frame.repartition(int(self.spark.conf.get("spark.sql.shuffle.partitions") or 1), quoted(key))
        return self.cache(frame)

    def checked(
        self, frame: DataFrame, check: Callable[[DataFrame], DataFrame], equal: Sequence[str] = ()
    ) -> DataFrame:
        """The check as it is: its joins move no rows that lie by their key."""
        return check(frame)

    def release(self, frame: DataFrame) -> None:
        """Drops the kept rows."""
        if (rows := self._rows.pop(frame, None)) is not None:
            rows.unpersist(False)
        else:
            frame.unpersist()

    def map_sorted(
        self,
        frame: DataFrame,
        parts: int,
        by: Sequence[Column | str],
        order: Sequence[str],
        kernel: Kernel,
        schema: Any,
    ) -> DataFrame:
        """One partition per stream, `parts` of them."""
        count = max(1, min(parts, 2 * self.cores))
        return map_batches(frame.repartition(count, *by).sortWithinPartitions(*order), kernel, schema)

    def write_sorted(self, frame: DataFrame, order: Sequence[str], few: bool, kernel: Kernel, schema: str) -> list[Any]:
        """One stream per partition: one partition for a few rows, else ranges, which takes a sample first."""
        ordered, by = frame, [quoted(name) for name in order]
        if by:
            ordered = frame.repartition(1).sortWithinPartitions(*by) if few else frame.orderBy(*by)
        return map_batches(ordered.withColumn("_part", F.spark_partition_id()), kernel, schema).collect()

    def empty_rows(self, frame: DataFrame) -> pa.Table:
        """By Spark's own types."""
        return to_arrow_schema(frame.schema).empty_table()

    def run_parallel(self, steps: Sequence[Callable[[], Any]]) -> list[Any]:
        """Each step has a thread of the JVM of its own, with the job group of the caller's."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="parallel") as pool:
            started = [pool.submit(in_own_thread(self.spark, step)) for step in steps]
        return [step.result() for step in started]

    def progress(self) -> tuple[int, int] | None:
        """Tasks of the stages that run now."""
        tracker = self.spark.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
        known = [stage for stage in stages if stage]
        return sum(stage.numCompletedTasks for stage in known), sum(stage.numTasks for stage in known)

    def cancel(self) -> None:
        """Ends this thread's connection to the JVM, which waits for an answer; the JVM ends with the program."""
        logging.disable()  # py4j logs that
        gateway: Any = self.spark.sparkContext._gateway
        connection = gateway._gateway_client.get_thread_connection()
        if connection is not None and connection.socket is not None:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
