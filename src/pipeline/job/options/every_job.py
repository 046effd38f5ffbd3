"""The options of every job, and of every job with CSV inputs."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import ClassVar, Self, TypeVar

import pipeline.job.options.values as values
from pipeline.engines import ENGINES
from pipeline.errors import UsageError
from pipeline.job.options.fields import option
from pipeline.job.options.inputs import CsvInput, Input
from pipeline.readers.corrections import Correction, read_corrections
from pipeline.readers.csv.headers import no_header
from pipeline.readers.csv.typed import header_names, hint
from pipeline.readers.dialect import Dialect
from pipeline.reports.counts import Limit, limit

# The options of jobs with CSV inputs.
CSV_OPTIONS = tuple(one.name for one in dataclasses.fields(Dialect))


@dataclass
class JobOptions:
    """The options that every job has; a job's own class adds its inputs and options, its docstring is the summary."""

    destination: str = option("folder or s3:// prefix that gets the outputs", metavar="DIR")
    run_id: str | None = option(
        "name of this run; default: time and a short random tail", parse=values.run_id, metavar="ID"
    )
    max_rejected: Limit = option(
        "rejected records allowed in each input: a share or a number", "5%", parse=limit, metavar="1%|N"
    )
    files: str = option("one named file per output, or a folder of parts", "single", choices=("single", "parts"))
    engine: str = option(
        "embedded: in this process, without Java; spark: local or on a cluster", "auto", choices=ENGINES
    )
    dry_run: bool = option("read and check everything, show what would be written, write and send nothing", False)
    quiet: bool = option("print nothing but errors", False)
    json: bool = option("print the content of report.json on stdout, and else nothing but errors", False)
    keep_runs: int | None = option(
        "keep the folders of so many finished runs under DIR/_runs, this one included",
        parse=values.positive,
        metavar="N",
    )
    new_only: bool = option(
        "read only files that no finished run of this destination has read; each run's outputs in DIR/run=ID", False
    )
    corrections: str = option(
        "lines as quarantine has them, with mended raw: read in place of the files'", "", metavar="FILE"
    )
    multi_line: bool = option("quoted values of CSV inputs may hold line breaks (slower)", False)
    delimiter: str = option("what separates the columns of CSV inputs (\\t: tab)", ",", parse=values.character)
    quote: str = option("what quotes values of CSV inputs; none: quotes are text", '"', parse=values.character_or_none)
    encoding: str = option("encoding of CSV inputs without a byte order mark", "utf-8", parse=values.encoding)
    skip_lines: int = option("lines before the header of each CSV input", 0, parse=values.whole_number, metavar="N")
    header: tuple[str, ...] = option("columns of CSV inputs without a header line: a,b,c", split=values.comma_separated)
    comment: tuple[str, ...] = option(
        "what lines of CSV inputs begin with that are no records: '#,Total'", split=values.words
    )
    escape: str = option("what makes the next character text in CSV inputs: \\", "", parse=values.character_or_nothing)
    decimal: str = option("what is before the decimals in number columns of CSV inputs", ".", parse=values.character)
    thousands: str = option(
        "what is between thousands in number columns of CSV inputs", "", parse=values.character_or_nothing
    )
    notes: list[str] = field(default_factory=list, kw_only=True)

    # Inputs that --new-only reads whole each time: what the others are joined with.
    reference_inputs: ClassVar[tuple[str, ...]] = ()

    @property
    def has_snapshots(self) -> bool:
        """Whether runs are kept in tables."""
        return False

    def prepare(self) -> Self:
        """Checks the options as a whole, before an engine starts; returns them, changed where that is needed."""
        return self

    def dialect(self) -> Dialect:
        """How the CSV inputs are written."""
        if self.decimal == self.thousands:
            raise UsageError(f"--decimal and --thousands are both '{self.decimal}'")
        return Dialect(**{name: getattr(self, name) for name in CSV_OPTIONS})

    def header_of(self, source: CsvInput) -> tuple[list[str], str]:
        """The names in an input's first header, and the end of a message where it looks like another dialect's.

        Needs no engine.
        """
        headers = source.headers(self.dialect())
        # Nearly always the first file has one.
        found = headers.of_files(1) if headers.of_files(1).lines else headers.of_files()
        if not found.lines:
            raise no_header([info.path for info in source.files()])
        line = found.lines[0]
        return header_names(line, found.places[0], headers.dialect), hint(line, headers.dialect)

    @functools.cached_property
    def all_corrections(self) -> list[Correction]:
        """What `--corrections` has, read once."""
        return read_corrections(self.corrections) if self.corrections else []

    def corrections_of(self, name: str) -> list[Correction]:
        """What `--corrections` has for an input."""
        return [one for one in self.all_corrections if one.input == name]

    def inputs(self) -> list[Input]:
        """The job's inputs, in order."""
        values = [getattr(self, one.name) for one in dataclasses.fields(self)]
        return [value for value in values if isinstance(value, Input)]


Options = TypeVar("Options", bound=JobOptions)
