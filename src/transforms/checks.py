"""Checks between rows: one row per key, a parent for every child, no row that repeats another.

Every check takes a tagged frame (see `transforms.row_errors`) and returns the same rows, with `_error` set where a row
does not pass. Rows that have an error already keep it. Nothing is dropped, so one check can follow another:

    orders = check_unique(orders, "order_reference")
    orders = check_foreign_key(orders, customers, "customer_reference", "customer")
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.row_errors import EXCLUDED, REJECTED, exclude, is_valid, reject
from transforms.text import own_columns, quoted

# Which row of the input a row is. Rows exploded out of records have a third, `_index`.
PLACE = ("_source_file", "_source_offset")
# Names of columns, or what adds the one column `_content` to rows that are compared.
Content = Sequence[str] | Callable[[DataFrame], DataFrame]


def _column(name: str) -> Column:
    return F.col(quoted(name))


def _shown(names: Sequence[str]) -> Column:
    """`customer_reference c1`: the names and values of key columns, for a detail."""
    parts = [F.concat(F.lit(f"{name} "), F.coalesce(_column(name).cast("string"), F.lit("absent"))) for name in names]
    return F.concat_ws(", ", *parts)


def check_unique(
    frame: DataFrame,
    *key: str,
    content: Content = (),
    place: Sequence[str] = PLACE,
    duplicate: str = "duplicate",
    conflict: str = "conflicting_reference",
    conflict_kind: str = REJECTED,
) -> DataFrame:
    """Keeps one row per key: equal rows are excluded as `duplicate`, different ones rejected for `conflict`.

    In: a tagged frame with the columns of `key`; `content`, the columns to compare, of types that can be sorted
    (default: all that do not begin with `_`), or a function that adds them as one column `_content` to the few rows
    that are compared; `place`, which tells rows apart. Out: the same rows and columns; grain unchanged. The row whose
    content sorts first is kept, of equal rows the first in the files, so that the order of files does not matter. Null
    rule: a row with a null in its key is not compared; nulls in the content are equal to each other and sort last.

    >>> rows = [(2, "c1", 0), (1, "c1", 9), (1, "c1", 18), (3, "c2", 27)]
    >>> frame = spark.createDataFrame(rows, "id int, reference string, _source_offset int")
    >>> from transforms.row_errors import no_error
    >>> frame = frame.withColumns({"_source_file": F.lit(0), "_error": no_error()})
    >>> checked = check_unique(frame, "reference")
    >>> checked.orderBy("_source_offset").select("id", "reference", "_error.code").show()
    +---+---------+--------------------+
    | id|reference|                code|
    +---+---------+--------------------+
    |  2|       c1|conflicting_refer...|
    |  1|       c1|                NULL|
    |  1|       c1|           duplicate|
    |  3|       c2|                NULL|
    +---+---------+--------------------+
    <BLANKLINE>
    """
    later = _later_rows(frame.where(is_valid()), key, content or own_columns(frame), place)
    # Hashed by part, not broadcast: repeated keys can be as many as the rows, and one row per key is never skewed.
    joined = later.hint("shuffle_hash").join(frame, on=list(key), how="right")
    same = F.filter("_later", lambda one: _is_at(one, place))
    equal = F.try_element_at(same, F.lit(1))["equal"]
    detail = F.concat(_shown(key), F.lit(" is a duplicate key"))
    tagged = exclude(joined, F.coalesce(equal, F.lit(False)), duplicate, detail)
    tag = exclude if conflict_kind == EXCLUDED else reject
    return tag(tagged, equal.isNotNull(), conflict, detail).select(*map(_column, frame.columns))


def odd_keys(frame: DataFrame, key: Sequence[str]) -> DataFrame:
    """At most one row: the first key, by its place in the files, that has a null or several rows.

    In: the columns of `key` and `PLACE`. Out: those of `key`, `_rows` long, `_first` struct of `PLACE`.
    """
    counted = frame.groupBy(*map(_column, key)).agg(
        F.count(F.lit(1)).alias("_rows"), F.min(F.struct(*PLACE)).alias("_first")
    )
    has_null = functools.reduce(operator.or_, (_column(name).isNull() for name in key))
    return counted.where((F.col("_rows") > 1) | has_null).orderBy("_first").limit(1)


def _later_rows(frame: DataFrame, key: Sequence[str], content: Content, place: Sequence[str]) -> DataFrame:
    """For each key of several rows: the key and `_later`, place and equality to the kept row of all its other rows."""
    # Only rows whose key is repeated are ranked: ranking all of them costs a sort of the whole input.
    counted = frame.groupBy(*map(_column, key)).agg(F.count(F.lit(1)).alias("_rows"))
    suspects = frame.join(counted.where("_rows > 1").hint("shuffle_hash"), on=list(key), how="left_semi")
    if callable(content):
        suspects, content = content(suspects), ["_content"]
    order = [_column(name).asc_nulls_last() for name in [*content, *place]]
    by_key = Window.partitionBy(*map(_column, key)).orderBy(*order)
    same = _all(F.first(_column(name)).over(by_key).eqNullSafe(_column(name)) for name in content)
    ranked = suspects.withColumns({"_rank": F.row_number().over(by_key), "_equal": same})
    where = [_column(name).alias(f"p{n}") for n, name in enumerate(place)]
    row = F.struct(*where, F.col("_equal").alias("equal"))
    return ranked.where("_rank > 1").groupBy(*map(_column, key)).agg(F.collect_list(row).alias("_later"))


def _all(conditions: Iterable[Column]) -> Column:
    return functools.reduce(operator.and_, conditions)


def check_foreign_key(children: DataFrame, parents: DataFrame, key: str, parent: str) -> DataFrame:
    """Rejects rows whose parent is not there (`unknown_<parent>`) or is itself not used (`parent_rejected`).

    In: tagged frames that both have the column `key`; of the parents at most one row per key is used (`check_unique`).
    Out: the children's rows and columns; grain unchanged. Null rule: a null key has no parent.

    >>> from transforms.row_errors import no_error, reject
    >>> customers = spark.createDataFrame([("c1", 1), ("c2", -1)], "customer string, age int")
    >>> customers = reject(customers, F.col("age") < 0, "negative_age")
    >>> orders = spark.createDataFrame([("o1", "c1"), ("o2", "c2"), ("o3", "c9")], "order string, customer string")
    >>> checked = check_foreign_key(orders.withColumn("_error", no_error()), customers, "customer", "customer")
    >>> checked.orderBy("order").select("order", "_error.code", "_error.detail").show(truncate=False)
    +-----+----------------+-------------------------+
    |order|code            |detail                   |
    +-----+----------------+-------------------------+
    |o1   |NULL            |NULL                     |
    |o2   |parent_rejected |customer c2 is not used  |
    |o3   |unknown_customer|customer c9 is in no file|
    +-----+----------------+-------------------------+
    <BLANKLINE>
    """
    used = parents.groupBy(_column(key)).agg(F.bool_or(is_valid()).alias("_parent_used"))
    joined = used.hint("shuffle_hash").join(children, on=key, how="right")
    shown = F.concat(F.lit(f"{parent} "), F.coalesce(_column(key), F.lit("absent")))
    tagged = reject(
        joined, F.col("_parent_used").isNull(), f"unknown_{parent}", F.concat(shown, F.lit(" is in no file"))
    )
    tagged = reject(tagged, ~F.col("_parent_used"), "parent_rejected", F.concat(shown, F.lit(" is not used")))
    return tagged.select(*map(_column, children.columns))


def exclude_duplicates(frame: DataFrame, within: str, *, place: Sequence[str] = PLACE) -> DataFrame:
    """Excludes rows that repeat another one in all columns but those that begin with `_` (`duplicate`).

    The first in the files is kept.

    In: a tagged frame; `within`, the column that groups the rows that can be equal (their parent's key), and `place`,
    which tells rows apart. Out: the same rows and columns; grain unchanged. Null rule: nulls are equal to each other; a
    row whose `within` is null is not compared.

    >>> rows = [(1, "o1", "lamp", 0), (1, "o1", "lamp", 9), (2, "o1", "lamp", 18)]
    >>> frame = spark.createDataFrame(rows, "id int, order string, name string, _source_offset int")
    >>> from transforms.row_errors import no_error
    >>> checked = exclude_duplicates(frame.withColumns({"_source_file": F.lit(0), "_error": no_error()}), "order")
    >>> checked.orderBy("_source_offset").select("id", "_error.code", "_error.detail").show(truncate=False)
    +---+---------+-----------------------+
    |id |code     |detail                 |
    +---+---------+-----------------------+
    |1  |NULL     |NULL                   |
    |1  |duplicate|id 1 is a duplicate row|
    |2  |NULL     |NULL                   |
    +---+---------+-----------------------+
    <BLANKLINE>
    """
    own = own_columns(frame)
    # Only groups with an equal digest are ranked: grouping all rows by all columns holds every value in memory.
    digested = frame.where(is_valid()).withColumn("_digest", F.xxhash64(*map(_column, own)))
    counted = digested.groupBy(_column(within), "_digest").agg(F.count(F.lit(1)).alias("_rows"))
    suspects = frame.where(is_valid()).join(
        counted.where("_rows > 1").select(_column(within)).distinct().hint("shuffle_hash"), on=within, how="left_semi"
    )
    equal = Window.partitionBy(*map(_column, own)).orderBy(*map(_column, place))
    later = suspects.withColumn("_rank", F.row_number().over(equal)).where("_rank > 1")
    row = F.struct(*[_column(name).alias(f"p{n}") for n, name in enumerate(place)])
    # One row per group again, so that the join repeats no row.
    listed = later.groupBy(_column(within)).agg(F.collect_list(row).alias("_later"))
    joined = listed.hint("shuffle_hash").join(frame, on=within, how="right")
    repeated = F.exists("_later", lambda one: _is_at(one, place))
    shown = F.concat(_shown(own[:1]), F.lit(" is a duplicate row"))
    return exclude(joined, F.coalesce(repeated, F.lit(False)), "duplicate", shown).select(*map(_column, frame.columns))


def _is_at(row: Column, place: Sequence[str]) -> Column:
    """Whether the row that a struct of places names is this one."""
    return functools.reduce(operator.and_, [row[f"p{n}"] == _column(name) for n, name in enumerate(place)])
