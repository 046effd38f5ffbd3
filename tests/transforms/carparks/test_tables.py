"""Car parks: readings out of answers, the newest one of each lot type, ages, sums, and both sides joined."""

from __future__ import annotations

import datetime
from typing import Any

import pyarrow as pa
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms.carparks.readings import local_times, time_texts
from transforms.carparks.tables import (
    ANSWER,
    INFORMATION_COLUMNS,
    car_park_rows,
    check_answers,
    check_information,
    keep_newest,
    lot_rows,
    lot_sums,
    readings,
    show_times,
)
from transforms.row_errors import no_error

READING = (
    "car_park_no string, lot_type string, total_lots long, available_lots long,"
    " updated_at timestamp, answered_at timestamp"
)
LOT = (
    "car_park_no string, lot_type string, total_lots long, available_lots long,"
    " updated_at timestamp, age_seconds long, stale boolean, impossible boolean"
)
NOON = datetime.datetime(2021, 5, 23, 12, 0, 0, tzinfo=datetime.UTC)


def ago(seconds: int) -> datetime.datetime:
    return NOON - datetime.timedelta(seconds=seconds)


def outcomes(frame: DataFrame, *key: str) -> list[str]:
    rows = frame.select(F.concat_ws(" ", *key).alias("key"), "_error.*").collect()
    return sorted(f"{row.key}: {row.kind} {row.code}" if row.kind else f"{row.key}: used" for row in rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-05-23T20:00:00", "2021-05-23T20:00:00+08:00"),
        ("2021-05-23 20:00:00", "2021-05-23T20:00:00+08:00"),
        ("2021-05-23T20:00:00+08:00", "2021-05-23T20:00:00+08:00"),
        ("2021-05-23T12:00:00Z", "2021-05-23T20:00:00+08:00"),
        ("2021-05-23T20:00:00.5", "2021-05-23T20:00:00+08:00"),
        ("2021-05-23T12:00:00.123456789-00:30", "2021-05-23T20:30:00+08:00"),
        ("1969-12-31T23:59:59.5", "1969-12-31T23:59:59+08:00"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00+08:00"),
        ("2021-02-29T20:00:00", None),
        ("2021-05-23T24:00:00", None),
        ("2021-05-23T20:00:60", None),
        ("2021-05-23T20:00:00+19:00", None),
        ("2021-05-23", None),
        ("2021", None),
        ("", None),
        (None, None),
    ],
)
def test_times_without_a_zone_are_eight_hours_ahead(text: str | None, expected: str | None) -> None:
    assert time_texts(local_times(pa.array([text], pa.string()))).to_pylist() == [expected]


def test_times_keep_their_microseconds() -> None:
    [time] = local_times(pa.array(["2021-05-23T20:00:00.1234567"])).to_pylist()
    assert time == NOON.replace(microsecond=123_456)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_are_the_same_in_any_session(spark: SparkSession, zone: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        found = readings(
            answers(spark, answer("2021-05-23T20:00:00", park("A", "2021-05-23T19:59:00", ("C", "1", "1"))))
        )
        shown = show_times(show_times(found), "answered_at").select("updated_text", "updated_at", "answered_at")
        [times] = shown.collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert times == ("2021-05-23T19:59:00+08:00", "2021-05-23T19:59:00+08:00", "2021-05-23T20:00:00+08:00")


def answer(timestamp: str | None, *parks: dict[str, Any]) -> dict[str, Any]:
    return {"items": [{"timestamp": timestamp, "carpark_data": list(parks)}]}


def park(number: str | None, updated: str | None, *lots: tuple[str | None, str | None, str | None]) -> dict[str, Any]:
    info = [{"lot_type": kind, "total_lots": total, "lots_available": free} for kind, total, free in lots]
    return {"carpark_number": number, "update_datetime": updated, "carpark_info": info}


def answers(spark: SparkSession, *found: dict[str, Any]) -> DataFrame:
    return spark.createDataFrame(list(found), ANSWER).select(
        "items",
        F.lit(0).alias("_source_file"),
        F.lit(0).cast("long").alias("_source_offset"),
        no_error().alias("_error"),
    )


def test_an_answer_gives_a_row_for_each_lot_type_with_figures_as_numbers(spark: SparkSession) -> None:
    found = answers(
        spark,
        answer(
            "2021-05-23T20:00:00+08:00",
            park("HE12", "2021-05-23T19:59:00", ("C", "91", "22")),
            park(" SK24 ", "2016-02-19T11:19:28", ("C", "181", "200"), ("H", "0", "0")),
        ),
    )
    expected = spark.createDataFrame(
        [
            ("HE12", "C", 91, 22, ago(60), NOON),
            ("SK24", "C", 181, 200, datetime.datetime(2016, 2, 19, 3, 19, 28, tzinfo=datetime.UTC), NOON),
            ("SK24", "H", 0, 0, datetime.datetime(2016, 2, 19, 3, 19, 28, tzinfo=datetime.UTC), NOON),
        ],
        READING,
    )
    actual = readings(found).where("_error IS NULL").select(*expected.columns)
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True)


def test_a_bad_reading_is_rejected_with_its_reason_and_the_others_stay(spark: SparkSession) -> None:
    found = answers(
        spark,
        answer(
            "2021-05-23T20:00:00+08:00",
            park("A", "2021-05-23T19:59:00", ("C", "91", "22"), ("H", "many", "1"), ("Y", "10", "-1")),
            park(None, "2021-05-23T19:59:00", ("C", "91", "22")),
            park("", "2021-05-23T19:59:00", ("H", "91", "22")),
            park("B", "yesterday", ("C", "91", "22")),
            park("D", None, ("C", "91", "22")),
            park("E", "2021-05-23T19:59:00"),
            park("F", "2021-05-23T19:59:00", (None, "1", "1")),
            park("G", "2021-05-23T19:59:00", ("C", "1.5", None)),
        ),
        answer("today", park("H", "2021-05-23T19:59:00", ("C", "1", "1"))),
    )
    tagged = readings(found)
    assert outcomes(tagged, "car_park_no", "lot_type") == [
        " H: rejected missing_value",
        "A C: used",
        "A H: rejected wrong_type",
        "A Y: rejected wrong_type",
        "B C: rejected wrong_type",
        "C: rejected missing_value",
        "D C: rejected missing_value",
        "E: rejected no_lots",
        "F: rejected missing_value",
        "G C: rejected missing_value",
        "H C: rejected wrong_type",
    ]
    details = {row.detail for row in tagged.select("_error.detail").collect()}
    assert 'reading of A H: total_lots: ["many"] is not a whole number from 0 on' in details
    assert 'reading of B C: update_datetime: ["yesterday"] is not a time like 2021-05-23T17:23:34' in details


def test_an_answer_without_readings_is_excluded(spark: SparkSession) -> None:
    found = answers(
        spark,
        {"items": []},
        {"items": [{"timestamp": "2021-05-23T20:00:00+08:00", "carpark_data": None}]},
        answer("2021-05-23T20:00:00+08:00", park("A", "2021-05-23T20:00:00")),
    )
    assert outcomes(check_answers(found)) == [": excluded empty_answer", ": excluded empty_answer", ": used"]


def test_the_newest_reading_of_a_number_and_lot_type_counts(spark: SparkSession) -> None:
    rows = [
        ("A", "C", 10, 1, ago(300), ago(100)),
        ("A", "C", 10, 2, ago(60), ago(0)),
        ("A", "C", 10, 3, ago(60), ago(50)),
        ("A", "H", 5, 4, ago(9000), ago(0)),
        ("B", "C", 10, 6, ago(60), ago(0)),
        ("B", "C", 10, 5, ago(60), ago(0)),
    ]
    found = spark.createDataFrame(rows, READING).withColumn("updated_text", F.lit("some time"))
    tagged = keep_newest(found.withColumn("_error", no_error()))
    assert outcomes(tagged, "car_park_no", "lot_type", "available_lots") == [
        "A C 1: excluded older_reading",
        "A C 2: used",
        "A C 3: excluded repeated_reading",
        "A H 4: used",
        "B C 5: used",
        "B C 6: excluded repeated_reading",
    ]


def test_lots_have_an_age_against_the_newest_answer_and_are_flagged(spark: SparkSession) -> None:
    newest = spark.createDataFrame(
        [
            ("A", "C", 10, 10, ago(86_400), ago(3600)),
            ("A", "H", 10, 11, ago(86_401), ago(0)),
            ("B", "C", 0, 0, ago(-5), ago(0)),
        ],
        READING,
    )
    expected = spark.createDataFrame(
        [
            ("A", "C", 10, 10, ago(86_400), 86_400, False, False),
            ("A", "H", 10, 11, ago(86_401), 86_401, True, True),
            ("B", "C", 0, 0, ago(-5), -5, False, False),
        ],
        LOT,
    )
    assert_df_equality(lot_rows(newest, 86_400), expected, ignore_row_order=True, ignore_nullable=True)


def test_sums_include_stale_and_impossible_lots_and_a_car_park_is_stale_when_its_newest_reading_is(
    spark: SparkSession,
) -> None:
    lots = spark.createDataFrame(
        [
            ("A", "Y", 1, 50, ago(60), 60, False, True),
            ("A", "C", 10, 4, ago(90_000), 90_000, True, False),
            ("B", "C", 7, 7, ago(90_000), 90_000, True, False),
        ],
        LOT,
    )
    expected = spark.createDataFrame(
        [("A", 11, 54, "C Y", ago(60), False), ("B", 7, 7, "C", ago(90_000), True)],
        "car_park_no string, total_lots long, available_lots long, lot_types string,"
        " updated_at timestamp, stale boolean",
    )
    assert_df_equality(lot_sums(lots), expected, ignore_row_order=True, ignore_nullable=True)


def information(spark: SparkSession, *rows: tuple[str, str]) -> DataFrame:
    full = [(number, address, *["x"] * 10, 0, place) for place, (number, address) in enumerate(rows)]
    columns = [f"{name} string" for name in INFORMATION_COLUMNS]
    return spark.createDataFrame(full, ", ".join([*columns, "_source_file int", "_source_offset long"]))


def test_every_car_park_that_either_side_knows_comes_out_once(spark: SparkSession) -> None:
    lots = spark.createDataFrame(
        [("A", "C", 10, 4, ago(60), 60, False, False), ("ALL", "C", 548, 548, ago(90_000), 90_000, True, False)], LOT
    )
    actual = car_park_rows(information(spark, ("A", "BLK 1"), ("Z", "BLK 2")), lots).select(
        "car_park_no",
        "address",
        "x_coord",
        "total_lots",
        "available_lots",
        "lot_types",
        "updated_at",
        "stale",
        "known_by",
    )
    expected = spark.createDataFrame(
        [
            ("A", "BLK 1", "x", 10, 4, "C", ago(60), False, "both"),
            ("Z", "BLK 2", "x", None, None, None, None, None, "information"),
            ("ALL", None, None, 548, 548, "C", ago(90_000), True, "availability"),
        ],
        "car_park_no string, address string, x_coord string, total_lots long, available_lots long, lot_types string,"
        " updated_at timestamp, stale boolean, known_by string",
    )
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True)


def test_a_number_that_repeats_in_the_information_counts_once(spark: SparkSession) -> None:
    rows = information(spark, ("A ", "BLK 1"), ("A", "BLK 1"), ("B", "BLK 3"), ("B", "BLK 2"), (" ", "BLK 9"))
    tagged = check_information(rows.withColumn("_error", no_error()))
    assert outcomes(tagged, "car_park_no", "address") == [
        " BLK 9: rejected missing_value",
        "A BLK 1: excluded duplicate",
        "A BLK 1: used",
        "B BLK 2: used",
        "B BLK 3: rejected conflicting_car_park",
    ]
