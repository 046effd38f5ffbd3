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
from pipeline.publish.part_files import PartFile, write_grouped, write_lines, write_parquet
from tests.support.frames import column_lines
from tests.support.stores import Place

VALUE = column_lines("value")


def content(parts: list[PartFile]) -> list[str]:
    return [storage.read_bytes(part.path).decode() for part in parts]


def names(folder: str) -> list[str]:
    return sorted(file.path for file in storage.list_prefix(folder))


def grouped(spark: SparkSession, *rows: tuple[str, int, str]) -> DataFrame:
    return spark.createDataFrame(list(rows), "group string, place int, lines string").repartition(3)


def test_a_few_rows_are_one_file_of_lines_in_order(task_place: Place, spark: SparkSession) -> None:
    rows = [(3, 'é,"f"'), (1, "b"), (2, ""), (None, "a")]
    frame = spark.createDataFrame(rows, "n int, value string").repartition(3)
    [part] = write_lines(frame, VALUE, ["n"], True, task_place / "parts")
    assert content([part]) == ['a\nb\n\né,"f"\n']
    # printf 'a\nb\n\né,"f"\n' | sha256sum
    assert (part.rows, part.bytes, part.sha256) == (
        4, 12, "0a1bcbb044589b6bf9de05e3b7afd215211d414a51549155f5e746612c7525bf",
    )  # fmt: skip
    assert names(task_place / "parts") == [part.path]


def test_many_rows_are_in_order_from_file_to_file(task_place: Place, spark: SparkSession) -> None:
    numbers = [number * 7919 % 1000 for number in range(1000)]
    frame = spark.createDataFrame([(n, f"{n:03d}") for n in numbers], "n int, value string").repartition(4)
    parts = write_lines(frame, VALUE, ["n"], False, task_place / "parts")
    assert "".join(content(parts)).split() == [f"{n:03d}" for n in range(1000)]
    assert sum(part.rows for part in parts) == 1000


def test_a_frame_without_rows_writes_no_file_of_lines(task_place: Place, spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a",)], "value string").where("value = 'b'")
    assert write_lines(frame, VALUE, ["value"], True, task_place / "parts") == []
    assert names(task_place / "parts") == []


def test_each_group_is_a_file_of_its_own(task_place: Place, spark: SparkSession) -> None:
    rows = [("rejected orders", 2, "x2"), ("excluded orders", 1, "x3"), ("rejected orders", 1, "x1")]
    frame = grouped(spark, *rows, ("rejected items", 1, "x4"))
    parts = write_grouped(frame, ["group", "place"], True, task_place / "parts")
    assert [(part.group, part.rows) for part in parts] == [
        ("excluded orders", 1),
        ("rejected items", 1),
        ("rejected orders", 2),
    ]
    assert content(parts) == ["x3\n", "x4\n", "x1\nx2\n"]
    # printf 'x1\nx2\n' | sha256sum
    assert (parts[2].bytes, parts[2].sha256) == (6, "bcd36a814884aa63ca5e0d9fda82814069d2dc2daf6ba12b7c8e129ff02f169a")


def test_arrays_of_lines_are_flattened(task_place: Place, spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, "b", ["b1", "b2"]), (1, "a", ["a1"])], "group int, order string, lines array<string>"
    )
    [part] = write_grouped(frame, ["group", "order"], True, task_place / "parts")
    assert (part.group, part.rows, content([part])) == ("1", 3, ["a1\nb1\nb2\n"])


def test_an_error_in_the_middle_leaves_no_file(task_place: Place, spark: SparkSession) -> None:
    def broken(batch: pa.RecordBatch) -> pa.Array:
        raise ValueError("no more rows")

    frame = spark.createDataFrame([("a",), ("b",)], "value string")
    with pytest.raises(Exception, match="no more rows"):
        write_lines(frame, broken, ["value"], True, task_place / "parts")
    assert names(task_place / "parts") == []


def test_rows_are_a_parquet_file_with_the_columns_of_the_frame(task_place: Place, spark: SparkSession) -> None:
    frame = spark.createDataFrame([(2, "c", 5), (1, "a", 7)], "n int, value string, _sort_at int").repartition(2)
    [part] = write_parquet(frame, ["n", "value"], ["_sort_at"], True, task_place / "parts")
    data = storage.read_bytes(part.path)
    assert pq.read_table(io.BytesIO(data)).to_pylist() == [{"n": 2, "value": "c"}, {"n": 1, "value": "a"}]
    assert (part.rows, part.bytes, part.sha256) == (2, len(data), hashlib.sha256(data).hexdigest())
    assert names(task_place / "parts") == [part.path]


def test_a_frame_without_rows_is_one_parquet_file_that_has_its_columns(task_place: Place, spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "n int, price decimal(10,2), tags array<string>")
    [part] = write_parquet(frame, ["n", "price", "tags"], [], True, task_place / "parts")
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


def test_lines_can_be_made_of_any_column(spark: SparkSession, task_place: Place) -> None:
    frame = spark.createDataFrame([("k", "v")], "key string, value string").select(F.upper("value").alias("value"))
    [part] = write_lines(frame, VALUE, [], True, task_place / "parts")
    assert content([part]) == ["V\n"]
