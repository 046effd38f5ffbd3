"""Restaurant pages: what each record becomes, and what becomes of the ones that do not fit."""

from __future__ import annotations

from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.support.frames import assert_same_rows
from tests.transforms.restaurants.restaurant_pages import exploded, outcome, page, pages
from transforms.restaurants import tables as restaurants
from transforms.row_errors import ERROR, is_valid


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
    found = restaurants.explode_pages(pages(spark, *[text for text, _ in cases])).orderBy("_source_offset")
    assert outcome(found) == [expected for _, expected in cases]


def test_a_page_of_another_shape_that_is_no_json_behind_it_is_one_malformed_page(spark: SparkSession) -> None:
    damaged = [
        '{"restaurants": 5, x}',
        '{"restaurants": [5], x}',
        '{"restaurants": [{"restaurant": {"id": "1"}}, 5], x}',
        '{"restaurants": [5, {"restaurant": {"id": 01}}]}',
        r'{"restaurants": [5, {"restaurant": {"id": "1", "name": "\ud800"}}]}',
        '{"restaurants": [5, {"restaurant": {"id": ' + "[" * 5000 + "]" * 5000 + "}}]}",
    ]
    found = exploded(spark, *damaged, page({"id": 7})).orderBy("_source_offset")
    malformed = ("rejected", "malformed_json", "not a JSON value as RFC 8259 defines it")
    assert outcome(found) == [malformed] * 6 + [(None, None, None)]


@pytest.mark.parametrize(
    "around",
    [
        '{"message": DEEP}',
        '{"restaurants": [{"restaurant": {"id": 1, "name": DEEP}}, 5]}',
        '{"restaurants": [{"restaurant": {"id": DEEP}}]}',
        '{"restaurants": [{"restaurant": {"id": 1, "user_rating": {"aggregate_rating": DEEP}}}]}',
        '{"restaurants": [{"restaurant": {"id": 1, "zomato_events": [{"event": {"title": DEEP}}]}}]}',
    ],
)
def test_a_page_of_any_depth_is_read_or_malformed(spark: SparkSession, around: str) -> None:
    # How deep is too deep is as the process is set: explode_json has it read some thousand levels.
    texts = [around.replace("DEEP", "[" * depth + "]" * depth) for depth in (*range(800, 1001), 20_000)]
    codes = [code for _, code, _ in outcome(exploded(spark, *texts).orderBy("_source_offset"))]
    assert codes[0] != "malformed_json"
    assert codes[-1] == "malformed_json"
    assert codes == sorted(codes, key=lambda code: code == "malformed_json")


def test_an_array_where_a_text_belongs_is_compact_json(spark: SparkSession) -> None:
    name = ['é\x1f\x7f\n"/', 1.50, 10**30, {"a": None}]
    [row] = exploded(spark, page({"id": 1, "name": name})).select("name").collect()
    assert row.name == '["é\\u001f\x7f\\n\\"/","1.5",1000000000000000000000000000000,{"a":null}]'


def test_a_page_keeps_the_error_its_reader_found(spark: SparkSession) -> None:
    cut = pages(spark, '{"restaurants": [').withColumn(
        ERROR, F.expr("named_struct('kind', 'rejected', 'code', 'truncated', 'detail', '')")
    )
    assert outcome(restaurants.explode_pages(cut)) == [("rejected", "truncated", "")]


def test_votes_and_ratings_may_be_text_or_number(spark: SparkSession) -> None:
    rating = {"votes": "12", "aggregate_rating": "4.5", "rating_text": "Terbaik", "rating_color": "3f7e00"}
    text = page(
        {"id": "7", "name": "A", "user_rating": rating},
        {"id": 8, "user_rating": rating | {"votes": 3, "aggregate_rating": 4}},
    )
    found = exploded(spark, text)
    expected = spark.sql(
        "SELECT 7L id, 'A' name, 12L votes, CAST(4.5 AS DECIMAL(2,1)) rating, '3F7E00' rating_color"
        " UNION ALL SELECT 8L, NULL, 3L, CAST(4.0 AS DECIMAL(2,1)), '3F7E00'"
    )
    assert_same_rows(found.select("id", "name", "votes", "rating", "rating_color"), expected)
    assert found.where(~is_valid()).count() == 0


def test_missing_parts_of_a_restaurant_are_null_and_no_error(spark: SparkSession) -> None:
    found = exploded(spark, page({"id": "1", "cuisines": "  "}))
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
        (
            {"id": 1, "user_rating": "good"},
            ("rejected", "wrong_type", "Expected `object | null`, got `str` - at `$.restaurant.user_rating`"),
        ),
    ]
    texts = [page(restaurant, {"id": 2, "name": "B"}) for restaurant, _ in cases]
    found = exploded(spark, *texts)
    pairs = [one for _, expected in cases for one in (expected, (None, None, None))]
    assert outcome(found.orderBy("_source_offset", "_index")) == pairs


def test_a_page_that_is_not_used_stays_a_row_with_its_error(spark: SparkSession) -> None:
    texts = ['{"message": "no", "code": 440}', page({"id": 7})]
    found = exploded(spark, *texts)
    rows = [tuple(row) for row in found.select("_source_offset", "_index", "id", f"{ERROR}.code").collect()]
    assert rows == [(0, None, None, "api_error"), (100, 0, 7, None)]


def test_an_element_without_a_restaurant_is_rejected(spark: SparkSession) -> None:
    found = exploded(spark, '{"restaurants": [{"place": 1}]}')
    assert outcome(found) == [("rejected", "not_a_restaurant", "element 0")]


def test_a_repeated_restaurant_is_excluded_as_a_duplicate_whatever_its_country(spark: SparkSession) -> None:
    text = page({"id": 1, "location": {"country_id": 9}}, {"id": 1, "location": {"country_id": 9}})
    countries = spark.createDataFrame([(1, "India")], "country_id int, country string")
    once = restaurants.exclude_repeated(exploded(spark, text))
    assert sorted(outcome(restaurants.name_countries(once, countries))) == [
        ("excluded", "duplicate_restaurant", "id 1 is a duplicate key"),
        ("excluded", "unknown_country", "country id 9"),
    ]


def test_of_one_restaurant_on_two_pages_one_stays(spark: SparkSession) -> None:
    texts = [
        page({"id": 1, "name": "B"}),
        page({"id": 1, "name": "A"}),
        page({"id": 1, "name": "A"}),
        page({"id": "?"}),
        page({"id": "?"}),
    ]
    rows = restaurants.exclude_repeated(exploded(spark, *texts))
    expected = spark.createDataFrame(
        [
            (0, "excluded", "differing_restaurant"),
            (100, None, None),
            (200, "excluded", "duplicate_restaurant"),
            (300, "rejected", "wrong_type"),
            (400, "rejected", "wrong_type"),
        ],
        "_source_offset long, kind string, code string",
    )
    assert_df_equality(
        rows.select("_source_offset", f"{ERROR}.kind", f"{ERROR}.code").orderBy("_source_offset"),
        expected,
        ignore_nullable=True,
    )


def test_one_country_of_the_sheet_is_one_row(spark: SparkSession) -> None:
    sheet = spark.createDataFrame([(1, "India"), (1, "India"), (2, "Japan")], "`Country Code` int, Country string")
    expected = spark.createDataFrame([(1, "India"), (2, "Japan")], "country_id int, country string")
    assert_df_equality(
        restaurants.country_names(sheet.repartition(3)), expected, ignore_nullable=True, ignore_row_order=True
    )


def test_restaurants_of_unknown_countries_count_for_events_and_ratings_and_other_errors_do_not(
    spark: SparkSession,
) -> None:
    text = page(
        {"id": 1, "location": {"country_id": 1}}, {"id": 2, "location": {"country_id": 9}}, {"id": "x"}, {"id": 1}
    )
    countries = spark.createDataFrame([(1, "India")], "country_id int, country string")
    found = restaurants.exclude_repeated(exploded(spark, text))
    known = restaurants.with_unknown_country(restaurants.name_countries(found, countries))
    expected = spark.createDataFrame([(1, None), (2, "unknown_country")], "id long, code string")
    assert_same_rows(known.select("id", f"{ERROR}.code"), expected)


def test_a_country_that_is_not_in_the_sheet_excludes_the_restaurant(spark: SparkSession) -> None:
    text = page({"id": 1, "location": {"country_id": 1}}, {"id": 2, "location": {"country_id": 17}}, {"id": 3})
    found = exploded(spark, text)
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
    found = exploded(spark, page({"id": 1, "name": "A", "zomato_events": events}, {"id": 2}))
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
