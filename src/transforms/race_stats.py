"""Race statistics: the winner of each race and the winner's fastest lap, as one JSON document a year."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.checks import check_unique
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

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIME = r"^\d{2}:\d{2}:\d{2}Z?$"


def race_datetime(date: Column, time: Column) -> Column:
    """Date (`2024-07-07`) and time of day (`14:00:00`, UTC, a trailing Z allowed) as `2024-07-07T14:00:00.000`.

    Null rule: an absent time is 00:00:00; an absent date, and a date or time that does not exist, gives null.

    >>> frame = spark.createDataFrame([("2024-07-07", "14:00:00"), ("2018-05-27", None)], "date string, time string")
    >>> frame.select(race_datetime(F.col("date"), F.col("time")).alias("start")).show(truncate=False)
    +-----------------------+
    |start                  |
    +-----------------------+
    |2024-07-07T14:00:00.000|
    |2018-05-27T00:00:00.000|
    +-----------------------+
    <BLANKLINE>
    """
    clock = F.coalesce(time, F.lit("00:00:00"))
    text = F.concat(date, F.lit("T"), F.regexp_replace(clock, "Z$", ""))
    exists = F.try_to_timestamp(F.concat(text, F.lit("Z"))).isNotNull()
    return F.when(date.rlike(_DATE) & clock.rlike(_TIME) & exists, F.concat(text, F.lit(".000")))


def check_races(races: DataFrame, from_year: int | None = None, to_year: int | None = None) -> DataFrame:
    """Tags the races that cannot be used, and those of other years than asked for.

    In: tagged frame of `RACES`. Out: the same, with `race_datetime` (string) in place of date and time. Grain: one
    usable row per raceId. Rejected: `wrong_type` (date or time that is none), `conflicting_race` (the same raceId with
    different content); excluded: `duplicate`, `other_year`.
    """
    start = race_datetime(F.col("date"), F.col("time"))
    detail = F.concat(
        F.lit("date and time: "), F.to_json(F.array("date", "time")), F.lit(" are not 2024-07-07, 14:00:00")
    )
    tagged = reject(races, F.col("date").isNotNull() & start.isNull(), "wrong_type", detail)
    tagged = check_unique(
        tagged, "raceId", content=["year", "round", "name", "date", "time"], conflict="conflicting_race"
    )
    wanted = F.lit(True)
    if from_year is not None:
        wanted = wanted & (F.col("year") >= from_year)
    if to_year is not None:
        wanted = wanted & (F.col("year") <= to_year)
    tagged = exclude(tagged, ~wanted, "other_year", F.concat(F.lit("year "), F.col("year").cast("string")))
    return tagged.withColumn("race_datetime", start).drop("date", "time")


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
    first = F.min_by(F.struct("driverId", "fastestLapTime"), F.col("resultId"))
    grouped = (
        results.where(F.col("position") == 1).groupBy("raceId").agg(first.alias("first"), F.count("*").alias("winners"))
    )
    return grouped.select(
        "raceId",
        F.col("first.driverId").alias("winning_driver_id"),
        F.col("first.fastestLapTime").alias("fastest_lap"),
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


def _json_value(name: str) -> Column:
    # An array of one keeps a null, which an object's field might lose.
    text = F.to_json(F.array(F.col(name)))
    return text.substr(F.lit(2), F.length(text) - 2)


def _json_object() -> Column:
    fields = [F.concat(F.lit(f'    "{title}": '), _json_value(name)) for title, name in FIELDS.items()]
    return F.concat(F.lit("  {\n"), F.concat_ws(",\n", *fields), F.lit("\n  }"))


def year_documents(statistics: DataFrame) -> DataFrame:
    """The JSON document of each year: a list of objects by round (then raceId; no round: last), indented by two blanks.

    In: as out of `race_statistics`. Out: `year` int, `races` int, `document` string. Grain: one row per year. Null
    rule: a null is written as null. A year's races are gathered in one value: a season has some dozens of them.
    """
    place = F.struct(F.col("round").isNull().alias("no_round"), "round", "raceId", _json_object().alias("text"))
    gathered = statistics.groupBy("year").agg(F.sort_array(F.collect_list(place)).alias("rows"))
    document = F.concat(F.lit("[\n"), F.array_join("rows.text", ",\n"), F.lit("\n]\n"))
    return gathered.select("year", F.size("rows").alias("races"), document.alias("document"))
