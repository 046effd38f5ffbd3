"""Restaurants to their events, and which of them a period publishes."""

from __future__ import annotations

import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.nested.items import explode_items
from transforms.row_errors import ERROR, exclude, no_error, reject


def explode_events(restaurants: DataFrame, period: tuple[datetime.date, datetime.date]) -> DataFrame:
    """Restaurants as events: one row per event of a restaurant, tagged when it is not to be published.

    In: what `transforms.restaurants.tables.explode_pages` gives, and the period's first and last day. Out:
    `_source_file`, `_source_offset`, `_index`, `Event Id` long, `Restaurant Id` long, `Restaurant Name`, `Photo URL`,
    `Event Title`, `Event Start Date` date, `Event End Date` date, `_error`, and `_event`, the event as sent. An absent
    start or end is open. Rejected: `missing_value` (no event id), `wrong_type` (id or date, the detail names it).
    Excluded: `repeated_event` (the same id again in one restaurant, the first stays), `undated_event` (neither date),
    `outside_period` (no day in common with the period, both ends included).

    >>> event = "struct<event_id:string,title:string,start_date:string,end_date:string,photo_url:string>"
    >>> columns = f"_source_file int, _source_offset long, _index int, id long, name string, events array<{event}>"
    >>> events = [("5", "Jazz", "2019-04-30", "2019-05-02", None), ("6", "Tea", "2019-05-01", None, None)]
    >>> restaurants = spark.createDataFrame([(0, 0, 0, 1, "A", events)], columns)
    >>> found = explode_events(restaurants, (datetime.date(2019, 4, 1), datetime.date(2019, 4, 30)))
    >>> found.select("Event Id", "Restaurant Name", "Event Title", "_error.code").show()
    +--------+---------------+-----------+--------------+
    |Event Id|Restaurant Name|Event Title|          code|
    +--------+---------------+-----------+--------------+
    |       5|              A|       Jazz|          NULL|
    |       6|              A|        Tea|outside_period|
    +--------+---------------+-----------+--------------+
    <BLANKLINE>
    """
    fields = (
        "_source_file",
        "_source_offset",
        "_index",
        "id",
        "name",
        "events",
        F.col("events.event_id").alias("_ids"),
    )
    rows = explode_items(restaurants.select(*fields), F.col("events"), item="e", index="_place")
    start, end = (F.expr(f"try_cast(trim(e.{name}) AS date)") for name in ("start_date", "end_date"))
    number = F.expr("try_cast(trim(e.event_id) AS bigint)")
    events = rows.select(
        "_source_file",
        "_source_offset",
        "_index",
        number.alias("Event Id"),
        F.col("id").alias("Restaurant Id"),
        F.col("name").alias("Restaurant Name"),
        F.col("e.photo_url").alias("Photo URL"),
        F.col("e.title").alias("Event Title"),
        start.alias("Event Start Date"),
        end.alias("Event End Date"),
        F.col("e").alias("_event"),
        (F.call_function("array_position", F.col("_ids"), F.col("e.event_id")) <= F.col("_place")).alias("_repeated"),
    )
    return _tagged(events, period).drop("_repeated")


def _tagged(events: DataFrame, period: tuple[datetime.date, datetime.date]) -> DataFrame:
    texts = {"event_id": "Event Id", "start_date": "Event Start Date", "end_date": "Event End Date"}
    wrong = [
        F.when(
            F.col(f"_event.{name}").isNotNull() & F.col(f"`{column}`").isNull(),
            F.concat(F.lit(f"{name}: '"), F.col(f"_event.{name}"), F.lit("'")),
        )
        for name, column in texts.items()
    ]
    detail = F.concat_ws("; ", *wrong)
    tagged = events.withColumn(ERROR, no_error())
    tagged = reject(tagged, detail != "", "wrong_type", detail)
    tagged = reject(tagged, F.col("Event Id").isNull(), "missing_value", "event without id")
    event = F.concat(F.lit("event "), F.col("Event Id").cast("string"))
    tagged = exclude(tagged, F.col("_repeated"), "repeated_event", event)
    start, end = F.col("Event Start Date"), F.col("Event End Date")
    first, last = (F.lit(day).cast("date") for day in period)
    tagged = exclude(tagged, start.isNull() & end.isNull(), "undated_event", event)
    return exclude(tagged, F.coalesce((start > last) | (end < first), F.lit(False)), "outside_period", event)
