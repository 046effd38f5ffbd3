"""Values as the text of published files."""

from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from transforms.text import json_cells, json_row


def test_arrays_and_maps_become_json_text_and_other_columns_stay(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, ["a", 'b"'], {"k": ["1", None]}), (2, [], {}), (3, None, None)],
        "id int, `the tags` array<string>, info map<string,array<string>>",
    )
    expected = spark.createDataFrame(
        [(1, '["a","b\\""]', '{"k":["1",null]}'), (2, "[]", "{}"), (3, None, None)],
        "id int, `the tags` string, info string",
    )
    assert_df_equality(json_cells(frame), expected, ignore_nullable=True)


def test_a_row_as_json_has_all_its_columns_in_order_and_its_nulls(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(2, "x", [1]), (None, None, None)], "`b.c` int, a string, list array<int>")
    expected = spark.createDataFrame(
        [('{"b.c":2,"a":"x","list":[1]}',), ('{"b.c":null,"a":null,"list":null}',)], "value string"
    )
    assert_df_equality(json_row(frame), expected, ignore_nullable=True)
