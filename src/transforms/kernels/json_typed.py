"""JSON text to declared typed columns, a batch of records at a time: strict RFC 8259, nothing rounded or truncated.

A value fits its type or the record is rejected: whole numbers within their bits, decimals within precision and scale,
`true` and `false`, texts that are a date or a time in ISO 8601. Text columns take any value: numbers with the digits
that were sent, objects and arrays as compact JSON. Numbers that are not whole are never held as a double on the way.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import types as T

from transforms.render import json_text, json_value
from transforms.row_errors import (
    ERROR,
    ERROR_ARROW,
    ERROR_FIELD,
    REJECTED,
    error_array,
    error_value,
    kind_of,
)

Convert = Callable[[Any], Any]
Members = dict[str, Any]
Error = dict[str, str] | None

_PLACES = (("_source_file", pa.int32()), ("_source_offset", pa.int64()))
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9]|[+-]18:00)?)?"
)
# Wide enough that fitting a number to its scale never rounds.
_EXACT = decimal.Context(prec=100, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_BITS: dict[type[T.DataType], int] = {T.ByteType: 8, T.ShortType: 16, T.IntegerType: 32, T.LongType: 64}
_ARROW: dict[type[T.DataType], pa.DataType] = {
    T.StringType: pa.string(), T.ByteType: pa.int8(), T.ShortType: pa.int16(), T.IntegerType: pa.int32(),
    T.LongType: pa.int64(), T.DoubleType: pa.float64(), T.BooleanType: pa.bool_(), T.DateType: pa.date32(),
    T.TimestampType: pa.timestamp("us", "UTC"),
}  # fmt: skip


class MisfitError(ValueError):
    """A value that is not of the declared type."""


class NumberText(str):
    """A number that is not whole, as it was sent."""

    __slots__ = ()


def arrow_type(kind: T.DataType) -> pa.DataType:
    """The Arrow type of a declared type; `ValueError` for one that JSON is not read as."""
    if isinstance(kind, T.DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    if isinstance(kind, T.StructType):
        return pa.struct([pa.field(field.name, arrow_type(field.dataType)) for field in kind.fields])
    if isinstance(kind, T.ArrayType):
        return pa.list_(arrow_type(kind.elementType))
    if type(kind) not in _ARROW:
        raise ValueError(f"JSON is not read as {kind.simpleString()}")
    return _ARROW[type(kind)]


def compact_json(value: Any) -> str:
    """A decoded value as JSON without blanks; numbers have the digits that were sent.

    >>> compact_json({"a": [NumberText("1.50"), None, "x"]})
    '{"a":[1.50,null,"x"]}'
    """
    if type(value) is NumberText:
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{json_text(key)}:{compact_json(one)}" for key, one in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([compact_json(one) for one in value]) + "]"
    return json_value(value)


def _text(value: Any) -> str:
    return value if type(value) is str else compact_json(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise MisfitError
    return value


def _double(value: Any) -> float:
    if type(value) not in (int, NumberText):
        raise MisfitError
    try:
        number = float(value)
    except OverflowError:
        raise MisfitError from None
    if not math.isfinite(number):
        raise MisfitError
    return number


def _date(value: Any) -> datetime.date:
    if type(value) is not str or not _DATE.fullmatch(value):
        raise MisfitError
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise MisfitError from None


def _timestamp(value: Any) -> datetime.datetime:
    """A text without offset is UTC, a date its midnight; digits behind microseconds go; a whole number is seconds."""
    try:
        if type(value) is int:
            return _EPOCH + datetime.timedelta(seconds=value)
        if type(value) is not str or not _TIME.fullmatch(value):
            raise MisfitError
        time = datetime.datetime.fromisoformat(value)
        return time.astimezone(datetime.UTC) if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        raise MisfitError from None


def _whole(bits: int) -> Convert:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def convert(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise MisfitError
        return value

    return convert


def _decimal(kind: T.DecimalType) -> Convert:
    unit, limit = decimal.Decimal(1).scaleb(-kind.scale), decimal.Decimal(10) ** (kind.precision - kind.scale)

    def convert(value: Any) -> decimal.Decimal:
        """A number, or a text that is one."""
        text = str(value)
        if type(value) not in (int, NumberText, str) or not _NUMBER.fullmatch(text):
            raise MisfitError
        try:
            number = decimal.Decimal(text)
            exact = number.quantize(unit, context=_EXACT)
        except decimal.InvalidOperation:
            raise MisfitError from None
        if exact != number or not -limit < exact < limit:
            raise MisfitError
        return exact

    return convert


def _struct(kind: T.StructType) -> Convert:
    fields = [(field.name, converter(field.dataType)) for field in kind.fields]

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MisfitError
        return {name: _or_null(value.get(name), one) for name, one in fields}

    return convert


def _array(kind: T.ArrayType) -> Convert:
    element = converter(kind.elementType)

    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise MisfitError
        return [_or_null(one, element) for one in value]

    return convert


def _or_null(value: Any, convert: Convert) -> Any:
    return None if value is None else convert(value)


def converter(kind: T.DataType) -> Convert:
    """What makes a decoded value, not null, one of the declared type; it raises `MisfitError`.

    >>> converter(T.ArrayType(T.LongType()))([1, None])
    [1, None]
    >>> converter(T.DecimalType(5, 2))(NumberText("1.500"))
    Decimal('1.50')
    """
    if isinstance(kind, T.DecimalType):
        return _decimal(kind)
    if isinstance(kind, T.StructType):
        return _struct(kind)
    if isinstance(kind, T.ArrayType):
        return _array(kind)
    if type(kind) in _BITS:
        return _whole(_BITS[type(kind)])
    simple: dict[type[T.DataType], Convert] = {
        T.StringType: _text, T.DoubleType: _double, T.BooleanType: _boolean, T.DateType: _date,
        T.TimestampType: _timestamp,
    }  # fmt: skip
    if type(kind) not in simple:
        raise ValueError(f"JSON is not read as {kind.simpleString()}")
    return simple[type(kind)]


def record_schema(schema: T.StructType) -> T.StructType:
    """The columns that `RecordParser` gives: those of the schema, all nullable, the places and `_error`."""
    places = [T.StructField("_source_file", T.IntegerType()), T.StructField("_source_offset", T.LongType())]
    own = [T.StructField(field.name, field.dataType) for field in schema.fields]
    return T.StructType([*own, *places, ERROR_FIELD])


class RecordParser:
    """Makes typed columns of batches of records."""

    def __init__(self, schema: T.StructType) -> None:
        self._fields = [(field, converter(field.dataType)) for field in schema.fields]
        own = [pa.field(field.name, arrow_type(field.dataType)) for field in schema.fields]
        self._schema = pa.schema([*own, *_PLACES, (ERROR, ERROR_ARROW)])
        self._decode = msgspec.json.Decoder(dict[str, Any], float_hook=NumberText).decode

    def parse(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One row per record, in their order.

        In: `_source_file` int, `_source_offset` long, `_raw` string, `_read_error` string. Out: the schema's columns,
        `_source_file`, `_source_offset`, `_error`. A record that is not JSON, or that the reader refused, has nulls; a
        field that does not fit is null. Of equal keys the last counts; keys that are not declared are left out.
        """
        raw = batch.column("_raw").cast(pa.binary()).to_pylist()
        found = [self._object(*one) for one in zip(raw, batch.column("_read_error").to_pylist(), strict=True)]
        documents, errors = [one for one, _ in found], [error for _, error in found]
        misfits: dict[int, list[str]] = {}
        columns = [_column(documents, field, convert, misfits, errors) for field, convert in self._fields]
        for index, names in misfits.items():
            errors[index] = errors[index] or _error("wrong_type", "; ".join(names))
        for (field, _), column in zip(self._fields, columns, strict=True):
            if not field.nullable:
                _check_present(field.name, column, errors)
        places = [batch.column(name) for name, _ in _PLACES]
        own = [pa.array(column, self._schema.field(n).type) for n, column in enumerate(columns)]
        return pa.RecordBatch.from_arrays([*own, *places, error_array(errors)], schema=self._schema)

    def _object(self, raw: bytes | None, read_error: str | None) -> tuple[Members, Error]:
        """The members of one record, none if it has an error."""
        if read_error is not None:
            return {}, error_value(kind_of(read_error), read_error, "")
        # What is between two records can follow the text of the first one.
        text = (raw or b"").strip(b" \t\r\n,")
        if not text.startswith(b"{"):
            return {}, _error("not_an_object", (raw or b"").decode(errors="replace")[:80])
        try:
            return self._decode(text), None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}, _malformed()


def _column(
    documents: Sequence[Members],
    field: T.StructField,
    convert: Convert,
    misfits: dict[int, list[str]],
    errors: list[Error],
) -> list[Any]:
    """The values of one field; which records have one that does not fit is added to `misfits`."""
    values = []
    for index, document in enumerate(documents):
        value = document.get(field.name)
        if value is not None:
            try:
                value = convert(value)
            except MisfitError:
                value = None
                misfits.setdefault(index, []).append(f"{field.name} is not {field.dataType.simpleString()}")
            except RecursionError:
                value, errors[index] = None, _malformed()
        values.append(value)
    return values


def _check_present(name: str, column: Sequence[Any], errors: list[Error]) -> None:
    for index, value in enumerate(column):
        if value is None and errors[index] is None:
            errors[index] = _error("missing_value", f"field {name} is absent")


def _malformed() -> dict[str, str]:
    return _error("malformed_json", "not a JSON value as RFC 8259 defines it")


def _error(code: str, detail: str) -> dict[str, str]:
    return error_value(REJECTED, code, detail)
