"""Exact sums of decimals without an object a row: in units of the last decimal, as two whole numbers.

A decimal of 18 digits no longer fits a long once it is added up, and Spark then makes several objects for every row. A
number of units is cut in two instead, units = high * 2^30 + low: the sums of either part stay exact over eight thousand
million rows.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_BITS = 30
_LOW = (1 << _BITS) - 1
# Below this the units of a sum fit a long.
_SMALL = 1 << 32


def high_part(units: Column) -> Column:
    """The high part of a number of units (bigint of at most 18 digits), rounded down; null stays null."""
    return F.shiftright(units, _BITS)


def low_part(units: Column) -> Column:
    """The low part of a number of units: 0 to 2^30 - 1; null stays null."""
    return units.bitwiseAND(F.lit(_LOW).cast("bigint"))


def exact_total(high: Column, low: Column, scale: int) -> Column:
    """The decimal(38,scale) that the sums of high and low parts stand for; null when either is null.

    >>> frame = spark.sql("SELECT * FROM VALUES ('a', 1250L), ('a', -999999999999999999L) AS t(name, cents)")
    >>> sums = frame.groupBy("name").agg(
    ...     F.sum(high_part(F.col("cents"))).alias("high"), F.sum(low_part(F.col("cents"))).alias("low")
    ... )
    >>> sums.select(exact_total(F.col("high"), F.col("low"), 2).alias("total")).show()
    +--------------------+
    |               total|
    +--------------------+
    |-9999999999999987.49|
    +--------------------+
    <BLANKLINE>
    """
    carried, rest = high + F.shiftright(low, _BITS), low_part(low)
    unit = F.lit(f"{10**-scale:.{scale}f}").cast(f"decimal({scale + 1},{scale})")
    units = carried * F.lit(1 << _BITS).cast("bigint") + rest
    whole = carried.cast("decimal(20,0)") * F.lit(1 << _BITS).cast("decimal(10,0)") + rest.cast("decimal(10,0)")
    small = (carried > -_SMALL) & (carried < _SMALL)
    return F.when(small, units.cast("decimal(20,0)") * unit).otherwise(whole * unit).cast(f"decimal(38,{scale})")
