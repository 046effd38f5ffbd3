"""Rows that cannot or must not be used stay in the frame and say why, until the run records them.

A tagged frame has one extra column, `_error`: struct<kind: string, code: string, detail: string>.
It is null for a row that is used; kind is `rejected` (bad input) or `excluded` (left out by a named rule).
The first error of a row wins, so checks can follow each other without looking at what came before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

ERROR = "_error"
ERROR_TYPE = "struct<kind:string,code:string,detail:string>"
ERROR_FIELDS = ("kind", "code", "detail")
ERROR_ARROW = pa.struct([pa.field(name, pa.string()) for name in ERROR_FIELDS])
ERROR_FIELD = T.StructField(ERROR, T.StructType([T.StructField(name, T.StringType()) for name in ERROR_FIELDS]))
REJECTED = "rejected"
EXCLUDED = "excluded"
# What a reader says of a document without a record, of a record that a person takes back or that names columns: no
# faults.
NULL_RECORD, EMPTY_ARRAY, WITHDRAWN, HEADER = NO_FAULTS = ("null_record", "empty_array", "withdrawn", "header")


def row_error(kind: str, code: Column | str, detail: Column | str) -> Column:
    """The `_error` value of one row: a code that never changes and a detail for a person."""
    name, text = (F.lit(value) if isinstance(value, str) else value for value in (code, detail))
    return F.struct(F.lit(kind).alias("kind"), name.alias("code"), text.alias("detail")).cast(ERROR_TYPE)


def kind_of(read_error: str) -> str:
    """Whether a record with this reader's error is rejected or excluded."""
    return EXCLUDED if read_error in NO_FAULTS else REJECTED


def no_error() -> Column:
    """The `_error` value of a row that is fine."""
    return F.lit(None).cast(ERROR_TYPE)


def error_value(kind: str, code: str, detail: str) -> dict[str, str]:
    """The `_error` of one row as a kernel holds it."""
    return {"kind": kind, "code": code, "detail": detail}


def error_array(errors: Sequence[Mapping[str, str] | None]) -> pa.Array:
    """The `_error` column of a kernel's batch: kind, code and detail of each row, None for a row that is fine.

    Made by itself, a null struct would hold empty texts, and the embedded engine would show them as its fields.

    >>> error_array([None, error_value(REJECTED, "malformed", "")]).field("kind").to_pylist()
    [None, 'rejected']
    """
    made = pa.array(errors, ERROR_ARROW)
    # `flatten` gives the fields with the nulls of their structs.
    return pa.StructArray.from_arrays(made.flatten(), names=list(ERROR_FIELDS), mask=made.is_null())


def _tag(frame: DataFrame, when: Column, value: Column) -> DataFrame:
    if ERROR not in frame.columns:
        return frame.withColumn(ERROR, F.when(when, value))
    # The cast changes nothing, but on the embedded engine, where a literal column has other metadata than `value`.
    return frame.withColumn(ERROR, F.coalesce(F.col(ERROR).cast(ERROR_TYPE), F.when(when, value)))


def reject(frame: DataFrame, when: Column, code: Column | str, detail: Column | str = "") -> DataFrame:
    """Tags the rows where `when` holds as rejected for `code`, unless they already have an error.

    >>> frame = spark.createDataFrame([("a", 1), ("b", -1)], "name string, age int")
    >>> reject(frame, F.col("age") < 0, "negative_age", F.col("age").cast("string")).show()
    +----+---+--------------------+
    |name|age|              _error|
    +----+---+--------------------+
    |   a|  1|                NULL|
    |   b| -1|{rejected, negati...|
    +----+---+--------------------+
    <BLANKLINE>
    """
    return _tag(frame, when, row_error(REJECTED, code, detail))


def exclude(frame: DataFrame, when: Column, rule: Column | str, detail: Column | str = "") -> DataFrame:
    """Tags the rows where `when` holds as excluded by the named rule, unless they already have an error."""
    return _tag(frame, when, row_error(EXCLUDED, rule, detail))


def is_valid() -> Column:
    """True for the rows without an error."""
    return F.col(ERROR).isNull()


def valid(frame: DataFrame) -> DataFrame:
    """The rows without an error, and their own columns: those that begin with `_` go.

    >>> frame = spark.createDataFrame([("a", 1), ("b", -1)], "name string, age int")
    >>> valid(reject(frame, F.col("age") < 0, "negative_age")).show()
    +----+---+
    |name|age|
    +----+---+
    |   a|  1|
    +----+---+
    <BLANKLINE>
    """
    return frame.where(is_valid()).drop(*[name for name in frame.columns if name.startswith("_")])
