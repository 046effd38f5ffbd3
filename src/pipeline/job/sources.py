"""The reading half of a run: inputs by name, as tagged frames, each counted where the reader gives its records."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline import storage
from pipeline.errors import InputError
from pipeline.job.counts import Account
from pipeline.job.progress import Stages
from pipeline.job.report import Report
from pipeline.readers import records
from pipeline.readers import xlsx as sheet_source
from pipeline.readers.csv import typed as csv_source
from pipeline.readers.json import typed as json_source

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AnyScan = records.Scan | sheet_source.SheetScan


class Sources:
    """The inputs of one run."""

    spark: SparkSession

    def __init__(self, options: argparse.Namespace, told: Report) -> None:
        self.options, self.report = options, told
        self._stages = Stages(told.job, options.quiet)
        self._scans: dict[str, AnyScan] = {}
        self._reads: dict[str, Observation] = {}
        self._files: dict[str, list[storage.FileInfo]] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage for the report and shows its progress; stages with one name add up."""
        with self._stages.shown(name, getattr(self, "spark", None)), self.report.timed(name):
            yield

    def account(self, name: str) -> Account:
        """The account of an input, made on first use."""
        return self.report.accounts.setdefault(name, Account(name))

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

    def _counted(self, name: str, frame: DataFrame) -> DataFrame:
        # Counted where the reader gives the rows, so that a row lost later on cannot hide.
        self._reads[name] = counts = Observation(f"read {name}")
        return frame.observe(counts, F.count(F.lit(1)).alias("read"))

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
                    self._remember(
                        name, records.csv_lines(self.spark, files, multi_line=multi_line or self.options.multi_line)
                    )
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
        a missing one is an `InputError`. Rejected rows: see `csv_source.typed_rows`.
        """
        scan = self._csv_scan(name, multi_line)
        headers = [csv_source.header_names(line, delimiter) for line in scan.headers]
        chosen = schema if schema is not None else csv_source.text_schema(headers[0])
        for names, file in zip(headers, scan.header_files, strict=True):
            csv_source.check_header(names, chosen.fieldNames(), file)
        layouts = [csv_source.layout(names, chosen.fieldNames(), delimiter) for names in headers]
        return csv_source.typed_rows(self._counted(name, scan.fields(layouts)), chosen, absent=absent)

    def scan_csv(self, name: str) -> DataFrame:
        """The lines of a CSV input as text: `_file`, `_position`, `_raw`, `_problem`; nothing is parsed."""
        return json_source.tag_raw(self._counted(name, self._csv_scan(name, False).frame))

    def read_json(self, name: str, schema: T.StructType, *, records_path: str = "") -> DataFrame:
        """The records of a JSON input as a tagged frame; `records_path` finds them in an envelope (`items.data`)."""
        return json_source.parse_records(self._json_scan(name, records_path), schema)

    def scan_json(self, name: str, *, records_path: str = "") -> DataFrame:
        """The records of a JSON input as text: `_file`, `_position`, `_raw`, `_problem`; nothing is parsed."""
        return json_source.tag_raw(self._json_scan(name, records_path))

    def _json_scan(self, name: str, records_path: str) -> DataFrame:
        with self.stage(f"plan {name}"):
            scan = self._remember(name, records.json_records(self.spark, self.files(name), records=records_path))
        return self._counted(name, scan.frame)
