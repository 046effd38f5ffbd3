"""Tables whose first header packs the keys and whose other headers are the values of one more key.

    unit,sex,age,geo\\time   2019     2018            unit  sex  age  geo  time  value  flag
    PC,T,Y15,AT             79.8 e   :         ->    PC    T    Y15  AT   2019  79.8   e
                                                     PC    T    Y15  AT   2018  NULL   NULL

The other cells pack a value and a flag. `split_cells` parts them in place (wide); `narrow` makes a row of each.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.kernels.row_steps import (
    BatchErrors,
    RowStep,
    apply_steps,
    as_mask,
    replaced,
    replaced_schema,
    text_column,
)
from transforms.kernels.typed_text import POINT, only_where, typed
from transforms.kernels.types import arrow_type, known_type, spark_type
from transforms.packed.cells import lengths, nth
from transforms.packed.model import TOO_MANY, WRONG_TYPE
from transforms.text import quoted

ACROSS = "\\"


def header_parts(header: str, across: str = ACROSS) -> tuple[str, str | None]:
    """A first header as the packed part and the name of what the other headers are values of, or None.

    >>> header_parts("unit,sex,geo" + ACROSS + "time")
    ('unit,sex,geo', 'time')
    """
    keys, found, name = header.rpartition(across)
    return (keys, name) if found and keys and name else (header, None)


def split_cells(
    frame: DataFrame,
    columns: Sequence[str],
    names: Sequence[str] = ("value", "flag"),
    *,
    value_type: str = "double",
    separator: str = " ",
    absent: Sequence[str] = (":", ""),
) -> DataFrame:
    """Cells of a value and a flag as structs, in their place.

    In: `columns` string. Out: each struct<value: value_type, flag: string> with the given names (one name: no flags).
    Blanks around a cell are dropped; a value in `absent` is null, with its flag kept; null has neither. More than two
    pieces: rejected `too_many_pieces`; a value that is not of the type: `wrong_type`. Grain: unchanged.

    >>> frame = spark.createDataFrame([("AT", "79.8 e", ":")], "geo string, `2019` string, `2018` string")
    >>> split_cells(frame, ["2019", "2018"]).show()
    +---+---------+------------+------+
    |geo|     2019|        2018|_error|
    +---+---------+------------+------+
    | AT|{79.8, e}|{NULL, NULL}|  NULL|
    +---+---------+------------+------+
    <BLANKLINE>
    """
    return apply_steps(frame, [cells_step(frame.schema, columns, Cells(tuple(names), value_type, separator, absent))])


@dataclass(frozen=True)
class Cells:
    """Cells of a value and a flag: their names, the value's type, what separates them, which values are absent."""

    names: tuple[str, ...] = ("value", "flag")
    value_type: str = "double"
    separator: str = " "
    absent: Sequence[str] = (":", "")
    marks: tuple[str, str] = POINT


def cells_step(schema: T.StructType, columns: Sequence[str], cells: Cells) -> RowStep:
    """`split_cells` for batches of frames with this schema."""
    kinds = [spark_type(cells.value_type), T.StringType()]
    kind = T.StructType([T.StructField(name, kind) for name, kind in zip(cells.names, kinds, strict=False)])
    found = replaced_schema(schema, {column: [(column, kind)] for column in columns})
    return RowStep(found, functools.partial(_cells_batch, columns=tuple(columns), cells=cells))


def _cells_batch(batch: pa.RecordBatch, columns: Sequence[str], cells: Cells) -> pa.RecordBatch:
    errors, new = BatchErrors.of(batch), {}
    kind, separator = known_type(cells.value_type), cells.separator
    for column in columns:
        texts = pc.utf8_trim(text_column(batch, column), " ")
        value, flag = _parts(texts, cells)
        typed_value = typed(value, arrow_type(kind), cells.marks)
        with_flag = len(cells.names) > 1
        many = as_mask(pc.match_substring(flag, separator) if with_flag else flag.is_valid())
        expected = "a value and a flag" if with_flag else "a value"
        errors.reject(many, TOO_MANY, functools.partial(_detail, column, texts, f"holds more than {expected}"))
        wrong = as_mask(typed_value.is_null()) & as_mask(value.is_valid())
        errors.reject(wrong, WRONG_TYPE, functools.partial(_detail, column, texts, f"is not {kind}"))
        shaped = [typed_value, flag][: len(cells.names)]
        new[column] = [(column, pa.StructArray.from_arrays(shaped, names=list(cells.names)))]
    return replaced(batch, new, errors)


def _parts(texts: pa.Array, cells: Cells) -> tuple[pa.Array, pa.Array]:
    """The values and the flags of cells; null where they are absent."""
    parts = pc.split_pattern(texts, cells.separator, max_splits=1)
    value, flag = nth(parts, 0, lengths(parts) > 0), pc.utf8_trim(nth(parts, 1, lengths(parts) > 1), " ")
    is_present = pc.invert(pc.is_in(value, pa.array(cells.absent, pa.string())))
    return only_where(is_present, value), only_where(pc.not_equal(flag, ""), flag)


def _detail(column: str, texts: pa.Array, problem: str, row: int) -> str:
    return f"column {column}: '{texts[row].as_py()}' {problem}"


def narrow(frame: DataFrame, columns: Sequence[str], across: str, place: str = "") -> DataFrame:
    """A row for each of `columns` (structs of the same fields), the rest repeated, the column's name in `across`.

    `place`: the name of one more column, int, the column's number from 0. Grain: the row's own and `across`. Raises
    ValueError for a duplicate column.

    >>> cells = "named_struct('value', 79.8D) AS `2019`, named_struct('value', 80.1D) AS `2018`"
    >>> narrow(spark.sql(f"SELECT 'AT' AS geo, {cells}"), ["2019", "2018"], "time").show()
    +---+----+-----+
    |geo|time|value|
    +---+----+-----+
    | AT|2019| 79.8|
    | AT|2018| 80.1|
    +---+----+-----+
    <BLANKLINE>
    """
    kept = [F.col(quoted(name)) for name in frame.columns if name not in columns]
    fields = frame.select(f"{quoted(columns[0])}.*").columns
    duplicates = sorted(({across} | set(fields)) & (set(frame.columns) - set(columns)))
    if duplicates or across in fields:
        raise ValueError(f"duplicate column {', '.join(duplicates) or across}")
    places = [[F.lit(number).alias(place)] if place else [] for number in range(len(columns))]
    rows = [
        F.struct(F.lit(name).alias(across), *_fields(name, fields), *number)
        for name, number in zip(columns, places, strict=True)
    ]
    return frame.select(*kept, F.inline(F.array(*rows)))


def wide(frame: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Each of `columns` (structs) as columns of their own, named `column field`.

    >>> frame = spark.sql("SELECT 'AT' AS geo, named_struct('value', 79.8D, 'flag', 'e') AS `2019`")
    >>> wide(frame, ["2019"]).show()
    +---+----------+---------+
    |geo|2019 value|2019 flag|
    +---+----------+---------+
    | AT|      79.8|        e|
    +---+----------+---------+
    <BLANKLINE>
    """
    chosen: list[Column] = []
    for name in frame.columns:
        if name in columns:
            fields = frame.select(f"{quoted(name)}.*").columns
            chosen += _fields(name, fields, f"{name} ")
        else:
            chosen.append(F.col(quoted(name)))
    return frame.select(*chosen)


def _fields(name: str, fields: Sequence[str], prefix: str = "") -> list[Column]:
    return [F.col(f"{quoted(name)}.{quoted(field)}").alias(prefix + field) for field in fields]
