"""Files that tasks write: what is in them, what is reported of them, and what an error leaves."""

from __future__ import annotations

import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import storage
from pipeline.publish.part_files import PartFile, lines_of, write_grouped_lines, write_lines, write_parquet
from tests.support.stores import Place

Row = tuple[int, str, str, str]


def partitioned(spark: SparkSession, *rows: Row, count: int = 3) -> DataFrame:
    """Rows (partition, value, kind, input) as `value`, `kind`, `input`, each in its partition, in order."""
    pairs = spark.sparkContext.parallelize([(row[0], row[1:]) for row in rows], 1)
    placed = pairs.partitionBy(count, lambda number: number).values()
    return spark.createDataFrame(placed, "value string, kind string, input string")


def content(parts: list[PartFile]) -> list[str]:
    return [storage.read_bytes(part.path).decode() for part in parts]


def shown(parts: list[PartFile]) -> list[tuple[int, int, int, str]]:
    return [(part.part, part.rows, part.bytes, part.sha256) for part in parts]


def names(folder: str) -> list[str]:
    return sorted(file.path for file in storage.list_prefix(folder))


def test_each_partition_is_one_file_of_its_lines_in_order(task_place: Place, spark: SparkSession) -> None:
    rows = [(0, "b", "", ""), (0, "a", "", ""), (2, "d", "", ""), (2, "", "", ""), (2, 'é,"f"', "", "")]
    parts = write_lines(partitioned(spark, *rows).select("value"), task_place / "parts", ".csv")
    assert content(parts) == ["b\na\n", 'd\n\né,"f"\n']
    assert shown(parts) == [
        (0, 2, 4, "aea8a04c2f293417e499bf5de2def8ebb1ed40264d128a67180ea56fbe4600ff"),
        (2, 3, 10, "9a0b15b097353b474dbaeaccd6f75052ceec0ef2a693f3ee1bf44c05bc81f60c"),
    ]
    assert names(task_place / "parts") == sorted(part.path for part in parts)
    assert [part.path.endswith(".csv") for part in parts] == [True, True]


def test_a_frame_without_rows_writes_no_file_of_lines(task_place: Place, spark: SparkSession) -> None:
    assert write_lines(partitioned(spark, (1, "a", "", "")).where("value = 'b'"), task_place / "parts") == []
    assert names(task_place / "parts") == []


def test_each_kind_and_input_of_a_partition_is_a_file_of_its_own(task_place: Place, spark: SparkSession) -> None:
    rows = [
        *[(0, "x1", "rejected", "orders"), (0, "x2", "rejected", "orders"), (0, "x3", "excluded", "orders")],
        *[(0, "x4", "rejected", "items"), (1, "x5", "rejected", "items")],
    ]
    parts = write_grouped_lines(partitioned(spark, *rows), task_place / "parts")
    found = [(part.part, part.kind, part.input, part.rows) for part in parts]
    assert found == [
        (0, "rejected", "orders", 2),
        (0, "excluded", "orders", 1),
        (0, "rejected", "items", 1),
        (1, "rejected", "items", 1),
    ]
    assert content(parts) == ["x1\nx2\n", "x3\n", "x4\n", "x5\n"]
    assert (parts[0].bytes, parts[0].sha256) == (6, "bcd36a814884aa63ca5e0d9fda82814069d2dc2daf6ba12b7c8e129ff02f169a")
    assert len(names(task_place / "parts")) == 4


def test_a_pair_that_goes_on_over_several_batches_is_one_file(spark: SparkSession, task_place: Place) -> None:
    size = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = str(spark.conf.get(size))
    spark.conf.set(size, "2")
    try:
        rows = [(0, str(number), "", "1" if number < 5 else "2") for number in range(8)]
        parts = write_grouped_lines(partitioned(spark, *rows), task_place / "parts")
    finally:
        spark.conf.set(size, before)
    assert content(parts) == ["0\n1\n2\n3\n4\n", "5\n6\n7\n"]
    assert [(part.input, part.rows) for part in parts] == [("1", 5), ("2", 3)]


@pytest.mark.parametrize("write", [write_lines, write_parquet])
def test_an_error_in_the_middle_of_a_partition_leaves_no_file(
    task_place: Place, spark: SparkSession, write: object
) -> None:
    assert callable(write)
    size = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = str(spark.conf.get(size))
    spark.conf.set(size, "2")
    try:
        value = F.when(F.col("id") < 5, F.col("id")).otherwise(F.raise_error(F.lit("no more rows"))).cast("string")
        frame = spark.range(0, 6, 1, 1).select(value.alias("value"))
        with pytest.raises(Exception, match="no more rows"):
            write(frame, task_place / "parts")
    finally:
        spark.conf.set(size, before)
    assert names(task_place / "parts") == []


def test_each_partition_is_one_parquet_file_with_the_columns_of_the_frame(
    task_place: Place, spark: SparkSession
) -> None:
    rows = [(0, "a", "k", "1"), (0, "b", "k", "2"), (2, "c", "k", "3")]
    frame = partitioned(spark, *rows).select(F.col("input").cast("int").alias("n"), "value")
    parts = write_parquet(frame, task_place / "parts")
    assert [(part.part, part.rows) for part in parts] == [(0, 2), (2, 1)]
    data = [storage.read_bytes(part.path) for part in parts]
    tables = [pq.read_table(io.BytesIO(one)) for one in data]
    assert [table.to_pylist() for table in tables] == [
        [{"n": 1, "value": "a"}, {"n": 2, "value": "b"}],
        [{"n": 3, "value": "c"}],
    ]
    assert [(part.bytes, part.sha256) for part in parts] == [
        (len(one), hashlib.sha256(one).hexdigest()) for one in data
    ]
    assert names(task_place / "parts") == sorted(part.path for part in parts)


def test_a_frame_without_rows_is_one_parquet_file_that_has_its_columns(task_place: Place, spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "n int, price decimal(10,2), tags array<string>")
    [part] = write_parquet(frame, task_place / "parts")
    data = storage.read_bytes(part.path)
    table = pq.read_table(io.BytesIO(data))
    assert (part.part, part.rows, part.bytes) == (0, 0, len(data))
    assert part.sha256 == hashlib.sha256(data).hexdigest()
    assert table.num_rows == 0
    assert [(field.name, field.type) for field in table.schema] == [
        ("n", pa.int32()),
        ("price", pa.decimal128(10, 2)),
        ("tags", pa.list_(pa.string())),
    ]


def test_lines_end_with_a_line_feed_each() -> None:
    assert lines_of(pa.array(["a", "", "é"])) == b"a\n\n\xc3\xa9\n"
    assert lines_of(pa.array([], pa.string())) == b""
