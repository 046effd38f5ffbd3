"""The embedded engine: Sail, which runs PySpark's DataFrames in this process, without Java. For what fits the machine.

Kernels run in threads of this process, so rows are handed over in memory: a cached frame is a list of Arrow batches, a
sorted one is sorted by pyarrow. Nothing is asked of the engine whose result differs from Spark's.
"""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.engines.base import RowCounter, Work, with_count
from pipeline.engines.kept_rows import KeptRows
from pipeline.engines.registry import register
from transforms.checks import PLACE
from transforms.kernels.batches import Batches, Kernel, map_batches
from transforms.kernels.tagging import repeated, tagged
from transforms.row_errors import ERROR, is_valid
from transforms.text import quoted

# What kernels share with the driver, by token. Kernels are pickled: only functions of this module find it again.
_COUNTS: dict[int, dict[int, int]] = {}
_ROWS: dict[int, KeptRows] = {}
_TOKENS = itertools.count(1)


def _add_rows(token: int, batch: pa.RecordBatch) -> None:
    _ROWS[token].add(batch)


def _portion(token: int, number: int, count: int) -> Iterator[pa.RecordBatch]:
    return _ROWS[token].portion(number, count)


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


def collect_batches(frame: DataFrame) -> KeptRows:
    """All rows of a frame as Arrow batches, handed over in memory, in no order."""
    token = next(_TOKENS)
    _ROWS[token] = KeptRows()

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
    found.close()
    if counted != sum(batch.num_rows for batch in found.batches):
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

    def partitions(self, tasks: int) -> int:
        """One for each core: all partitions start at once, and each holds what it reads."""
        return min(tasks, self.cores)

    def counter(self) -> RowCounter:
        """Counts in the tasks."""
        return TaskCounter()

    def cache(self, frame: DataFrame) -> DataFrame:
        """The rows are made now and kept in memory, all but the first in a file."""
        return frame if frame in self._cached else self._from_rows(collect_batches(frame), frame.schema)

    def _from_rows(self, rows: KeptRows, schema: T.StructType | str) -> DataFrame:
        """A frame of these rows."""
        token = next(_TOKENS)
        _ROWS[token] = rows
        count = max(1, min(self.cores, len(rows.batches)))

        def portions(numbers: Batches) -> Iterator[pa.RecordBatch]:
            """The batches of the tasks with these numbers."""
            for number in itertools.chain.from_iterable(batch.column(0).to_pylist() for batch in numbers):
                yield from _portion(token, number, count)

        made = self.spark.range(0, count, 1, count).mapInArrow(portions, schema)
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
        errors = [batch for batch in collect_batches(found).batches if batch.num_rows] if found else []
        if suspects and equal:
            self.release(suspects)
        if not errors:
            return rows
        made = self._from_rows(kept.replaced(tagged(kept.batches, pa.Table.from_batches(errors))), rows.schema)
        if rows is not frame:
            self.release(rows)
        return made

    def _repeated(self, rows: DataFrame, columns: Sequence[str]) -> DataFrame | None:
        """The rows without an error that may be equal to others in these columns; None without any."""
        # Equal rows have equal digests, and sorting those takes half the time of grouping the rows.
        digest = F.when(is_valid(), F.xxhash64(*[F.col(quoted(name)) for name in columns]))
        kept = collect_batches(rows.select("*", digest.alias("_digest")))
        found = kept.replaced(batch.drop_columns("_digest") for batch in repeated(kept.batches, "_digest"))
        return self._from_rows(found, rows.schema) if found.batches else None

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
        made = KeptRows()
        for batch in kernel(collect_batches(frame).sorted(order)):
            made.add(batch)
        made.close()
        return self._from_rows(made, schema)

    def write_sorted(self, frame: DataFrame, order: Sequence[str], few: bool, kernel: Kernel, schema: str) -> list[Any]:
        """One stream, sorted in memory."""
        rows = collect_batches(frame).sorted(order)
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


@functools.cache
def embedded_engine() -> EmbeddedEngine:
    """The engine of this process, started on first use."""
    engine = EmbeddedEngine()
    register(engine)
    return engine
