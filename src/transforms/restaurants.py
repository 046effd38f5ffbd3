"""Restaurant search pages to restaurants and their published details; their events are in `restaurant_events`.

A page is `{"restaurants": [{"restaurant": {...}}, ...]}` or an error such as `{"message": ..., "code": ...}`. Scalars
are read as text, since partners send `votes` and `aggregate_rating` as text in one record and as a number in the next.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.checks import check_unique
from transforms.nested.items import explode_items
from transforms.row_errors import ERROR, EXCLUDED, REJECTED, exclude, is_valid, reject, row_error

PHOTOS = "array<struct<photo:struct<url:string>>>"
EVENT = f"struct<event_id:string,title:string,start_date:string,end_date:string,photos:{PHOTOS}>"
RESTAURANT = (
    "struct<id:string,name:string,cuisines:string,location:struct<city:string,country_id:string>,"
    "user_rating:struct<aggregate_rating:string,votes:string,rating_text:string,rating_color:string>,"
    f"zomato_events:array<struct<event:{EVENT}>>>"
)
# `_misfit` is never in the data: it gives an element the same type as one that is parsed on its own.
ELEMENT = f"struct<restaurant:{RESTAURANT},_misfit:string>"
PAGE = f"struct<message:string,code:string,restaurants:array<{ELEMENT}>,_corrupt:string>"
STRICT = {"mode": "PERMISSIVE", "allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}

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


def _parsed(raw: Column, schema: str, corrupt: str) -> Column:
    return F.from_json(raw, schema, STRICT | {"columnNameOfCorruptRecord": corrupt})


def parse_pages(records: DataFrame) -> DataFrame:
    """Raw search pages as arrays of restaurants: one row per page, none lost.

    In: `_source_file` int, `_source_offset` long, `_raw` string, `_error`. Out: `_source_file`, `_source_offset`,
    `restaurants` array<struct<restaurant, _misfit>>, `_error`. A page with one field of a wrong type is parsed again
    restaurant by restaurant, so that only the restaurant at fault is lost (`_misfit` holds its text). Rejected:
    `malformed_json`, `not_an_object`, `api_error` (detail: message and code), `wrong_type`. Excluded: `empty_page`.
    """
    page = records.withColumn("_page", _parsed(F.col("_raw"), PAGE, "_corrupt"))
    bad = F.col("_page._corrupt").isNotNull()
    texts = _parsed(F.col("_raw"), "struct<restaurants:array<string>,_corrupt:string>", "_corrupt")
    one_by_one = F.transform(texts["restaurants"], lambda text: _parsed(text, ELEMENT, "_misfit"))
    restaurants = F.when(bad, one_by_one).otherwise(F.col("_page.restaurants"))
    object_at_all = F.from_json("_raw", "map<string,string>", STRICT).isNotNull()
    checks = [
        F.when(
            ~F.ltrim(F.col("_raw")).startswith("{"), row_error(REJECTED, "not_an_object", F.substring("_raw", 1, 80))
        ),
        F.when(bad & ~object_at_all, row_error(REJECTED, "malformed_json", "not a JSON value as RFC 8259 defines it")),
    ]
    framed = page.select(
        "_source_file",
        "_source_offset",
        "_page",
        restaurants.alias("restaurants"),
        F.coalesce(ERROR, *checks).alias(ERROR),
        bad.alias("_bad"),
    )
    detail = F.concat_ws(", ", F.col("_page.message"), F.concat(F.lit("code "), F.col("_page.code")))
    no_list = F.col("restaurants").isNull()
    framed = reject(framed, no_list & (detail != ""), "api_error", detail)
    framed = reject(framed, F.col("_bad") & no_list, "wrong_type", "restaurants is not a list")
    framed = exclude(framed, no_list | (F.size("restaurants") == 0), "empty_page")
    return framed.select("_source_file", "_source_offset", "restaurants", ERROR)


def _text(column: str) -> Column:
    trimmed = F.trim(F.col(column))
    return F.when(trimmed != "", F.col(column))


def _number(column: str, kind: str) -> Column:
    return F.expr(f"try_cast(trim({column}) AS {kind})")


def explode_restaurants(pages: DataFrame) -> DataFrame:
    """Pages as restaurants: one row per restaurant, in array order, and one per page that is not used; none lost.

    In: what `parse_pages` gives. A page with an error keeps it and has no `_index` and no values. Out:
    `_source_file`, `_source_offset`, `_index` int (place in the page), `id` long, `name`, `country_id` int, `city`,
    `votes` long, `rating` decimal(2,1), `rating_text`, `rating_color` (upper case), `cuisines`, `events`
    array<struct<event_id, title, start_date, end_date, photo_url>>, `_error`. Empty text is null. Rejected:
    `not_a_restaurant`, `missing_value` (no id), `wrong_type` (id, votes, rating, country or a nested field; the detail
    names it).
    """
    used = F.when(F.col(ERROR).isNull(), F.col("restaurants"))
    rows = explode_items(pages, used, item="_element", outer=True)
    rows = rows.select(
        "_source_file",
        "_source_offset",
        "_index",
        ERROR,
        F.col("_element.restaurant").alias("r"),
        F.col("_element._misfit").alias("_misfit"),
    )
    events = F.transform(F.filter("r.zomato_events", lambda e: e["event"].isNotNull()), lambda e: _event(e["event"]))
    flat = rows.select(
        "_source_file",
        "_source_offset",
        "_index",
        "_misfit",
        ERROR,
        F.col("r").isNull().alias("_absent"),
        _number("r.id", "bigint").alias("id"),
        _text("r.name").alias("name"),
        _number("r.location.country_id", "int").alias("country_id"),
        _text("r.location.city").alias("city"),
        _number("r.user_rating.votes", "bigint").alias("votes"),
        _number("r.user_rating.aggregate_rating", "decimal(2,1)").alias("rating"),
        _text("r.user_rating.rating_text").alias("rating_text"),
        F.upper(_text("r.user_rating.rating_color")).alias("rating_color"),
        _text("r.cuisines").alias("cuisines"),
        events.alias("events"),
        _numbers().alias("_numbers"),
    )
    wrong = F.filter("_numbers", lambda n: n["text"].isNotNull() & ~F.coalesce(n["ok"], F.lit(False)))
    detail = F.array_join(F.transform(wrong, lambda n: F.concat(n["name"], F.lit(": '"), n["text"], F.lit("'"))), "; ")
    tagged = reject(flat, F.col("_misfit").isNotNull(), "wrong_type", "a field of the restaurant has another shape")
    tagged = reject(
        tagged, F.col("_absent"), "not_a_restaurant", F.concat(F.lit("element "), F.col("_index").cast("string"))
    )
    tagged = reject(tagged, F.size(wrong) > 0, "wrong_type", detail)
    tagged = reject(tagged, F.col("id").isNull(), "missing_value", "restaurant without id")
    return tagged.drop("_misfit", "_absent", "_numbers")


def _numbers() -> Column:
    """The numbers of a restaurant as sent: array<struct<name, text, ok>>."""
    rating = "r.user_rating.aggregate_rating"
    numbers = [
        ("id", "r.id", _number("r.id", "bigint").isNotNull()),
        ("country_id", "r.location.country_id", _number("r.location.country_id", "int").isNotNull()),
        ("votes", "r.user_rating.votes", _number("r.user_rating.votes", "bigint").isNotNull()),
        ("aggregate_rating", rating, _number(rating, "decimal(20,10)") == _number(rating, "decimal(2,1)")),
    ]
    return F.array(
        *[F.struct(F.lit(name).alias("name"), _text(path).alias("text"), ok.alias("ok")) for name, path, ok in numbers]
    )


def _event(event: Column) -> Column:
    def text(value: Column) -> Column:
        return F.when(F.trim(value) != "", value)

    first_photo = F.try_element_at(event["photos"], F.lit(1))
    return F.struct(
        text(event["event_id"]).alias("event_id"),
        text(event["title"]).alias("title"),
        text(event["start_date"]).alias("start_date"),
        text(event["end_date"]).alias("end_date"),
        text(first_photo["photo"]["url"]).alias("photo_url"),
    )


UNKNOWN_COUNTRY = "unknown_country"
CONTENT = ("name", "country_id", "city", "votes", "rating", "rating_text", "rating_color", "cuisines", "events")


def exclude_repeated(restaurants: DataFrame) -> DataFrame:
    """Excludes restaurants that are there before: `duplicate_restaurant` (equal content), `differing_restaurant`.

    In: what `explode_restaurants` gives. Of each id the row whose canonical JSON sorts first is kept. Canonical JSON:
    the columns used, keys sorted, nulls written. Out: the same rows and columns.
    """
    content = F.to_json(F.struct(*sorted(CONTENT)), {"ignoreNullFields": "false"})
    return check_unique(
        restaurants, "id", content=[content], place=("_source_file", "_source_offset", "_index"),
        duplicate="duplicate_restaurant", conflict="differing_restaurant", conflict_kind=EXCLUDED,
    )  # fmt: skip


def country_names(sheet: DataFrame) -> DataFrame:
    """One row per country of the sheet: `country_id` int, `country` string."""
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
