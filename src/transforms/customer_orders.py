"""A day's customers, orders and items: what each customer ordered and spent, and the messages about it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.render import json_texts, plain_decimals, texts
from transforms.row_errors import ERROR, is_valid, reject
from transforms.text import quoted
from transforms.totals import attach, per_key

SPENT, ORDERS, ITEMS, WITHOUT_ITEMS = "total_amount_spent", "number_of_orders", "_items", "_orders_without_items"


def reject_empty(frame: DataFrame, *columns: str) -> DataFrame:
    """Rejects rows where one of the columns is null or nothing but blanks (`missing_value`).

    >>> frame = spark.createDataFrame([("c1",), ("",)], "customer_reference string")
    >>> reject_empty(frame, "customer_reference").select("_error.code").show()
    +-------------+
    |         code|
    +-------------+
    |         NULL|
    |missing_value|
    +-------------+
    <BLANKLINE>
    """
    for column in columns:
        empty = F.coalesce(F.trim(F.col(quoted(column))) == "", F.lit(True))
        frame = reject(frame, empty, "missing_value", f"column {column} is empty")
    return frame


def total_per_customer(customers: DataFrame, orders: DataFrame, items: DataFrame) -> DataFrame:
    """What the orders of each customer come to. All three frames hold valid rows only.

    In: `customer_reference` string, unique; orders with `order_reference` string, unique, and `customer_reference`;
    items with `order_reference` and `total_price` decimal(18,2), the total of a line. Out: `customer_reference`,
    `number_of_orders` bigint, `total_amount_spent` decimal(38,2), `_items` bigint (items that were added up),
    `_orders_without_items` bigint. Grain: a customer. Null rule: no nulls; a customer without orders has zeros.

    >>> customers = spark.createDataFrame([("c1",), ("c2",)], "customer_reference string")
    >>> columns = "order_reference string, customer_reference string"
    >>> orders = spark.createDataFrame([("o1", "c1"), ("o2", "c1")], columns)
    >>> items = spark.sql("SELECT 'o1' AS order_reference, 12.50BD AS total_price UNION ALL SELECT 'o1', 75.00BD")
    >>> total_per_customer(customers, orders, items).orderBy("customer_reference").drop("_items").show()
    +------------------+----------------+------------------+---------------------+
    |customer_reference|number_of_orders|total_amount_spent|_orders_without_items|
    +------------------+----------------+------------------+---------------------+
    |                c1|               2|             87.50|                    1|
    |                c2|               0|              0.00|                    0|
    +------------------+----------------+------------------+---------------------+
    <BLANKLINE>
    """
    per_order = per_key(items, ["order_reference"], count=ITEMS, sums={SPENT: "total_price"})
    priced = attach(orders.select("order_reference", "customer_reference"), per_order, ["order_reference"])
    without = F.count_if(F.col(ITEMS) == 0).alias(WITHOUT_ITEMS)
    sums = {SPENT: SPENT, ITEMS: ITEMS}
    per_customer = per_key(priced, ["customer_reference"], count=ORDERS, sums=sums, more=[without])
    found = attach(customers.select("customer_reference"), per_customer, ["customer_reference"])
    amount = F.col(SPENT).cast("decimal(38,2)").alias(SPENT)
    return found.select("customer_reference", ORDERS, amount, ITEMS, WITHOUT_ITEMS)


def used_rows(spending: DataFrame) -> DataFrame:
    """How many rows the totals of all customers were made of.

    In: the frame of `total_per_customer`. Out, all bigint: `customers`, `orders`, `items`, `orders_without_items`.
    Grain: one row in all. Null rule: no nulls; no customers give zeros.

    >>> columns = "customer_reference string, number_of_orders long, _items long, _orders_without_items long"
    >>> used_rows(spark.createDataFrame([("c1", 2, 3, 1), ("c2", 0, 0, 0)], columns)).show()
    +---------+------+-----+--------------------+
    |customers|orders|items|orders_without_items|
    +---------+------+-----+--------------------+
    |        2|     2|    3|                   1|
    +---------+------+-----+--------------------+
    <BLANKLINE>
    """
    totals = {"orders": ORDERS, "items": ITEMS, "orders_without_items": WITHOUT_ITEMS}
    sums = [F.coalesce(F.sum(column), F.lit(0)).cast("bigint").alias(name) for name, column in totals.items()]
    return spending.agg(F.count(F.lit(1)).alias("customers"), *sums)


def customer_message(batch: pa.RecordBatch) -> pa.Array:
    """The messages of customers with orders: compact JSON, keys in fixed order.

    In: `customer_reference` string, `number_of_orders` bigint, `total_amount_spent` decimal.

    >>> import decimal
    >>> row = {"customer_reference": ["ade3-11ed"], ORDERS: [2], SPENT: [decimal.Decimal("87.50")]}
    >>> print(customer_message(pa.RecordBatch.from_pydict(row))[0])
    {"type":"customer_message","customer_reference":"ade3-11ed","number_of_orders":2,"total_amount_spent":87.5}
    """
    return pc.binary_join_element_wise(
        '{"type":"customer_message","customer_reference":',
        json_texts(batch.column("customer_reference")),
        f',"{ORDERS}":',
        texts(batch.column(ORDERS)),
        f',"{SPENT}":',
        plain_decimals(batch.column(SPENT)),
        "}",
        "",
    )


def error_message(batch: pa.RecordBatch) -> pa.Array:
    """Error messages as compact JSON. In: `customer_reference`, `order_reference` (null where absent), `message`.

    >>> row = {"customer_reference": ["c1"], "order_reference": pa.nulls(1, pa.string()), "message": ["No orders"]}
    >>> print(error_message(pa.RecordBatch.from_pydict(row))[0])
    {"type":"error_message","customer_reference":"c1","order_reference":null,"message":"No orders"}
    """
    return pc.binary_join_element_wise(
        '{"type":"error_message","customer_reference":',
        json_texts(batch.column("customer_reference")),
        ',"order_reference":',
        json_texts(batch.column("order_reference")),
        ',"message":',
        json_texts(batch.column("message")),
        "}",
        "",
    )


def all_error_messages(spending: DataFrame, orders: DataFrame, items: DataFrame) -> DataFrame:
    """What is reported of customers without orders, orders of unknown customers, and items of unknown orders.

    In: what `total_per_customer` gives; tagged orders and items, checked against their parents. Out:
    `customer_reference`, `order_reference`, `message` string; one row per customer, order, and order reference of
    items. Null rule: a reference that is not known is null.
    """
    no_orders = spending.where(F.col(ORDERS) == 0).select("customer_reference")
    unknown_customer = orders.where(_has_code("unknown_customer")).select("customer_reference", "order_reference")
    unknown_order = items.where(_has_code("unknown_order")).select("order_reference").distinct()
    return (
        _with_message(no_orders, "Something went wrong!")
        .unionByName(_with_message(unknown_customer, "Order of an unknown customer"))
        .unionByName(_with_message(unknown_order, "Items of an unknown order"))
    )


def _with_message(frame: DataFrame, message: str) -> DataFrame:
    names = ("customer_reference", "order_reference")
    known = [F.col(n) if n in frame.columns else F.lit(None).cast("string").alias(n) for n in names]
    return frame.select(*known, F.lit(message).alias("message"))


def _has_code(code: str) -> Column:
    return ~is_valid() & (F.col(f"{ERROR}.code") == code)
