"""How Athena reads a table, and which changes of its columns it can live with."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.sinks.catalog.athena import Column, TableFile, merge, partition_key
from pipeline.sinks.catalog.glue import _place


def table(file: str, *columns: str) -> TableFile:
    """`name type` per column."""
    return TableFile(file, tuple(Column(*text.rsplit(" ", 1)) for text in columns))


def known(file: TableFile) -> dict[str, Any]:
    return {"Name": file.name, "StorageDescriptor": file.storage("s3://b/x/")}


def merged(before: TableFile, now: TableFile) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in merge(now, known(before))]


def settings(file: TableFile) -> dict[str, str]:
    found: dict[str, str] = file.storage("s3://b/x/")["SerdeInfo"]["Parameters"]
    return found


# Athena User Guide, "Names for tables, databases, and columns": lower case, no special character but underscore.
def test_names_are_small_letters_digits_and_underscores_and_unique() -> None:
    assert table("Big Tables.csv", "Restaurant Id int", "restaurant-id int", "ID int", "Id int").names() == [
        "restaurant_id", "restaurant_id_2", "id", "id_2",
    ]  # fmt: skip
    assert table("Big Tables.csv").name == "big_tables"


# "Open CSV SerDe for processing CSV": empty values in columns of numbers are errors, dates are numbers, so all
# is text; skip.header.line.count. That a backslash escapes by default is in the source of the SerDe and of Trino's.
def test_csv_is_text_without_an_escape_character_and_comments_keep_the_types() -> None:
    file = table("rows.csv", "Unit Price decimal(8,2)", "note string")
    assert file.described() == [
        {"Name": "unit_price", "Type": "string", "Comment": "decimal(8,2), Unit Price"},
        {"Name": "note", "Type": "string", "Comment": ""},
    ]
    assert settings(file) == {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\x01"}


# "OpenX JSON SerDe": keys that are not in small letters need case.insensitive FALSE and a mapping. Timestamps there
# are not written as ISO 8601 has them.
def test_json_keys_that_are_not_column_names_are_mapped_and_timestamps_are_text() -> None:
    file = table("rows.jsonl", "Id int", "at timestamp", "day date")
    assert [column["Type"] for column in file.described()] == ["int", "string", "date"]
    assert settings(file) == {"mapping.id": "Id", "case.insensitive": "false"}


# "Handle schema updates": Parquet is read by name, with parquet.column.index.access by position; CSV by position.
def test_parquet_is_read_by_name_where_names_allow_it() -> None:
    assert "parquet.column.index.access" not in settings(table("rows.parquet", "Id int"))
    assert settings(table("rows.parquet", "Unit Price int"))["parquet.column.index.access"] == "true"


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_by_name_columns_move_come_and_go_and_new_ones_go_to_the_end(form: str) -> None:
    before, now = table(f"r.{form}", "a int", "b string"), table(f"r.{form}", "c double", "a int")
    assert merged(before, now) == [("a", "int"), ("b", "string"), ("c", "double")]


# "Change a column data type", the table of compatible types; text to a number is there too, but is no wider type.
@pytest.mark.parametrize("narrow_wide", ["tinyint bigint", "smallint int", "int bigint", "float double"])
def test_a_wider_type_is_taken_and_a_narrower_one_leaves_the_wider(narrow_wide: str) -> None:
    narrow, wide = narrow_wide.split()
    one, other = table("r.parquet", f"a {narrow}"), table("r.parquet", f"a {wide}")
    assert merged(one, other) == merged(other, one) == [("a", wide)]


@pytest.mark.parametrize("pair", ["int string", "string int", "bigint double", "decimal(8,2) decimal(9,2)", "date int"])
def test_other_types_are_refused_by_name(pair: str) -> None:
    old, new = pair.split()
    with pytest.raises(UsageError, match="column a is ") as refused:
        merged(table("r.parquet", f"a {old}"), table("r.parquet", f"a {new}"))
    assert str(refused.value) == f"r: column a is {new}, was {old}"


# "Handle schema updates", the table of formats: CSV takes columns at the end, and no removal and no reordering.
def test_by_position_columns_are_added_at_the_end_only() -> None:
    before = table("r.csv", "a int", "b int")
    assert merged(before, table("r.csv", "a int", "b text", "c int")) == [(name, "string") for name in "abc"]
    for columns, problem in (
        (("a int", "c int", "b int"), "column 2 is c, was b"),
        (("b int", "a int"), "column 1 is b, was a"),
        (("a int",), "column 2 is missing, was b"),
    ):
        with pytest.raises(UsageError, match=problem):
            merged(before, table("r.csv", *columns))


def test_a_column_that_parquet_cannot_be_read_by_is_refused_in_a_table_that_is_read_by_name() -> None:
    with pytest.raises(UsageError, match="a new column has a name that Athena cannot read by"):
        merged(table("r.parquet", "a int"), table("r.parquet", "a int", "b c int"))


@pytest.mark.parametrize(
    ("destination", "base", "day"),
    [
        ("s3a://b/shop/20240229/", "s3://b/shop", "2024-02-29"),
        ("s3://b/shop/2024-02-29", "s3://b/shop", "2024-02-29"),
        ("s3://b/shop/day=2024-02-29", "s3://b/shop", "2024-02-29"),
        ("s3://b/shop/20240230", "s3://b/shop/20240230", ""),
        ("s3://b/shop/run=2024-r1", "s3://b/shop", "2024-r1"),
        ("s3://b/shop/manual", "s3://b/shop/manual", ""),
    ],
)
def test_the_day_or_the_run_is_the_last_part_of_the_destination(destination: str, base: str, day: str) -> None:
    place = _place(destination)
    assert (place.base, place.value) == (base, day)


def test_a_table_with_a_column_day_is_partitioned_by_another_name() -> None:
    assert partition_key(table("r.csv", "a int"), "day") == "day"
    assert partition_key(table("r.csv", "Day int"), "day") == "partition_day"
    assert partition_key(table("r.csv", "Day int"), "") == ""
