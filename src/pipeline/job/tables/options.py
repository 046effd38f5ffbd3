"""Options of a job whose tables can go to an Iceberg catalog."""

from __future__ import annotations

import datetime
import importlib.util
from dataclasses import dataclass
from typing import Self

from pipeline.errors import UsageError
from pipeline.job.options import day, option
from pipeline.job.tables.schema_file import SchemaOptions
from pipeline.publish.table_target import TableTarget

ICEBERG = "iceberg"
FORMATS = ("csv", "jsonl", "parquet", ICEBERG)


@dataclass
class TableOptions(SchemaOptions):
    """The options of such a job for its tables; the job's own class has `format`."""

    format: str = option("format of the tables", "csv", choices=FORMATS)
    catalog: str = option(
        "database of the Glue Data Catalog that registers the tables, published as folders of parts; with"
        " --format iceberg: Iceberg catalog, CATALOG or CATALOG.NAMESPACE",
        "",
        metavar="NAME",
    )
    day: datetime.date | None = option(
        "the day of the rows: they replace that day's rows in the tables", parse=day, metavar="YYYY-MM-DD"
    )

    quarantine_table: bool = option("rejected and excluded rows as a table of Iceberg, too: NAME_quarantine", False)

    def prepare(self) -> Self:
        """Refuses what cannot be meant, and a catalog that does not answer."""
        if self.format == ICEBERG and not self.catalog:
            raise UsageError("--format iceberg needs --catalog NAME")
        if self.new_only and (self.day or self.merges):
            raise UsageError("--new-only replaces the rows of changed files: it does not go with --day and --merge")
        for name in ("day", "quarantine_table"):
            if getattr(self, name) and self.format != ICEBERG:
                raise UsageError(f"--{name.replace('_', '-')} goes with --format iceberg")
        if self.format == ICEBERG and importlib.util.find_spec("pyiceberg") is None:
            raise UsageError("--format iceberg needs pyiceberg: make iceberg, or pip install 'pyiceberg[sql-sqlite]'")
        if self.format == ICEBERG:
            from pipeline.publish.iceberg.catalog import check_catalog  # only a run with such tables has pyiceberg

            check_catalog(self.catalog, self.destination)
        return super().prepare()

    @property
    def has_snapshots(self) -> bool:
        """Tables of Iceberg keep each run."""
        return self.format == ICEBERG

    @property
    def merges(self) -> bool:
        """Whether rows replace those with the same keys."""
        return False

    @property
    def rows_format(self) -> str:
        """How rows are made: tables of Iceberg have Parquet files."""
        return "parquet" if self.format == ICEBERG else self.format

    def target(self, root: str, key: tuple[str, ...] = ()) -> TableTarget | None:
        """The tables that take the rows, None for files; `key`: see `TableTarget`."""
        if self.format != ICEBERG:
            return None
        return TableTarget(self.catalog, root, self.day, self.merges, self.quarantine_table, key)
