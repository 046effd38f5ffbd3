"""Customers, orders and items: what each customer ordered and spent, and the messages about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from tests.support.frames import assert_same_rows
from transforms.customer_orders import (
    all_error_messages,
    customer_message,
    error_message,
    reject_empty,
    total_per_customer,
)
from transforms.row_errors import ERROR_TYPE

CUSTOMERS = "customer_reference string"
ORDERS = "order_reference string, customer_reference string"
ITEMS = "order_reference string, total_price decimal(18,2)"
SPENDING = (
    "customer_reference string, number_of_orders bigint, total_amount_spent decimal(38,2),"
    " _items bigint, _orders_without_items bigint"
)
MESSAGES = "customer_reference string, order_reference string, message string"
LARGEST = Decimal("9999999999999999.99")


def same(actual: DataFrame, rows: list[tuple[Any, ...]], schema: str) -> None:
    """The frame has these columns in this order, and these rows in any order."""
    expected = actual.sparkSession.createDataFrame(rows, schema)
    assert_same_rows(actual, expected)


def rejected(code: str) -> tuple[str, str, str]:
    return ("rejected", code, "")


# total_per_customer


def test_a_customer_has_the_number_of_its_orders_and_the_sum_of_their_items(spark: SparkSession) -> None:
    customers = spark.createDataFrame([("c1",), ("c2",), ("c3",)], CUSTOMERS)
    orders = spark.createDataFrame([("o1", "c1"), ("o2", "c1"), ("o3", "c2"), ("o4", "c1")], ORDERS)
    prices = [("o1", "0.10"), ("o1", "0.20"), ("o2", "99.70"), ("o3", "-5.00"), ("o3", "5.00")]
    items = spark.createDataFrame([(order, Decimal(price)) for order, price in prices], ITEMS)
    rows = [
        ("c1", 3, Decimal("100.00"), 3, 1),
        ("c2", 1, Decimal("0.00"), 2, 0),
        ("c3", 0, Decimal("0.00"), 0, 0),
    ]
    same(total_per_customer(customers, orders, items), rows, SPENDING)
    shuffled = total_per_customer(customers.repartition(3), orders.repartition(3), items.repartition(3))
    same(shuffled, rows, SPENDING)


def test_the_sum_of_the_largest_prices_is_exact(spark: SparkSession) -> None:
    customers = spark.createDataFrame([("c1",)], CUSTOMERS)
    orders = spark.createDataFrame([("o1", "c1"), ("o2", "c1")], ORDERS)
    items = spark.createDataFrame([("o1", LARGEST)] * 7 + [("o2", LARGEST)] * 5, ITEMS)
    rows = [("c1", 2, Decimal("119999999999999999.88"), 12, 0)]
    same(total_per_customer(customers, orders, items), rows, SPENDING)


# customer_message


def test_a_customer_message_is_compact_json_with_the_amount_in_plain_digits() -> None:
    amounts = ["20.00", "0.10", "119999999999999999.88", "-100.50"]
    spending = pa.RecordBatch.from_pydict(
        {
            "customer_reference": ["ade3-11ed", 'say "hi" \\ é', "c3", "c4"],
            "number_of_orders": pa.array([2, 1, 12, 1], pa.int64()),
            "total_amount_spent": pa.array(map(Decimal, amounts), pa.decimal128(38, 2)),
        }
    )
    start = '{"type":"customer_message","customer_reference":'
    assert customer_message(spending).to_pylist() == [
        start + '"ade3-11ed","number_of_orders":2,"total_amount_spent":20}',
        start + '"say \\"hi\\" \\\\ é","number_of_orders":1,"total_amount_spent":0.1}',
        start + '"c3","number_of_orders":12,"total_amount_spent":119999999999999999.88}',
        start + '"c4","number_of_orders":1,"total_amount_spent":-100.5}',
    ]


# error_message, all_error_messages


def test_an_error_message_has_both_references_and_null_where_there_is_none() -> None:
    rows = {
        "customer_reference": ["c1", None, "c 1"],
        "order_reference": ["o1", "o 2", None],
        "message": ["M", "M", 'say "M"'],
    }
    start = '{"type":"error_message","customer_reference":'
    assert error_message(pa.RecordBatch.from_pydict(rows)).to_pylist() == [
        start + '"c1","order_reference":"o1","message":"M"}',
        start + 'null,"order_reference":"o 2","message":"M"}',
        start + '"c 1","order_reference":null,"message":"say \\"M\\""}',
    ]


def test_customers_without_orders_orders_of_unknown_customers_and_items_of_unknown_orders_are_reported(
    spark: SparkSession,
) -> None:
    spending = spark.createDataFrame(
        [("c1", 1, Decimal(5), 1, 0), ("c2", 0, Decimal(0), 0, 0), ("c3", 0, Decimal(0), 0, 0)], SPENDING
    )
    orders = spark.createDataFrame(
        [
            ("o1", "c1", None),
            ("o2", "c8", rejected("unknown_customer")),
            ("o3", "c8", rejected("unknown_customer")),
            ("o4", "c7", rejected("parent_rejected")),
            ("o5", "c2", rejected("wrong_type")),
        ],
        f"{ORDERS}, _error {ERROR_TYPE}",
    )
    items = spark.createDataFrame(
        [
            ("o1", Decimal(5), None),
            ("o8", Decimal(1), rejected("unknown_order")),
            ("o8", Decimal(2), rejected("unknown_order")),
            ("o2", Decimal(3), rejected("parent_rejected")),
            ("o1", Decimal(5), ("excluded", "duplicate", "")),
        ],
        f"{ITEMS}, _error {ERROR_TYPE}",
    )
    rows = [
        ("c2", None, "Something went wrong!"),
        ("c3", None, "Something went wrong!"),
        ("c8", "o2", "Order of an unknown customer"),
        ("c8", "o3", "Order of an unknown customer"),
        (None, "o8", "Items of an unknown order"),
    ]
    same(all_error_messages(spending, orders, items), rows, MESSAGES)


def test_with_nothing_wrong_there_is_no_error_message(spark: SparkSession) -> None:
    spending = spark.createDataFrame([("c1", 1, Decimal(5), 1, 0)], SPENDING)
    orders = spark.createDataFrame([("o1", "c1", None)], f"{ORDERS}, _error {ERROR_TYPE}")
    items = spark.createDataFrame([("o1", Decimal(5), None)], f"{ITEMS}, _error {ERROR_TYPE}")
    same(all_error_messages(spending, orders, items), [], MESSAGES)


# reject_empty


def test_rows_with_an_empty_reference_are_rejected_and_the_first_empty_column_is_named(spark: SparkSession) -> None:
    schema = f"`order reference` string, customer_reference string, _error {ERROR_TYPE}"
    earlier = ("rejected", "too_few_pieces", "pieces found: 1")
    order = ("rejected", "missing_value", "column order reference is empty")
    customer = ("rejected", "missing_value", "column customer_reference is empty")
    rows = [
        ("o1", "c1", None),
        (" o2 ", "c1", None),
        ("", "c1", order),
        ("  ", "", order),
        (None, "c1", order),
        ("o3", None, customer),
        (None, None, earlier),
    ]
    frame = spark.createDataFrame([(*row[:2], earlier if row[2] == earlier else None) for row in rows], schema)
    same(reject_empty(frame, "order reference", "customer_reference"), rows, schema)
