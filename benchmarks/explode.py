"""The contenders of explode_json: generated pages and deep documents to one Parquet table a level.

python -m benchmarks.explode duckdb --what pages --source DIR --out DIR
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import generate_documents
from benchmarks.contenders import main, session

# Everything that a generated page holds; a figure that comes as a number or as a text is a text here.
EVENT = (
    "event_id:bigint,title:string,start_date:string,end_date:string,description:string,"
    "photos:array<struct<photo:struct<url:string,`order`:bigint,type:string>>>,share_data:struct<should_show:bigint>"
)
RESTAURANT = (
    "R:struct<res_id:bigint>,apikey:string,id:string,name:string,url:string,"
    "location:struct<address:string,city:string,country_id:bigint,latitude:string,longitude:string>,"
    "cuisines:string,average_cost_for_two:bigint,offers:array<string>,thumb:string,"
    "user_rating:struct<aggregate_rating:string,rating_text:string,rating_color:string,votes:string>,"
    "photos_url:string,menu_url:string,featured_image:string,establishment_types:array<string>,"
    f"zomato_events:array<struct<event:struct<{EVENT}>>>"
)
PAGES = (
    "results_found bigint, results_start bigint, results_shown bigint,"
    f" restaurants array<struct<restaurant:struct<{RESTAURANT}>>>"
)
SCHEMAS = {"pages": PAGES, "documents": generate_documents.schema()}
FLAT = [
    *("apikey", "id", "name", "url", "cuisines", "average_cost_for_two", "thumb"),
    *("photos_url", "menu_url", "featured_image"),
]
OBJECTS = {
    "R": ["res_id"],
    "location": ["address", "city", "country_id", "latitude", "longitude"],
    "user_rating": ["aggregate_rating", "rating_text", "rating_color", "votes"],
}
KEYS = ["_id", "_parent_id", "_index"]
Child = Callable[[str, str, str], str]
# Columns whose values are compared, besides the number of rows of every table.
CHECKED = {
    "pages__restaurants": ("restaurant__id", "restaurant__name", "restaurant__location__city"),
    "pages__restaurants__restaurant__zomato_events": ("event__event_id", "event__title", "event__start_date"),
    "pages__restaurants__restaurant__zomato_events__event__photos": ("photo__url", "photo__order"),
    "documents__divisions": ("code", "share"),
    "documents__divisions__units__teams__members__skills": ("code", "share"),
    "documents__divisions__units__teams__members__skills__levels": ("year", "level"),
    "documents__matrix__value__value": ("value",),
}


def floor(what: str, source: Path, out: Path) -> None:
    """Spark parses everything with a declared schema, to nowhere."""
    session("floor").read.schema(SCHEMAS[what]).json(str(source)).write.format("noop").mode("overwrite").save()


def plain(what: str, source: Path, out: Path) -> None:
    """What a careful newcomer writes: inferred types, a scan and an explode by hand for every table, coalesce(1)."""
    from pyspark.sql import functions as F

    spark = session("plain")
    number = F.monotonically_increasing_id()
    frames = {what: spark.read.json(str(source)).withColumn("_id", number)}

    def child(parent: str, array: str, name: str) -> str:
        exploded = frames[parent].selectExpr("_id AS _parent_id", f"posexplode({array}) AS (_index, v)")
        frames[f"{parent}__{name}"] = exploded.withColumn("_id", number)
        return f"{parent}__{name}"

    for table, columns in TABLES[what](child).items():
        selected = frames[table].selectExpr(*[column.replace('"', "`") for column in columns])
        selected.coalesce(1).write.mode("overwrite").parquet(f"{out / table}.parquet")


def duckdb(what: str, source: Path, out: Path) -> None:
    """SQL on two threads: one table per level, each made from the one above it."""
    import duckdb as engine

    out.mkdir(parents=True, exist_ok=True)
    base = engine.connect()
    base.execute("SET threads = 2")
    read = f"read_json('{source}/*', format = 'newline_delimited', maximum_object_size = 400000000)"
    base.execute(f"CREATE TABLE {what} AS SELECT row_number() OVER () AS _id, * FROM {read}")

    def child(parent: str, array: str, name: str) -> str:
        base.execute(
            f"CREATE TABLE {parent}__{name} AS SELECT row_number() OVER () AS _id, * FROM (SELECT _id AS _parent_id,"
            f" generate_subscripts({array}, 1) - 1 AS _index, unnest({array}) AS v FROM {parent})"
        )
        return f"{parent}__{name}"

    for table, columns in TABLES[what](child).items():
        base.execute(f"COPY (SELECT {', '.join(columns)} FROM {table}) TO '{out / table}.parquet' (FORMAT parquet)")


def dlt(what: str, source: Path, out: Path) -> None:
    """dlt to Parquet files in a folder: lines by its parser of JSON, a resource, two workers to normalise."""
    import os

    import dlt as engine  # type: ignore[import-not-found]
    from dlt.common import json  # type: ignore[import-not-found]

    # More files than one, so that both workers have one.
    settings = {"NORMALIZE__WORKERS": "2", "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "200"}
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", **settings}

    @engine.resource(name=what)  # type: ignore[untyped-decorator]
    def documents() -> Iterator[list[object]]:
        for path in sorted(source.iterdir()):
            with path.open("rb") as lines:
                while batch := list(itertools.islice(lines, 1000)):
                    yield [json.loadb(line) for line in batch]

    destination = engine.destinations.filesystem(bucket_url=str(out / "files"))
    pipeline = engine.pipeline(what, destination=destination, dataset_name="tables", pipelines_dir=str(out / "state"))
    pipeline.run(documents(), loader_file_format="parquet")


def page_tables(child: Child) -> dict[str, list[str]]:
    """The tables of pages with their columns; `child` makes a table of an array, its entries as `v`."""
    restaurants = child("pages", "restaurants", "restaurants")
    events = child(restaurants, "v.restaurant.zomato_events", "restaurant__zomato_events")
    photos = child(events, "v.event.photos", "event__photos")
    columns = [f"v.restaurant.{name} AS restaurant__{name}" for name in FLAT]
    columns += [f"v.restaurant.{a}.{b} AS restaurant__{a}__{b}" for a, names in OBJECTS.items() for b in names]
    names = ["event_id", "title", "start_date", "end_date", "description"]
    of_event = [f"v.event.{name} AS event__{name}" for name in names]
    of_event.append("v.event.share_data.should_show AS event__share_data__should_show")
    return {
        "pages": ["_id", "results_found", "results_start", "results_shown"],
        restaurants: [*KEYS, *columns],
        events: [*KEYS, *of_event],
        photos: [*KEYS, *(f'v.photo."{name}" AS photo__{name}' for name in ("url", "order", "type"))],
    }


def document_tables(child: Child) -> dict[str, list[str]]:
    """The tables of deep documents with their columns."""
    tables = {"documents": ["_id", "id", "region"]}
    table, at = "documents", ""
    for name, _ in generate_documents.LEVELS:
        table = child(table, f"{at}{name}", name)
        leaf = name == generate_documents.LEVELS[-1][0]
        names = ("year", "level") if leaf else ("code", "share")
        tables[table] = [*KEYS, *(f"v.{column} AS {column}" for column in names)]
        at = "v."
    outer = child("documents", "matrix", "matrix")
    inner = child(outer, "v", "value")
    return {**tables, outer: KEYS, inner: KEYS, child(inner, "v", "value"): [*KEYS, "v AS value"]}


TABLES: dict[str, Callable[[Child], dict[str, list[str]]]] = {"pages": page_tables, "documents": document_tables}


def outputs(out: Path) -> dict[str, tuple[object, ...]]:
    """Rows of each table, and sums over hashes of the values of some columns; dlt's own tables begin with `_`.

    ValueError: a table has not all columns that are compared.
    """
    import duckdb as engine

    base, found = engine.connect(), {}
    of_dlt = out / "files" / "tables"
    paths = of_dlt.glob("[!_]*/") if of_dlt.is_dir() else out.glob("*.parquet")
    for path in sorted(paths):
        if path.is_dir() and not any(path.glob("*.parquet")):
            continue
        source = f"{path}/*.parquet" if path.is_dir() else str(path)
        there = {row[0] for row in base.execute(f"DESCRIBE SELECT * FROM '{source}'").fetchall()}
        if lost := set(CHECKED.get(path.stem, ())) - there:
            raise ValueError(f"{path}: no column {', '.join(sorted(lost))}")
        hashes = [f"sum(hash(CAST({column} AS VARCHAR)))" for column in CHECKED.get(path.stem, ())]
        found[path.stem] = base.execute(f"SELECT {', '.join(['count(*)', *hashes])} FROM '{source}'").fetchone() or ()
    return found


if __name__ == "__main__":
    main((floor, plain, duckdb, dlt), "source", "out", what=sorted(SCHEMAS))
