"""Car parks: what is known of each one, joined with the newest reading of its lots."""

from __future__ import annotations

import functools

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.carparks.readings import READING_ROWS, reading_rows, with_ages, with_time_texts
from transforms.checks import check_unique
from transforms.kernels.batches import map_each
from transforms.row_errors import exclude, is_valid, reject

INFORMATION_COLUMNS = (
    "car_park_no",
    "address",
    "x_coord",
    "y_coord",
    "car_park_type",
    "type_of_parking_system",
    "short_term_parking",
    "free_parking",
    "night_parking",
    "car_park_decks",
    "gantry_height",
    "car_park_basement",
)
# Published as they came: 1.80 stays 1.80.
INFORMATION = T.StructType([T.StructField(name, T.StringType(), name != "car_park_no") for name in INFORMATION_COLUMNS])

LOT_ROWS = (
    "car_park_no string, lot_type string, total_lots long, available_lots long, updated_at timestamp,"
    " age_seconds long, stale boolean, impossible boolean"
)


def _text(*names: str) -> list[T.StructField]:
    return [T.StructField(name, T.StringType()) for name in names]


_LOT = T.StructType(_text("lot_type", "total_lots", "lots_available"))
_CARPARK = T.StructType([*_text("carpark_number", "update_datetime"), T.StructField("carpark_info", T.ArrayType(_LOT))])
_ITEM = T.StructType([*_text("timestamp"), T.StructField("carpark_data", T.ArrayType(_CARPARK))])
# One answer of the availability API: all figures and times are text there.
ANSWER = T.StructType([T.StructField("items", T.ArrayType(_ITEM), nullable=False)])


def check_information(information: DataFrame) -> DataFrame:
    """Tags duplicate car parks; blanks around the number are dropped.

    In: tagged frame of `INFORMATION`. Out: the same; one usable row per car_park_no. Rejected: `missing_value` (a blank
    number), `conflicting_car_park`; excluded: `duplicate`.
    """
    trimmed = information.withColumn("car_park_no", F.trim("car_park_no"))
    tagged = reject(trimmed, F.col("car_park_no") == "", "missing_value", "column car_park_no is blank")
    return check_unique(tagged, "car_park_no", content=INFORMATION_COLUMNS[1:], conflict="conflicting_car_park")


def check_answers(answers: DataFrame) -> DataFrame:
    """Tags the answers that hold no reading as excluded `empty_answer`. In and out: tagged frame of `ANSWER`."""
    held = F.aggregate("items", F.lit(0), lambda n, item: n + F.coalesce(F.size(item["carpark_data"]), F.lit(0)))
    return exclude(answers, F.coalesce(held, F.lit(0)) <= 0, "empty_answer", "no carpark_data in items")


def readings(answers: DataFrame) -> DataFrame:
    """The readings of all answers, one row per lot type of a car park in an answer; none lost, bad ones tagged.

    In: `items` as in `ANSWER`, `_source_file`, `_source_offset`; one row per answer. Out: the columns of
    `READING_ROWS`: `car_park_no`, `lot_type` string, `total_lots`, `available_lots` long, `updated_at` timestamp,
    `updated_text` string (that time at +08:00), `answered_at` timestamp, `reading` struct (the texts as they came),
    `_source_file`, `_source_offset`, `_error`. Times without a zone are +08:00. Rejected: `missing_value` (no number,
    lot type, figure or time), `wrong_type` (a figure that is no whole number from 0 on, a time that is none),
    `no_lots` (a car park without carpark_info).

    >>> lots = [("C", "91", "22"), ("H", "many", "1")]
    >>> items = [("2021-05-23T20:00:00+08:00", [("HE12", "2021-05-23T19:59:00", lots)])]
    >>> frame = spark.createDataFrame([(items,)], ANSWER).withColumns({"_source_file": F.lit(0)})
    >>> found = readings(frame.withColumn("_source_offset", F.lit(0).cast("long")))
    >>> found.select("car_park_no", "lot_type", "total_lots", "available_lots", "updated_text", "_error.code").show()
    +-----------+--------+----------+--------------+--------------------+----------+
    |car_park_no|lot_type|total_lots|available_lots|        updated_text|      code|
    +-----------+--------+----------+--------------+--------------------+----------+
    |       HE12|       C|        91|            22|2021-05-23T19:59:...|      NULL|
    |       HE12|       H|      NULL|             1|2021-05-23T19:59:...|wrong_type|
    +-----------+--------+----------+--------------+--------------------+----------+
    <BLANKLINE>
    """
    return map_each(answers.select("items", "_source_file", "_source_offset"), reading_rows, READING_ROWS)


def keep_newest(tagged: DataFrame) -> DataFrame:
    """Tags all but the newest reading of each (car park, lot type), by update time.

    In and out: what `readings` gives. Of readings with one update time the one of the newest answer stays, then the
    one with the smaller figures. Excluded: `repeated_reading` (same update time), `older_reading`. Rows that already
    have an error are not compared.
    """
    same_lots = Window.partitionBy(is_valid(), "car_park_no", "lot_type")
    newest_first = same_lots.orderBy(F.desc("updated_at"), F.desc("answered_at"), "total_lots", "available_lots")
    ranked = tagged.select(
        "*", F.row_number().over(newest_first).alias("_rank"), F.first("updated_at").over(newest_first).alias("_newest")
    )
    detail = F.concat_ws(" ", "car_park_no", "lot_type", "updated_text")
    not_first = F.col("_rank") > 1
    checked = exclude(ranked, not_first & (F.col("updated_at") == F.col("_newest")), "repeated_reading", detail)
    return exclude(checked, not_first, "older_reading", detail).drop("_rank", "_newest")


def lot_rows(newest: DataFrame, stale_after: int) -> DataFrame:
    """Each reading with its age and what is odd about it.

    In: used readings, one row per (car park, lot type). Out: the columns of `LOT_ROWS`: `car_park_no`,
    `lot_type` string, `total_lots`, `available_lots` long, `updated_at` timestamp, `age_seconds` long (against the
    newest answer's timestamp; negative when updated after it), `stale` boolean (older than `stale_after` seconds),
    `impossible` boolean (more available than there are). No nulls.
    """
    now = newest.agg(F.max("answered_at").alias("_now"))
    own = ("car_park_no", "lot_type", "total_lots", "available_lots", "updated_at")
    aged = newest.crossJoin(F.broadcast(now)).select(*own, "_now")
    return map_each(aged, functools.partial(with_ages, stale_after=stale_after), LOT_ROWS)


def lot_sums(lots: DataFrame) -> DataFrame:
    """The lots of each car park over its lot types, stale and impossible ones included.

    In: as out of `lot_rows`. Out: `car_park_no`, `total_lots`, `available_lots` long, `lot_types` string (sorted, a
    blank between), `updated_at` timestamp (the newest), `stale` boolean (the newest reading is stale). One row per car
    park.

    >>> rows = [("A1", "C", 10, 4, False), ("A1", "H", 5, 9, True)]
    >>> schema = "car_park_no string, lot_type string, total_lots long, available_lots long, stale boolean"
    >>> lots = spark.createDataFrame(rows, schema)
    >>> lot_sums(lots.withColumn("updated_at", F.lit(None).cast("timestamp"))).show()
    +-----------+----------+--------------+---------+----------+-----+
    |car_park_no|total_lots|available_lots|lot_types|updated_at|stale|
    +-----------+----------+--------------+---------+----------+-----+
    |         A1|        15|            13|      C H|      NULL|false|
    +-----------+----------+--------------+---------+----------+-----+
    <BLANKLINE>
    """
    return lots.groupBy("car_park_no").agg(
        F.sum("total_lots").alias("total_lots"),
        F.sum("available_lots").alias("available_lots"),
        F.array_join(F.sort_array(F.collect_set("lot_type")), " ").alias("lot_types"),
        F.max("updated_at").alias("updated_at"),
        F.every("stale").alias("stale"),
    )


def car_park_rows(information: DataFrame, lots: DataFrame) -> DataFrame:
    """One row per car park that either side knows: full outer join by number.

    In: used rows of `INFORMATION`; lots as out of `lot_rows`. Out: the twelve information columns (string), then
    `total_lots`, `available_lots` long, `lot_types` string, `updated_at` timestamp, `stale` boolean, and `known_by`
    string: `both`, `information` or `availability`. Null rule: columns of the side that does not know it are null.
    """
    known = information.select(*INFORMATION_COLUMNS, F.lit(True).alias("_informed"))
    joined = known.join(lot_sums(lots), on="car_park_no", how="full")
    known_by = F.when(F.col("_informed").isNull(), "availability").when(F.col("total_lots").isNull(), "information")
    return joined.withColumn("known_by", F.coalesce(known_by, F.lit("both"))).drop("_informed")


def show_times(frame: DataFrame, name: str = "updated_at") -> DataFrame:
    """The frame with a timestamp column as text at +08:00, `2021-05-23T17:23:34+08:00`, in its place.

    Same rows; fractions of a second are cut off. Null rule: null stays null.

    >>> frame = spark.sql("SELECT timestamp_seconds(1621761814) AS updated_at")
    >>> show_times(frame).show(truncate=False)
    +-------------------------+
    |updated_at               |
    +-------------------------+
    |2021-05-23T17:23:34+08:00|
    +-------------------------+
    <BLANKLINE>
    """
    fields = [T.StructField(f.name, T.StringType()) if f.name == name else f for f in frame.schema.fields]
    return map_each(frame, functools.partial(with_time_texts, name=name), T.StructType(fields))
