"""People: names split, ages checked, an id that follows from the row, and on request a PostgreSQL table."""

import argparse
import pathlib
import sys

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pyspark.sql import DataFrame  # noqa: E402

from pipeline.sinks.postgres.connection import check_credentials, credentials, database_url, table_name  # noqa: E402
from pipeline.sinks.postgres.load import Target, load  # noqa: E402
from pipeline.errors import UsageError  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from transforms.people import KEY_COLUMNS, OUTPUT_COLUMNS, PEOPLE, people_table, tag_people  # noqa: E402


def key_columns(text: str) -> tuple[str, ...]:
    """The columns that tell people apart, in the order of the file."""
    given = [name.strip() for name in text.split(",")]
    if not given or set(given) - set(KEY_COLUMNS):
        raise UsageError(f"--key {text}: expected one or more of {','.join(KEY_COLUMNS)}")
    return tuple(name for name in KEY_COLUMNS if name in given)


def check(options: argparse.Namespace) -> None:
    """`UsageError` before Spark starts when a load could not even begin."""
    if options.database_url:
        check_credentials()


JOB = Job(
    name="people",
    summary="People with first and last name and a stable id, as CSV and as a PostgreSQL table.",
    inputs=[Input("people", "people as CSV: fullname, age, location")],
    options=[
        Option(
            "database-url",
            database_url,
            None,
            "load the table of this database; credentials from PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN",
            metavar="postgresql://HOST[:PORT]/DATABASE",
        ),
        Option("table", table_name, "people", "the table to load", metavar="[SCHEMA.]TABLE"),
        Option(
            "key",
            key_columns,
            ",".join(KEY_COLUMNS),
            "what the id is made of; with fullname alone, a changed age or location updates",
            metavar="COLUMNS",
        ),
    ],
    check=check,
)


def body(run: Run) -> None:
    """Read and settled once; the file and the table come from the same kept rows."""
    tagged = tag_people(run.read_csv("people", PEOPLE), run.options.key)
    people = people_table(run.settle("people", tagged))
    rows = run.write_csv("people.csv", people, order=["id"])
    if run.options.database_url:
        run.after_publish(lambda published: load_table(published, people, rows))


def load_table(run: Run, people: DataFrame, rows: int) -> None:
    """Loads the published people into the table and reports what changed there."""
    target = Target(run.options.table, OUTPUT_COLUMNS, key="id")
    with run.stage("load the table"):
        result = load(people, rows, target, run.options.database_url, credentials(), run.run_id)
    run.figure(
        f"table {run.options.table.quoted}",
        {"inserted": result.inserted, "updated": result.updated, "unchanged": result.unchanged},
    )


if __name__ == "__main__":
    JOB.main(body)
