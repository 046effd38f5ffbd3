"""Rows that repeat a key: an equal row is left out by a named rule, a different one is rejected."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from transforms.row_errors import ERROR, exclude, is_valid, reject

_RANK, _FIRST = "_rank", "_first"


def tag_repeated_keys(frame: DataFrame, key: Sequence[str], content: Sequence[str], conflict: str) -> DataFrame:
    """Keeps one row a key: equal repetitions are excluded `duplicate`, different ones rejected for `conflict`.

    In: a tagged frame with the columns of `key` and `content` (any types that can be sorted). Out: the same rows and
    columns. The row whose content sorts first stays, so the order of files does not matter. Null rule: nulls are equal
    to each other and sort last. Rows that already have a problem are left as they are and are not compared.

    >>> frame = spark.createDataFrame([(1, "a"), (1, "a"), (1, "b"), (2, "a")], "id int, name string")
    >>> from transforms.row_errors import no_error
    >>> frame = frame.withColumn("_error", no_error())
    >>> tagged = tag_repeated_keys(frame, ["id"], ["name"], "conflicting_id")
    >>> tagged.orderBy("id", "name").select("id", "name", "_error.kind", "_error.code").show()
    +---+----+--------+--------------+
    | id|name|    kind|        reason|
    +---+----+--------+--------------+
    |  1|   a|    NULL|          NULL|
    |  1|   a|excluded|     duplicate|
    |  1|   b|rejected|conflicting_id|
    |  2|   a|    NULL|          NULL|
    +---+----+--------+--------------+
    <BLANKLINE>
    """
    same_key = Window.partitionBy(is_valid(), *key)
    in_order = same_key.orderBy(*[F.col(name).asc_nulls_last() for name in content])
    row = F.struct(*content)
    ranked = frame.select("*", F.row_number().over(in_order).alias(_RANK), F.first(row).over(in_order).alias(_FIRST))
    repeated = F.col(ERROR).isNull() & (F.col(_RANK) > 1)
    told = F.concat(F.lit(f"{', '.join(key)} = "), F.concat_ws(", ", *[F.col(name).cast("string") for name in key]))
    tagged = exclude(ranked, repeated & row.eqNullSafe(F.col(_FIRST)), "duplicate", told)
    tagged = reject(tagged, repeated, conflict, F.concat(told, F.lit(" stands there twice with different content")))
    return tagged.drop(_RANK, _FIRST)
