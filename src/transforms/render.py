"""Rows as lines of text, made of Arrow batches: the same bytes on every engine.

Texts are those of the published files: numbers without exponent but for doubles, dates and times as ISO 8601 has them
(a blank between day and time, UTC), true and false.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import json
import math
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Render = Callable[[pa.RecordBatch], pa.Array]

_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
# As Spark writes them: capital hex digits.
_ESCAPES |= {code: f"\\u{code:04X}" for code in range(32) if code not in _ESCAPES}
_PLAIN = r"^[A-Za-z0-9_.:-]*$"


def double_text(value: float) -> str:
    """A double with the fewest digits that give it again, as Java writes it: 79.8, 1.0E10, 1.0E-4, NaN.

    >>> double_text(79.8), double_text(1e10), double_text(0.0001), double_text(-0.0), double_text(123456.0)
    ('79.8', '1.0E10', '1.0E-4', '-0.0', '123456.0')
    """
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(decimal.Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) + int(exponent) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def _float_text(value: float) -> str:
    # The shortest text of a 32-bit float, not of the double that holds it.
    return double_text(float(str(pa.scalar(value, pa.float32()).as_py()))) if value == value else "NaN"


def _timestamp_text(value: Any) -> str:
    text = value.strftime("%Y-%m-%d %H:%M:%S") if value.year >= 1000 else value.isoformat(sep=" ")[:19]
    fraction = f"{value.microsecond:06d}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def texts(column: pa.Array) -> pa.Array:
    """The values of a column as texts; null stays null. Types: text, numbers, booleans, dates, timestamps."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return column if pa.types.is_string(kind) else pc.cast(column, pa.string())
    if pa.types.is_large_string(kind):
        return pc.cast(column, pa.string())
    write: Callable[[Any], str]
    if pa.types.is_decimal(kind):
        if kind.scale <= 6:  # beyond that arrow may write an exponent
            return pc.cast(column, pa.string())
        write = lambda value: format(value, "f")  # noqa: E731
    elif pa.types.is_timestamp(kind):
        write = _timestamp_text
    elif pa.types.is_float64(kind):
        write = double_text
    elif pa.types.is_float32(kind):
        write = _float_text
    else:
        write = json_value
    return pa.array([None if value is None else write(value) for value in column.to_pylist()], pa.string())


def csv_lines(names: Sequence[str], absent: str = "NA") -> Render:
    """The named columns as CSV lines (RFC 4180): quotes only where needed; null becomes `absent`.

    >>> batch = pa.RecordBatch.from_pydict({"id": [1, 2], "title": ['say "hi", all', None]})
    >>> csv_lines(["id", "title"])(batch).to_pylist()
    ['1,"say ""hi"", all"', '2,NA']
    """

    def render(batch: pa.RecordBatch) -> pa.Array:
        """A line per row."""
        fields = [_csv_field(texts(batch.column(name)), absent) for name in names]
        return pc.binary_join_element_wise(*fields, ",") if len(fields) > 1 else fields[0]

    return render


def _csv_field(text: pa.Array, absent: str) -> pa.Array:
    content = _content(text)
    # A look at all texts at once is a hundred times as fast as one at each.
    if marks := [mark for mark in '",\r\n' if mark.encode() in content]:
        special = functools.reduce(pc.or_, [pc.match_substring(text, mark) for mark in marks])
        doubled = pc.replace_substring(text, '"', '""') if '"' in marks else text
        text = pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), text)
    return text.fill_null(absent) if text.null_count else text


def _content(text: pa.Array) -> bytes:
    """The bytes of the texts, one behind the other."""
    _, offsets, content = text.buffers()
    if content is None or not len(text):  # without texts there may be no offsets either
        return b""
    places = memoryview(offsets).cast("i")
    found: bytes = content[places[text.offset] : places[text.offset + len(text)]].to_pybytes()
    return found


def json_text(text: str) -> str:
    """A text as a JSON string; letters stay letters, and control characters are escaped as Spark does it.

    >>> json_text('say "hi"\\x1f')
    '"say \\\\"hi\\\\"\\\\u001F"'
    """
    shown = encode_basestring(text)  # in a tenth of the time
    return f'"{text.translate(_ESCAPES)}"' if "\\u00" in shown else shown


def json_texts(column: pa.Array) -> pa.Array:
    """Texts as JSON strings; null as `null`."""
    plain = pc.binary_join_element_wise('"', column, '"', "")
    odd = pc.invert(pc.match_substring_regex(column, _PLAIN))
    if pc.any(odd).as_py():
        plain = pa.array([None if value is None else json_text(value) for value in column.to_pylist()], pa.string())
    return plain.fill_null("null")


def plain_decimals(column: pa.Array) -> pa.Array:
    """Decimals as texts without exponent and trailing zeros: 20, 87.5, 0.1. Null stays null.

    >>> plain_decimals(pa.array([decimal.Decimal("20.00"), decimal.Decimal("87.50"), None])).to_pylist()
    ['20', '87.5', None]
    """
    shown = texts(column)
    with_point = pc.replace_substring_regex(shown, r"^(-?[0-9]+\.[0-9]*?)0+$", r"\1")
    return pc.replace_substring_regex(with_point, r"\.$", "")


def json_value(value: Any) -> str:
    """A value as compact JSON, as Spark's writer has it: null values of structs and maps are written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(str(key))}:{json_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        if value and all(isinstance(one, tuple) and len(one) == 2 for one in value):  # how Arrow gives a map
            return json_value(dict(value))
        return "[" + ",".join(map(json_value, value)) + "]"
    if isinstance(value, float):
        return double_text(value) if math.isfinite(value) else f'"{double_text(value)}"'
    if isinstance(value, datetime.datetime):
        digits = f"{value.microsecond:06d}"
        return f'"{value:%Y-%m-%dT%H:%M:%S}.{digits[:3] if digits.endswith("000") else digits}Z"'
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def json_lines(names: Sequence[str]) -> Render:
    """The named columns as one JSON document per row; null values are written.

    >>> json_lines(["id", "tags"])(pa.RecordBatch.from_pydict({"id": [1], "tags": [["a", None]]})).to_pylist()
    ['{"id":1,"tags":["a",null]}']
    """
    keys = [f"{json_text(name)}:" for name in names]

    def render(batch: pa.RecordBatch) -> pa.Array:
        """A document per row."""
        columns = [map(json_value, batch.column(name).to_pylist()) for name in names]
        rows = zip(*columns, strict=True)
        return pa.array(["{" + ",".join(map("".join, zip(keys, row, strict=True))) + "}" for row in rows], pa.string())

    return render


def block_of(lines: pa.Array) -> bytes:
    """The lines, none of them null, each with a line end, as bytes.

    >>> block_of(pa.array(["a", "", "b,c"]))
    b'a\\n\\nb,c\\n'
    """
    return _content(pc.binary_join_element_wise(lines, "", "\n"))
