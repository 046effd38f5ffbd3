"""Sums of amounts as two whole numbers: exact where a long would overflow, and for negative amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.exact_sums import exact_total, high_part, low_part

MOST = 999_999_999_999_999_999


@pytest.mark.parametrize(
    ("units", "total"),
    [
        ([10, 20], "0.30"),
        ([0], "0.00"),
        ([-1], "-0.01"),
        ([-1, 1], "0.00"),
        ([-105, 5], "-1.00"),
        ([MOST], "9999999999999999.99"),
        ([-MOST], "-9999999999999999.99"),
        ([MOST] * 12, "119999999999999999.88"),
        ([-MOST] * 12 + [1], "-119999999999999999.87"),
        ([None, 250], "2.50"),
    ],
)
def test_a_sum_is_exact_to_the_cent(spark: SparkSession, units: list[int | None], total: str) -> None:
    frame = spark.createDataFrame([(unit,) for unit in units], "cents bigint")
    high, low = F.sum(high_part(F.col("cents"))), F.sum(low_part(F.col("cents")))
    found = frame.agg(high.alias("high"), low.alias("low")).select(exact_total(F.col("high"), F.col("low"), 2))
    assert found.collect()[0][0] == Decimal(total)


def test_a_total_has_as_many_decimals_as_its_unit(spark: SparkSession) -> None:
    parts = spark.range(1).select(F.lit(0).cast("bigint").alias("high"), F.lit(1500).cast("bigint").alias("low"))
    found = parts.select(*[exact_total(F.col("high"), F.col("low"), scale).alias(f"s{scale}") for scale in (0, 1, 3)])
    assert tuple(found.collect()[0]) == (Decimal("1500"), Decimal("150.0"), Decimal("1.500"))


def test_what_is_absent_has_no_total(spark: SparkSession) -> None:
    parts = spark.range(1).select(F.lit(None).cast("bigint").alias("high"), F.lit(1).cast("bigint").alias("low"))
    assert parts.select(exact_total(F.col("high"), F.col("low"), 2)).collect()[0][0] is None
