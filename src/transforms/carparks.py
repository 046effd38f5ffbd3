"""Car parks: what is known of each one, joined with the newest reading of its lots."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.checks import check_unique
from transforms.nested.items import explode_items
from transforms.row_errors import ERROR, exclude, is_valid, reject

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

LOT_COLUMNS = (
    "car_park_no",
    "lot_type",
    "total_lots",
    "available_lots",
    "updated_at",
    "age_seconds",
    "stale",
    "impossible",
)


def _text(*names: str) -> list[T.StructField]:
    return [T.StructField(name, T.StringType()) for name in names]


_LOT = T.StructType(_text("lot_type", "total_lots", "lots_available"))
_CARPARK = T.StructType([*_text("carpark_number", "update_datetime"), T.StructField("carpark_info", T.ArrayType(_LOT))])
_ITEM = T.StructType([*_text("timestamp"), T.StructField("carpark_data", T.ArrayType(_CARPARK))])
# One answer of the availability API: all figures and times are text there.
ANSWER = T.StructType([T.StructField("items", T.ArrayType(_ITEM), nullable=False)])

_TEXTS = ("car_park_no", "lot_type", "total_lots", "lots_available", "update_datetime", "timestamp")
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$"
_ZONE = r"(Z|[+-]\d{2}:\d{2})$"


def local_time(text: Column) -> Column:
    """A time as the source writes it, `2021-05-23T17:23:34`, as a timestamp; without a zone it is +08:00.

    Null rule: null, and a text that is no such time, gives null.

    >>> rows = [("2021-05-23T17:23:34",), ("2021-05-23T17:40:26+08:00",), ("now",)]
    >>> frame = spark.createDataFrame(rows, "text string")
    >>> frame.select(local_time(F.col("text")).cast("long").alias("seconds")).show()
    +----------+
    |   seconds|
    +----------+
    |1621761814|
    |1621762826|
    |      NULL|
    +----------+
    <BLANKLINE>
    """
    zoned = F.when(text.rlike(_ZONE), text).otherwise(F.concat(text, F.lit("+08:00")))
    return F.when(text.rlike(_TIME), F.try_to_timestamp(zoned))


def shown_time(name: str) -> Column:
    """The timestamp column `name` as text at +08:00, `2021-05-23T17:23:34+08:00`, whatever the session's zone."""
    local = F.expr(f"convert_timezone(current_timezone(), '+08:00', CAST({name} AS timestamp_ntz))")
    return F.date_format(local, "yyyy-MM-dd'T'HH:mm:ss'+08:00'")


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

    In: `items` as in `ANSWER`, `_source_file`, `_source_offset`; one row per answer. Out: `car_park_no`, `lot_type`
    string, `total_lots`, `available_lots` long, `updated_at`, `answered_at` timestamp, `reading` string (the texts as
    they came, as JSON), `_source_file`, `_source_offset`, `_error`. Rejected: `missing_value` (no number, lot type,
    figure or time), `wrong_type` (a figure that is no whole number from 0 on, a time that is none), `no_lots` (a car
    park without carpark_info).
    """
    places = ("_source_file", "_source_offset")
    items = explode_items(answers.select("items", *places), F.col("items"))
    parks = explode_items(items.select("item.*", *places), F.col("carpark_data"), item="park")
    listed = parks.select("timestamp", "park.*", *places)
    lots = explode_items(listed, F.col("carpark_info"), item="lot", outer=True)
    raw = lots.select(
        F.trim("carpark_number").alias("car_park_no"),
        F.trim("lot.lot_type").alias("lot_type"),
        F.trim("lot.total_lots").alias("total_lots"),
        F.trim("lot.lots_available").alias("lots_available"),
        F.trim("update_datetime").alias("update_datetime"),
        F.trim("timestamp").alias("timestamp"),
        F.col("lot").isNull().alias("no_lots"),
        "_source_file",
        "_source_offset",
    )
    return _checked(raw).select(
        "car_park_no",
        "lot_type",
        _lots("total_lots").alias("total_lots"),
        _lots("lots_available").alias("available_lots"),
        local_time(F.col("update_datetime")).alias("updated_at"),
        local_time(F.col("timestamp")).alias("answered_at"),
        F.to_json(F.struct(*_TEXTS)).alias("reading"),
        "_source_file",
        "_source_offset",
        ERROR,
    )


def _lots(name: str) -> Column:
    return F.when(F.col(name).rlike(r"^\d{1,9}$"), F.expr(f"try_cast({name} AS bigint)"))


def _checked(raw: DataFrame) -> DataFrame:
    where = F.concat_ws(" ", F.lit("reading of"), F.coalesce("car_park_no", F.lit("?")), "lot_type")
    checked = reject(raw, F.col("no_lots") & F.col("car_park_no").isNotNull(), "no_lots", where)
    for name in _TEXTS:
        missing = F.coalesce(F.col(name) == "", F.lit(True))
        checked = reject(checked, missing, "missing_value", F.concat(where, F.lit(f": {name} is absent")))
    for name, value in [(n, _lots(n)) for n in _TEXTS[2:4]] + [(n, local_time(F.col(n))) for n in _TEXTS[4:]]:
        kind = "whole number from 0 on" if name in _TEXTS[2:4] else "time like 2021-05-23T17:23:34"
        detail = F.concat(where, F.lit(f": {name}: "), F.to_json(F.array(name)), F.lit(f" is not a {kind}"))
        checked = reject(checked, value.isNull(), "wrong_type", detail)
    return checked


def keep_newest(tagged: DataFrame) -> DataFrame:
    """Tags all but the newest reading of each (car park, lot type), by update time.

    In and out: tagged frame of readings. Of readings with one update time the one of the newest answer stays, then the
    one with the smaller figures. Excluded: `repeated_reading` (same update time), `older_reading`. Rows that already
    have an error are not compared.
    """
    same_lots = Window.partitionBy(is_valid(), "car_park_no", "lot_type")
    newest_first = same_lots.orderBy(F.desc("updated_at"), F.desc("answered_at"), "total_lots", "available_lots")
    ranked = tagged.select(
        "*", F.row_number().over(newest_first).alias("_rank"), F.first("updated_at").over(newest_first).alias("_newest")
    )
    detail = F.concat_ws(" ", "car_park_no", "lot_type", shown_time("updated_at"))
    not_first = F.col("_rank") > 1
    checked = exclude(ranked, not_first & (F.col("updated_at") == F.col("_newest")), "repeated_reading", detail)
    return exclude(checked, not_first, "older_reading", detail).drop("_rank", "_newest")


def lot_rows(newest: DataFrame, stale_after: int) -> DataFrame:
    """Each reading with its age and what is odd about it.

    In: used readings, one row per (car park, lot type). Out: `LOT_COLUMNS`: `car_park_no`, `lot_type` string,
    `total_lots`, `available_lots` long, `updated_at` timestamp, `age_seconds` long (against the newest answer's
    timestamp; negative when updated after it), `stale` boolean (older than `stale_after` seconds), `impossible`
    boolean (more available than there are). No nulls.
    """
    now = newest.agg(F.max("answered_at").alias("_now"))
    age = F.unix_timestamp("_now") - F.unix_timestamp("updated_at")
    aged = newest.crossJoin(F.broadcast(now)).withColumn("age_seconds", age)
    odd = aged.withColumn("stale", F.col("age_seconds") > stale_after)
    return odd.withColumn("impossible", F.col("available_lots") > F.col("total_lots")).select(*LOT_COLUMNS)


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
