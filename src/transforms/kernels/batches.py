"""Kernels over frames: pure functions of Arrow batches that an engine runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

Batches = Iterable[pa.RecordBatch]
Kernel = Callable[[Batches], Iterator[pa.RecordBatch]]


# What frames were made of, for a kernel that follows to run in the same pass.
_MADE: WeakKeyDictionary[DataFrame, tuple[DataFrame, Kernel]] = WeakKeyDictionary()


def map_batches(frame: DataFrame, kernel: Kernel, schema: str | T.StructType) -> DataFrame:
    """`mapInArrow`, whatever the names of the frame's columns: by itself no engine takes one with a dot.

    Kernels that follow each other run in one pass: on Spark the rows go into the JVM and back once, not once a kernel.

    In: any columns. Out: the columns of `schema`, in the rows that the kernel gives.

    >>> frame = spark.createDataFrame([(1,)], "`a.b` int")
    >>> map_batches(frame, lambda batches: (batch for batch in batches), "`a.b` int").show()
    +---+
    |a.b|
    +---+
    |  1|
    +---+
    <BLANKLINE>
    """
    names = frame.columns
    source, first = _MADE.get(frame, (frame, None))
    if not first and any("." in name for name in names):
        source = frame.toDF(*[f"c{at}" for at in range(len(names))])

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        """What the kernels make of the batches, each under the names of its frame."""
        made = first(batches) if first else batches
        return kernel(pa.RecordBatch.from_arrays(batch.columns, names=names) for batch in made)

    found = source.mapInArrow(run, schema)
    _MADE[found] = source, run
    return found


def forget_source(frame: DataFrame) -> None:
    """For a frame whose rows are kept: what is made of it is made of these rows."""
    _MADE.pop(frame, None)


def map_each(
    frame: DataFrame, make: Callable[[pa.RecordBatch], pa.RecordBatch], schema: str | T.StructType
) -> DataFrame:
    """The frame whose batches are what `make` makes of each batch of this one."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        """Batch by batch."""
        return map(make, batches)

    return map_batches(frame, kernel, schema)


def add_texts(
    frame: DataFrame, names: Sequence[str], make: Callable[[pa.RecordBatch], Sequence[pa.Array]]
) -> DataFrame:
    """The frame with more columns, all string: `make` gives the texts of a batch, an array for each of `names`.

    >>> frame = spark.createDataFrame([(1, "x")], "id int, name string")
    >>> add_texts(frame, ["copy"], lambda batch: [batch.column("name")]).show()
    +---+----+----+
    | id|name|copy|
    +---+----+----+
    |  1|   x|   x|
    +---+----+----+
    <BLANKLINE>
    """

    def added(batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the new columns behind its own."""
        return pa.RecordBatch.from_arrays([*batch.columns, *make(batch)], names=[*batch.schema.names, *names])

    fields = [T.StructField(name, T.StringType()) for name in names]
    return map_each(frame, added, T.StructType([*frame.schema.fields, *fields]))
