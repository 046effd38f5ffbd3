"""The explosion as calls on frames: check, plan, explode, one frame a table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms.nested import explode as nested
from transforms.nested.schema.plan import plan_tables
from transforms.nested.schema.rules import build_rules
from transforms.row_errors import ERROR, ERROR_TYPE

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
    assert [(row["_raw"], row["reason"], row["_key"] is None) for row in rows] == [
        (DOCUMENTS[0], None, False),
        (DOCUMENTS[1], None, False),
        (DOCUMENTS[2], "malformed_json", True),
        (None, "malformed_json", True),
    ]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_tables_are_frames_of_typed_rows_or_of_lines(spark: SparkSession, checked: DataFrame, form: str) -> None:
    rules = build_rules()
    options = nested.ParseOptions(rules, keys=("k",))
    used = checked.where(F.col("_error").isNull())
    stats = nested.merge_stats(
        [row[0] for row in nested.partial_stats(checked, options.rules).collect()], options.rules
    )
    tables = plan_tables(stats, "doc")
    assert [(table.name, table.rows) for table in tables] == [("doc", 2), ("doc__v", 2)]
    exploded = nested.explode(nested.with_ranks(used, nested.ranks(used)), tables, options, form)
    root, items = (nested.table_rows(exploded, number, form) for number in range(2))
    if form == "parquet":
        expected = spark.createDataFrame(
            [("a", None, None), ("b", Decimal("12345678901234567890"), '{"/v":[]}')],
            "k string, big decimal(38,0), _rest string",
        )
        assert_df_equality(root.select("k", "big", "_rest").orderBy("k"), expected, ignore_nullable=True)
        expected = spark.createDataFrame([(0, 1, None), (1, None, 2.5)], "_index bigint, value bigint, x double")
        assert_df_equality(items.select("_index", "value", "x").orderBy("_index"), expected, ignore_nullable=True)
    else:
        lines = sorted(row["value"].split(",", 1)[1] for row in root.collect())
        assert lines == ["a,,", 'b,12345678901234567890,"{""/v"":[]}"']


def test_ranks_number_the_records_that_share_a_key(spark: SparkSession) -> None:
    rows = [(0, 5, "k", "h2"), (0, 1, "k", "h1"), (1, 0, "k", "h1"), (0, 9, "other", "h3")]
    frame = spark.createDataFrame(rows, "_source_file int, _source_offset bigint, _key string, _hash string")
    found = nested.ranks(frame)
    expected = spark.createDataFrame([(1, 0, 1), (0, 5, 2)], "_source_file int, _source_offset bigint, _rank int")
    assert_df_equality(found.orderBy("_rank"), expected, ignore_nullable=True)
    ranked = nested.with_ranks(frame, found).select("_source_offset", "_rank").orderBy("_rank", "_source_offset")
    assert [tuple(row) for row in ranked.collect()] == [(1, 0), (9, 0), (0, 1), (5, 2)]
