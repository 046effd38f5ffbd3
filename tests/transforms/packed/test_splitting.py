"""Packed columns: a header that names several attributes, and cells that hold them all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from transforms.packed.splitting import Packed, packed_column, split
from transforms.row_errors import ERROR_TYPE

ITEM = "item_name quantity total_price"
ITEM_TYPES = {"quantity": "int", "total_price": "decimal(18,2)"}


def cells(spark: SparkSession, header: str, *texts: str | None) -> DataFrame:
    return spark.createDataFrame([(text,) for text in texts], T.StructType([T.StructField(header, T.StringType())]))


def pieces(spark: SparkSession, packed: Packed, *texts: str | None) -> list[tuple[object, ...]]:
    """The pieces of each cell, or its reason and detail."""
    rows = split(cells(spark, packed.column, *texts), packed).collect()
    return [tuple(row[: len(packed.fields)]) if row["_error"] is None else tuple(row["_error"][1:]) for row in rows]


def test_split_replaces_the_packed_column_in_its_place_and_keeps_the_other_columns(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(7, "Widget 2 20", "x")], f"id int, `{ITEM}` string, note string")
    actual = split(frame, packed_column(ITEM, types=ITEM_TYPES))
    schema = f"id int, item_name string, quantity int, total_price decimal(18,2), note string, _error {ERROR_TYPE}"
    expected = spark.createDataFrame([(7, "Widget", 2, Decimal("20.00"), "x", None)], schema)
    assert_df_equality(actual, expected, ignore_nullable=True)


def test_a_greedy_first_piece_takes_all_that_the_others_leave(spark: SparkSession) -> None:
    packed = packed_column(ITEM, greedy=["item_name"], types=ITEM_TYPES)
    assert pieces(spark, packed, "Blue Widget XL 2 20", "ABC 1 12.5", "Extra  wide 1 0.10") == [
        ("Blue Widget XL", 2, Decimal("20.00")),
        ("ABC", 1, Decimal("12.50")),
        ("Extra  wide", 1, Decimal("0.10")),
    ]


def test_a_greedy_middle_piece(spark: SparkSession) -> None:
    packed = packed_column("time level message code", greedy=["message"])
    assert pieces(spark, packed, "12:00 INFO disk is full 28", "12:01 WARN ok 1") == [
        ("12:00", "INFO", "disk is full", "28"),
        ("12:01", "WARN", "ok", "1"),
    ]


def test_a_greedy_last_piece(spark: SparkSession) -> None:
    packed = packed_column("id;title", separator=";", greedy=["title"])
    assert pieces(spark, packed, "1;War; Peace", "2;", "3;;") == [("1", "War; Peace"), ("2", ""), ("3", ";")]


def test_the_greedy_piece_is_found_when_only_one_type_can_hold_the_separator(spark: SparkSession) -> None:
    packed = packed_column(ITEM, types=ITEM_TYPES)
    assert pieces(spark, packed, "Blue Widget XL 2 20") == [("Blue Widget XL", 2, Decimal("20.00"))]


def test_with_two_candidates_a_cell_is_split_only_where_the_types_leave_one_way(spark: SparkSession) -> None:
    packed = packed_column("item quantity shop", types={"quantity": "int"})
    undecided = "pieces found: 4, expected: 3 (item quantity shop); item or shop may be the greedy piece: declare it"
    assert pieces(spark, packed, "blue ink 3 York", "ink 3 New York", "size 4 3 York", "a b c d") == [
        ("blue ink", 3, "York"),
        ("ink", 3, "New York"),
        ("too_many_pieces", undecided),
        ("too_many_pieces", undecided),
    ]


def test_a_cell_that_does_not_split_is_rejected_with_the_number_of_pieces_found(spark: SparkSession) -> None:
    packed = packed_column(ITEM, types=ITEM_TYPES)
    assert pieces(spark, packed, "Widget 20", "", None, "Widget two 20", "Widget 2 20.555", "Widget 2 1e3") == [
        ("too_few_pieces", "pieces found: 2, expected: 3 (item_name quantity total_price)"),
        ("too_few_pieces", "pieces found: 1, expected: 3 (item_name quantity total_price)"),
        ("too_few_pieces", "pieces found: 0, expected: 3 (item_name quantity total_price)"),
        ("wrong_type", "column quantity: 'two' is not int; pieces found: 3"),
        ("wrong_type", "column total_price: '20.555' is not decimal(18,2); pieces found: 3"),
        ("wrong_type", "column total_price: '1e3' is not decimal(18,2); pieces found: 3"),
    ]


def test_without_a_greedy_piece_too_many_pieces_are_rejected(spark: SparkSession) -> None:
    packed = packed_column("customer_reference status", greedy=["another_column"])
    assert pieces(spark, packed, "ade3-11ed Active", "ade3-11ed Not Active")[1] == (
        "too_many_pieces",
        "pieces found: 3, expected: 2 (customer_reference status); "
        "customer_reference or status may be the greedy piece: declare it",
    )
    assert pieces(spark, packed_column("a b", types={"a": "int", "b": "int"}), "1 2 3") == [
        ("too_many_pieces", "pieces found: 3, expected: 2 (a b)")
    ]


@pytest.mark.parametrize("separator", ["|", ".", "$", "\\", "+", "||", "^", "[x]", "é", "\t", "ab"])
def test_a_separator_is_taken_literally(spark: SparkSession, separator: str) -> None:
    packed = packed_column(f"one{separator}two", separator=separator)
    assert pieces(spark, packed, f"1{separator}2", "12")[0] == ("1", "2")


def test_a_regular_expression_separates_and_a_greedy_piece_keeps_what_was_written(
    spark: SparkSession,
) -> None:
    text = "a  b\tc   d"
    for greedy, expected in {"x": ("a  b\tc", "d"), "y": ("a", "b\tc   d")}.items():
        packed = packed_column("x y", separator=r"(\s)+", regex=True, greedy=[greedy])
        assert pieces(spark, packed, text) == [expected]


def test_the_classes_of_a_regular_expression_are_those_of_ascii(spark: SparkSession) -> None:
    packed = packed_column("x y", separator=r"\s", regex=True)
    assert pieces(spark, packed, "a\u00a0b c", "a\tb")[0] == ("a\u00a0b", "c")


def test_a_line_break_at_the_end_belongs_to_the_last_piece(spark: SparkSession) -> None:
    packed = packed_column("item quantity shop", types={"quantity": "int"})
    assert pieces(spark, packed, "blue ink 3 York\n", "ink 3 York\n") == [
        ("blue ink", 3, "York\n"),
        ("ink", 3, "York\n"),
    ]


def test_an_address_that_was_not_quoted_is_put_together_again(spark: SparkSession) -> None:
    packed = packed_column("id,address,postcode", separator=",", greedy=["address"], quote='"')
    assert pieces(spark, packed, "1,1 High St, York,YO1", '2,"1 High St, York",YO1', '3,"The ""Inn""",YO2') == [
        ("1", "1 High St, York", "YO1"),
        ("2", "1 High St, York", "YO1"),
        ("3", 'The "Inn"', "YO2"),
    ]


def test_a_separator_that_overlaps_itself_is_not_guessed_at(spark: SparkSession) -> None:
    assert pieces(spark, packed_column("a||b||c", separator="||"), "1||2||3", "1||||3") == [
        ("1", "2", "3"),
        ("1", "", "3"),
    ]
    assert pieces(spark, packed_column("a||b", separator="||"), "1|||2") == [
        ("too_many_pieces", "pieces found: 2, expected: 2 (a b); the separator fits in more than one way")
    ]


def test_several_packed_columns_of_one_row_are_split_one_after_the_other_and_the_first_error_is_kept(
    spark: SparkSession,
) -> None:
    frame = spark.createDataFrame([("1 2", "3 4"), ("1", "3 4 5"), ("1 2", "3")], "`a b` string, `c d` string")
    rows = split(split(frame, packed_column("a b")), packed_column("c d")).collect()
    assert [row["_error"] and row["_error"]["detail"] for row in rows] == [
        None,
        "pieces found: 1, expected: 2 (a b)",
        "pieces found: 1, expected: 2 (c d)",
    ]
    assert tuple(rows[0])[:4] == ("1", "2", "3", "4")


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("status", {}, "does not name two or more different pieces"),
        ("a a", {}, "does not name two or more different pieces"),
        ("a  b", {}, "does not name two or more different pieces"),
        ("a b c", {"greedy": ["a", "c"]}, "one greedy piece, not a and c"),
        ("a b", {"types": {"a": "money"}}, "unknown type 'money'"),
        ("a b", {"separator": ""}, "matches the empty text"),
        ("a b", {"separator": r"\s*", "regex": True}, "matches the empty text"),
        ("a b", {"separator": "(", "regex": True}, "is not a regular expression"),
    ],
)
def test_a_header_that_cannot_be_split_is_refused(header: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        packed_column(header, **options)  # type: ignore[arg-type]


def test_a_piece_may_not_take_the_name_of_another_column(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, "1 2")], "id int, `id name` string")
    with pytest.raises(ValueError, match="piece id of column 'id name' is the name of another column"):
        split(frame, packed_column("id name"))
