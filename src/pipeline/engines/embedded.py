"""The embedded engine: Sail, which runs PySpark's DataFrames in this process, without Java. For what fits the machine.

Kernels run in threads of this process, so rows are handed over in memory: a cached frame is a list of Arrow batches, a
sorted one is sorted by pyarrow. Nothing is asked of the engine whose result differs from Spark's.
"""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.engines.base import RowCounter, Work
from pipeline.engines.registry import register
from pipeline.engines.tasks import with_count
from transforms.checks import PLACE
from transforms.kernels.batches import Batches, Kernel, map_batches
from transforms.kernels.sorting import sorted_batches
from transforms.kernels.tagging import repeated, tagged
from transforms.row_errors import ERROR, is_valid
from transforms.text import quoted

# What kernels share with the driver, by token. Kernels are pickled: only functions of this module find it again.
_COUNTS: dict[int, dict[int, int]] = {}
_ROWS: dict[int, list[pa.RecordBatch]] = {}
_TOKENS = itertools.count(1)
_LOCK = threading.Lock()


def _add_rows(token: int, batch: pa.RecordBatch) -> None:
    with _LOCK:
        _ROWS[token].append(batch)


def _portion(token: int, number: int, count: int) -> list[pa.RecordBatch]:
    """The batches of one of `count` tasks, in the order of the frame."""
    rows = _ROWS[token]
    return rows[len(rows) * number // count : len(rows) * (number + 1) // count]


def _note_count(token: int, number: int, rows: int) -> None:
    _COUNTS[token][number] = rows


class TaskCounter:
    """Counted by the tasks themselves, each under its number."""

    def __init__(self) -> None:
        self._token = next(_TOKENS)
        _COUNTS[self._token] = {}

    def wrap(self, work: Work) -> Work:
        """The work, which notes how many rows it made."""
        return with_count(work, functools.partial(_note_count, self._token))

    def value(self) -> int:
        """The sum over the tasks."""
        return sum(_COUNTS[self._token].values())


def collect_batches(frame: DataFrame) -> list[pa.RecordBatch]:
    """All rows of a frame as Arrow batches, handed over in memory, in no order."""
    token = next(_TOKENS)
    _ROWS[token] = []

    def keep(batches: Batches) -> Iterator[pa.RecordBatch]:
        """Puts the batches aside and gives nothing but their number of rows."""
        rows = 0
        for batch in batches:
            _add_rows(token, batch)
            rows += batch.num_rows
        yield pa.RecordBatch.from_pydict({"rows": pa.array([rows], pa.int64())})

    try:
        counted = sum(row.rows for row in map_batches(frame, keep, "rows long").collect())
        found = _ROWS[token]
    finally:
        del _ROWS[token]
    if counted != sum(batch.num_rows for batch in found):
        raise AssertionError("rows were lost on their way out of the engine")
    return found


class EmbeddedEngine:
    """See `engines.base.Engine`."""

    name = "embedded"

    def __init__(self) -> None:
        os.environ.setdefault("RUST_LOG", "error")
        from pysail.spark import SparkConnectServer  # not installed where Spark is the engine

        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        host, port = self._server.listening_address
        self.spark: SparkSession = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
        self.spark.conf.set("spark.sql.session.timeZone", "UTC")
        self.spark.conf.set("spark.sql.ansi.enabled", "true")
        self._cached: WeakKeyDictionary[DataFrame, int] = WeakKeyDictionary()
        self.versions = {"engine": "embedded", "sail": importlib.metadata.version("pysail")}

    @property
    def cores(self) -> int:
        """The processors that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def counter(self) -> RowCounter:
        """Counts in the tasks."""
        return TaskCounter()

    def cache(self, frame: DataFrame) -> DataFrame:
        """The rows are made now and kept in memory."""
        return frame if frame in self._cached else self._from_batches(collect_batches(frame), frame.schema)

    def _from_batches(self, batches: Sequence[pa.RecordBatch], schema: T.StructType | str) -> DataFrame:
        """A frame of these rows."""
        token = next(_TOKENS)
        _ROWS[token] = [batch for batch in batches if batch.num_rows]
        count = max(1, min(self.cores, len(_ROWS[token])))

        def rows(numbers: Batches) -> Iterator[pa.RecordBatch]:
            """The batches of the tasks with these numbers."""
            for number in itertools.chain.from_iterable(batch.column(0).to_pylist() for batch in numbers):
                yield from _portion(token, number, count)

        made = self.spark.range(0, count, 1, count).mapInArrow(rows, schema)
        self._cached[made] = token
        return made

    def reused(self, frame: DataFrame, key: str = "") -> DataFrame:
        """Made now: the engine would make it again for each step."""
        return self.cache(frame)

    def checked(
        self, frame: DataFrame, check: Callable[[DataFrame], DataFrame], equal: Sequence[str] = ()
    ) -> DataFrame:
        """Places and errors of the rows that do not pass leave the engine: no join carries or copies the others."""
        rows = self.cache(frame)
        kept = _ROWS[self._cached[rows]]
        suspects = self._repeated(rows, equal) if equal else rows.where(is_valid())
        found = check(suspects).where(~is_valid()).select(*PLACE, ERROR) if suspects else None
        errors = [batch for batch in collect_batches(found) if batch.num_rows] if found else []
        if suspects and equal:
            self.release(suspects)
        return self._from_batches(list(tagged(kept, pa.Table.from_batches(errors))), rows.schema) if errors else rows

    def _repeated(self, rows: DataFrame, columns: Sequence[str]) -> DataFrame | None:
        """The rows without an error that may be equal to others in these columns; None without any."""
        # Equal rows have equal digests, and sorting those takes half the time of grouping the rows.
        digest = F.when(is_valid(), F.xxhash64(*[F.col(quoted(name)) for name in columns]))
        found = list(repeated(collect_batches(rows.select("*", digest.alias("_digest"))), "_digest"))
        return self._from_batches([batch.drop_columns("_digest") for batch in found], rows.schema) if found else None

    def release(self, frame: DataFrame) -> None:
        """Forgets the rows."""
        _ROWS.pop(self._cached.pop(frame, 0), None)

    def map_sorted(
        self,
        frame: DataFrame,
        parts: int,
        by: Sequence[Column | str],
        order: Sequence[str],
        kernel: Kernel,
        schema: Any,
    ) -> DataFrame:
        """One stream: what is looked up one by one are the rows that are not used."""
        rows = _sorted_rows(collect_batches(frame), order)
        return self._from_batches(list(kernel(rows)), schema)

    def write_sorted(self, frame: DataFrame, order: Sequence[str], few: bool, kernel: Kernel, schema: str) -> list[Any]:
        """One stream, sorted in memory."""
        rows = _sorted_rows(collect_batches(frame), order)
        numbered = (_with_part(batch) for batch in rows)
        found: list[Any] = []
        for batch in kernel(numbered):
            found += zip(*batch.to_pydict().values(), strict=True)
        return found

    def empty_rows(self, frame: DataFrame) -> pa.Table:
        """By the engine's own types."""
        table: pa.Table = frame.limit(0).toArrow()  # type: ignore[operator]  # newer than the reference version
        return table

    def run_parallel(self, steps: Sequence[Callable[[], Any]]) -> list[Any]:
        """One after the other: each uses all cores."""
        return [step() for step in steps]

    def progress(self) -> tuple[int, int] | None:
        """Nobody knows."""
        return None

    def cancel(self) -> None:
        """Nothing: tasks end with the process."""


def _with_part(batch: pa.RecordBatch) -> pa.RecordBatch:
    part = pa.array([0] * batch.num_rows, pa.int32())
    return pa.RecordBatch.from_arrays([*batch.columns, part], names=[*batch.schema.names, "_part"])


def _sorted_rows(batches: Sequence[pa.RecordBatch], order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows sorted by these columns, as Spark sorts."""
    filled = [batch for batch in batches if batch.num_rows]
    return sorted_batches(pa.Table.from_batches(filled), order) if filled else iter(())


@functools.cache
def embedded_engine() -> EmbeddedEngine:
    """The engine of this process, started on first use."""
    engine = EmbeddedEngine()
    register(engine)
    return engine
