"""Totals per key, and their way back to the rows that they are of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.support.frames import assert_same_rows
from transforms.totals import attach, per_key

LARGEST = Decimal("9999999999999999.99")


def same(actual: DataFrame, rows: list[tuple[Any, ...]], schema: str) -> None:
    """The frame has these columns in this order, and these rows in any order."""
    expected = actual.sparkSession.createDataFrame(rows, schema)
    assert_same_rows(actual, expected)


def test_each_key_has_the_number_of_its_rows_and_exact_sums(spark: SparkSession) -> None:
    prices = [("a", "0.10", 3), ("b", "1.00", None), ("a", "0.20", 4), ("b", "-1.00", 5)]
    frame = spark.createDataFrame(
        [(key, Decimal(price), pieces) for key, price, pieces in prices],
        "key string, price decimal(18,2), pieces bigint",
    )
    found = per_key(frame, ["key"], count="rows", sums={"spent": "price", "pieces": "pieces"})
    rows = [("a", 2, Decimal("0.30"), 7), ("b", 2, Decimal("0.00"), 5)]
    same(found, rows, "key string, rows bigint, spent decimal(28,2), pieces bigint")
    frame = frame.repartition(3)
    same(
        per_key(frame, ["key"], count="rows", sums={"spent": "price", "pieces": "pieces"}),
        rows,
        "key string, rows bigint, spent decimal(28,2), pieces bigint",
    )


def test_sums_of_the_largest_decimals_are_exact(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a", LARGEST)] * 12, "key string, price decimal(18,2)")
    found = per_key(frame, ["key"], sums={"spent": "price"})
    same(found, [("a", Decimal("119999999999999999.88"))], "key string, spent decimal(28,2)")


def test_null_keys_are_one_key_and_only_null_amounts_sum_to_zero(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(None, Decimal("1.50")), (None, None), ("a", None)], "key string, price decimal(18,2)"
    )
    found = per_key(frame, ["key"], count="rows", sums={"spent": "price"})
    rows = [(None, 2, Decimal("1.50")), ("a", 1, Decimal("0.00"))]
    same(found, rows, "key string, rows bigint, spent decimal(28,2)")


def test_keys_of_several_columns_names_with_any_characters_and_other_aggregates(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a", 1, 5), ("a", 1, 6), ("a", 2, 7)], "`the key` string, `k-2` int, `a b` bigint")
    found = per_key(frame, ["the key", "k-2"], sums={"sum": "a b"}, more=[F.max("`a b`").alias("highest")])
    same(found, [("a", 1, 11, 6), ("a", 2, 7, 7)], "`the key` string, `k-2` int, sum bigint, highest bigint")


def test_totals_are_attached_to_their_rows_and_others_get_zeros(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, "a", "x"), (2, "a", "y"), (3, "b", "z"), (4, None, "w")], "id int, key string, note string"
    )
    totals = spark.createDataFrame(
        [("a", 2, Decimal("0.30")), ("c", 1, Decimal("9.00")), (None, 5, Decimal("5.00"))],
        "key string, rows bigint, spent decimal(28,2)",
    )
    rows = [
        (1, "a", "x", 2, Decimal("0.30")),
        (2, "a", "y", 2, Decimal("0.30")),
        (3, "b", "z", 0, Decimal("0.00")),
        (4, None, "w", 0, Decimal("0.00")),
    ]
    schema = "id int, key string, note string, rows bigint, spent decimal(28,2)"
    same(attach(frame, totals, ["key"]), rows, schema)
    same(attach(frame.repartition(3), totals.repartition(3), ["key"]), rows, schema)


def test_totals_are_attached_by_keys_of_several_columns(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a", 1), ("a", 2)], "`the key` string, `k-2` int")
    totals = spark.createDataFrame([("a", 2, 7)], "`the key` string, `k-2` int, `a b` bigint")
    same(
        attach(frame, totals, ["the key", "k-2"]),
        [("a", 1, 0), ("a", 2, 7)],
        "`the key` string, `k-2` int, `a b` bigint",
    )
