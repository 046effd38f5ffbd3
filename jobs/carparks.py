"""Car parks: static information joined with the newest reading of their lots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JsonInput, csv_input, duration, json_input, option
from pipeline.job.outputs import Outputs, csv
from pipeline.job.runner import Job
from pipeline.sinks.catalog.delivery import CatalogOptions, glue_catalog
from pipeline.sinks.dynamodb import check_table, dynamodb
from transforms.carparks import tables as carparks
from transforms.row_errors import is_valid, valid


@dataclass
class Options(CatalogOptions):
    """Car parks with the sums of their lots, and every lot type with its age."""

    information: CsvInput = csv_input(
        "car parks as CSV: " + ", ".join(carparks.INFORMATION_COLUMNS), columns=carparks.INFORMATION.names
    )
    availability: JsonInput = json_input("saved answers of the availability API as JSON")
    stale_after: int = option(
        "readings older than this, against the newest answer, are stale", "24h", parse=duration, metavar="24h"
    )
    reference_inputs = ("information",)
    lookup_table: str | None = option(
        "DynamoDB table to fill with the car parks, partition key id (string)", metavar="TABLE"
    )

    def prepare(self) -> Self:
        """A lookup table must be there and have the right key."""
        if self.lookup_table and self.new_only:
            raise UsageError("--new-only and --lookup-table exclude each other: that table has the rows of one run")
        if self.lookup_table and not self.dry_run:
            check_table(self.lookup_table)
        return super().prepare()


def run(job: JobContext, o: Options) -> Outputs:
    """Both inputs, the readings taken out of their answers, joined by number."""
    information = carparks.check_information(job.read_csv(o.information, carparks.INFORMATION))
    answers = carparks.check_answers(job.read_json(o.availability, carparks.ANSWER))

    information = job.record("information", information)
    answers = job.record("availability", answers)
    readings = carparks.keep_newest(carparks.readings(answers.where(is_valid())))
    readings = job.record("availability.reading", readings, raw_column="reading")

    lots = carparks.lot_rows(valid(readings), o.stale_after)
    parks = carparks.car_park_rows(valid(information), lots)
    add_metrics(job, parks, lots)
    published = carparks.show_times(parks.drop("known_by"))
    files = [
        csv("carparks.csv", published, order=["car_park_no"]),
        csv("carpark_lots.csv", carparks.show_times(lots), order=["car_park_no", "lot_type"]),
    ]
    return Outputs(
        *files,
        glue_catalog(o.catalog, *files),
        # The read API asks for numbers in upper case.
        dynamodb(o.lookup_table, published, F.upper("car_park_no")),
    )


def add_metrics(job: JobContext, parks: DataFrame, lots: DataFrame) -> None:
    """The figures of the report: car parks by side, lots by what is odd about them."""
    sides = {row.known_by: row["count"] for row in job.few_rows(parks.groupBy("known_by").count())}
    for side, name in {"both": "on both sides", "information": "with information only"}.items():
        job.metric(f"car parks {name}", sides.get(side, 0))
    job.metric("car parks with availability only", sides.get("availability", 0))
    odd = [F.count_if("stale"), F.count_if("impossible"), F.sum("total_lots"), F.sum("available_lots")]
    [figures] = job.few_rows(lots.agg(*odd))
    names = ("stale lot types", "impossible lot types", "total lots", "available lots")
    for name, figure in zip(names, figures, strict=True):
        job.metric(name, figure or 0)


JOB = Job("carparks", Options, run)

if __name__ == "__main__":
    JOB.main()
