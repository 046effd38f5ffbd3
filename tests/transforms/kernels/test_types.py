"""Pieces as typed values: exactly of the type, or null."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyspark.sql import types as T

from transforms.kernels.typed_text import typed
from transforms.kernels.types import arrow_type, can_hold, known_type, spark_type

UTC = datetime.UTC

CASES = {
    "int": [
        ("12", 12),
        ("-3", -3),
        ("2147483648", None),
        ("1.0", None),
        ("", None),
        ("1e3", None),
        ("+7", 7),
        ("007", 7),
        (" 7\t", 7),
        ("0x10", None),
        ("-2147483648", -(2**31)),
        ("1-2", None),
    ],
    "bigint": [("1676539508", 1676539508), ("9223372036854775808", None)],
    "decimal(6,2)": [
        ("12.5", Decimal("12.50")),
        ("12.500", Decimal("12.50")),
        ("12.505", None),
        ("12.50٥", None),
        ("12345", None),
        ("-0.01", Decimal("-0.01")),
        (".5", Decimal("0.50")),
        ("1e2", None),
        ("NaN", None),
        ("12.", Decimal("12.00")),
        ("9999.99", Decimal("9999.99")),
        ("10000.00", None),
        ("0012345.00", None),
        ("0000012.50", Decimal("12.50")),
        ("-.01", Decimal("-0.01")),
        (".-5", None),
        ("1.-5", None),
        ("1.5 ", Decimal("1.50")),
        ("1.5\t", Decimal("1.50")),
        ("1 .50", None),
        ("1.2.", None),
        ("1.2.3", None),
        ("1e.50", None),
        ("", None),
    ],
    "decimal(18,0)": [
        ("999999999999999999", Decimal("999999999999999999")),
        ("1000000000000000000", None),
        ("7.0", Decimal(7)),
    ],
    "double": [("1.5", 1.5), ("1e3", 1000.0), ("NaN", None), ("1d", None), ("1.5\n", None), ("1e400", None)],
    "float": [("1.5", 1.5), ("-1e39", None)],
    "boolean": [("true", True), ("FALSE", False), ("1", None), ("y", None)],
    "date": [
        ("2022-01-30", datetime.date(2022, 1, 30)),
        ("2022-02-30", None),
        ("2022", None),
        ("2024-02-29", datetime.date(2024, 2, 29)),
        ("1900-02-29", None),
        ("2000-02-29", datetime.date(2000, 2, 29)),
        ("2022-04-31", None),
        ("2022-08-31", datetime.date(2022, 8, 31)),
        ("2022-13-01", None),
        ("0001-01-01", datetime.date(1, 1, 1)),
        ("0000-12-31", None),
    ],
    "timestamp": [
        ("2022-01-30 10:00", datetime.datetime(2022, 1, 30, 10, tzinfo=UTC)),
        ("2022-01-30T10:00:00Z", datetime.datetime(2022, 1, 30, 10, tzinfo=UTC)),
        ("2022-01-30 10:00:00.5+08:00", datetime.datetime(2022, 1, 30, 2, 0, 0, 500_000, UTC)),
        ("1969-12-31 23:59:59.000001-00:30", datetime.datetime(1970, 1, 1, 0, 29, 59, 1, UTC)),
        ("2022-01-30 25:00", None),
        ("2022-01-30 10:00:60", None),
        ("2022-01-30 10:00Z", None),
        ("2022-01-30 10:00:00+18:01", None),
        ("2022-01-30 10:00:00.1234567", None),
        ("2022-02-30 10:00", None),
        ("0001-01-01 00:00", datetime.datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01 00:00:00+00:01", None),
        ("9999-12-31 23:59:59.999999Z", datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("9999-12-31 23:59:59-00:01", None),
        ("", None),
    ],
    "string": [("", ""), (" x ", " x ")],
}


@pytest.mark.parametrize("kind", CASES)
def test_a_text_is_exactly_of_its_type_or_null(kind: str) -> None:
    texts = pa.array([None, *[text for text, _ in CASES[kind]]])
    values = typed(texts, arrow_type(kind))
    assert values.type == arrow_type(kind)
    assert values.to_pylist() == [None, *[value for _, value in CASES[kind]]]
    # Whether other texts of the batch are plain makes no difference.
    alone = [typed(pa.array([text]), arrow_type(kind))[0].as_py() for text, _ in CASES[kind]]
    assert alone == values.to_pylist()[1:]


@pytest.mark.parametrize("kind", CASES)
def test_a_column_of_plain_texts_and_a_part_of_it_are_typed_alike(kind: str) -> None:
    texts = pa.array([text for text, value in CASES[kind] if value is not None])
    assert typed(texts, arrow_type(kind)).slice(1).equals(typed(texts.slice(1), arrow_type(kind)))
    assert typed(pa.nulls(2, pa.string()), arrow_type(kind)).equals(pa.nulls(2, arrow_type(kind)))


def test_a_number_with_more_than_38_digits_at_its_scale_is_null_and_does_not_wrap() -> None:
    assert typed(pa.array(["31"]), pa.decimal128(38, 38)).to_pylist() == [None]
    assert typed(pa.array(["1" * 38]), pa.decimal128(38, 2)).to_pylist() == [None]
    assert typed(pa.array(["9" * 36]), pa.decimal128(38, 2)).to_pylist() == [Decimal("9" * 36)]


def test_names_of_types_are_read_leniently_and_unknown_ones_refused() -> None:
    assert [known_type(name) for name in (" Integer", "LONG", "Decimal(18, 2)")] == ["int", "bigint", "decimal(18,2)"]
    for name in ("money", "decimal(2,3)", "decimal(39,0)", "array<int>"):
        with pytest.raises(ValueError, match="unknown type"):
            known_type(name)


def test_each_name_has_a_spark_type() -> None:
    names = (
        "text",
        "byte",
        "short",
        "int",
        "LONG",
        "Decimal(18, 2)",
        "float",
        "double",
        "boolean",
        "date",
        "timestamp",
    )
    assert [spark_type(name) for name in names] == [
        T.StringType(),
        T.ByteType(),
        T.ShortType(),
        T.IntegerType(),
        T.LongType(),
        T.DecimalType(18, 2),
        T.FloatType(),
        T.DoubleType(),
        T.BooleanType(),
        T.DateType(),
        T.TimestampType(),
    ]
    with pytest.raises(ValueError, match="unknown type 'unscaled"):
        spark_type("unscaled(18,2)")


def test_what_may_hold_the_separator() -> None:
    assert [kind for kind in ("string", "int", "decimal(8,2)", "date", "timestamp") if can_hold(kind, " ")] == [
        "string",
        "timestamp",
    ]
    assert [kind for kind in ("string", "int", "decimal(8,2)", "date") if can_hold(kind, ".")] == [
        "string",
        "decimal(8,2)",
    ]
    assert [kind for kind in ("string", "int", "boolean") if can_hold(kind, r"[-;]", regex=True)] == ["string", "int"]
