"""Events of restaurants: which are published, and what the others are."""

from __future__ import annotations

import datetime

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from tests.transforms.restaurants.restaurant_pages import exploded, outcome, page
from transforms.restaurants.events import explode_events
from transforms.row_errors import ERROR, is_valid

APRIL = (datetime.date(2019, 4, 1), datetime.date(2019, 4, 30))


def test_an_event_is_published_when_it_shares_a_day_with_the_period(spark: SparkSession) -> None:
    cases = [
        ("2019-03-01", "2019-03-31", "outside_period"),
        ("2019-03-01", "2019-04-01", None),
        ("2019-04-30", "2019-05-09", None),
        ("2019-05-01", "2019-05-09", "outside_period"),
        ("2019-01-01", "2019-12-31", None),
        ("2019-04-10", "2019-04-11", None),
        (None, "2019-04-01", None),
        (None, "2019-03-31", "outside_period"),
        ("2019-04-30", None, None),
        ("2019-05-01", "", "outside_period"),
        (None, None, "undated_event"),
        ("2019-02-30", "2019-04-02", "wrong_type"),
    ]
    events = [
        {"event": {"event_id": number, "start_date": start, "end_date": end}}
        for number, (start, end, _) in enumerate(cases, 1)
    ]
    found = exploded(spark, page({"id": 1, "zomato_events": events}))
    rows = explode_events(found, APRIL).orderBy("Event Id").select(f"{ERROR}.code").collect()
    assert [row.code for row in rows] == [code for _, _, code in cases]


def test_an_event_has_its_first_photo_and_a_repeated_one_counts_once(spark: SparkSession) -> None:
    photos = [{"photo": {"url": "first"}}, {"photo": {"url": "second"}}]
    one = {"event_id": 5, "title": 'a, "b"\nc', "start_date": "2019-04-02", "end_date": "2019-04-03", "photos": photos}
    events = [
        {"event": one},
        {"event": one | {"title": "again"}},
        {"event": {"start_date": "2019-04-02"}},
        {"other": 1},
    ]
    found = exploded(spark, page({"id": 1, "name": "A", "zomato_events": events}))
    rows = explode_events(found, APRIL)
    assert outcome(rows) == [
        (None, None, None),
        ("excluded", "repeated_event", "event 5"),
        ("rejected", "missing_value", "event without id"),
    ]
    expected = spark.sql(
        "SELECT 5L `Event Id`, 1L `Restaurant Id`, 'A' `Restaurant Name`, 'first' `Photo URL`,"
        " 'a, \"b\"\nc' `Event Title`, "
        " DATE'2019-04-02' `Event Start Date`, DATE'2019-04-03' `Event End Date`"
    )
    assert_df_equality(
        rows.where(is_valid()).drop("_source_file", "_source_offset", "_index", "_event", ERROR),
        expected,
        ignore_nullable=True,
    )


def test_restaurants_without_any_event_give_an_empty_typed_frame(spark: SparkSession) -> None:
    found = exploded(spark, page({"id": 1}, {"id": 2, "zomato_events": []}))
    rows = explode_events(found, APRIL)
    assert rows.count() == 0
    assert dict(rows.dtypes)["Event Start Date"] == "date"
