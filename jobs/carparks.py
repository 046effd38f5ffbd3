"""Car parks: static information joined with the newest reading of their lots."""

import argparse
import pathlib
import re
import sys

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pyspark.sql import DataFrame  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

from pipeline.job.context import Run  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from transforms import carparks  # noqa: E402

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> int:
    """Seconds from `90s`, `30m`, `24h` or `2d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration like 90s, 30m, 24h or 2d")
    return int(match[1]) * _UNITS[match[2]]


def check(options: argparse.Namespace) -> None:
    """A lookup table that is not there, or has another key, is told before Spark starts."""
    if options.lookup_table and not options.dry_run:
        from pipeline.sinks.dynamodb import check_table

        check_table(options.lookup_table)


JOB = Job(
    name="carparks",
    summary="Car parks with the sums of their lots, and every lot type with its age.",
    inputs=[
        Input("information", "car parks as CSV: " + ", ".join(carparks.INFORMATION_COLUMNS)),
        Input("availability", "saved answers of the availability API as JSON", kind="json"),
    ],
    options=[
        Option(
            "stale-after",
            duration,
            "24h",
            "readings older than this, against the newest answer, are stale",
            metavar="24h",
        ),
        Option(
            "lookup-table",
            str,
            None,
            "DynamoDB table to fill with the car parks, partition key id (string)",
            metavar="TABLE",
        ),
    ],
    check=check,
)


def body(run: Run) -> None:
    """Both inputs settled, the readings taken out of their answers, joined by number."""
    known = carparks.check_information(run.read_csv("information", carparks.INFORMATION))
    sent = carparks.check_answers(run.read_json("availability", carparks.ANSWER))
    information, answers = run.together(
        lambda: run.settle("information", known), lambda: run.settle("availability", sent, keep=True)
    )
    newest = carparks.keep_newest(carparks.readings(answers))
    lots = carparks.lot_rows(
        run.settle("availability.reading", newest, own_text=F.col("reading")), run.options.stale_after
    )
    parks = carparks.car_park_rows(information, lots)
    shown = carparks.shown_time("updated_at").alias("updated_at")
    published = parks.drop("known_by").withColumn("updated_at", shown)
    published_lots = lots.withColumn("updated_at", shown)
    run.together(
        lambda: tell(run, parks, lots),
        lambda: run.write_csv("carparks.csv", published, order=["car_park_no"]),
        lambda: run.write_csv("carpark_lots.csv", published_lots, order=["car_park_no", "lot_type"]),
    )
    if run.options.lookup_table:
        run.after_publish(lambda done: fill_lookup_table(done, published))


def tell(run: Run, parks: DataFrame, lots: DataFrame) -> None:
    """The figures of the report: car parks by side, lots by what is odd about them."""
    sides = dict(tuple(row) for row in parks.groupBy("known_by").count().collect())
    odd = lots.agg(F.count_if("stale"), F.count_if("impossible"), F.sum("total_lots"), F.sum("available_lots")).first()
    stale, impossible, total, available = odd if odd else (0, 0, 0, 0)
    figures = {
        "car parks on both sides": sides.get("both", 0),
        "car parks with information only": sides.get("information", 0),
        "car parks with availability only": sides.get("availability", 0),
        "stale lot types": stale,
        "impossible lot types": impossible,
        "total lots": total or 0,
        "available lots": available or 0,
    }
    for name, value in figures.items():
        run.figure(name, value)


def fill_lookup_table(run: Run, parks: DataFrame) -> None:
    """Puts every car park into the lookup table under its number, and removes what earlier runs left."""
    from pipeline.sinks.dynamodb import fill

    with run.stage("fill the lookup table"):
        # The read API asks for numbers in upper case.
        done = fill(parks.withColumn("id", F.upper("car_park_no")), run.options.lookup_table, run_id=run.run_id)
    run.figure(f"lookup table {run.options.lookup_table}", {"written": done.written, "removed": done.removed})


if __name__ == "__main__":
    JOB.main(body)
