"""Published tables in the Glue Data Catalog, on request.

class Options(CatalogOptions): ...                 # --catalog DATABASE
return Outputs(details, glue_catalog(options.catalog, details))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pipeline import storage
from pipeline.errors import DeliveryError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import JobOptions, option
from pipeline.job.outputs import Delivery, ParquetOutput, TextOutput
from pipeline.job.tables.options import ICEBERG, TableOptions
from pipeline.sinks.catalog.athena import Column, TableFile

if TYPE_CHECKING:
    from pipeline.sinks.catalog.glue import Catalog


@dataclass
class CatalogOptions(JobOptions):
    """The options of jobs whose tables may be in the catalog."""

    catalog: str = option(
        "register the tables, published as folders of parts, in this database of the Glue Data Catalog",
        "",
        metavar="DATABASE",
    )

    def prepare(self) -> Self:
        """Refuses what cannot be meant, and a database that is not there."""
        if self.glue_database:
            self.files = "parts"  # Athena reads all files of a folder
            if self.destination and not storage.is_s3(self.destination):
                raise UsageError(f"--catalog needs a destination on S3, not {self.destination}")
            if not self.dry_run:
                from pipeline.sinks.catalog.glue import check_database  # boto3 takes its time to load

                check_database(self.catalog)
        return self

    @property
    def glue_database(self) -> str:
        """The database that registers the tables; empty for none."""
        return self.catalog


class TableCatalogOptions(TableOptions, CatalogOptions):
    """The same for jobs whose `--catalog` can be one of Iceberg."""

    @property
    def glue_database(self) -> str:
        """Tables of Iceberg are in their catalog already."""
        return "" if self.format == ICEBERG else self.catalog


def glue_catalog(database: str, *outputs: TextOutput | ParquetOutput | TableFile) -> Delivery | None:
    """Registers the tables once their files are published; None without a database.

    Before anything is published, changes that Athena does not allow end the run: `UsageError` with all of them.
    """
    if not database:
        return None
    files = [one if isinstance(one, TableFile) else _described(one) for one in outputs]

    def catalog(job: JobContext) -> Catalog:
        """The catalog for this run."""
        from pipeline.sinks.catalog.glue import Catalog

        return Catalog.of_run(database, job.published, job.job, job.run_id)

    def check(job: JobContext) -> None:
        """Refuses what could not be registered."""
        if problems := [*_clashes(files), *_problems(files, catalog(job).check)]:
            raise UsageError(f"--catalog {database}: {'; '.join(problems)}; nothing was published")

    def deliver(job: JobContext) -> None:
        """Makes or updates the tables."""
        if problems := _problems(files, catalog(job).register):
            rest = "the files are published, running again registers them"
            raise DeliveryError(f"catalog {database}: {'; '.join(problems)}; {rest}")
        job.metric(f"catalog {database}", [file.name for file in files])

    return Delivery(f"register in {database}", deliver, check)


def _described(output: TextOutput | ParquetOutput) -> TableFile:
    types = dict(output.frame.dtypes)
    return TableFile(output.file, tuple(Column(name, types[name]) for name in output.columns))


def _clashes(files: Iterable[TableFile]) -> list[str]:
    names = [file.name for file in files]
    return [f"several tables are named {name}" for name in sorted({one for one in names if names.count(one) > 1})]


def _problems(files: Iterable[TableFile], work: Callable[[TableFile], None]) -> list[str]:
    """What the work says of each file; the first answer of AWS itself ends it."""
    from pipeline.sinks.catalog.glue import ERRORS

    found: list[str] = []
    for file in files:
        try:
            work(file)
        except UsageError as error:
            found.append(str(error))
        except ERRORS as error:
            return [*found, f"table {file.name}: {error}"]
    return found
