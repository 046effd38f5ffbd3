"""Restaurant pages: what each record becomes, and what becomes of the ones that do not fit."""

from __future__ import annotations

import datetime
import json
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms import restaurants
from transforms.problems import PROBLEM, is_used, no_problem

APRIL = (datetime.date(2019, 4, 1), datetime.date(2019, 4, 30))


def pages(spark: SparkSession, *texts: str) -> DataFrame:
    rows = [(0, 100 * i, text) for i, text in enumerate(texts)]
    return spark.createDataFrame(rows, "_file int, _position long, _raw string").withColumn(PROBLEM, no_problem())


def page(*found: dict[str, Any]) -> str:
    return json.dumps({"restaurants": [{"restaurant": one} for one in found]})


def outcome(frame: DataFrame) -> list[tuple[Any, ...]]:
    rows = frame.select(f"{PROBLEM}.kind", f"{PROBLEM}.reason", f"{PROBLEM}.detail").collect()
    return [tuple(row) for row in rows]


def test_a_page_that_cannot_be_used_says_why(spark: SparkSession) -> None:
    cases = [
        ('{"message": "API limit exceeded", "code": 440}', ("rejected", "api_error", "API limit exceeded, code 440")),
        ('{"code": 500}', ("rejected", "api_error", "code 500")),
        ('{"results_found": 0, "restaurants": []}', ("excluded", "empty_page", "")),
        ("{}", ("excluded", "empty_page", "")),
        ('{"restaurants": null}', ("excluded", "empty_page", "")),
        ('{"restaurants": "none"}', ("rejected", "wrong_type", "restaurants is not a list")),
        (
            '{"restaurants": [{"restaurant": {"id"',
            ("rejected", "malformed_json", "not a JSON value as RFC 8259 defines it"),
        ),
        ("{'restaurants': []}", ("rejected", "malformed_json", "not a JSON value as RFC 8259 defines it")),
        (
            '{"restaurants": [], "score": NaN}',
            ("rejected", "malformed_json", "not a JSON value as RFC 8259 defines it"),
        ),
        ("17", ("rejected", "not_an_object", "17")),
        ("[]", ("rejected", "not_an_object", "[]")),
    ]
    found = restaurants.parse_pages(pages(spark, *[text for text, _ in cases])).orderBy("_position")
    assert outcome(found) == [expected for _, expected in cases]


def test_a_page_keeps_the_problem_its_reader_found(spark: SparkSession) -> None:
    cut = pages(spark, '{"restaurants": [').withColumn(
        PROBLEM, F.expr("named_struct('kind', 'rejected', 'reason', 'truncated', 'detail', '')")
    )
    assert outcome(restaurants.parse_pages(cut)) == [("rejected", "truncated", "")]


def test_votes_and_ratings_may_be_text_or_number(spark: SparkSession) -> None:
    rating = {"votes": "12", "aggregate_rating": "4.5", "rating_text": "Terbaik", "rating_color": "3f7e00"}
    text = page(
        {"id": "7", "name": "A", "user_rating": rating},
        {"id": 8, "user_rating": rating | {"votes": 3, "aggregate_rating": 4}},
    )
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, text)))
    expected = spark.sql(
        "SELECT 7L id, 'A' name, 12L votes, CAST(4.5 AS DECIMAL(2,1)) rating, '3F7E00' rating_color"
        " UNION ALL SELECT 8L, NULL, 3L, CAST(4.0 AS DECIMAL(2,1)), '3F7E00'"
    )
    assert_df_equality(found.select("id", "name", "votes", "rating", "rating_color"), expected, ignore_nullable=True)
    assert found.where(~is_used()).count() == 0


def test_missing_parts_of_a_restaurant_are_null_and_not_a_problem(spark: SparkSession) -> None:
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, page({"id": "1", "cuisines": "  "}))))
    columns = [
        "id",
        "name",
        "country_id",
        "city",
        "votes",
        "rating",
        "rating_text",
        "rating_color",
        "cuisines",
        "events",
    ]
    expected = spark.createDataFrame([(1,) + (None,) * 9], found.select(*columns).schema)
    assert_df_equality(found.select(*columns), expected)
    assert outcome(found) == [(None, None, None)]


def test_one_bad_restaurant_is_rejected_and_its_neighbour_stays(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"name": "no id"}, ("rejected", "missing_value", "restaurant without id")),
        ({"id": "x1"}, ("rejected", "wrong_type", "id: 'x1'")),
        ({"id": 1, "user_rating": {"votes": "many"}}, ("rejected", "wrong_type", "votes: 'many'")),
        (
            {"id": 1, "user_rating": {"aggregate_rating": "4.55"}},
            ("rejected", "wrong_type", "aggregate_rating: '4.55'"),
        ),
        ({"id": 1, "location": {"country_id": "IN"}}, ("rejected", "wrong_type", "country_id: 'IN'")),
        ({"id": 1, "user_rating": "good"}, ("rejected", "wrong_type", "a field of the restaurant has another shape")),
    ]
    texts = [page(restaurant, {"id": 2, "name": "B"}) for restaurant, _ in cases]
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, *texts)))
    pairs = [one for _, expected in cases for one in (expected, (None, None, None))]
    assert outcome(found.orderBy("_position", "_index")) == pairs


def test_a_page_that_is_not_used_stays_a_row_with_its_problem(spark: SparkSession) -> None:
    texts = ['{"message": "no", "code": 440}', page({"id": 7})]
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, *texts)))
    rows = [tuple(row) for row in found.select("_position", "_index", "id", f"{PROBLEM}.reason").collect()]
    assert rows == [(0, None, None, "api_error"), (100, 0, 7, None)]


def test_an_element_without_a_restaurant_is_rejected(spark: SparkSession) -> None:
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, '{"restaurants": [{"place": 1}]}')))
    assert outcome(found) == [("rejected", "not_a_restaurant", "element 0")]


def test_of_one_restaurant_on_two_pages_one_stays(spark: SparkSession) -> None:
    twice = [
        page({"id": 1, "name": "B"}),
        page({"id": 1, "name": "A"}),
        page({"id": 1, "name": "A"}),
        page({"id": "?"}),
        page({"id": "?"}),
    ]
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, *twice)))
    rows = restaurants.exclude_repeated(found, restaurants.find_repeated(found))
    expected = spark.createDataFrame(
        [
            (0, "excluded", "differing_restaurant"),
            (100, None, None),
            (200, "excluded", "duplicate_restaurant"),
            (300, "rejected", "wrong_type"),
            (400, "rejected", "wrong_type"),
        ],
        "_position long, kind string, reason string",
    )
    assert_df_equality(
        rows.select("_position", f"{PROBLEM}.kind", f"{PROBLEM}.reason").orderBy("_position"),
        expected,
        ignore_nullable=True,
    )


def test_a_country_that_is_not_in_the_sheet_excludes_the_restaurant(spark: SparkSession) -> None:
    text = page({"id": 1, "location": {"country_id": 1}}, {"id": 2, "location": {"country_id": 17}}, {"id": 3})
    found = restaurants.explode_restaurants(restaurants.parse_pages(pages(spark, text)))
    countries = spark.createDataFrame([(1, "India")], "country_id int, country string")
    named = restaurants.name_countries(found, countries).orderBy("id")
    assert [tuple(r) for r in named.select("id", "country").collect()] == [(1, "India"), (2, None), (3, None)]
    assert outcome(named)[1:] == [
        ("excluded", "unknown_country", "country id 17"),
        ("excluded", "unknown_country", "country id absent"),
    ]


def test_details_have_the_first_event_in_array_order_and_the_published_columns(spark: SparkSession) -> None:
    events = [
        {"event": {"event_id": 2, "start_date": "2019-05-01"}},
        {"event": {"event_id": 1, "start_date": "2019-04-01"}},
    ]
    found = restaurants.explode_restaurants(
        restaurants.parse_pages(pages(spark, page({"id": 1, "name": "A", "zomato_events": events}, {"id": 2})))
    )
    details = restaurants.restaurant_details(found.withColumn("country", F.lit("India")))
    expected = spark.createDataFrame(
        [(1, "A", "India", None, None, None, None, "2019-05-01"), (2, None, "India", None, None, None, None, None)],
        details.schema,
    )
    assert_df_equality(details, expected)
    assert details.columns == [
        "Restaurant Id",
        "Restaurant Name",
        "Country",
        "City",
        "User Rating Votes",
        "User Aggregate Rating",
        "Cuisines",
        "Event Date",
    ]


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
    found = restaurants.explode_restaurants(
        restaurants.parse_pages(pages(spark, page({"id": 1, "zomato_events": events})))
    )
    rows = restaurants.explode_events(found, APRIL).orderBy("Event Id").select(f"{PROBLEM}.reason").collect()
    assert [row.reason for row in rows] == [reason for _, _, reason in cases]


def test_an_event_has_its_first_photo_and_a_repeated_one_counts_once(spark: SparkSession) -> None:
    photos = [{"photo": {"url": "first"}}, {"photo": {"url": "second"}}]
    one = {"event_id": 5, "title": 'a, "b"\nc', "start_date": "2019-04-02", "end_date": "2019-04-03", "photos": photos}
    events = [
        {"event": one},
        {"event": one | {"title": "again"}},
        {"event": {"start_date": "2019-04-02"}},
        {"other": 1},
    ]
    found = restaurants.explode_restaurants(
        restaurants.parse_pages(pages(spark, page({"id": 1, "name": "A", "zomato_events": events})))
    )
    rows = restaurants.explode_events(found, APRIL)
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
        rows.where(is_used()).drop("_file", "_position", "_index", "_event", PROBLEM), expected, ignore_nullable=True
    )


def test_restaurants_without_any_event_give_an_empty_typed_frame(spark: SparkSession) -> None:
    found = restaurants.explode_restaurants(
        restaurants.parse_pages(pages(spark, page({"id": 1}, {"id": 2, "zomato_events": []})))
    )
    rows = restaurants.explode_events(found, APRIL)
    assert rows.count() == 0
    assert dict(rows.dtypes)["Event Start Date"] == "date"
