"""One array of a frame as rows: for jobs that know their documents."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def explode_items(
    frame: DataFrame, items: Column, *, item: str = "item", index: str = "_index", outer: bool = False
) -> DataFrame:
    """One row per element of an array column: the frame's columns, `index` int from 0, and the element as `item`.

    With `outer` a row whose array is null or empty stays, with null index and element.

    >>> frame = spark.createDataFrame([("a", [7, 8])], "id string, codes array<int>")
    >>> explode_items(frame, F.col("codes"), item="code").select("id", "_index", "code").show()
    +---+------+----+
    | id|_index|code|
    +---+------+----+
    |  a|     0|   7|
    |  a|     1|   8|
    +---+------+----+
    <BLANKLINE>
    """
    position: Callable[[Column], Column] = F.posexplode_outer if outer else F.posexplode
    return frame.select("*", position(items).alias(index, item))
