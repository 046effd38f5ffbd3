"""Restaurants: search pages to details, events, rating thresholds and a histogram."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Self

from pyspark.sql import functions as F

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JsonInput, csv_input, day, json_input, option
from pipeline.job.outputs import FileOutput, Outputs, csv, data
from pipeline.job.runner import Job
from pipeline.sinks.catalog.athena import Column, TableFile
from pipeline.sinks.catalog.delivery import CatalogOptions, glue_catalog
from pipeline.sinks.dynamodb import check_table, dynamodb
from transforms.restaurants import ratings, tables
from transforms.restaurants.events import explode_events
from transforms.row_errors import valid

THRESHOLDS = TableFile("rating_thresholds.csv", tuple(Column(*one) for one in ratings.THRESHOLD_COLUMNS.items()))


@dataclass
class Options(CatalogOptions):
    """Restaurant search pages to details, events of a period, rating thresholds and a histogram."""

    restaurants: JsonInput = json_input("search pages as JSON: an array of pages, or one page per line or per file")
    country_codes: CsvInput = csv_input(
        "country sheet as .xlsx or .csv: Country Code, Country", columns=tables.COUNTRIES.names
    )
    events_from: datetime.date = option("first day of the events' period", "2019-04-01", parse=day, metavar="DAY")
    events_to: datetime.date = option("last day of the events' period", "2019-04-30", parse=day, metavar="DAY")
    reference_inputs = ("country_codes",)
    lookup_table: str | None = option("DynamoDB table to fill with the details", metavar="TABLE")

    def prepare(self) -> Self:
        """The period must not end before it begins; a lookup table must be there and have the right key."""
        if self.events_from > self.events_to:
            raise UsageError(f"--events-from {self.events_from} is after --events-to {self.events_to}")
        if self.lookup_table and self.new_only:
            raise UsageError("--new-only and --lookup-table exclude each other: that table has the rows of one run")
        if self.lookup_table and not self.dry_run:
            check_table(self.lookup_table)
        return super().prepare()


def run(job: JobContext, o: Options) -> Outputs:
    """Pages to restaurants, restaurants to details, events and ratings."""
    sheet = job.read_csv(o.country_codes, tables.COUNTRIES)
    found = job.reused(tables.explode_pages(job.read_json_text(o.restaurants)), key="id")

    countries = tables.country_names(valid(job.record("country_codes", sheet)))
    found = tables.name_countries(tables.exclude_repeated(found), countries)
    found = job.record_exploded("restaurants", found, "restaurant", array_path="restaurants")

    # Events and ratings count restaurants of unknown countries too.
    known = tables.with_unknown_country(found)
    events = explode_events(known, (o.events_from, o.events_to))
    events = job.record("restaurants.event", events, raw_column="_event", may_be_empty=True)
    details = tables.restaurant_details(valid(found))
    counts = [ratings.RatingCount(*row) for row in job.few_rows(ratings.count_ratings(known))]
    files = [
        csv("restaurant_details.csv", details, order=["Restaurant Id"], row_count=job.used("restaurants.restaurant")),
        csv(
            "restaurant_events.csv", valid(events), order=["Restaurant Id", "Event Id"],
            row_count=job.used("restaurants.event"),
        ),
    ]  # fmt: skip
    return Outputs(
        *files,
        *rating_files(job, counts),
        glue_catalog(o.catalog, *files, THRESHOLDS),
        dynamodb(o.lookup_table, details, F.col("Restaurant Id").cast("string")),
    )


def rating_files(job: JobContext, counts: list[ratings.RatingCount]) -> list[FileOutput]:
    """Three tables on the terminal, rating_thresholds.csv and the histogram, all from a few hundred counted rows."""
    shown = ratings.rating_tables(counts)
    for title, headers, rows in shown if counts else ():
        job.show(title, headers, rows)
    for colour, number in ratings.unknown_colours(counts).items():
        job.note(f"rating colour {colour} has no class: {number} restaurants are not in the thresholds")
    final = shown[-1][-1]
    rated = sum(row.restaurants for row in counts if row.rating is not None)
    return [
        data(THRESHOLDS.file, ratings.thresholds_csv(final), rows=len(final)),
        data("restaurant_ratings_histogram.png", ratings.histogram(counts), rows=rated),
    ]


JOB = Job("restaurants", Options, run)

if __name__ == "__main__":
    JOB.main()
