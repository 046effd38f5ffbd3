"""Pieces of text as typed values, strictly: a text that is not exactly of its type is null, never an approximation."""

from __future__ import annotations

import re

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.text import quoted

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
_WHOLE = {"tinyint", "smallint", "int", "bigint"}
_SPARK_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(), "tinyint": T.ByteType(), "smallint": T.ShortType(), "int": T.IntegerType(),
    "bigint": T.LongType(), "float": T.FloatType(), "double": T.DoubleType(), "boolean": T.BooleanType(),
    "date": T.DateType(), "timestamp": T.TimestampType(),
}  # fmt: skip
_NAMES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "text": "string"}

# What the texts of a type look like (for Java's regular expressions) and which characters they are made of.
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_PATTERNS = {
    "float": _NUMBER + r"(?:[eE][+-]?\d+)?",
    "double": _NUMBER + r"(?:[eE][+-]?\d+)?",
    "boolean": r"(?i:true|false)",
    "date": r"\d{4}-\d\d-\d\d",
    "timestamp": r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?",
}
_ALPHABETS = {
    "float": "0123456789+-.eE",
    "double": "0123456789+-.eE",
    "boolean": "truefalsTRUEFALS",
    "date": "0123456789-",
    "timestamp": "0123456789-+:. TZ",
}


def known_type(name: str) -> str:
    """The name of a field's type: string, a whole number, decimal(p,s), float, double, boolean, date, timestamp.

    Raises ValueError for any other name.

    >>> known_type("Integer"), known_type("decimal(18, 2)")
    ('int', 'decimal(18,2)')
    """
    text = name.strip().lower()
    text = _NAMES.get(text, text)
    if match := _DECIMAL.fullmatch(text):
        precision, scale = int(match[1]), int(match[2])
        if scale <= precision <= 38 and precision > 0:
            return f"decimal({precision},{scale})"
    elif text == "string" or text in _WHOLE or text in _PATTERNS:
        return text
    expected = "string, tinyint, smallint, int, bigint, decimal(p,s), float, double, boolean, date or timestamp"
    raise ValueError(f"unknown type '{name}'; expected {expected}")


def spark_type(name: str) -> T.DataType:
    """The Spark type of a `known_type`."""
    known = known_type(name)
    if match := _DECIMAL.fullmatch(known):
        return T.DecimalType(int(match[1]), int(match[2]))
    return _SPARK_TYPES[known]


def pattern(type_name: str) -> str:
    """A regular expression that every text of the type matches as a whole (string: anything)."""
    if type_name == "string":
        return r".*"
    if type_name in _WHOLE:
        return r"[+-]?\d+"
    return _PATTERNS.get(type_name, _NUMBER)


def can_hold(type_name: str, separator: str, *, regex: bool = False) -> bool:
    """True when a text of the type may have the separator inside, so that the piece may be the greedy one.

    >>> can_hold("string", " "), can_hold("int", " "), can_hold("date", "-"), can_hold("timestamp", " ")
    (True, False, True, True)
    """
    if type_name == "string":
        return True
    default = "0123456789+-" if type_name in _WHOLE else "0123456789+-."
    alphabet = _ALPHABETS.get(type_name, default)
    if regex:
        return any(re.search(separator, character) for character in alphabet)
    return all(character in alphabet for character in separator)


def typed(name: str, type_name: str) -> Column:
    """The text column `name` as the type, null where the text is not exactly one: nothing is rounded, cut or guessed.

    A decimal with more decimals than its scale is null unless they are zeros; no exponents in decimals. Null stays
    null.

    >>> frame = spark.createDataFrame([("12.5",), ("12.505",), ("1e2",), ("x",)], "price string")
    >>> frame.select(typed("price", "decimal(18,2)").alias("price")).show()
    +-----+
    |price|
    +-----+
    |12.50|
    | NULL|
    | NULL|
    | NULL|
    +-----+
    <BLANKLINE>
    """
    text = F.col(quoted(name))
    if type_name == "string":
        return text
    if match := _DECIMAL.fullmatch(type_name):
        return _decimal(name, int(match[1]), int(match[2]))
    cast = _try_cast(quoted(name), type_name)
    if type_name in _WHOLE:
        return cast
    return F.when(text.rlike(rf"^(?:{pattern(type_name)})\z"), cast)


def _try_cast(sql: str, type_name: str) -> Column:
    # try_cast has no function of its own before Spark 4, so what is cast goes in as SQL.
    return F.expr(f"try_cast({sql} AS {type_name})")


def _decimal(name: str, precision: int, scale: int) -> Column:
    return F.when(fits_scale(F.col(quoted(name)), scale), _try_cast(quoted(name), f"decimal({precision},{scale})"))


def fits_scale(text: Column, scale: int) -> Column:
    """Whether a number's text has no exponent and no more decimals than `scale`, zeros and blanks behind them aside.

    >>> frame = spark.createDataFrame([("1.50",), ("1.5000",), ("1.505",), ("1e2",)], "price string")
    >>> [row[0] for row in frame.select(fits_scale(F.col("price"), 2)).collect()]
    [True, True, False, False]
    """
    # Counting the characters after the point decides nearly every text; the expression is for the few with more.
    point = F.instr(text, ".")
    short = (point == 0) | (F.length(text) - point <= scale)
    return (short | text.rlike(rf"\.\d{{{scale}}}0*\s*$")) & ~text.contains("e") & ~text.contains("E")
