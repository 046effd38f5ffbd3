"""A day's customers, orders and items: what each customer ordered and spent, and the messages about it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.row_errors import ERROR, is_valid, reject
from transforms.text import json_text, plain_decimal, quoted
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


def customer_message() -> Column:
    """The message of a customer with orders: compact JSON, keys in fixed order.

    In: `customer_reference` string, `number_of_orders` bigint, `total_amount_spent` decimal.

    >>> row = "SELECT 'ade3-11ed' AS customer_reference, 2L AS number_of_orders, 87.50BD AS total_amount_spent"
    >>> print(spark.sql(row).select(customer_message()).first()[0])
    {"type":"customer_message","customer_reference":"ade3-11ed","number_of_orders":2,"total_amount_spent":87.5}
    """
    return F.concat(
        F.lit('{"type":"customer_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(f',"{ORDERS}":'),
        F.col(ORDERS).cast("string"),
        F.lit(f',"{SPENT}":'),
        plain_decimal(F.col(SPENT)),
        F.lit("}"),
    )


def error_messages(frame: DataFrame, message: str) -> DataFrame:
    """One error message per row: `customer_reference`, `order_reference` (null where absent), `value` (compact JSON).

    >>> frame = spark.sql("SELECT 'ade3-12ed' AS customer_reference")
    >>> print(error_messages(frame, "Something went wrong!").first()["value"])
    {"type":"error_message","customer_reference":"ade3-12ed","order_reference":null,"message":"Something went wrong!"}
    """
    names = ("customer_reference", "order_reference")
    absent = {name: F.lit(None).cast("string") for name in names if name not in frame.columns}
    value = F.concat(
        F.lit('{"type":"error_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(',"order_reference":'),
        json_text(F.col("order_reference")),
        F.lit(f',"message":"{message}"}}'),
    )
    return frame.withColumns(absent).select(*names, value.alias("value"))


def all_error_messages(spending: DataFrame, orders: DataFrame, items: DataFrame) -> DataFrame:
    """What is reported of customers without orders, orders of unknown customers, and items of unknown orders.

    In: what `total_per_customer` gives; tagged orders and items, checked against their parents. Out: as
    `error_messages`; one row per customer, order, and order reference of items.
    """
    no_orders = spending.where(F.col(ORDERS) == 0).select("customer_reference")
    unknown_customer = orders.where(_has_code("unknown_customer")).select("customer_reference", "order_reference")
    unknown_order = items.where(_has_code("unknown_order")).select("order_reference").distinct()
    return (
        error_messages(no_orders, "Something went wrong!")
        .unionByName(error_messages(unknown_customer, "Order of an unknown customer"))
        .unionByName(error_messages(unknown_order, "Items of an unknown order"))
    )


def _has_code(code: str) -> Column:
    return ~is_valid() & (F.col(f"{ERROR}.code") == code)
