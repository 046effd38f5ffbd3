"""The contenders of the restaurants job: the same three outputs from the same pages, each as its users would write it.

python -m benchmarks.restaurants pandas --pages DIR --codes FILE --out DIR
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from benchmarks.contenders import main, session

DETAILS = ["id", "name", "country", "city", "votes", "rating", "cuisines", "event_date"]
EVENTS = ["event_id", "id", "name", "photo_url", "title", "start_date", "end_date"]
COLOURS = {"3F7E00": "Excellent", "5BA829": "Very Good", "9ACD32": "Good", "CDD614": "Average", "FF7800": "Poor"}
FROM, TO = "2019-04-01", "2019-04-30"
RESTAURANT = (
    "struct<id:string,name:string,cuisines:string,location:struct<city:string,country_id:string>,user_rating:struct<"
    "aggregate_rating:string,votes:string,rating_text:string,rating_color:string>,zomato_events:array<struct<event:"
    "struct<event_id:string,title:string,start_date:string,end_date:string,photos:array<struct<photo:struct<url:string>>>>>>>"
)


def floor(pages: Path, codes: Path, out: Path) -> None:
    """Spark scans and parses the columns that the job reads, to nowhere."""
    spark = session("floor")
    schema = f"message string, code string, restaurants array<struct<restaurant:{RESTAURANT}>>"
    spark.read.schema(schema).json(str(pages)).write.format("noop").mode("overwrite").save()


def plain(pages: Path, codes: Path, out: Path) -> None:
    """What a careful newcomer writes: inferred schema, a scan an output, coalesce(1)."""
    from pyspark.sql import functions as F

    spark = session("plain")
    countries = spark.read.csv(str(codes), header=True, inferSchema=True)

    def restaurants() -> Any:
        read = spark.read.json(str(pages))
        rows = read.select(F.explode("restaurants").alias("x")).select("x.restaurant.*")
        return rows.dropDuplicates(["id"])

    def save(frame: Any, name: str) -> None:
        frame.coalesce(1).write.mode("overwrite").csv(str(out / name), header=True, nullValue="NA", escape='"')

    r = restaurants().join(countries, F.col("location.country_id") == F.col("Country Code"))
    rating = F.col("user_rating.aggregate_rating").cast("decimal(2,1)")
    details = r.select(
        F.col("id").cast("long"),
        "name",
        F.col("Country").alias("country"),
        "location.city",
        F.col("user_rating.votes").cast("long").alias("votes"),
        rating.alias("rating"),
        "cuisines",
        F.col("zomato_events")[0]["event"]["start_date"].alias("event_date"),
    )
    save(details.orderBy("id"), "details")
    events = restaurants().select(F.col("id").cast("long"), "name", F.explode("zomato_events.event").alias("e"))
    events = events.where((F.col("e.start_date") <= TO) & (F.col("e.end_date") >= FROM))
    events = events.select(
        "e.event_id",
        "id",
        "name",
        F.col("e.photos")[0]["photo"]["url"].alias("photo_url"),
        "e.title",
        "e.start_date",
        "e.end_date",
    )
    save(events.orderBy("id", "event_id"), "events")
    classes = F.create_map(*[F.lit(word) for pair in COLOURS.items() for word in pair])
    rated = restaurants().select(classes[F.col("user_rating.rating_color")].alias("class"), rating.alias("rating"))
    save(rated.groupBy("class").agg(F.min("rating"), F.max("rating"), F.avg("rating"), F.count("*")), "thresholds")


def pandas(pages: Path, codes: Path, out: Path) -> None:
    """json and pandas, everything in memory."""
    import pandas as pd  # type: ignore[import-untyped]

    found = [
        r["restaurant"]
        for path in sorted(pages.iterdir())
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
        for r in json.loads(line)["restaurants"]
    ]
    flat = [
        {
            "id": int(r["id"]),
            "name": r["name"],
            "country_id": r["location"]["country_id"],
            "city": r["location"]["city"],
            "votes": int(r["user_rating"]["votes"]),
            "rating": float(r["user_rating"]["aggregate_rating"]),
            "color": r["user_rating"]["rating_color"],
            "cuisines": r["cuisines"],
            "events": [e["event"] for e in r.get("zomato_events", [])],
        }
        for r in found
    ]
    frame = pd.DataFrame(flat).drop_duplicates("id")
    sheet = pd.read_csv(codes).rename(columns={"Country Code": "country_id", "Country": "country"})
    details = frame.merge(sheet, on="country_id")
    details["event_date"] = [events[0]["start_date"] if events else None for events in details["events"]]
    out.mkdir(parents=True, exist_ok=True)
    details.sort_values("id")[DETAILS].to_csv(out / "details.csv", index=False, na_rep="NA")
    events = frame[["id", "name", "events"]].explode("events").dropna(subset=["events"]).reset_index(drop=True)
    body = pd.DataFrame(list(events["events"]), index=events.index)
    events = events[["id", "name"]].join(body)
    events = events[(events["start_date"] <= TO) & (events["end_date"] >= FROM)]
    events["photo_url"] = [photos[0]["photo"]["url"] if photos else None for photos in events["photos"]]
    events.sort_values(["id", "event_id"])[EVENTS].to_csv(out / "events.csv", index=False, na_rep="NA")
    frame["class"] = frame["color"].map(COLOURS)
    frame.groupby("class")["rating"].agg(["min", "max", "mean", "count"]).to_csv(out / "thresholds.csv")


def duckdb(pages: Path, codes: Path, out: Path) -> None:
    """SQL on two threads."""
    import duckdb as engine

    out.mkdir(parents=True, exist_ok=True)
    database = engine.connect()
    database.execute("SET threads = 2")
    read = (
        f"read_json('{pages}/*', format = 'newline_delimited', maximum_object_size = 200000000, union_by_name = true)"
    )
    database.execute(
        f"CREATE TABLE r AS SELECT DISTINCT ON (x.restaurant.id) CAST(x.restaurant.id AS BIGINT) AS id,"
        " x.restaurant.name AS name,"
        " x.restaurant.cuisines AS cuisines, x.restaurant.location.city AS city,"
        " x.restaurant.location.country_id AS country_id,"
        " CAST(x.restaurant.user_rating->>'$.votes' AS BIGINT) AS votes,"
        " CAST(x.restaurant.user_rating->>'$.aggregate_rating' AS DECIMAL(2,1)) AS rating,"
        " x.restaurant.user_rating->>'$.rating_color' AS color, x.restaurant.zomato_events AS events"
        f" FROM (SELECT unnest(restaurants) AS x FROM {read})"
    )
    target = "(HEADER, NULL 'NA')"
    database.execute(
        'COPY (SELECT id, name, c."Country" AS country, city, votes, rating, cuisines, events[1].event.start_date AS event_date'
        " FROM r"
        f" JOIN read_csv('{codes}') c ON c.\"Country Code\" = country_id ORDER BY id)"
        f" TO '{out / 'details.csv'}' {target}"
    )
    database.execute(
        "COPY (SELECT e.event.event_id, id, name, e.event.photos[1].photo.url AS photo_url, e.event.title,"
        " e.event.start_date,"
        " e.event.end_date FROM (SELECT id, name, unnest(events) AS e FROM r)"
        f" WHERE e.event.start_date <= '{TO}' AND e.event.end_date >= '{FROM}' ORDER BY id, 1)"
        f" TO '{out / 'events.csv'}' {target}"
    )
    database.execute(
        f"COPY (SELECT color, min(rating), max(rating), avg(rating), count(*) FROM r GROUP BY color)"
        f" TO '{out / 'thresholds.csv'}' {target}"
    )


def polars(pages: Path, codes: Path, out: Path) -> None:
    """Polars on two threads."""
    import polars as pl

    out.mkdir(parents=True, exist_ok=True)
    text = pl.String
    photo = pl.Struct({"photo": pl.Struct({"url": text})})
    event = pl.Struct(
        {"event_id": pl.Int64, "title": text, "start_date": text, "end_date": text, "photos": pl.List(photo)}
    )
    rating = pl.Struct({"aggregate_rating": text, "votes": text, "rating_text": text, "rating_color": text})
    place = pl.Struct({"city": text, "country_id": pl.Int64})
    one = pl.Struct(
        {
            "id": text,
            "name": text,
            "cuisines": text,
            "location": place,
            "user_rating": rating,
            "zomato_events": pl.List(pl.Struct({"event": event})),
        }
    )
    schema = {"restaurants": pl.List(pl.Struct({"restaurant": one}))}
    frames = [pl.read_ndjson(path, schema=schema) for path in sorted(pages.iterdir())]
    r = pl.concat(frames).explode("restaurants").unnest("restaurants").unnest("restaurant")
    r = r.unnest("location", "user_rating").with_columns(
        pl.col("id").cast(pl.Int64),
        pl.col("votes").cast(pl.Int64),
        pl.col("aggregate_rating").cast(pl.Float64).alias("rating"),
    )
    r = r.unique("id")
    sheet = pl.read_csv(codes).rename({"Country Code": "country_id", "Country": "country"})
    first = pl.col("zomato_events").list.first().struct.field("event").struct.field("start_date").alias("event_date")
    r.join(sheet, on="country_id").with_columns(first).select(DETAILS).sort("id").write_csv(
        out / "details.csv", null_value="NA"
    )
    events = (
        r.select("id", "name", pl.col("zomato_events").alias("e"))
        .explode("e")
        .drop_nulls("e")
        .unnest("e")
        .unnest("event")
    )
    url = pl.col("photos").list.first().struct.field("photo").struct.field("url").alias("photo_url")
    events = events.filter((pl.col("start_date") <= TO) & (pl.col("end_date") >= FROM)).with_columns(url)
    events.select(EVENTS).sort("id", "event_id").write_csv(out / "events.csv", null_value="NA")
    classes = r.with_columns(pl.col("rating_color").replace_strict(COLOURS, default=None).alias("class"))
    rated = pl.col("rating")
    classes.group_by("class").agg(
        rated.min().alias("min"), rated.max().alias("max"), rated.mean().alias("mean"), pl.len()
    ).write_csv(out / "thresholds.csv")


def table(path: Path) -> list[tuple[str, ...]]:
    """The data rows of a CSV file, or of a folder with one part, for comparison: quotes and figures made alike."""
    file = path if path.is_file() else next(path.glob("*.csv"))
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))[1:]
    return [tuple("NA" if cell in ("", "NA") else cell for cell in row) for row in rows]


def outputs(out: Path) -> dict[str, list[tuple[str, ...]]]:
    """Details and events of a contender or of the job, for comparison. ValueError: one of them is not there."""
    found = {}
    for name, own in (("details", "restaurant_details.csv"), ("events", "restaurant_events.csv")):
        path = next((p for p in (out / own, out / f"{name}.csv", out / name) if p.exists()), None)
        if path is None:
            raise ValueError(f"{out}: no {name}")
        found[name] = sorted(table(path))
    return found


if __name__ == "__main__":
    main((floor, plain, pandas, duckdb, polars), "pages", "codes", "out")
