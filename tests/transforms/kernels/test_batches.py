"""Kernels over frames."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from transforms.kernels.batches import Batches, map_batches


def doubled(batches: Batches) -> Iterator[pa.RecordBatch]:
    """The first column times two, under a name of its own; a batch of more than two rows is cut."""
    for batch in batches:
        made = pa.RecordBatch.from_arrays([pc.multiply(batch.column("a.b"), 2)], names=["mine"])
        yield made.slice(0, 2)
        yield made.slice(2)


def even(batches: Batches) -> Iterator[pa.RecordBatch]:
    """The rows that divide by four."""
    for batch in batches:
        left = pc.equal(pc.bit_wise_and(batch.column("double"), 3), 0)
        yield pa.RecordBatch.from_arrays([batch.column("double").filter(left)], names=["double"])


def test_kernels_that_follow_each_other_see_the_names_of_the_frames_between_them(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1,), (2,), (3,), (4,)], "`a.b` long")
    double = map_batches(frame, doubled, "double long")
    assert sorted(row.double for row in map_batches(double, even, "double long").collect()) == [4, 8]
    assert sorted(row.double for row in double.collect()) == [2, 4, 6, 8]


def test_what_is_between_two_kernels_is_not_left_out(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1,), (2,), (3,), (4,)], "`a.b` long")
    few = map_batches(frame, doubled, "double long").where("double < 6")
    assert [row.double for row in map_batches(few, even, "double long").collect()] == [4]
