"""Kernels over frames: pure functions of Arrow batches that an engine runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T


def map_batches(
    frame: DataFrame,
    kernel: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    schema: str | T.StructType,
) -> DataFrame:
    """`mapInArrow`, whatever the names of the frame's columns: by itself no engine takes one with a dot.

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
    if not any("." in name for name in names):
        return frame.mapInArrow(kernel, schema)

    def renamed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What the kernel makes of the batches under their own names."""
        yield from kernel(pa.RecordBatch.from_arrays(batch.columns, names=names) for batch in batches)

    return frame.toDF(*[f"c{at}" for at in range(len(names))]).mapInArrow(renamed, schema)
