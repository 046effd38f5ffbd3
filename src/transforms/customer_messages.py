"""What is told of customers and orders: one message per customer, and one for each thing that hangs on nothing."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.customer_orders import HIGH, LOW
from transforms.exact_sums import exact_total
from transforms.text import plain_decimal


def amount_spent() -> Column:
    """The sum of `_high` and `_low`, hundredths, as decimal(38,2)."""
    return exact_total(F.col(HIGH), F.col(LOW), 2)


def json_text(text: Column) -> Column:
    """A text as a JSON string; null as null."""
    # Nearly every reference needs no escaping: the JSON writer is for the few that do.
    document = F.to_json(F.struct(text.alias("v")))
    escaped = document.substr(F.lit(6), F.length(document) - 6)
    plain = F.concat(F.lit('"'), text, F.lit('"'))
    return F.when(text.isNull(), "null").when(text.rlike(r"^[A-Za-z0-9_.:-]*$"), plain).otherwise(escaped)


def customer_message() -> Column:
    """The message of a customer with orders: compact JSON, keys in fixed order.

    In: `customer_reference` string, `number_of_orders` bigint, `_high`, `_low` bigint.

    >>> row = "SELECT 'ade3-11ed' AS customer_reference, 2L AS number_of_orders, 0L AS _high, 8750L AS _low"
    >>> print(spark.sql(row).select(customer_message()).first()[0])
    {"type":"customer_message","customer_reference":"ade3-11ed","number_of_orders":2,"total_amount_spent":87.5}
    """
    return F.concat(
        F.lit('{"type":"customer_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(',"number_of_orders":'),
        F.col("number_of_orders").cast("string"),
        F.lit(',"total_amount_spent":'),
        plain_decimal(amount_spent()),
        F.lit("}"),
    )


def error_messages(frame: DataFrame, message: str) -> DataFrame:
    """One error message a row: `customer_reference`, `order_reference` (null where absent), `value` (compact JSON).

    >>> frame = spark.sql("SELECT 'ade3-12ed' AS customer_reference, CAST(NULL AS STRING) AS order_reference")
    >>> print(error_messages(frame, "Something went wrong!").first()["value"])
    {"type":"error_message","customer_reference":"ade3-12ed","order_reference":null,"message":"Something went wrong!"}
    """
    value = F.concat(
        F.lit('{"type":"error_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(',"order_reference":'),
        json_text(F.col("order_reference")),
        F.lit(f',"message":"{message}"}}'),
    )
    return frame.select("customer_reference", "order_reference", value.alias("value"))
