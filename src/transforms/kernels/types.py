"""The types of fields: their names, what their texts look like, and what they are to Spark and to Arrow."""

from __future__ import annotations

import re

import pyarrow as pa
from pyspark.sql import types as T

from transforms.kernels.typed_text import BOOLEAN, DATE, FLOATING, NUMBER, POINT, TIMESTAMP, whole_part

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
_WHOLE = {"tinyint", "smallint", "int", "bigint"}
_SPARK_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(), "tinyint": T.ByteType(), "smallint": T.ShortType(), "int": T.IntegerType(),
    "bigint": T.LongType(), "float": T.FloatType(), "double": T.DoubleType(), "boolean": T.BooleanType(),
    "date": T.DateType(), "timestamp": T.TimestampType(),
}  # fmt: skip
_ARROW_TYPES = {
    "string": pa.string(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip
_NAMES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "text": "string"}

# What the texts of a type look like.
_PATTERNS = {"float": FLOATING, "double": FLOATING, "boolean": BOOLEAN, "date": DATE, "timestamp": TIMESTAMP}
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


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a `known_type`."""
    known = known_type(name)
    if match := _DECIMAL.fullmatch(known):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _ARROW_TYPES[known]


def pattern(type_name: str, marks: tuple[str, str] = POINT) -> str:
    """A regular expression that every text of the type matches as a whole (string: anything); `marks`: see `typed`."""
    if type_name == "string":
        return r".*"
    if marks != POINT and type_name not in ("boolean", "date", "timestamp"):
        point = re.escape(marks[0])
        decimals = "" if type_name in _WHOLE else rf"(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]+)?"
        return rf"(?=[+-]?{point}?[0-9])[+-]?(?:{whole_part(marks[1])}){decimals}"
    if type_name in _WHOLE:
        return r"[+-]?[0-9]+"
    return _PATTERNS.get(type_name, NUMBER)


def can_hold(type_name: str, separator: str, *, regex: bool = False, marks: tuple[str, str] = POINT) -> bool:
    """True when a text of the type may have the separator inside, so that the piece may be the greedy one.

    >>> can_hold("string", " "), can_hold("int", " "), can_hold("date", "-"), can_hold("timestamp", " ")
    (True, False, True, True)
    """
    if type_name == "string":
        return True
    default = "0123456789+-" if type_name in _WHOLE else "0123456789+-."
    alphabet = _ALPHABETS.get(type_name, default)
    if type_name not in ("boolean", "date", "timestamp"):
        alphabet = alphabet.replace(".", marks[0]) + marks[1]
    if regex:
        return any(re.search(separator, character) for character in alphabet)
    return all(character in alphabet for character in separator)
