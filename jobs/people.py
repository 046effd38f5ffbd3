"""People: names split, ages checked, an id that follows from the row, and on request a PostgreSQL table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, csv_input, option
from pipeline.job.outputs import Outputs, csv
from pipeline.job.runner import Job
from pipeline.sinks.catalog.delivery import CatalogOptions, glue_catalog
from pipeline.sinks.postgres.connection import (
    Database,
    Table,
    check_credentials,
    credentials,
    database_url,
    role_name,
    table_name,
)
from pipeline.sinks.postgres.load import Target, check_database, postgres
from transforms.people.table import KEY_COLUMNS, OUTPUT_COLUMNS, PEOPLE, people_table, tag_people
from transforms.row_errors import valid


def key_columns(text: str) -> tuple[str, ...]:
    """The columns that make the key, in the order of the file."""
    given = [name.strip() for name in text.split(",")]
    if not given or set(given) - set(KEY_COLUMNS):
        raise UsageError(f"--key {text}: expected one or more of {','.join(KEY_COLUMNS)}")
    return tuple(name for name in KEY_COLUMNS if name in given)


@dataclass
class Options(CatalogOptions):
    """People with first and last name and a stable id, as CSV and as a PostgreSQL table."""

    people: CsvInput = csv_input("people as CSV: fullname, age, location", columns=PEOPLE.names)
    database_url: Database | None = option(
        "load the table of this database; credentials from PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN",
        parse=database_url,
        metavar="postgresql://HOST[:PORT]/DATABASE",
    )
    table: Table = option("the table to load", "people", parse=table_name, metavar="[SCHEMA.]TABLE")
    reader: str | None = option(
        "a role that may read the table; made when it is not there, on Amazon RDS with log-in by IAM",
        parse=role_name,
        metavar="ROLE",
    )
    key: tuple[str, ...] = option(
        "what the id is made of; with fullname alone, a changed age or location updates",
        ",".join(KEY_COLUMNS),
        parse=key_columns,
        metavar="COLUMNS",
    )

    def prepare(self) -> Self:
        """A load needs credentials, and a database that takes them."""
        if self.database_url:
            check_credentials()
        if self.database_url and not self.dry_run:
            check_database(self.database_url, credentials())
        return super().prepare()


def run(job: JobContext, o: Options) -> Outputs:
    """Read and checked once; the file and the table come from the same rows."""
    people = job.record("people", tag_people(job.read_csv(o.people, PEOPLE), o.key))
    rows = people_table(valid(people))
    count = job.used("people")
    file = csv("people.csv", rows, order=["id"], row_count=count)
    return Outputs(
        file,
        glue_catalog(o.catalog, file),
        postgres(o.database_url, Target(o.table, OUTPUT_COLUMNS, key="id"), rows, row_count=count, reader=o.reader),
    )


JOB = Job("people", Options, run)

if __name__ == "__main__":
    JOB.main()
