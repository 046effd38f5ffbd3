"""Totals per key over parents, their children and grandchildren: how many there are, and the exact sum of what.

    customers  <-  orders  <-  items          number_of_orders, total_amount_spent for each customer

Each level is brought to one row a key before it meets the level above, so a join never repeats a row and nothing is
counted twice. Decimals are summed as decimals and stay exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.text import quoted


@dataclass(frozen=True)
class Level:
    """A level below the top: its rows, the columns that name their parent, and what to total of them.

    `parent`: the columns that hold the key of the level above, under the names they have there. `key`: the columns that
    name a row to the level below; one row a key. `count`: the name of the number of rows. `sums`: the name of each sum
    and the column that is summed.
    """

    frame: DataFrame
    parent: Sequence[str]
    key: Sequence[str] = ()
    count: str = ""
    sums: Mapping[str, str] = field(default_factory=dict)


def per_key(
    frame: DataFrame,
    keys: Sequence[str],
    *,
    count: str = "",
    sums: Mapping[str, str] | None = None,
    more: Sequence[Column] = (),
) -> DataFrame:
    """One row a key: the number of its rows and its sums.

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

    In: `totals` with one row a key. Out: the frame's columns, then the totals'. Grain: unchanged. A null key has no
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
    # Hashed by part, not broadcast: totals can be as many as the rows they are of, and one row a key is never skewed.
    joined = frame.join(totals.hint("shuffle_hash"), on=list(keys), how="left")
    return joined.select(
        *[F.col(quoted(name)) for name in frame.columns],
        *[F.coalesce(F.col(quoted(name)), F.lit(0)).cast(totals.schema[name].dataType).alias(name) for name in names],
    )


def roll_up(top: DataFrame, key: Sequence[str], levels: Sequence[Level]) -> DataFrame:
    """Adds to each row of the top level the totals of all levels below it.

    In: `top` with one row a key; `levels` from the children downwards, each with one row a key of its own. Out: the
    columns of `top`, then the counts and sums of all levels, zero where there is nothing. Rows without a parent are in
    no total: `orphans` finds them. Raises ValueError for a level whose parent columns are not the key of the level
    above.

    >>> customers = spark.createDataFrame([("c1",), ("c2",)], "customer string")
    >>> orders = spark.createDataFrame([("o1", "c1"), ("o2", "c1")], "order string, customer string")
    >>> items = spark.createDataFrame([("o1", 20), ("o1", 55), ("o2", 10)], "order string, price int")
    >>> children = Level(orders, parent=["customer"], key=["order"], count="orders")
    >>> levels = [children, Level(items, ["order"], sums={"spent": "price"})]
    >>> roll_up(customers, ["customer"], levels).orderBy("customer").show()
    +--------+------+-----+
    |customer|orders|spent|
    +--------+------+-----+
    |      c1|     2|   85|
    |      c2|     0|    0|
    +--------+------+-----+
    <BLANKLINE>
    """
    above = [list(key), *[list(level.key) for level in levels]]
    for wanted, level in zip(above, levels, strict=False):
        if list(level.parent) != wanted:
            told = f"the parent columns {', '.join(level.parent)} are not the key {', '.join(wanted)}"
            raise ValueError(f"{told} of the level above")
    below: DataFrame | None = None
    carried: list[str] = []
    for level in reversed(levels):
        frame = level.frame if below is None else attach(level.frame, below, level.key)
        below = per_key(frame, level.parent, count=level.count, sums={**level.sums, **{name: name for name in carried}})
        carried = [*([level.count] if level.count else []), *level.sums, *carried]
    return top if below is None else attach(top, below, key)


def orphans(children: DataFrame, parents: DataFrame, keys: Sequence[str]) -> DataFrame:
    """The children whose parent is not there; a null key has no parent.

    >>> children = spark.createDataFrame([("o1", "c1"), ("o2", "c9")], "order string, customer string")
    >>> orphans(children, spark.createDataFrame([("c1",)], "customer string"), ["customer"]).show()
    +-----+--------+
    |order|customer|
    +-----+--------+
    |   o2|      c9|
    +-----+--------+
    <BLANKLINE>
    """
    found = children.join(parents.select(*map(quoted, keys)), on=list(keys), how="left_anti")
    return found.select(*[F.col(quoted(name)) for name in children.columns])
