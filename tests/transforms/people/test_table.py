from __future__ import annotations

import json
import uuid

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.support.frames import assert_same_rows
from transforms.people.table import NAMESPACE, add_ids, people_table, tag_people
from transforms.row_errors import is_valid, reject

SCHEMA = "fullname string, age int, location string, _source_file int, _source_offset long"


def tagged(spark: SparkSession, *rows: tuple[str | None, int | None, str | None]) -> DataFrame:
    return spark.createDataFrame([(*row, 0, at) for at, row in enumerate(rows)], SCHEMA)


def errors(frame: DataFrame) -> list[tuple[int, str | None, str | None]]:
    rows = frame.select("_source_offset", "_error.kind", "_error.code").orderBy("_source_offset").collect()
    return [(row["_source_offset"], row["kind"], row["code"]) for row in rows]


def expected_id(*key: str | None) -> str:
    return str(uuid.uuid5(NAMESPACE, json.dumps(key, ensure_ascii=False, separators=(",", ":"))))


def ids(rows: DataFrame, *key: str) -> list[str]:
    found = add_ids(rows, key).select("_source_offset", "id").collect()
    return [row.id for row in sorted(found, key=lambda row: row["_source_offset"])]


def test_an_id_is_the_uuid_of_the_standard_library_whatever_is_in_a_text(spark: SparkSession) -> None:
    texts = [
        "python.org",
        "",
        "Müller",
        "山田 太郎",
        "😀",
        '"',
        "back\\slash",
        "a" * 1000,
        *(str(n) for n in range(200)),
    ]
    rows = tagged(spark, *((text, 7, None) for text in texts))
    assert ids(rows, "fullname") == [expected_id(text) for text in texts]


def test_an_id_never_changes(spark: SparkSession) -> None:
    rows = tagged(spark, ("John Doe", 25, "New York"), ('Ann "A" Lee', 7, None))
    found = ids(rows, "fullname", "age", "location")
    assert found == [expected_id("John Doe", "25", "New York"), expected_id('Ann "A" Lee', "7", None)]
    assert found[0] == "684294e4-ec92-592a-9dbb-9501c6ab073d"


def test_the_order_in_which_key_columns_are_named_does_not_matter(spark: SparkSession) -> None:
    rows = tagged(spark, ("John Doe", 25, "New York"))
    assert ids(rows, "age", "fullname") == [expected_id("John Doe", "25")]


def test_people_get_names_and_ids(spark: SparkSession) -> None:
    used = tag_people(tagged(spark, ("Maria  de la Rosa", 31, " Madrid "), ("Smith, Dr. John", 0, None))).where(
        is_valid()
    )
    expected = spark.createDataFrame(
        [
            (expected_id("Maria de la Rosa", "31", "Madrid"), "Maria", "de la Rosa", 31, "Madrid"),
            (expected_id("Smith, Dr. John", "0", None), "John", "Smith", 0, None),
        ],
        "id string, first_name string, last_name string, age int, location string",
    )
    assert_same_rows(people_table(used), expected)


def test_namesakes_of_another_age_or_place_are_other_people(spark: SparkSession) -> None:
    rows = tagged(spark, ("Ann Lee", 7, "Rome"), ("Ann Lee", 8, "Rome"), ("Ann Lee", 7, "Oslo"))
    assert tag_people(rows).where(is_valid()).select("id").distinct().count() == 3


def test_the_same_row_again_is_a_duplicate_even_with_other_blanks(spark: SparkSession) -> None:
    rows = tagged(spark, ("Ann Lee", 7, "Rome"), ("Ann Lee", 7, "Rome"), (" Ann  Lee", 7, "Rome "))
    assert errors(tag_people(rows)) == [(0, None, None), (1, "excluded", "duplicate"), (2, "excluded", "duplicate")]


def test_the_same_key_with_different_content_rejects_all_its_rows(spark: SparkSession) -> None:
    rows = tagged(
        spark,
        ("Ann Lee", 7, "Rome"),
        ("Ann Lee", 8, "Rome"),
        ("Ann Lee", 7, "Rome"),
        ("Bob Ray", 8, None),
        ("Bob Ray", 8, None),
    )
    ambiguous = ("rejected", "ambiguous_person")
    assert errors(tag_people(rows, ["fullname"])) == [
        (0, *ambiguous),
        (1, *ambiguous),
        (2, *ambiguous),
        (3, None, None),
        (4, "excluded", "duplicate"),
    ]


def test_a_value_against_none_is_different_content(spark: SparkSession) -> None:
    rows = tagged(spark, ("Ann Lee", 7, "Rome"), ("Ann Lee", 7, None))
    assert errors(tag_people(rows, ["fullname"])) == [
        (0, "rejected", "ambiguous_person"),
        (1, "rejected", "ambiguous_person"),
    ]


def test_ages_that_nobody_has_are_rejected(spark: SparkSession) -> None:
    rows = tagged(spark, ("A B", -1, None), ("A C", 0, None), ("A D", 150, None), ("A E", 151, None), (" ", 7, None))
    assert errors(tag_people(rows)) == [
        (0, "rejected", "age_out_of_range"),
        (1, None, None),
        (2, None, None),
        (3, "rejected", "age_out_of_range"),
        (4, "rejected", "missing_value"),
    ]


def test_a_row_with_an_error_makes_no_other_row_ambiguous_or_a_duplicate(spark: SparkSession) -> None:
    rows = tagged(spark, ("Ann Lee", None, "Rome"), ("Ann Lee", 7, "Rome"), ("Ann Lee", None, "Rome"))
    bad = reject(rows, F.col("age").isNull(), "wrong_type", "age: 'x', expected an integer")
    assert errors(tag_people(bad, ["fullname"])) == [
        (0, "rejected", "wrong_type"),
        (1, None, None),
        (2, "rejected", "wrong_type"),
    ]
