"""Race statistics: the winner of each race and the winner's fastest lap, as one JSON document a year."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.checks import check_unique
from transforms.kernels.batches import add_texts, map_each
from transforms.render import json_value
from transforms.row_errors import ERROR, exclude, is_valid, reject

# `null` in any case: the comparison of absent values ignores case.
ABSENT = ("", "\\N", "null")

RACES = T.StructType(
    [
        T.StructField("raceId", T.LongType(), nullable=False),
        T.StructField("year", T.IntegerType(), nullable=False),
        T.StructField("round", T.IntegerType()),
        T.StructField("name", T.StringType()),
        T.StructField("date", T.StringType()),
        T.StructField("time", T.StringType()),
    ]
)

RESULTS = T.StructType(
    [
        T.StructField("resultId", T.LongType(), nullable=False),
        T.StructField("raceId", T.LongType(), nullable=False),
        T.StructField("driverId", T.LongType()),
        T.StructField("position", T.IntegerType()),
        T.StructField("fastestLapTime", T.StringType()),
    ]
)

FIELDS = {
    "Race Name": "name",
    "Race Round": "round",
    "Race Datetime": "race_datetime",
    "Race Winning driverId": "winning_driver_id",
    "Race Fastest Lap": "fastest_lap",
}

_DATE = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile("([0-9]{2}):([0-9]{2}):([0-9]{2})Z?")
_LEAP_YEAR = 2000


def race_datetime(date: str | None, time: str | None) -> str | None:
    """Date (`2024-07-07`) and time of day (`14:00:00`, UTC, a trailing Z allowed) as `2024-07-07T14:00:00.000`.

    Null rule: an absent time is 00:00:00; an absent date, and a date or time that does not exist, gives None.

    >>> race_datetime("2024-07-07", "14:00:00Z"), race_datetime("2018-05-27", None), race_datetime("2023-02-29", None)
    ('2024-07-07T14:00:00.000', '2018-05-27T00:00:00.000', None)
    """
    day, clock = _DATE.fullmatch(date or ""), _TIME.fullmatch("00:00:00" if time is None else time)
    if day is None or clock is None:
        return None
    year, month, number = map(int, day.groups())
    hour, minute, second = map(int, clock.groups())
    try:
        # The year 0 of ISO 8601 is a leap year, and Python's dates begin after it.
        datetime.datetime(year or _LEAP_YEAR, month, number, hour, minute, second)
    except ValueError:
        return None
    return f"{day[0]}T{':'.join(clock.groups())}.000"


def add_race_datetime(races: DataFrame) -> DataFrame:
    """Adds `race_datetime` (string), and `_wrong`, a detail where the date is present and gives none (else null).

    In: `date`, `time` string. Out: the same rows and columns and the two; grain unchanged.

    >>> frame = spark.createDataFrame([("2024-07-07", "14:00:00"), ("soon", None)], "date string, time string")
    >>> add_race_datetime(frame).select("race_datetime", "_wrong").show(truncate=False)
    +-----------------------+---------------------------------------------------------+
    |race_datetime          |_wrong                                                   |
    +-----------------------+---------------------------------------------------------+
    |2024-07-07T14:00:00.000|NULL                                                     |
    |NULL                   |date and time: ["soon",null] are not 2024-07-07, 14:00:00|
    +-----------------------+---------------------------------------------------------+
    <BLANKLINE>
    """
    return add_texts(races, ["race_datetime", "_wrong"], _starts_and_wrong)


def _starts_and_wrong(batch: pa.RecordBatch) -> list[pa.Array]:
    """When the races start, and what is wrong with the dates that give no time."""
    pairs = list(zip(batch.column("date").to_pylist(), batch.column("time").to_pylist(), strict=True))
    starts = [race_datetime(*pair) for pair in pairs]
    wrong = [_wrong(*pair) if start is None else None for pair, start in zip(pairs, starts, strict=True)]
    return [pa.array(starts, pa.string()), pa.array(wrong, pa.string())]


def _wrong(date: str | None, time: str | None) -> str | None:
    return None if date is None else f"date and time: {json_value([date, time])} are not 2024-07-07, 14:00:00"


def check_races(races: DataFrame, from_year: int | None = None, to_year: int | None = None) -> DataFrame:
    """Tags the races that cannot be used, and those of other years than asked for.

    In: tagged frame of `RACES`. Out: the same, with `race_datetime` (string) in place of date and time. Grain: one
    usable row per raceId. Rejected: `wrong_type` (date or time that is none), `conflicting_race` (the same raceId with
    different content); excluded: `duplicate`, `other_year`.
    """
    dated = add_race_datetime(races)
    tagged = reject(dated, F.col("_wrong").isNotNull(), "wrong_type", F.col("_wrong"))
    tagged = check_unique(
        tagged, "raceId", content=["year", "round", "name", "date", "time"], conflict="conflicting_race"
    )
    wanted = F.lit(True)
    if from_year is not None:
        wanted = wanted & (F.col("year") >= from_year)
    if to_year is not None:
        wanted = wanted & (F.col("year") <= to_year)
    tagged = exclude(tagged, ~wanted, "other_year", F.concat(F.lit("year "), F.col("year").cast("string")))
    return tagged.drop("date", "time", "_wrong")


def check_results(results: DataFrame, races: DataFrame) -> DataFrame:
    """Tags the results that repeat a resultId, that belong to no race, or to a race of another year.

    In: tagged frame of `RESULTS`; races: tagged frame out of `check_races`. Out: the same rows of results. Rejected:
    `conflicting_result`; excluded: `duplicate`, `other_year`, `unknown_race` (no usable race has this raceId).
    """
    content = ["raceId", "driverId", "position", "fastestLapTime"]
    tagged = check_unique(results, "resultId", content=content, conflict="conflicting_result")
    other_year = ~is_valid() & (F.col(f"{ERROR}.code") == "other_year")
    known = races.where(is_valid() | other_year).select(
        "raceId", F.coalesce(other_year, F.lit(False)).alias("_other_year")
    )
    joined = tagged.join(known, on="raceId", how="left").select(*results.columns, "_other_year")
    detail = F.concat(F.lit("raceId "), F.col("raceId").cast("string"))
    joined = exclude(joined, F.col("_other_year"), "other_year", detail)
    return exclude(joined, F.col("_other_year").isNull(), "unknown_race", detail).drop("_other_year")


def winners(results: DataFrame) -> DataFrame:
    """The winner of each race that has one: the result in position 1, the first by resultId where there are two.

    In: `raceId`, `resultId`, `driverId` long, `position` int, `fastestLapTime` string; one row per result. Out:
    `raceId`, `winning_driver_id` long, `fastest_lap` string (the winner's), `winners` long (results in position 1); one
    row per race. Null rule: a result without position is no winner.

    >>> rows = [(1, 7, 8, 1, "1:40.1"), (2, 7, 9, 2, "1:39.0"), (4, 6, 5, 1, None), (3, 6, 2, 1, None)]
    >>> schema = "resultId long, raceId long, driverId long, position int, fastestLapTime string"
    >>> frame = spark.createDataFrame(rows, schema)
    >>> winners(frame).orderBy("raceId").show()
    +------+-----------------+-----------+-------+
    |raceId|winning_driver_id|fastest_lap|winners|
    +------+-----------------+-----------+-------+
    |     6|                2|       NULL|      2|
    |     7|                8|     1:40.1|      1|
    +------+-----------------+-----------+-------+
    <BLANKLINE>
    """
    won = results.where(F.col("position") == 1)
    first = won.groupBy("raceId").agg(F.min("resultId").alias("resultId"), F.count(F.lit(1)).alias("winners"))
    return won.join(first, on=["raceId", "resultId"]).select(
        "raceId",
        F.col("driverId").alias("winning_driver_id"),
        F.col("fastestLapTime").alias("fastest_lap"),
        "winners",
    )


def race_statistics(races: DataFrame, results: DataFrame) -> DataFrame:
    """Every race once, with its winner.

    In: `raceId` long, `year`, `round` int, `name`, `race_datetime` string, one row per race; results as in `winners`.
    Out: `year`, `round`, `raceId`, `name`, `race_datetime`, `winning_driver_id`, `fastest_lap`, `winners`. Null rule:
    a race without a winner keeps nulls, and its `winners` is 0.
    """
    joined = races.join(winners(results), on="raceId", how="left")
    return joined.select(
        "year",
        "round",
        "raceId",
        "name",
        "race_datetime",
        "winning_driver_id",
        "fastest_lap",
        F.coalesce("winners", F.lit(0)).alias("winners"),
    )


def year_documents(statistics: DataFrame) -> DataFrame:
    """The JSON document of each year: a list of objects by round (then raceId; no round: last), indented by two blanks.

    In: as out of `race_statistics`. Out: `year` int, `races` int, `document` string. Grain: one row per year. Null
    rule: a null is written as null. A year's races are gathered in one value: a season has some dozens of them.
    """
    race = F.struct("raceId", *FIELDS.values())
    gathered = statistics.groupBy("year").agg(F.collect_list(race).alias("races"))
    return map_each(gathered, _documents, "year int, races int, document string")


def _documents(batch: pa.RecordBatch) -> pa.RecordBatch:
    seasons = batch.column("races").to_pylist()
    counts = pa.array([len(races) for races in seasons], pa.int32())
    documents = pa.array([_document(races) for races in seasons], pa.string())
    return pa.RecordBatch.from_arrays([batch.column("year"), counts, documents], names=["year", "races", "document"])


def _document(races: list[dict[str, Any]]) -> str:
    ordered = sorted(races, key=lambda race: (race["round"] is None, race["round"] or 0, race["raceId"]))
    objects = [
        ",\n".join(f'    "{title}": {json_value(race[name])}' for title, name in FIELDS.items()) for race in ordered
    ]
    return "[\n" + ",\n".join(f"  {{\n{fields}\n  }}" for fields in objects) + "\n]\n"
