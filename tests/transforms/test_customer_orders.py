"""Customers, orders and items: who keeps a reference, what counts, and what is said of the rest."""

from __future__ import annotations

from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms import customer_orders as steps
from transforms.row_errors import ERROR, no_error, row_error

ITEM = "id bigint, order_reference string, total_price bigint, _source_file int, _source_offset bigint"
ORDER = "order_reference string, customer_reference string, _keeps_reference boolean"
CUSTOMER = "customer_reference string, _keeps_reference boolean"
TOTALS = f"{ORDER}, _items bigint, _high bigint, _low bigint, _may_repeat boolean"


def tagged(spark: SparkSession, rows: list[tuple[Any, ...]], columns: str, reason: str = "") -> DataFrame:
    """Rows without a problem, or all with the same one."""
    frame = spark.createDataFrame(rows, columns)
    return frame.withColumn(ERROR, row_error("rejected", reason, "") if reason else no_error())


def same(actual: DataFrame, expected: DataFrame) -> None:
    """Whole frames, in any order of rows."""
    assert_df_equality(actual, expected, ignore_nullable=True, ignore_row_order=True)


def test_the_smallest_id_keeps_a_reference_equal_rows_are_excluded_and_others_rejected(spark: SparkSession) -> None:
    rows = [
        (3, "c1", "B", 0, 0),
        (1, "c1", "A", 1, 9),
        (1, "c1", "A", 1, 0),
        (1, "c1", "A", 0, 9),
        (4, "c2", "C", 0, 18),
        (None, None, "D", 0, 27),
        (None, None, "D", 0, 36),
    ]
    columns = "id int, ref string, name string, _source_file int, _source_offset long"
    settled = steps.settle_references(tagged(spark, rows, columns), "ref", ["id", "ref", "name"])
    expected = [
        (0, 0, 3, "c1", "conflicting_reference", False),
        (0, 9, 1, "c1", None, True),
        (1, 0, 1, "c1", "duplicate", False),
        (1, 9, 1, "c1", "duplicate", False),
        (0, 18, 4, "c2", None, True),
        (0, 27, None, None, None, False),
        (0, 36, None, None, None, False),
    ]
    reason = F.col(f"{ERROR}.code").alias("reason")
    columns = "_source_file int, _source_offset long, id int, ref string, reason string, _keeps_reference boolean"
    same(
        settled.select("_source_file", "_source_offset", "id", "ref", reason, "_keeps_reference"),
        spark.createDataFrame(expected, columns),
    )


def test_a_rejected_row_keeps_a_reference_only_where_no_row_is_used(spark: SparkSession) -> None:
    columns = "id int, ref string, _source_file int, _source_offset long"
    good = tagged(spark, [(9, "c1", 0, 0)], columns)
    bad = tagged(spark, [(1, "c1", 0, 9), (2, "c2", 0, 18)], columns, "wrong_type")
    settled = steps.settle_references(good.unionByName(bad), "ref", ["id", "ref"])
    same(
        steps.keepers(settled, "ref"),
        spark.createDataFrame([("c1", True), ("c2", False)], "ref string, _parent_used boolean"),
    )


def test_orders_get_the_number_and_the_sum_of_their_used_items(spark: SparkSession) -> None:
    orders = spark.createDataFrame([("o1", "c1", True), ("o1", "c2", False), ("o2", "c1", True)], ORDER)
    items = tagged(spark, [(1, "o1", 10, 0, 0), (2, "o1", (1 << 30) + 5, 0, 9), (3, "o9", 7, 0, 18)], ITEM)
    items = items.unionByName(tagged(spark, [(4, "o2", 99, 0, 27)], ITEM, "wrong_type"))
    expected = [
        ("o1", "c1", True, 2, 1, 15, False),
        ("o1", "c2", False, 0, 0, 0, False),
        ("o2", "c1", True, 0, 0, 0, False),
    ]
    same(steps.order_totals(orders, items), spark.createDataFrame(expected, TOTALS))


def test_an_item_that_is_there_again_is_found_and_taken_off_its_order(spark: SparkSession) -> None:
    orders = tagged(spark, [("o1", "c1", True), ("o2", "c1", True)], ORDER)
    rows = [(1, "o1", 10, 0, 0), (1, "o1", 10, 0, 9), (1, "o1", 10, 0, 18), (2, "o1", 10, 0, 27), (3, "o2", 5, 0, 36)]
    items = tagged(spark, rows, ITEM)
    totals = steps.order_totals(orders, items)
    repeated = steps.repeated_items(items, totals)
    assert sorted((row["_source_offset"], row[ERROR]["code"]) for row in repeated.collect()) == [
        (9, "duplicate"),
        (18, "duplicate"),
    ]
    same(
        steps.without_repeated(totals, repeated).select("order_reference", "_items", "_high", "_low"),
        spark.createDataFrame(
            [("o1", 2, 0, 20), ("o2", 1, 0, 5)], "order_reference string, _items bigint, _high bigint, _low bigint"
        ),
    )


def test_customers_get_their_used_orders_and_unknown_references_a_row_of_their_own(spark: SparkSession) -> None:
    customers = tagged(
        spark, [("c1", True), ("c1", False), ("c2", True)], "customer_reference string, _keeps_reference boolean"
    )
    orders = tagged(
        spark,
        [("o1", "c1", True, 2, 0, 30, False), ("o2", "c1", True, 0, 0, 0, False), ("o3", "c9", True, 1, 0, 5, False)],
        TOTALS,
    ).unionByName(tagged(spark, [("o4", "c2", True, 4, 0, 8, False)], TOTALS, "wrong_type"))
    columns = [
        "customer_reference",
        "_keeps_reference",
        "number_of_orders",
        "_without_items",
        "_items",
        "_high",
        "_low",
    ]
    kinds = "customer_reference string, _keeps_reference boolean, number_of_orders bigint, _without_items bigint"
    expected = [
        ("c1", True, 2, 1, 2, 0, 30),
        ("c1", False, 0, 0, 0, 0, 0),
        ("c2", True, 0, 0, 0, 0, 0),
        ("c9", None, 1, 0, 1, 0, 5),
    ]
    same(
        steps.customer_totals(customers, orders).select(*columns),
        spark.createDataFrame(expected, f"{kinds}, _items bigint, _high bigint, _low bigint"),
    )


def test_customers_that_are_not_used_or_not_there_lose_their_orders(spark: SparkSession) -> None:
    columns = f"{CUSTOMER}, number_of_orders bigint"
    used = tagged(spark, [("c1", True, 2), ("c2", True, 0), ("c8", None, 1)], columns)
    unused = tagged(spark, [("c3", True, 1), ("c4", True, 0), ("c1", False, 0)], columns, "duplicate")
    lost = steps.lost_customers(used.unionByName(unused))
    same(lost, spark.createDataFrame([("c8", None), ("c3", False)], "customer_reference string, _parent_used boolean"))
    orders = tagged(
        spark, [("o1", "c1"), ("o2", "c3"), ("o3", "c8")], "order_reference string, customer_reference string"
    )
    rejected = steps.tag_parents(orders, lost, "customer_reference", "customer", how="inner")
    assert sorted((row[0], row[ERROR]["code"]) for row in rejected.select("order_reference", ERROR).collect()) == [
        ("o2", "parent_rejected"),
        ("o3", "unknown_customer"),
    ]


def test_items_of_lost_and_of_unknown_orders_are_told_apart(spark: SparkSession) -> None:
    orders = tagged(spark, [("o1", "c1", True), ("o2", "c9", True)], ORDER)
    items = tagged(spark, [(1, "o1", 1, 0, 0), (2, "o2", 1, 0, 9), (3, "o9", 1, 0, 18)], ITEM)
    lost = spark.createDataFrame([("o2",)], "order_reference string")
    found = steps.tag_items(items, orders, lost).select("id", F.col(f"{ERROR}.code").alias("reason"))
    expected = [(1, None), (2, "parent_rejected"), (3, "unknown_order")]
    same(found, spark.createDataFrame(expected, "id bigint, reason string"))
