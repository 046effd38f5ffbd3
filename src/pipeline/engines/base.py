"""What a run needs of an engine besides plain DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession

from transforms.kernels.batches import Kernel

# Rows that are handed to a kernel at a time.
BATCH_ROWS = 20_000
Work = Callable[[int], Iterator[pa.RecordBatch]]


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


class RowCounter(Protocol):
    """Counts the rows that tasks make, where they make them; a task that runs more than once counts once."""

    def wrap(self, work: Work) -> Work:
        """The work of the tasks, counted."""
        ...

    def value(self) -> int:
        """The number of rows, once something was made of the frame."""
        ...


class Engine(Protocol):
    """An engine that runs: see `engines.spark` and `engines.embedded`."""

    name: str
    spark: SparkSession
    versions: dict[str, str]

    @property
    def cores(self) -> int:
        """How many tasks run at a time."""
        ...

    def partitions(self, tasks: int) -> int:
        """As how many partitions so many tasks run."""
        ...

    def counter(self) -> RowCounter:
        """A new counter."""
        ...

    def cache(self, frame: DataFrame) -> DataFrame:
        """The frame with its rows kept, once they are made, until `release`."""
        ...

    def reused(self, frame: DataFrame, key: str = "") -> DataFrame:
        """The frame, made once although several steps follow; with `key` they compare rows whose key is equal."""
        ...

    def checked(
        self, frame: DataFrame, check: Callable[[DataFrame], DataFrame], equal: Sequence[str] = ()
    ) -> DataFrame:
        """What the check makes of the frame, which only sets errors of rows, and looks at no row that has one.

        In: a tagged frame of records, each with its place (`_source_file`, `_source_offset`). `equal`: the check is
        about rows that are equal to others in these columns, and finds nothing in the rest.
        """
        ...

    def release(self, frame: DataFrame) -> None:
        """Gives back the rows of a cached frame."""
        ...

    def map_sorted(
        self,
        frame: DataFrame,
        parts: int,
        by: Sequence[Column | str],
        order: Sequence[str],
        kernel: Kernel,
        schema: Any,
    ) -> DataFrame:
        """What the kernel makes of the rows, rows with equal `by` in one stream, each stream sorted by `order`."""
        ...

    def write_sorted(self, frame: DataFrame, order: Sequence[str], few: bool, kernel: Kernel, schema: str) -> list[Any]:
        """The rows that the kernel gives for streams of the frame's rows, sorted by `order` from stream to stream.

        Without `order` rows stay as they are. The kernel's batches have one more column, `_part`: the stream's number.
        `few`: the rows are few enough to be one stream.
        """
        ...

    def empty_rows(self, frame: DataFrame) -> pa.Table:
        """A table with the columns of the frame and no rows."""
        ...

    def run_parallel(self, steps: Sequence[Callable[[], Any]]) -> list[Any]:
        """Runs steps that do not need each other at the same time; their results, or the first one's error."""
        ...

    def progress(self) -> tuple[int, int] | None:
        """(finished, all) tasks that run now; None where nobody knows."""
        ...

    def cancel(self) -> None:
        """Gives up what runs, without waiting for it, from a signal handler: the caller may be in a call of its own."""
        ...
