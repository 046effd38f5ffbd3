"""A packed first header, and cells of value and flag next to it."""

from __future__ import annotations

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from transforms.packed.splitting import packed_column, split
from transforms.packed.tables import header_parts, narrow, split_cells, wide


def table(spark: SparkSession) -> DataFrame:
    """Two rows as statistical offices publish them: keys packed, a column a year, values with flags."""
    rows = [("PC,T,Y15,AT", "79.8 e", ":"), ("PC,F,Y15,BE", ": c", " 81.25 ")]
    return spark.createDataFrame(rows, "`unit,sex,age,geo` string, `2019` string, `2018` string")


def test_the_name_after_the_backslash_is_what_the_other_headers_are_values_of() -> None:
    assert header_parts("unit,sex,age,geo\\time") == ("unit,sex,age,geo", "time")
    assert header_parts("unit,sex") == ("unit,sex", None)


def test_narrow_gives_a_row_for_each_cell(spark: SparkSession) -> None:
    keys = split(table(spark), packed_column("unit,sex,age,geo", separator=","))
    actual = narrow(split_cells(keys, ["2019", "2018"]), ["2019", "2018"], "time").drop("_error")
    expected = spark.createDataFrame(
        [
            ("PC", "T", "Y15", "AT", "2019", 79.8, "e"),
            ("PC", "T", "Y15", "AT", "2018", None, None),
            ("PC", "F", "Y15", "BE", "2019", None, "c"),
            ("PC", "F", "Y15", "BE", "2018", 81.25, None),
        ],
        "unit string, sex string, age string, geo string, time string, value double, flag string",
    )
    assert_df_equality(actual, expected, ignore_nullable=True)


def test_wide_gives_columns_for_each_cell(spark: SparkSession) -> None:
    actual = wide(split_cells(table(spark), ["2019", "2018"]), ["2019", "2018"]).drop("_error")
    expected = spark.createDataFrame(
        [("PC,T,Y15,AT", 79.8, "e", None, None), ("PC,F,Y15,BE", None, "c", 81.25, None)],
        "`unit,sex,age,geo` string, `2019 value` double, `2019 flag` string, `2018 value` double, `2018 flag` string",
    )
    assert_df_equality(actual, expected, ignore_nullable=True)


def test_a_cell_that_is_neither_a_value_nor_absent_is_rejected(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("x e",), ("1 e p",), ("1 e",), (None,)], "`2019` string")
    found = [row["_error"] and tuple(row["_error"])[1:] for row in split_cells(frame, ["2019"]).collect()]
    assert found == [
        ("wrong_type", "column 2019: 'x e' is not double"),
        ("too_many_pieces", "column 2019: '1 e p' holds more than a value and a flag"),
        None,
        None,
    ]


def test_with_one_name_a_flag_is_not_dropped_but_rejected(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("1 e",), ("2",)], "`2019` string")
    rows = split_cells(frame, ["2019"], ["value"], value_type="int").collect()
    assert [row["_error"] and row["_error"]["code"] for row in rows] == ["too_many_pieces", None]
    assert rows[1]["2019"].asDict() == {"value": 2}


def test_a_duplicate_column_is_refused(spark: SparkSession) -> None:
    frame = split_cells(spark.createDataFrame([("x", "1")], "time string, `2019` string"), ["2019"])
    with pytest.raises(ValueError, match="duplicate column time"):
        narrow(frame, ["2019"], "time")
