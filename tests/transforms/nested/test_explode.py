"""The explosion as calls on frames: check, plan, explode, one frame per table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from transforms import nested
from transforms.nested.schema.rules import build_rules
from transforms.row_errors import ERROR, ERROR_TYPE, is_valid

DOCUMENTS = [
    '{"k": "a", "v": [1, {"x": 2.5}]}',
    '{"k": "b", "v": [], "big": 12345678901234567890}',
    '{"k": "c",}',
    None,
]


@pytest.fixture(scope="module")
def checked(spark: SparkSession) -> DataFrame:
    rows = [(0, number, text, None) for number, text in enumerate(DOCUMENTS)]
    frame = spark.createDataFrame(rows, f"_source_file int, _source_offset long, _raw string, {ERROR} {ERROR_TYPE}")
    return nested.check(frame, nested.ParseOptions(keys=("k",))).persist()


def test_every_record_is_checked_and_refused_ones_say_why(checked: DataFrame) -> None:
    rows = checked.select("_raw", "_error.code", "_key").collect()
    assert [(row["_raw"], row["code"], row["_key"] is None) for row in rows] == [
        (DOCUMENTS[0], None, False),
        (DOCUMENTS[1], None, False),
        (DOCUMENTS[2], "malformed_json", True),
        (None, "malformed_json", True),
    ]


def planned(checked: DataFrame, form: str) -> tuple[list[nested.Table], DataFrame]:
    """The tables of the valid records, and their rows."""
    options = nested.ParseOptions(build_rules(), keys=("k",))
    records = checked.where(is_valid())
    dumps = [row[0] for row in nested.partial_stats(checked, options.rules).collect()]
    tables = nested.plan_tables(nested.merge_stats(dumps, options.rules), "doc")
    return tables, nested.explode(nested.with_ranks(records, nested.ranks(records)), tables, options, form)


def test_tables_are_frames_of_typed_rows(spark: SparkSession, checked: DataFrame) -> None:
    tables, exploded = planned(checked, "parquet")
    assert [(table.name, table.rows) for table in tables] == [("doc", 2), ("doc__v", 2)]
    root, items = (nested.table_rows(exploded, tables, number, "parquet") for number in range(2))
    expected = spark.createDataFrame(
        [("a", None, None), ("b", Decimal("12345678901234567890"), '{"/v":[]}')],
        "k string, big decimal(38,0), _rest string",
    )
    assert_df_equality(root.select("k", "big", "_rest").orderBy("k"), expected, ignore_nullable=True)
    expected = spark.createDataFrame([(0, 1, None), (1, None, 2.5)], "_index bigint, value bigint, x double")
    assert_df_equality(items.select("_index", "value", "x").orderBy("_index"), expected, ignore_nullable=True)


def test_exploded_records_are_finished_lines(checked: DataFrame) -> None:
    tables, exploded = planned(checked, "csv")
    lines = [row["line"].split(",", 1)[1] for row in nested.table_rows(exploded, tables, 0, "csv").collect()]
    assert sorted(lines) == ["a,,", 'b,12345678901234567890,"{""/v"":[]}"']


def test_rows_of_all_tables_are_blocks_of_one_frame(checked: DataFrame) -> None:
    _, exploded = planned(checked, "parquet")
    assert exploded.columns == ["group", "part", "piece", "block"]
    assert {(row["group"], row["part"]) for row in exploded.collect()} == {(0, 0), (1, 0)}


REPEATED = "_source_file int, _source_offset bigint, _key string, _repeated string"
COUNTS = (
    "records bigint, keys bigint, repeated bigint,"
    " first struct<_source_file: int, _source_offset: bigint, _repeated: string>"
)


def test_records_that_share_a_root_key_or_repeat_a_key_are_counted_and_the_first_place_is_named(
    spark: SparkSession,
) -> None:
    rows = [(1, 0, "k1", "b"), (0, 9, "k1", "a"), (0, 5, "k2", None), (1, 7, "k3", "a"), (0, 50, "k3", "c")]
    found = nested.repeated_keys(spark.createDataFrame(rows, REPEATED).repartition(3))
    expected = spark.createDataFrame([(5, 3, 4, (0, 9, "a"))], COUNTS)
    assert_df_equality(found, expected, ignore_nullable=True)


def test_without_repeated_keys_there_is_no_first_place(spark: SparkSession) -> None:
    found = nested.repeated_keys(spark.createDataFrame([(0, 0, "k1", None), (0, 9, "k2", None)], REPEATED))
    assert_df_equality(found, spark.createDataFrame([(2, 2, 0, None)], COUNTS), ignore_nullable=True)


def test_repeated_keys_of_no_records_are_none(spark: SparkSession) -> None:
    found = nested.repeated_keys(spark.createDataFrame([], REPEATED))
    assert_df_equality(found, spark.createDataFrame([(0, 0, 0, None)], COUNTS), ignore_nullable=True)


def test_ranks_number_the_records_that_share_a_key(spark: SparkSession) -> None:
    rows = [(0, 5, "k", "h2"), (0, 1, "k", "h1"), (1, 0, "k", "h1"), (0, 9, "other", "h3")]
    frame = spark.createDataFrame(rows, "_source_file int, _source_offset bigint, _key string, _hash string")
    found = nested.ranks(frame)
    expected = spark.createDataFrame([(1, 0, 1), (0, 5, 2)], "_source_file int, _source_offset bigint, _rank int")
    assert_df_equality(found.orderBy("_rank"), expected, ignore_nullable=True)
    ranked = nested.with_ranks(frame, found).select("_source_offset", "_rank").orderBy("_rank", "_source_offset")
    assert [tuple(row) for row in ranked.collect()] == [(1, 0), (9, 0), (0, 1), (5, 2)]


def test_ordinals_go_over_all_parts_of_all_files(spark: SparkSession) -> None:
    rows = [(1, 5), (0, 25), (0, 3), (0, 9), (1, 0)]
    frame = spark.createDataFrame(rows, "_source_file int, _source_offset long").repartition(3)
    numbered = {(row[0], row[1]): row["_ordinal"] for row in nested.with_ordinals(frame, part_bytes=10).collect()}
    assert numbered == {(0, 3): 0, (0, 9): 1, (0, 25): 2, (1, 0): 3, (1, 5): 4}
