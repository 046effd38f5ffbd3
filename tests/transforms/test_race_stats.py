"""Race statistics: who won, how fast, when, and the document of a year."""

from __future__ import annotations

from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from tests.support.frames import assert_same_rows
from transforms.race_stats import check_races, check_results, race_datetime, race_statistics, winners, year_documents
from transforms.row_errors import no_error

RACE = "raceId long, year int, round int, name string, date string, time string"
RESULT = "resultId long, raceId long, driverId long, position int, fastestLapTime string"
STATISTIC = (
    "year int, round int, raceId long, name string, race_datetime string,"
    " winning_driver_id long, fastest_lap string, winners long"
)


def tagged(spark: SparkSession, rows: list[tuple[Any, ...]], schema: str) -> DataFrame:
    """Rows without an error, each with its place in a file."""
    placed = [(*row, 0, number) for number, row in enumerate(rows)]
    frame = spark.createDataFrame(placed, f"{schema}, _source_file int, _source_offset long")
    return frame.withColumn("_error", no_error())


def outcomes(frame: DataFrame, key: str) -> list[str]:
    """What became of each row: `key: kind reason`, or `key: used`."""
    rows = frame.select(key, "_error.kind", "_error.code").collect()
    return sorted(f"{row[0]}: {row.kind} {row.code}" if row.kind else f"{row[0]}: used" for row in rows)


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("2024-07-07", "14:00:00", "2024-07-07T14:00:00.000"),
        ("2024-07-07", "14:00:00Z", "2024-07-07T14:00:00.000"),
        ("2018-05-27", None, "2018-05-27T00:00:00.000"),
        ("2024-02-29", "23:59:59", "2024-02-29T23:59:59.000"),
        ("2023-02-29", "12:00:00", None),
        ("2024-07-07", "24:00:00", None),
        ("2024-07-07", "14:00", None),
        ("2024", None, None),
        ("07/07/2024", "14:00:00", None),
        (None, "14:00:00", None),
        ("2024-07-07\n", "14:00:00", None),
        ("2024-07-07", "14:00:00\n", None),
        ("٢٠٢٤-07-07", None, None),
        ("0000-02-29", None, "0000-02-29T00:00:00.000"),
    ],
)
def test_race_datetime(date: str | None, time: str | None, expected: str | None) -> None:
    assert race_datetime(date, time) == expected


def test_the_winner_is_the_result_in_position_1_and_the_fastest_lap_is_the_winners(spark: SparkSession) -> None:
    results = spark.createDataFrame(
        [
            (1, 10, 100, 2, "1:20.0"),
            (2, 10, 101, 1, "1:21.5"),
            (3, 10, 102, None, "1:19.0"),
            (4, 11, 100, 1, None),
            (5, 12, 100, 2, "1:30.0"),
        ],
        RESULT,
    )
    expected = spark.createDataFrame(
        [(10, 101, "1:21.5", 1), (11, 100, None, 1)],
        "raceId long, winning_driver_id long, fastest_lap string, winners long",
    )
    assert_same_rows(winners(results), expected)


def test_of_two_winners_the_first_by_result_id_counts_even_when_its_values_are_absent(spark: SparkSession) -> None:
    results = spark.createDataFrame([(9, 10, 5, 1, "1:20.0"), (8, 10, None, 1, None), (10, 10, 1, 1, "1:10.0")], RESULT)
    expected = spark.createDataFrame(
        [(10, None, None, 3)], "raceId long, winning_driver_id long, fastest_lap string, winners long"
    )
    assert_df_equality(winners(results), expected, ignore_nullable=True)


def test_a_race_without_results_stays_with_nulls(spark: SparkSession) -> None:
    races = spark.createDataFrame(
        [(10, 2024, 1, "Bahrain Grand Prix", "2024-03-02T15:00:00.000"), (11, 2024, 2, "Later Grand Prix", None)],
        "raceId long, year int, round int, name string, race_datetime string",
    )
    results = spark.createDataFrame([(1, 10, 830, 1, "1:32.608")], RESULT)
    expected = spark.createDataFrame(
        [
            (2024, 1, 10, "Bahrain Grand Prix", "2024-03-02T15:00:00.000", 830, "1:32.608", 1),
            (2024, 2, 11, "Later Grand Prix", None, None, None, 0),
        ],
        STATISTIC,
    )
    assert_same_rows(race_statistics(races, results), expected)


def test_a_years_document_is_an_indented_list_by_round_with_numbers_as_numbers(spark: SparkSession) -> None:
    statistics = spark.createDataFrame(
        [
            (2024, 12, 1132, "British Grand Prix", "2024-07-07T14:00:00.000", 1, "01:29.4", 1),
            (2024, 2, 1122, 'São "Paulo" \\ Grand Prix', "2024-11-03T17:00:00.000", None, None, 0),
            (2024, None, 1, None, None, None, None, 0),
            (2023, 1, 1098, "Bahrain Grand Prix", "2023-03-05T15:00:00.000", 830, "01:36.2", 1),
        ],
        STATISTIC,
    )
    documents = {row.year: (row.races, row.document) for row in year_documents(statistics).collect()}
    assert documents == {
        2024: (
            3,
            """[
  {
    "Race Name": "São \\"Paulo\\" \\\\ Grand Prix",
    "Race Round": 2,
    "Race Datetime": "2024-11-03T17:00:00.000",
    "Race Winning driverId": null,
    "Race Fastest Lap": null
  },
  {
    "Race Name": "British Grand Prix",
    "Race Round": 12,
    "Race Datetime": "2024-07-07T14:00:00.000",
    "Race Winning driverId": 1,
    "Race Fastest Lap": "01:29.4"
  },
  {
    "Race Name": null,
    "Race Round": null,
    "Race Datetime": null,
    "Race Winning driverId": null,
    "Race Fastest Lap": null
  }
]
""",
        ),
        2023: (
            1,
            """[
  {
    "Race Name": "Bahrain Grand Prix",
    "Race Round": 1,
    "Race Datetime": "2023-03-05T15:00:00.000",
    "Race Winning driverId": 830,
    "Race Fastest Lap": "01:36.2"
  }
]
""",
        ),
    }


def test_races_of_other_years_repeated_and_contradicting_races_and_bad_dates_are_tagged(spark: SparkSession) -> None:
    races = tagged(
        spark,
        [
            (1, 2021, 1, "A", "2021-03-01", None),
            (2, 2022, 1, "B", "2022-03-01", "10:00:00"),
            (3, 2023, 1, "C", "2023-03-01", "10:00:00"),
            (4, 2022, 2, "D", "2022-13-01", "10:00:00"),
            (5, 2022, 3, "E", "2022-03-03", "10 h"),
            (6, 2022, 4, "F", "2022-03-04", None),
            (6, 2022, 4, "F", "2022-03-04", None),
            (7, 2022, 5, "G", None, None),
            (7, 2022, 6, "G", None, None),
        ],
        RACE,
    )
    assert outcomes(check_races(races, from_year=2022, to_year=2022), "raceId") == [
        "1: excluded other_year",
        "2: used",
        "3: excluded other_year",
        "4: rejected wrong_type",
        "5: rejected wrong_type",
        "6: excluded duplicate",
        "6: used",
        "7: rejected conflicting_race",
        "7: used",
    ]


def test_results_of_unknown_races_and_of_other_years_and_repeated_ones_are_tagged(spark: SparkSession) -> None:
    races = check_races(
        tagged(
            spark,
            [(1, 2021, 1, "A", None, None), (2, 2022, 1, "B", None, None), (3, 2022, 2, "C", "soon", None)],
            RACE,
        ),
        from_year=2022,
    )
    results = tagged(
        spark,
        [
            (10, 1, 7, 1, None),
            (11, 2, 7, 1, "1:20.0"),
            (11, 2, 7, 1, "1:20.0"),
            (12, 2, 8, 2, None),
            (12, 2, 9, 2, None),
            (13, 3, 7, 1, None),
            (14, 99, 7, 1, None),
        ],
        RESULT,
    )
    checked = check_results(results, races)
    assert checked.columns == results.columns
    assert outcomes(checked, "resultId") == [
        "10: excluded other_year",
        "11: excluded duplicate",
        "11: used",
        "12: rejected conflicting_result",
        "12: used",
        "13: excluded unknown_race",
        "14: excluded unknown_race",
    ]
