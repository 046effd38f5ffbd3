"""Lists of one attribute and key=value pairs."""

from __future__ import annotations

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from transforms.packed.lists import list_to_array, list_to_rows, map_to_columns, pairs_to_map
from transforms.row_errors import ERROR_TYPE


def test_a_list_becomes_an_array(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, "Action|Drama|War"), (2, "Drama"), (3, ""), (4, None), (5, "a||b")], "id int, genres string"
    )
    expected = spark.createDataFrame(
        [(1, ["Action", "Drama", "War"]), (2, ["Drama"]), (3, []), (4, None), (5, ["a", "", "b"])],
        "id int, genres array<string>",
    )
    assert_df_equality(list_to_array(frame, "genres"), expected, ignore_nullable=True)


def test_a_list_becomes_rows_and_a_row_without_items_stays(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, ["a", "b"], "x"), (2, [], "y"), (3, None, "z")], "id int, tags array<string>, note string"
    )
    expected = spark.createDataFrame(
        [(1, "a", "x"), (1, "b", "x"), (2, None, "y"), (3, None, "z")], "id int, tags string, note string"
    )
    assert_df_equality(list_to_rows(frame, "tags"), expected, ignore_nullable=True)


def test_pairs_become_a_map_that_keeps_repeated_keys_flags_and_equal_signs_in_values(spark: SparkSession) -> None:
    cells = ["DP=14;AF=0.5;DB;AF=0.3", "url=a=b;x=; y =1;", "", None]
    actual = pairs_to_map(spark.createDataFrame([(cell,) for cell in cells], "info string"), "info")
    rows = [
        ({"DP": ["14"], "AF": ["0.5", "0.3"], "DB": [None]}, None),
        ({"url": ["a=b"], "x": [""], "y": ["1"]}, None),
        ({}, None),
        (None, None),
    ]
    expected = spark.createDataFrame(rows, f"info map<string,array<string>>, _error {ERROR_TYPE}")
    assert [row.asDict() for row in actual.collect()] == [row.asDict() for row in expected.collect()]


def test_an_items_place_in_its_list_is_one_more_column(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, ["a", "b"]), (2, [])], "id int, tags array<string>")
    rows = list_to_rows(frame, "tags", "_place").collect()
    assert [(row.id, row.tags, row._place) for row in rows] == [(1, "a", 0), (1, "b", 1), (2, None, None)]


def test_a_value_without_a_key_is_rejected(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a=1;=2",)], "info string")
    assert pairs_to_map(frame, "info").first()["_error"]["code"] == "empty_key"  # type: ignore[index]


def test_chosen_keys_become_typed_columns_in_the_place_of_the_map(spark: SparkSession) -> None:
    info = {"DP": ["14"], "AF": ["0.5", "0.3"], "DB": [None], "other": ["1"]}
    frame = spark.createDataFrame(
        [(1, info, "x"), (2, {"DP": ["many"]}, "y")], "id int, info map<string,array<string>>, note string"
    )
    actual = map_to_columns(frame, "info", {"DP": "int", "AF": "string", "DB": "boolean"})
    expected = spark.createDataFrame(
        [
            (1, 14, "0.5;0.3", True, "x", None),
            (2, None, None, None, "y", ("rejected", "wrong_type", "column DP: 'many' is not int")),
        ],
        f"id int, DP int, AF string, DB boolean, note string, _error {ERROR_TYPE}",
    )
    assert_df_equality(actual, expected, ignore_nullable=True)


def test_a_repeated_key_does_not_fit_one_number(spark: SparkSession) -> None:
    frame = spark.createDataFrame([({"AF": ["0.5", "0.3"]},)], "info map<string,array<string>>")
    row = map_to_columns(frame, "info", {"AF": "double"}).first()
    assert row is not None
    assert row["_error"]["detail"] == "column AF: '0.5;0.3' is not double"


def test_a_key_may_not_take_the_name_of_another_column(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, {})], "id int, info map<string,array<string>>")
    with pytest.raises(ValueError, match="key id of column 'info' is the name of another column"):
        map_to_columns(frame, "info", {"id": "int"})
