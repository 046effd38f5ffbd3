"""Totals per key over parents, their children and grandchildren: how many there are, and the exact sum of a column.

    customers  <-  orders  <-  items          number_of_orders, total_amount_spent for each customer

Each level is brought to one row per key before it is joined with the level above, so that a join never repeats a row
and nothing is counted more than once. Decimals are summed as decimals and stay exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.text import quoted


def per_key(
    frame: DataFrame,
    keys: Sequence[str],
    *,
    count: str = "",
    sums: Mapping[str, str] | None = None,
    more: Sequence[Column] = (),
) -> DataFrame:
    """One row per key: the number of its rows and its sums.

    In: `keys` of any type, summed columns of any numeric type. Out: the keys, `count` bigint, each sum (of a
    decimal(p,s) a decimal(p+10,s)), and `more`, other aggregates with names of their own. Null rule: null keys are one
    key; null amounts add nothing, and a key with nothing but nulls has the sum 0. Grain: the keys.

    >>> frame = spark.sql("SELECT * FROM VALUES ('a', 0.10BD), ('a', 0.20BD), ('b', NULL) AS t(name, amount)")
    >>> per_key(frame, ["name"], count="rows", sums={"total": "amount"}).orderBy("name").show()
    +----+----+-----+
    |name|rows|total|
    +----+----+-----+
    |   a|   2| 0.30|
    |   b|   1| 0.00|
    +----+----+-----+
    <BLANKLINE>
    """
    counted = [F.count(F.lit(1)).alias(count)] if count else []
    summed = [F.coalesce(F.sum(F.col(quoted(column))), F.lit(0)).alias(name) for name, column in (sums or {}).items()]
    return frame.groupBy(*[F.col(quoted(key)) for key in keys]).agg(*counted, *summed, *more)


def attach(frame: DataFrame, totals: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Adds totals to the rows that they are of; a row without totals gets zeros.

    In: `totals` with one row per key. Out: the frame's columns, then the totals'. Grain: unchanged. A null key has no
    totals.

    >>> frame = spark.createDataFrame([("a",), ("b",)], "name string")
    >>> attach(frame, spark.createDataFrame([("a", 2)], "name string, rows int"), ["name"]).orderBy("name").show()
    +----+----+
    |name|rows|
    +----+----+
    |   a|   2|
    |   b|   0|
    +----+----+
    <BLANKLINE>
    """
    names = [name for name in totals.columns if name not in keys]
    # Hashed by part, not broadcast: totals can be as many as the rows they are of, and one row per key is never skewed.
    joined = totals.hint("shuffle_hash").join(frame, on=list(keys), how="right")
    return joined.select(
        *[F.col(quoted(name)) for name in frame.columns],
        *[F.coalesce(F.col(quoted(name)), F.lit(0)).cast(totals.schema[name].dataType).alias(name) for name in names],
    )
