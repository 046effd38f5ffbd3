"""A run of a job: what a job's body calls to read, settle, write and tell."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline import csv_source, json_source, quarantine, records, report, sheet_source, storage
from pipeline.accounts import Account
from pipeline.errors import InputError
from pipeline.outputs import Outputs
from pipeline.progress import stage_progress
from pipeline.report import Report
from transforms.problems import PROBLEM
from transforms.text import csv_header, csv_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


AnyScan = records.Scan | sheet_source.SheetScan


class Run:
    """One run: options, session, accounts, outputs and report. Made by `Job`; used by the job's body.

    Attributes: `spark`, `options` (an attribute per option), `job`, `run_id`, `destination`, `dry_run`, `outputs`, `report`.
    """

    def __init__(self, job: str, options: argparse.Namespace, run_id: str, outputs: Outputs, told: Report) -> None:
        self.job, self.options, self.run_id = job, options, run_id
        self.outputs, self.report = outputs, told
        self.destination, self.dry_run = outputs.destination, outputs.dry_run
        self.spark: SparkSession
        self._scans: dict[str, AnyScan] = {}
        self._reads: dict[str, Observation] = {}
        self._files: dict[str, list[storage.FileInfo]] = {}
        self._kept: dict[str, DataFrame] = {}
        self._unwritten: list[quarantine.Settled] = []
        self._after: list[Callable[[Run], None]] = []

    # reading

    def files(self, name: str) -> list[storage.FileInfo]:
        """The files of an input; `InputError` when a path gives none."""
        if name not in self._files:
            given = getattr(self.options, name.replace("-", "_"))
            found = {info.path: info for pattern in given for info in storage.list_files(pattern)}
            if not found:
                raise InputError(f"--{name}: no files")
            self._files[name] = [found[path] for path in sorted(found, key=str.encode)]
        return self._files[name]

    def _remember(self, name: str, scan: AnyScan) -> AnyScan:
        self._scans[name] = scan
        self.account(name).files = list(scan.files)
        return scan

    def _counted(self, name: str) -> DataFrame:
        # Counted where the reader gives the rows, so that a row lost later on cannot hide.
        self._reads[name] = counts = Observation(f"read {name}")
        return self._scans[name].frame.observe(counts, F.count(F.lit(1)).alias("read"))

    def scan_of(self, name: str) -> AnyScan:
        """The scan behind an input; `restaurants.event` stands on the scan of `restaurants`."""
        return self._scans[name.partition(".")[0]]

    def records_read(self, name: str) -> int | None:
        """How many records the reader gave, once a pass is over; None for what was exploded out of an input."""
        return int(self._reads[name].get["read"]) if name in self._reads else None

    def csv_header(self, name: str, delimiter: str = ",") -> list[str]:
        """The names in the header of an input's first file."""
        scan = self._csv_scan(name, False)
        return csv_source.header_names(scan.headers[0], delimiter)

    def _csv_scan(self, name: str, multi_line: bool) -> AnyScan:
        if name not in self._scans:
            with self.stage(f"plan {name}"):
                files = self.files(name)
                if any(info.path.lower().endswith(".xlsx") for info in files):
                    self._remember(name, self._sheet(name, files))
                else:
                    self._remember(name, records.csv_lines(self.spark, files, multi_line=multi_line or self.options.multi_line))
        scan = self._scans[name]
        if not scan.headers:
            raise InputError(f"{', '.join(scan.files[:3])}: empty, there is not even a header line")
        return scan

    def _sheet(self, name: str, files: list[storage.FileInfo]) -> AnyScan:
        if len(files) > 1:
            raise InputError(f"--{name}: one .xlsx file at a time, have {', '.join(info.path for info in files[:3])}")
        return sheet_source.sheet_lines(self.spark, files[0].path)

    def read_csv(
        self,
        name: str,
        schema: T.StructType | None,
        *,
        absent: Sequence[str] = ("",),
        delimiter: str = ",",
        multi_line: bool = False,
    ) -> DataFrame:
        """The records of a CSV input as a tagged frame: the schema's columns, `_file`, `_position`, `_problem`.

        Without a schema every column of the first header is read as text. Columns are found by name in every file;
        a missing one is an `InputError`. Rejected rows: see `csv_source.parse_lines`.
        """
        scan = self._csv_scan(name, multi_line)
        headers = [csv_source.header_names(line, delimiter) for line in scan.headers]
        chosen = schema if schema is not None else csv_source.text_schema(headers[0])
        for names, file in zip(headers, scan.header_files, strict=True):
            csv_source.check_header(names, chosen.fieldNames(), file)
        return csv_source.parse_lines(self._counted(name), headers, chosen, absent=absent, delimiter=delimiter)

    def read_json(self, name: str, schema: T.StructType, *, records_path: str = "") -> DataFrame:
        """The records of a JSON input as a tagged frame; `records_path` finds them in an envelope (`items.data`)."""
        return json_source.parse_records(self._json_scan(name, records_path), schema)

    def scan_json(self, name: str, *, records_path: str = "") -> DataFrame:
        """The records of a JSON input as text: `_file`, `_position`, `_raw`, `_problem`; nothing is parsed."""
        return json_source.tag_raw(self._json_scan(name, records_path))

    def _json_scan(self, name: str, records_path: str) -> DataFrame:
        with self.stage(f"plan {name}"):
            self._remember(name, records.json_records(self.spark, self.files(name), records=records_path))
        return self._counted(name)

    # settling

    def account(self, name: str) -> Account:
        """The account of an input, made on first use."""
        return self.report.accounts.setdefault(name, Account(name))

    def settle(
        self,
        name: str,
        tagged: DataFrame,
        *,
        keep: bool = False,
        raw: Callable[[Column], Column] | None = None,
        may_be_empty: bool = False,
    ) -> DataFrame:
        """Counts an input's rows, keeps the ones with a problem on file, and returns the rows to use.

        One pass fills the cache and counts. `raw` takes a record's text and gives the part that belongs to the row
        (when a record was exploded). `keep=True` leaves `_file` and `_position` on the rows. `may_be_empty` allows an
        input without any usable record. Columns that begin with `_` are bookkeeping and go, unless kept.
        """
        account = self.account(name)
        account.may_be_empty = may_be_empty
        with self.stage(f"read {name}"):
            settled = quarantine.settle(self, tagged, account, raw)
        self._kept[name] = settled.kept
        self._unwritten.append(settled)
        used = settled.kept.where(F.col(PROBLEM).isNull())
        return used.drop(PROBLEM) if keep else used.drop(*[name for name in used.columns if name.startswith("_")])

    def kept(self, name: str) -> DataFrame:
        """All rows of a settled input, tagged, from the cache: for outputs that use some of the excluded rows too."""
        return self._kept[name]

    # writing

    def _quarantine_first(self) -> None:
        """What is not used is on file before any output is."""
        if self._unwritten:
            with self.stage("write quarantine"):
                quarantine.flush(self, self._unwritten)
            self._unwritten = []

    def write_csv(self, file: str, frame: DataFrame, *, order: Sequence[str] = (), absent: str = "NA") -> int:
        """Writes all columns of the frame as one CSV file (RFC 4180), rows in the given order; returns their number."""
        line = csv_line(frame.columns, absent).alias("value")
        self._quarantine_first()
        with self.stage(f"write {file}"):
            ordered = frame.select(*[f"`{column}`" for column in frame.columns], line)
            return self.outputs.lines(file, ordered, [f"`{column}`" for column in order], csv_header(frame.columns))

    def write_jsonl(self, file: str, frame: DataFrame, *, order: Sequence[str] = ()) -> int:
        """Writes the string column `value`, a JSON document a line, rows in the given order; returns their number."""
        return self.write_lines(file, frame, order=order)

    def write_lines(self, file: str, frame: DataFrame, *, order: Sequence[str] = (), header: str = "") -> int:
        """Writes the string column `value`, one line a row, after the header, in the given order."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            return self.outputs.lines(file, frame, order, header)

    def write_parquet(self, file: str, frame: DataFrame, *, order: Sequence[str] = ()) -> int:
        """Writes the frame as a folder of Parquet parts; returns the number of rows."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            return self.outputs.parquet(file, frame, order)

    def write_bytes(self, file: str, data: bytes, rows: int) -> None:
        """Writes bytes that the driver holds: small things only (a picture, a table of a fixed handful of rows)."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            self.outputs.data(file, data, rows)

    # telling

    def note(self, text: str) -> None:
        """Adds a line to the report's notes."""
        self.report.notes.append(text)

    def figure(self, name: str, value: Any) -> None:
        """Adds a figure to the report."""
        self.report.figures[name] = value

    def show(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Prints a table on the terminal, unless the run is quiet."""
        if not self.options.quiet:
            report.table(title, headers, rows)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage for the report and shows its progress; stages with one name add up."""
        started = time.monotonic()
        with stage_progress(getattr(self, "spark", None), self.job, name, self.options.quiet):
            try:
                yield
            finally:
                self.report.seconds[name] = self.report.seconds.get(name, 0.0) + time.monotonic() - started

    def after_publish(self, action: Callable[[Run], None]) -> None:
        """Calls `action(run)` when the files are published (messages, tables); not in a dry run."""
        self._after.append(action)

    # the end

    def finish(self) -> None:
        """Checks the accounts, publishes, and does what comes after; raises before anything is published."""
        self._quarantine_first()
        for account in self.report.accounts.values():
            account.check(self.options.max_rejected)
        if self.dry_run:
            self.report.outputs = {name: {"rows": o.rows, "bytes": None} for name, o in self.outputs.staged.items()}
            return
        with self.stage("publish"):
            self.report.outputs = self.outputs.publish()
        for action in self._after:
            action(self)

    def release(self) -> None:
        """Gives back the kept rows."""
        for frame in self._kept.values():
            frame.unpersist()
