"""Messages about customers: compact JSON, amounts without zeros behind them, references escaped."""

from __future__ import annotations

from pyspark.sql import SparkSession

from transforms.customer_messages import customer_message, error_messages


def test_a_message_has_the_amount_without_zeros_behind_it_and_escapes_what_json_must(spark: SparkSession) -> None:
    rows = [("c1", 2, 0, 8750), ('c"2', 1, 0, 0), ("c3", 9, 1, 24)]
    frame = spark.createDataFrame(rows, "customer_reference string, number_of_orders bigint, _high bigint, _low bigint")
    assert [row[0] for row in frame.select(customer_message()).collect()] == [
        '{"type":"customer_message","customer_reference":"c1","number_of_orders":2,"total_amount_spent":87.5}',
        '{"type":"customer_message","customer_reference":"c\\"2","number_of_orders":1,"total_amount_spent":0}',
        '{"type":"customer_message","customer_reference":"c3","number_of_orders":9,"total_amount_spent":10737418.48}',
    ]


def test_an_error_message_names_what_it_knows(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("c1", None), (None, 'o"1')], "customer_reference string, order_reference string")
    assert [row["value"] for row in error_messages(frame, "Lost").collect()] == [
        '{"type":"error_message","customer_reference":"c1","order_reference":null,"message":"Lost"}',
        '{"type":"error_message","customer_reference":null,"order_reference":"o\\"1","message":"Lost"}',
    ]
