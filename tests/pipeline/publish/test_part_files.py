"""Files that tasks write: what is in them, what is reported of them, and what an error leaves."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import storage
from pipeline.engines import kept_rows
from pipeline.publish.part_files import PartFile, write_blocks, write_grouped, write_lines, write_parquet
from tests.support.frames import column_lines
from tests.support.stores import Place
from transforms.kernels.blocks import BLOCKS, BlockTable

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


A, B = "0" * 32, "f" * 32
LINES = pa.schema([("key", pa.string()), ("line", pa.string())])
NUMBERS = pa.schema([("key", pa.string()), ("n", pa.int64())])


def blocks(spark: SparkSession, *rows: Any) -> DataFrame:
    """A frame of blocks: group, part, piece, schema and rows of each."""
    data = []
    for *numbers, schema, own in rows:
        batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in own], schema)
        data.append((*numbers, bytes(batch.serialize())))
    return spark.createDataFrame(data, BLOCKS).repartition(2)


def test_blocks_of_a_table_are_one_file_in_the_order_of_keys_the_rows_of_a_key_as_they_were(
    task_place: Place, spark: SparkSession
) -> None:
    first = (0, 0, 0, LINES, [(B, "b2"), (B, "b1")])
    frame = blocks(spark, first, (1, 0, 0, LINES, [(A, "x")]), (0, 0, 0, LINES, [(A, "a2"), (A, "a1")]))
    tables = [BlockTable(LINES, "key", 4), BlockTable(LINES, "key", 1), BlockTable(LINES, "key", 0)]
    parts = write_blocks(frame, tables, ".csv", task_place / "parts")
    assert [(part.group, part.part, part.rows) for part in parts] == [("0", 0, 4), ("1", 0, 1)]
    assert content(parts) == ["a2\na1\nb2\nb1\n", "x\n"]


def test_pieces_of_a_part_follow_each_other_in_its_file(task_place: Place, spark: SparkSession) -> None:
    frame = blocks(spark, (0, 0, 1, LINES, [(B, "b1"), (B, "b2")]), (0, 0, 0, LINES, [(A, "a1"), (A, "a2")]))
    parts = write_blocks(frame, [BlockTable(LINES, "key", 32_001)], ".csv", task_place / "parts")
    assert content(parts) == ["a1\na2\nb1\nb2\n"]


def test_parts_of_a_table_are_files_and_follow_each_other(task_place: Place, spark: SparkSession) -> None:
    frame = blocks(spark, (0, 1, 0, NUMBERS, [(B, 3)]), (0, 0, 0, NUMBERS, [(A, 1), (A, 2)]))
    parts = write_blocks(frame, [BlockTable(NUMBERS, "key", 500_001)], ".parquet", task_place / "parts")
    assert [(part.part, part.rows) for part in parts] == [(0, 2), (1, 1)]
    found = [pq.read_table(io.BytesIO(storage.read_bytes(part.path)))["n"].to_pylist() for part in parts]
    assert found == [[1, 2], [3]]


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


def test_rows_that_come_one_at_a_time_are_one_row_group(
    task_place: Place, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_LARGE_ROWS", 0)
    frame = spark.createDataFrame([(n, "x" * 20_000) for n in range(20, 0, -1)], "n int, value string").repartition(2)
    [part] = write_parquet(frame, ["n", "value"], ["n"], True, task_place / "parts")
    found = pq.ParquetFile(io.BytesIO(storage.read_bytes(part.path)))
    assert (part.rows, found.num_row_groups) == (20, 1)
    assert found.read()["n"].to_pylist() == list(range(1, 21))


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
