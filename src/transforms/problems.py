"""Rows that cannot or must not be used stay in the frame and say why, until they are settled.

A tagged frame has one extra column, `_problem`: struct<kind: string, reason: string, detail: string>.
It is null for a row that is used; kind is `rejected` (bad input) or `excluded` (left out by a named rule).
The first problem of a row wins, so checks can follow each other without looking at what came before.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PROBLEM = "_problem"
PROBLEM_TYPE = "struct<kind:string,reason:string,detail:string>"
REJECTED = "rejected"
EXCLUDED = "excluded"


def problem(kind: str, reason: Column | str, detail: Column | str) -> Column:
    """The `_problem` value of one row: a reason code that never changes and a detail for a person."""
    code, text = (F.lit(value) if isinstance(value, str) else value for value in (reason, detail))
    return F.struct(F.lit(kind).alias("kind"), code.alias("reason"), text.alias("detail")).cast(PROBLEM_TYPE)


def no_problem() -> Column:
    """The `_problem` value of a row that is fine."""
    return F.lit(None).cast(PROBLEM_TYPE)


def _tag(frame: DataFrame, when: Column, value: Column) -> DataFrame:
    if PROBLEM not in frame.columns:
        return frame.withColumn(PROBLEM, F.when(when, value))
    return frame.withColumn(PROBLEM, F.coalesce(F.col(PROBLEM), F.when(when, value)))


def reject(frame: DataFrame, when: Column, reason: str, detail: Column | str = "") -> DataFrame:
    """Tags the rows where `when` holds as rejected for `reason`, unless they already have a problem.

    >>> frame = spark.createDataFrame([("a", 1), ("b", -1)], "name string, age int")
    >>> reject(frame, F.col("age") < 0, "negative_age", F.col("age").cast("string")).show()
    +----+---+--------------------+
    |name|age|            _problem|
    +----+---+--------------------+
    |   a|  1|                NULL|
    |   b| -1|{rejected, negati...|
    +----+---+--------------------+
    <BLANKLINE>
    """
    return _tag(frame, when, problem(REJECTED, reason, detail))


def exclude(frame: DataFrame, when: Column, rule: str, detail: Column | str = "") -> DataFrame:
    """Tags the rows where `when` holds as excluded by the named rule, unless they already have a problem."""
    return _tag(frame, when, problem(EXCLUDED, rule, detail))


def is_used() -> Column:
    """True for the rows without a problem."""
    return F.col(PROBLEM).isNull()
