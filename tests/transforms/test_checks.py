"""Checks between rows: whole frames in, the same rows out, with an error where a row does not pass."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.support.frames import assert_same_rows
from transforms.checks import check_foreign_key, check_unique, exclude_duplicates
from transforms.row_errors import ERROR_TYPE, EXCLUDED

ROW = f"id int, ref string, name string, _source_file int, _source_offset long, _error {ERROR_TYPE}"
PART = (
    f"id int, name string, tags array<string>, _source_file int, _source_offset long, _index int, _error {ERROR_TYPE}"
)
ORDER = f"order string, customer string, _source_offset long, _error {ERROR_TYPE}"
CUSTOMER = f"customer string, name string, _error {ERROR_TYPE}"
EARLIER = ("rejected", "wrong_type", "id: 'x'")
Rows = list[tuple[Any, ...]]


def same(actual: DataFrame, rows: Rows, schema: str) -> None:
    """The frame has exactly these columns in this order, and these rows in any order."""
    expected = actual.sparkSession.createDataFrame(rows, schema)
    assert_same_rows(actual, expected)


def without_errors(rows: Rows) -> Rows:
    return [(*row[:-1], None) for row in rows]


def conflict(key: str) -> tuple[str, str, str]:
    return ("rejected", "conflicting_reference", f"{key} is a duplicate key")


def duplicate(key: str) -> tuple[str, str, str]:
    return ("excluded", "duplicate", f"{key} is a duplicate key")


def duplicate_row(first: str) -> tuple[str, str, str]:
    return ("excluded", "duplicate", f"{first} is a duplicate row")


# check_unique

UNIQUE: Rows = [
    (3, "c1", "B", 0, 0, conflict("ref c1")),
    (1, "c1", "A", 1, 9, duplicate("ref c1")),
    (1, "c1", "A", 1, 0, duplicate("ref c1")),
    (1, "c1", "A", 0, 9, None),
    (4, "c2", "C", 0, 18, None),
]


def test_of_one_key_the_row_with_the_smallest_id_is_kept_equal_rows_are_excluded_and_others_rejected(
    spark: SparkSession,
) -> None:
    frame = spark.createDataFrame(without_errors(UNIQUE), ROW)
    same(check_unique(frame, "ref"), UNIQUE, ROW)


@pytest.mark.parametrize("rows", [UNIQUE, UNIQUE[::-1], UNIQUE[2:] + UNIQUE[:2]], ids=["sent", "reversed", "rotated"])
def test_the_order_of_rows_and_their_partitions_do_not_decide_which_row_is_kept(
    spark: SparkSession, rows: Rows
) -> None:
    frame = spark.createDataFrame(without_errors(rows), ROW).repartition(3)
    same(check_unique(frame, "ref"), UNIQUE, ROW)


def test_rows_without_a_key_are_not_compared(spark: SparkSession) -> None:
    rows: Rows = [(1, None, "A", 0, 0, None), (1, None, "A", 0, 9, None), (2, None, "B", 0, 18, None)]
    same(check_unique(spark.createDataFrame(rows, ROW), "ref"), rows, ROW)


def test_a_key_of_several_columns_is_compared_only_when_all_of_them_have_a_value(spark: SparkSession) -> None:
    rows: Rows = [
        (1, "c1", "A", 0, 0, None),
        (2, "c1", "A", 0, 9, conflict("ref c1, name A")),
        (3, "c1", "B", 0, 18, None),
        (4, "c1", None, 0, 27, None),
        (5, "c1", None, 0, 36, None),
    ]
    same(check_unique(spark.createDataFrame(without_errors(rows), ROW), "ref", "name"), rows, ROW)


def test_nulls_in_the_content_are_equal_to_each_other_and_sort_last(spark: SparkSession) -> None:
    rows: Rows = [
        (None, "c1", "A", 0, 0, conflict("ref c1")),
        (5, "c1", "A", 0, 9, None),
        (6, "c2", None, 0, 18, None),
        (6, "c2", None, 0, 27, duplicate("ref c2")),
    ]
    same(check_unique(spark.createDataFrame(without_errors(rows), ROW), "ref"), rows, ROW)


def test_a_row_with_an_earlier_error_keeps_it_and_is_compared_with_no_other(spark: SparkSession) -> None:
    rows: Rows = [
        (1, "c1", "A", 0, 0, EARLIER),
        (1, "c1", "A", 0, 9, EARLIER),
        (1, "c1", "A", 0, 18, None),
        (0, "c2", "B", 0, 27, EARLIER),
        (7, "c2", "B", 0, 36, None),
        (8, "c2", "B", 0, 45, conflict("ref c2")),
    ]
    frame = spark.createDataFrame([(*row[:-1], row[-1] if row[-1] == EARLIER else None) for row in rows], ROW)
    same(check_unique(frame, "ref"), rows, ROW)


def test_content_place_codes_and_the_kind_of_a_conflict_can_be_chosen(spark: SparkSession) -> None:
    differing = ("excluded", "differing_restaurant", "id 1 is a duplicate key")
    equal = ("excluded", "duplicate_restaurant", "id 1 is a duplicate key")
    rows: Rows = [
        (1, "B", ["x"], 0, 0, 0, differing),
        (1, "A", ["y"], 0, 0, 2, equal),
        (1, "A", ["x"], 0, 0, 1, None),
        (2, "B", ["x"], 0, 0, 3, None),
    ]
    frame = spark.createDataFrame(without_errors(rows), PART)
    checked = check_unique(
        frame, "id", content=["name"], place=("_source_file", "_source_offset", "_index"),
        duplicate="duplicate_restaurant", conflict="differing_restaurant", conflict_kind=EXCLUDED,
    )  # fmt: skip
    same(checked, rows, PART)


def test_content_may_be_a_column_made_of_others(spark: SparkSession) -> None:
    rows: Rows = [
        (1, "b", ["x"], 0, 0, 0, conflict("id 1")),
        (1, "A", ["x"], 0, 9, 0, None),
        (1, "a", ["y"], 0, 18, 0, duplicate("id 1")),
    ]
    frame = spark.createDataFrame(without_errors(rows), PART)
    same(check_unique(frame, "id", content=lambda found: found.withColumn("_content", F.upper("name"))), rows, PART)


# check_foreign_key


def test_a_child_needs_a_parent_that_is_used(spark: SparkSession) -> None:
    parents = spark.createDataFrame(
        [("c1", "A", None), ("c2", "B", EARLIER), ("c3", "C", EARLIER), ("c3", "D", None), (None, "E", None)], CUSTOMER
    )
    rows: Rows = [
        ("o1", "c1", 0, None),
        ("o2", "c1", 9, None),
        ("o3", "c2", 18, ("rejected", "parent_rejected", "customer c2 is not used")),
        ("o4", "c3", 27, None),
        ("o5", "c9", 36, ("rejected", "unknown_customer", "customer c9 is in no file")),
        ("o6", None, 45, ("rejected", "unknown_customer", "customer absent is in no file")),
    ]
    children = spark.createDataFrame(without_errors(rows), ORDER)
    same(check_foreign_key(children, parents, "customer", "customer"), rows, ORDER)
    shuffled = check_foreign_key(children.repartition(3), parents.repartition(3), "customer", "customer")
    same(shuffled, rows, ORDER)


def test_a_child_with_an_earlier_error_keeps_it_with_or_without_a_parent(spark: SparkSession) -> None:
    parents = spark.createDataFrame([("c1", "A", None), ("c2", "B", EARLIER)], CUSTOMER)
    rows: Rows = [("o1", "c1", 0, EARLIER), ("o2", "c2", 9, EARLIER), ("o3", "c9", 18, EARLIER)]
    same(check_foreign_key(spark.createDataFrame(rows, ORDER), parents, "customer", "customer"), rows, ORDER)


# exclude_duplicates

REPEATED: Rows = [
    (1, "o1", "lamp", 1, 0, duplicate_row("id 1")),
    (1, "o1", "lamp", 0, 9, None),
    (1, "o1", "lamp", 0, 18, duplicate_row("id 1")),
    (2, "o1", "lamp", 0, 27, None),
    (1, "o1", "desk", 0, 36, None),
    (1, "o2", "lamp", 0, 45, None),
    (3, "o3", "desk", 0, 54, None),
    (3, "o3", "desk", 0, 63, duplicate_row("id 3")),
]


def test_of_rows_equal_in_all_their_columns_the_first_in_the_files_is_kept(spark: SparkSession) -> None:
    same(exclude_duplicates(spark.createDataFrame(without_errors(REPEATED), ROW), "ref"), REPEATED, ROW)


def test_the_order_of_equal_rows_and_their_partitions_do_not_matter(spark: SparkSession) -> None:
    frame = spark.createDataFrame(without_errors(REPEATED[::-1]), ROW).repartition(3)
    same(exclude_duplicates(frame, "ref"), REPEATED, ROW)


def test_nulls_are_equal_to_each_other_and_different_from_the_same_value_in_another_column(
    spark: SparkSession,
) -> None:
    schema = f"id int, ref string, name string, note string, _source_file int, _source_offset long, _error {ERROR_TYPE}"
    rows: Rows = [
        (1, "o1", "lamp", None, 0, 0, None),
        (1, "o1", None, "lamp", 0, 9, None),
        (1, "o1", None, "lamp", 0, 18, duplicate_row("id 1")),
        (None, "o1", None, None, 0, 27, None),
        (None, "o1", None, None, 0, 36, duplicate_row("id absent")),
    ]
    same(exclude_duplicates(spark.createDataFrame(without_errors(rows), schema), "ref"), rows, schema)


def test_equal_rows_without_a_parent_are_not_compared(spark: SparkSession) -> None:
    rows: Rows = [(1, None, "lamp", 0, 0, None), (1, None, "lamp", 0, 9, None)]
    same(exclude_duplicates(spark.createDataFrame(rows, ROW), "ref"), rows, ROW)


def test_a_row_with_an_earlier_error_is_no_duplicate_and_makes_none(spark: SparkSession) -> None:
    rows: Rows = [
        (1, "o1", "lamp", 0, 0, EARLIER),
        (1, "o1", "lamp", 0, 9, None),
        (1, "o1", "lamp", 0, 18, EARLIER),
        (1, "o1", "lamp", 0, 27, duplicate_row("id 1")),
    ]
    frame = spark.createDataFrame([(*row[:-1], row[-1] if row[-1] == EARLIER else None) for row in rows], ROW)
    same(exclude_duplicates(frame, "ref"), rows, ROW)


def test_elements_of_one_record_are_distinguished_by_their_index(spark: SparkSession) -> None:
    rows: Rows = [
        (1, "A", ["x"], 0, 0, 0, None),
        (1, "A", ["x"], 0, 0, 1, duplicate_row("id 1")),
        (1, "A", ["y"], 0, 0, 2, None),
    ]
    frame = spark.createDataFrame(without_errors(rows), PART)
    same(exclude_duplicates(frame, "name", place=("_source_file", "_source_offset", "_index")), rows, PART)
