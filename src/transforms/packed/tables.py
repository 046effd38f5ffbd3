"""Tables whose first header packs the keys and whose other headers are the values of one more key.

    unit,sex,age,geo\\time   2019     2018            unit  sex  age  geo  time  value  flag
    PC,T,Y15,AT             79.8 e   :         ->    PC    T    Y15  AT   2019  79.8   e
                                                     PC    T    Y15  AT   2018  NULL   NULL

The cells beside pack a value and a flag. `split_cells` parts them in place (wide); `narrow` makes a row of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.packed.cells import separator_pattern
from transforms.packed.model import TOO_MANY, WRONG_TYPE
from transforms.packed.types import known_type, typed
from transforms.row_errors import ERROR, REJECTED, no_error, row_error
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
    kind = known_type(value_type)
    cut = separator_pattern(separator)
    pieces = {f"_pieces of {c}": F.split(F.trim(F.col(quoted(c))), cut, 2) for c in columns}
    texts, checks = {}, []
    for column in columns:
        value, flag = F.col(quoted(f"_pieces of {column}"))[0], _second(f"_pieces of {column}")
        texts[f"_value of {column}"] = F.when(~value.isin(list(absent)), value)
        texts[f"_flag of {column}"] = F.when(flag != "", flag)
        checks += _cell_checks(column, kind, len(names), separator)
    shaped = {}
    for column in columns:
        parts = [typed(f"_value of {column}", kind).alias(names[0])]
        shaped[column] = F.struct(*parts, *[F.col(quoted(f"_flag of {column}")).alias(name) for name in names[1:2]])
    before = [F.col(ERROR)] if ERROR in frame.columns else []
    found = F.coalesce(*before, *checks, no_error()).alias(ERROR)
    kept = [shaped.get(name, F.col(quoted(name))).alias(name) for name in frame.columns if name != ERROR]
    return frame.withColumns(pieces).withColumns(texts).select(*kept, found)


def _second(pieces: str) -> Column:
    return F.when(F.size(F.col(quoted(pieces))) > 1, F.trim(F.element_at(F.col(quoted(pieces)), -1)))


def _cell_checks(column: str, kind: str, names: int, separator: str) -> list[Column]:
    value, flag = F.col(quoted(f"_value of {column}")), F.col(quoted(f"_flag of {column}"))
    told = F.concat(F.lit(f"column {column}: '"), F.trim(F.col(quoted(column))), F.lit("'"))
    many = flag.contains(separator) if names > 1 else flag.isNotNull()
    expected = "a value and a flag" if names > 1 else "a value"
    wrong = value.isNotNull() & typed(f"_value of {column}", kind).isNull()
    return [
        F.when(many, row_error(REJECTED, TOO_MANY, F.concat(told, F.lit(f" holds more than {expected}")))),
        F.when(wrong, row_error(REJECTED, WRONG_TYPE, F.concat(told, F.lit(f" is not {kind}")))),
    ]


def narrow(frame: DataFrame, columns: Sequence[str], across: str) -> DataFrame:
    """A row for each of `columns` (structs of the same fields), the rest repeated, the column's name in `across`.

    Grain: the row's own and `across`. Raises ValueError for a name that would stand there twice.

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
    twice = sorted(({across} | set(fields)) & (set(frame.columns) - set(columns)))
    if twice or across in fields:
        raise ValueError(f"column {', '.join(twice) or across} would stand there twice")
    rows = [F.struct(F.lit(name).alias(across), *_fields(name, fields)) for name in columns]
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
