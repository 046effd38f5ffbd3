"""JSON text to typed columns: exactly of the type, or null and the reason."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import types as T

from transforms.kernels.json_typed import RecordParser, arrow_type, converter, record_schema

TEN = datetime.datetime(2021, 5, 23, 10, tzinfo=datetime.UTC)
POINT = T.StructType([T.StructField("x", T.LongType()), T.StructField("tag", T.StringType())])


def records(*raw: str | bytes, error: str | None = None) -> pa.RecordBatch:
    texts = [text.encode() if isinstance(text, str) else text for text in raw]
    return pa.RecordBatch.from_pydict(
        {
            "_source_file": pa.array([0] * len(raw), pa.int32()),
            "_source_offset": pa.array(range(len(raw)), pa.int64()),
            "_raw": pa.array(texts, pa.binary()).cast(pa.string()),
            "_read_error": pa.array([error] * len(raw), pa.string()),
        }
    )


def parse(schema: T.StructType, *raw: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = RecordParser(schema).parse(records(*raw)).to_pylist()
    return rows


def one(kind: T.DataType, text: str) -> Any:
    """The value of a field of the type, or the code and detail of its record."""
    [row] = parse(T.StructType([T.StructField("f", kind)]), f'{{"f":{text}}}')
    return row["f"] if row["_error"] is None else (row["_error"]["code"], row["_error"]["detail"])


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (T.StringType(), '"é"', "é"),
        (T.StringType(), '""', ""),
        (T.StringType(), "1.50", "1.50"),
        (T.StringType(), "12345678901234567890123", "12345678901234567890123"),
        (T.StringType(), "true", "true"),
        (T.StringType(), '{ "a": [1, 2.50, null, "\\u001f"] }', '{"a":[1,2.50,null,"\\u001F"]}'),
        (T.ByteType(), "-128", -128),
        (T.ShortType(), "32767", 32767),
        (T.IntegerType(), "-2147483648", -2147483648),
        (T.LongType(), "9223372036854775807", 9223372036854775807),
        (T.DecimalType(10, 2), "99999999.99", Decimal("99999999.99")),
        (T.DecimalType(10, 2), "1.500", Decimal("1.50")),
        (T.DecimalType(10, 2), '"1.5"', Decimal("1.50")),
        (T.DecimalType(38, 0), "9" * 38, Decimal("9" * 38)),
        (T.DoubleType(), "1", 1.0),
        (T.DoubleType(), "1.5e3", 1500.0),
        (T.BooleanType(), "false", False),
        (T.DateType(), '"2024-02-29"', datetime.date(2024, 2, 29)),
        (T.TimestampType(), '"2021-05-23T18:00:00.5+08:00"', TEN.replace(microsecond=500_000)),
        (T.TimestampType(), '"2021-05-23 10:00:00"', TEN),
        (T.TimestampType(), '"2021-05-23"', TEN.replace(hour=0)),
        (T.TimestampType(), "1621764000", TEN),
        (POINT, '{"tag":7,"x":1,"y":2}', {"x": 1, "tag": "7"}),
        (POINT, "null", None),
        (T.ArrayType(T.LongType()), "[1, null]", [1, None]),
        (T.ArrayType(POINT), "[null, {}]", [None, {"x": None, "tag": None}]),
    ],
)  # fmt: skip
def test_a_value_of_its_type_is_kept_exactly(kind: T.DataType, text: str, expected: Any) -> None:
    assert one(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (T.ByteType(), "128"),
        (T.IntegerType(), "3000000000"),
        (T.LongType(), "9223372036854775808"),
        (T.LongType(), "1.0"),
        (T.LongType(), '"1"'),
        (T.LongType(), "true"),
        (T.DecimalType(10, 2), "1.005"),
        (T.DecimalType(10, 2), "100000000"),
        (T.DecimalType(10, 2), "1e999999999"),
        (T.DecimalType(10, 2), '"1,5"'),
        (T.DoubleType(), "1e400"),
        (T.DoubleType(), '"NaN"'),
        (T.BooleanType(), "1"),
        (T.DateType(), '"2023-02-29"'),
        (T.DateType(), '"2021-05-23T00:00:00"'),
        (T.TimestampType(), '"2021-05-23T24:00:00"'),
        (T.TimestampType(), '"2021"'),
        (T.TimestampType(), "999999999999"),
        (POINT, '{"x":"1"}'),
        (POINT, "[]"),
        (T.ArrayType(T.LongType()), "[1.5]"),
        (T.ArrayType(T.LongType()), "{}"),
    ],
)
def test_another_value_is_named_with_the_field_and_its_type(kind: T.DataType, text: str) -> None:
    assert one(kind, text) == ("wrong_type", f"f is not {kind.simpleString()}")


MALFORMED = ("malformed_json", "not a JSON value as RFC 8259 defines it")


@pytest.mark.parametrize(
    "raw",
    [
        '{"f":NaN}', '{"f":01}', "{'f':1}", '{"f":1,}', '{"f":1}x', '{"f":1', '{"f":"\t"}', '{"f":"\\ud800"}',
        '{"f":[], x}', '{"f":' + "[" * 100_000 + "]" * 100_000 + "}", '{"f":' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_not_json_is_malformed(raw: str) -> None:
    [row] = parse(T.StructType([T.StructField("f", T.StringType())]), raw)
    assert (row["f"], row["_error"]["code"], row["_error"]["detail"]) == (None, *MALFORMED)


def test_each_record_has_its_first_reason_and_no_row_is_lost() -> None:
    others = [T.StructField("n", T.IntegerType()), T.StructField("t", T.StringType())]
    schema = T.StructType([T.StructField("id", T.LongType(), False), *others])
    rows = parse(schema, '{"id":1,"id":2} ,\r\n', '{"n":"x","id":"y","t":{}}', '{"n":1}', "[" + "é" * 100 + "]", "")
    assert [row["id"] for row in rows] == [2, None, None, None, None]
    assert rows[1]["t"] == "{}"
    assert [row["_error"] and (row["_error"]["code"], row["_error"]["detail"]) for row in rows] == [
        None,
        ("wrong_type", "id is not bigint; n is not int"),
        ("missing_value", "field id is absent"),
        ("not_an_object", "[" + "é" * 79),
        ("not_an_object", ""),
    ]


def test_what_the_reader_found_comes_first() -> None:
    parser = RecordParser(T.StructType([T.StructField("f", T.LongType(), False)]))
    [row] = parser.parse(records('{"f":1', error="truncated")).to_pylist()
    assert row["_error"] == {"kind": "rejected", "code": "truncated", "detail": ""}


def test_no_records_are_an_empty_batch_of_the_same_schema() -> None:
    schema = T.StructType([T.StructField("f", T.ArrayType(POINT), False)])
    empty, full = (RecordParser(schema).parse(records(*raw)) for raw in ((), ('{"f":[]}',)))
    assert empty.num_rows == 0
    assert empty.schema == full.schema
    assert record_schema(schema).fieldNames() == empty.schema.names


def test_a_type_that_json_is_not_read_as_is_refused() -> None:
    kind = T.MapType(T.StringType(), T.LongType())
    for make in (arrow_type, converter):
        with pytest.raises(ValueError, match="JSON is not read as map<string,bigint>"):
            make(kind)
