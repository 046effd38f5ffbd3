"""Restaurant search pages to restaurants and their published details; their events are in `restaurant_events`.

A page is `{"restaurants": [{"restaurant": {...}}, ...]}` or an error such as `{"message": ..., "code": ...}`. Scalars
are read as text, since partners send `votes` and `aggregate_rating` as text in one record and as a number in the next.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.checks import check_unique
from transforms.kernels.batches import add_texts, map_each
from transforms.render import json_lines
from transforms.restaurants.pages import RESTAURANT_ROWS, restaurant_rows
from transforms.row_errors import ERROR, EXCLUDED, exclude, is_valid

DETAIL_COLUMNS = (
    "Restaurant Id",
    "Restaurant Name",
    "Country",
    "City",
    "User Rating Votes",
    "User Aggregate Rating",
    "Cuisines",
    "Event Date",
)


def explode_pages(records: DataFrame) -> DataFrame:
    """Raw search pages as restaurants: one row per restaurant of a page, in array order; none lost.

    In: `_source_file` int, `_source_offset` long, `_raw` string, `_error`. Out: the columns of `RESTAURANT_ROWS`; a
    page that is not used has one row without `_index` and values. Empty text is null; scalars of any kind are read as
    text. Pages: rejected `malformed_json`, `not_an_object`, `api_error` (detail: message and code), `wrong_type`;
    excluded `empty_page`. Restaurants: rejected `not_a_restaurant`, `missing_value` (no id), `wrong_type` (id, votes,
    rating, country or a nested field; the detail names it). One field of a wrong type does not cost the page's other
    restaurants.

    >>> page = '{"restaurants":[{"restaurant":{"id":"7","name":"Ann","user_rating":{"votes":12}}},{"restaurant":{}}]}'
    >>> from transforms.row_errors import no_error
    >>> frame = spark.createDataFrame([(0, 0, page)], "_source_file int, _source_offset long, _raw string")
    >>> found = explode_pages(frame.withColumn("_error", no_error()))
    >>> found.select("_index", "id", "name", "votes", "_error.code").show()
    +------+----+----+-----+-------------+
    |_index|  id|name|votes|         code|
    +------+----+----+-----+-------------+
    |     0|   7| Ann|   12|         NULL|
    |     1|NULL|NULL| NULL|missing_value|
    +------+----+----+-----+-------------+
    <BLANKLINE>
    """
    return map_each(records, restaurant_rows, RESTAURANT_ROWS)


UNKNOWN_COUNTRY = "unknown_country"
CONTENT = ("name", "country_id", "city", "votes", "rating", "rating_text", "rating_color", "cuisines", "events")


def _with_content(rows: DataFrame) -> DataFrame:
    """Adds `_content`, the canonical JSON of a restaurant: the columns used, keys sorted, nulls written."""
    lines = json_lines(sorted(CONTENT))
    return add_texts(rows, ["_content"], lambda batch: [lines(batch)])


def exclude_repeated(restaurants: DataFrame) -> DataFrame:
    """Excludes restaurants whose id is repeated: `duplicate_restaurant` (equal content), `differing_restaurant`.

    In: what `explode_pages` gives. Of each id the row whose canonical JSON sorts first is kept. Out: the same rows and
    columns.
    """
    return check_unique(
        restaurants, "id", content=_with_content, place=("_source_file", "_source_offset", "_index"),
        duplicate="duplicate_restaurant", conflict="differing_restaurant", conflict_kind=EXCLUDED,
    )  # fmt: skip


COUNTRIES = T.StructType(
    [T.StructField("Country Code", T.IntegerType(), False), T.StructField("Country", T.StringType(), False)]
)


def country_names(sheet: DataFrame) -> DataFrame:
    """One row per country of the sheet, whose columns are `COUNTRIES`: `country_id` int, `country` string."""
    names = sheet.select(F.col("Country Code").alias("country_id"), F.col("Country").alias("country"))
    return names.dropDuplicates(["country_id"])


def with_unknown_country(restaurants: DataFrame) -> DataFrame:
    """The restaurants that are used, and those that only their unknown country keeps out of the details."""
    return restaurants.where(is_valid() | (F.col(f"{ERROR}.code") == UNKNOWN_COUNTRY))


def name_countries(restaurants: DataFrame, countries: DataFrame) -> DataFrame:
    """Adds `country` (string) from the country sheet. Excluded: `unknown_country` (detail: the country id).

    In: restaurants, and `countries` with one row per `country_id` int and `country` string.
    """
    named = restaurants.join(F.broadcast(countries), on="country_id", how="left")
    detail = F.concat(F.lit("country id "), F.coalesce(F.col("country_id").cast("string"), F.lit("absent")))
    return exclude(named, F.col("country").isNull(), UNKNOWN_COUNTRY, detail)


def restaurant_details(restaurants: DataFrame) -> DataFrame:
    """The published details: one row per restaurant in use, columns `DETAIL_COLUMNS`; absent values are null.

    `Event Date` is the start date of the restaurant's first event in array order.
    """
    first_event = F.try_element_at(F.col("events"), F.lit(1))
    values = ("id", "name", "country", "city", "votes", "rating", "cuisines", first_event["start_date"])
    columns = [F.col(v) if isinstance(v, str) else v for v in values]
    return restaurants.select(*[column.alias(name) for column, name in zip(columns, DETAIL_COLUMNS, strict=True)])
