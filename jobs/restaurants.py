"""Restaurants: search pages to details, events, rating thresholds and a histogram."""

import argparse
import datetime
import pathlib
import sys

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pyspark.sql import DataFrame  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402
from pyspark.sql import types as T  # noqa: E402
from transforms.row_errors import ERROR, is_valid  # noqa: E402

from pipeline.charts import Series, stacked_histogram  # noqa: E402
from pipeline.errors import UsageError  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from transforms import ratings, restaurants  # noqa: E402
from transforms.restaurant_events import explode_events  # noqa: E402

COUNTRIES = T.StructType(
    [T.StructField("Country Code", T.IntegerType(), False), T.StructField("Country", T.StringType(), False)]
)

# Okabe-Ito colours, best to worst: told apart with every common colour blindness, and by their order in print.
CLASS_COLOURS = dict(
    zip(ratings.CLASSES, ("#0072B2", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#BBBBBB"), strict=True)
)


def check(options: argparse.Namespace) -> None:
    """The period must not end before it begins; a lookup table that is not there is told before Spark starts."""
    if options.events_from > options.events_to:
        raise UsageError(f"--events-from {options.events_from} is after --events-to {options.events_to}")
    if options.lookup_table and not options.dry_run:
        from pipeline.sinks.dynamodb import check_table

        check_table(options.lookup_table)


# What comes out of the pages, by the names of their accounts.
RESTAURANT, EVENT = "restaurants.restaurant", "restaurants.event"
# Where restaurants stand in a page.
ARRAY = "restaurants"


def date(text: str) -> datetime.date:
    """A day as YYYY-MM-DD."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day (YYYY-MM-DD)") from None


JOB = Job(
    name="restaurants",
    summary="Restaurant search pages to details, events of a period, rating thresholds and a histogram.",
    inputs=[
        Input(
            "restaurants", "search pages as JSON: an array of pages, one page a line or one page a file", kind="json"
        ),
        Input("country-codes", "country sheet as .xlsx or .csv: Country Code, Country"),
    ],
    options=[
        Option("events-from", date, date("2019-04-01"), "first day of the events' period", metavar="DAY"),
        Option("events-to", date, date("2019-04-30"), "last day of the events' period", metavar="DAY"),
        Option("lookup-table", str, None, "DynamoDB table to fill with the details", metavar="TABLE"),
    ],
    check=check,
)


def body(run: Run) -> None:
    """Read once; the kept restaurants feed every output."""
    sheet = run.settle("country_codes", run.read_csv("country_codes", COUNTRIES))
    countries = sheet.select(
        F.col("Country Code").alias("country_id"), F.col("Country").alias("country")
    ).dropDuplicates(["country_id"])
    pages = restaurants.parse_pages(run.scan_json("restaurants"))
    found = run.settle_parts(
        "restaurants",
        pages,
        lambda used: restaurants.name_countries(restaurants.explode_restaurants(used), countries),
        RESTAURANT,
        ARRAY,
    )
    with run.stage("find repeated restaurants"):
        twice = run.keep(restaurants.repeated_ids(found))
        some_are = twice.count() > 0
    if some_are:
        repeated = restaurants.find_repeated(found, twice)
        run.settle(RESTAURANT, restaurants.exclude_repeated(found, repeated), inside=ARRAY)
    known = run.kept(RESTAURANT).where(is_valid() | (F.col(f"{ERROR}.code") == restaurants.UNKNOWN_COUNTRY))
    period = (run.options.events_from, run.options.events_to)
    tagged = explode_events(known, period)
    events = run.settle(EVENT, tagged, own_text=F.to_json("_event"), may_be_empty=True)

    published = restaurants.restaurant_details(known.where(is_valid()))
    used, used_events = (run.account(name).used for name in (RESTAURANT, EVENT))
    run.together(
        lambda: run.write_csv("restaurant_details.csv", published, order=["Restaurant Id"], known=used),
        lambda: run.write_csv("restaurant_events.csv", events, order=["Restaurant Id", "Event Id"], known=used_events),
        lambda: publish_ratings(run, [ratings.RatingCount(*row) for row in ratings.count_ratings(known).collect()]),
    )
    if run.options.lookup_table:
        run.after_publish(lambda done: fill_lookup_table(done, published))


def fill_lookup_table(run: Run, details: DataFrame) -> None:
    """Puts the details of every restaurant into the lookup table under its id; what earlier runs left goes."""
    from pipeline.sinks.dynamodb import fill

    with run.stage("fill the lookup table"):
        keyed = details.withColumn("id", F.col("Restaurant Id").cast("string"))
        done = fill(keyed, run.options.lookup_table, run_id=run.run_id)
    run.figure(f"lookup table {run.options.lookup_table}", {"written": done.written, "removed": done.removed})


def publish_ratings(run: Run, counts: list[ratings.RatingCount]) -> None:
    """The three tables, rating_thresholds.csv and the histogram, all from a few hundred counted rows."""
    headers = ["lowest", "highest", "mean", "count"]
    figures = ratings.figures
    run.show(
        "Rating texts as sent",
        ["text", "class", *headers],
        [[text, name, *figures(s)] for text, name, s in ratings.by_text(counts)],
    )
    run.show(
        "Rating texts folded into English",
        ["rating", *headers],
        [[name, *figures(s)] for name, s in ratings.by_class(counts)],
    )
    final = [[name, *figures(s)] for name, s in ratings.thresholds(counts)]
    run.show("Rating thresholds", ["rating", *headers], final)
    for colour, number in ratings.unknown_colours(counts).items():
        run.note(f"rating colour {colour} has no class: {number} restaurants are not in the thresholds")
    lines = [
        "Rating,Lowest,Highest,Mean,Count",
        *(",".join("NA" if v is None else str(v) for v in row) for row in final),
    ]
    run.write_bytes("rating_thresholds.csv", ("\n".join(lines) + "\n").encode(), rows=len(final))
    run.write_bytes(
        "restaurant_ratings_histogram.png",
        histogram(counts),
        rows=sum(c.restaurants for c in counts if c.rating is not None),
    )


def histogram(counts: list[ratings.RatingCount]) -> bytes:
    """Restaurants by aggregate rating, stacked by class."""
    series = [Series(name, CLASS_COLOURS[name], ratings.bins(counts, name)) for name in ratings.CLASSES]
    total = sum(row.restaurants for row in counts)
    return stacked_histogram(
        [one for one in series if one.counts],
        title="How diners rate the restaurants",
        subtitle=f"{total:,} restaurants by aggregate rating, 0 to 5; restaurants not rated yet stand at 0",
        x_label="aggregate rating (steps of 0.1)",
        y_label="restaurants",
        bin_width=0.1,
    )


if __name__ == "__main__":
    JOB.main(body)
