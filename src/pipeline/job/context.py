"""What a job's `run` is given: it reads inputs, records what became of their rows, and adds to the report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.engines.base import Engine, RowCounter
from pipeline.errors import InputError, PipelineError, UsageError
from pipeline.job.options import CsvInput, Input, JobOptions, JsonInput
from pipeline.job.rejected_rows import RejectedRows, with_raw
from pipeline.readers.base import Reader, TableReader
from pipeline.readers.csv import typed as csv_typed
from pipeline.readers.csv.headers import FileHeaders, no_header
from pipeline.readers.csv.reader import csv_lines
from pipeline.readers.json import typed as json_typed
from pipeline.readers.json.framing.around import Around
from pipeline.readers.json.framing.envelope import NOTHING
from pipeline.readers.json.reader import json_records
from pipeline.readers.raw_lookup import check_places
from pipeline.readers.xlsx import xlsx_lines
from pipeline.reports import report
from pipeline.reports.counts import RecordCounts
from pipeline.reports.progress import Stages
from pipeline.reports.report import Report
from transforms.row_errors import ERROR, EXCLUDED, is_valid
from transforms.text import listed


@dataclass
class JobContext:
    """One run of a job. `engine`, `rejected` and the underscored fields are for the runner, not for jobs.

    `published`: the folder of the outputs, the destination or one below it (`--new-only`).
    """

    job: str
    run_id: str
    destination: str
    published: str
    options: JobOptions
    report: Report
    engine: Engine
    rejected: list[RejectedRows] = field(default_factory=list)
    _readers: dict[str, Reader] = field(default_factory=dict)
    _reads: dict[str, RowCounter] = field(default_factory=dict)
    _cached: list[DataFrame] = field(default_factory=list)
    _closed: bool = False

    def __post_init__(self) -> None:
        self.report.notes += self.options.notes
        self._stages = Stages(self.job, self.options.quiet)

    # reading

    def read_csv(self, source: CsvInput, schema: T.StructType, *, absent: Sequence[str] = ("",)) -> DataFrame:
        """The records of a CSV input: the schema's columns, `_source_file`, `_source_offset`, `_error`; one row per
        record.

        Columns are found by name in every file; a missing one is an `InputError`. A row that does not fit is rejected:
        see `readers.csv.typed.typed_rows`. Texts in `absent` (any case) are null.
        """
        reader = self._table_reader(source)
        headers = self._header_names(reader)
        for names, line, place in zip(headers, reader.headers, reader.header_places, strict=True):
            csv_typed.check_header(names, schema.fieldNames(), place, csv_typed.hint(line, reader.dialect))
        layouts = [csv_typed.layout(names, schema.fieldNames(), reader.dialect) for names in headers]
        marks = (reader.dialect.decimal, reader.dialect.thousands)
        return csv_typed.typed_rows(reader.fields(layouts), schema, absent=absent, marks=marks)

    def read_csv_text(self, source: CsvInput) -> DataFrame:
        """The lines of a CSV input as text: `_source_file`, `_source_offset`, `_raw`, `_error`; nothing is parsed."""
        return json_typed.tag_raw(self._table_reader(source).frame)

    def csv_header(self, source: CsvInput) -> list[str]:
        """The names in the header of an input's first file."""
        return self._header_names(self._table_reader(source))[0]

    def check_same_header(self, source: CsvInput, *, ordered: bool = False) -> None:
        """`InputError` for a file with other columns than the first file's header; `ordered`: or in another order.

        For a job that publishes all columns of its files, or splits their lines itself.
        """
        reader = self._table_reader(source)
        first, *others = self._header_names(reader)
        where = reader.header_places[0]
        apart = "files with other columns need a run of their own (--schema FILE keeps one set of columns)"
        for names, place in zip(others, reader.header_places[1:], strict=True):
            if more := [name for name in names if name not in first]:
                raise InputError(f"{place}: column {listed(more)} is not in the first header ({where}): {apart}")
            if missing := [name for name in first if name not in names]:
                raise InputError(f"{place}: missing column {listed(missing)}, as in {where}: {apart}")
            if ordered and names != first:
                have = f"have {listed(names)}, expected {listed(first)} as in {where}"
                raise InputError(f"{place}: {have}: where values are not quoted, files need one order of columns")

    def _header_names(self, reader: TableReader) -> list[list[str]]:
        return [
            csv_typed.header_names(line, place, reader.dialect)
            for line, place in zip(reader.headers, reader.header_places, strict=True)
        ]

    def read_json(self, source: JsonInput, schema: T.StructType, *, records_path: str = "") -> DataFrame:
        """The records of a JSON input: the schema's columns, `_source_file`, `_source_offset`, `_error`; one row per
        record.

        `records_path` finds the records in an envelope (`items.data`).
        """
        return json_typed.parse_records(self._json_records(source, records_path), schema)

    def read_json_text(self, source: JsonInput, *, records_path: str = "", around: Around = NOTHING) -> DataFrame:
        """The records of a JSON input as text: `_raw`, `_source_file`, `_source_offset`, `_error`; not parsed.

        `around`: what they take of the document that they are in, in one more column `_around`.
        """
        return json_typed.tag_raw(self._json_records(source, records_path, around))

    def keys_at_start(self, source: JsonInput) -> list[str]:
        """Keys at the beginning of a JSON input that is read."""
        reader: Any = self._readers[source.name]
        found: list[str] = reader.keys_at_start()
        return found

    def files_of(self, source: Input) -> list[str]:
        """The paths of an input that is read, by the number in `_source_file`."""
        return self._readers[source.name].files

    def _json_records(self, source: JsonInput, records_path: str, around: Around = NOTHING) -> DataFrame:
        with self.stage(f"plan {source.name}"):
            reader = json_records(
                self.engine.spark,
                source.files(),
                records=records_path,
                counter=self._counter(source),
                corrections=self.options.corrections_of(source.name),
                around=around,
            )
        self._add_reader(source, reader)
        return reader.frame

    def _table_reader(self, source: CsvInput) -> TableReader:
        known: Any = self._readers.get(source.name)
        reader: TableReader = known or self._new_table_reader(source)
        if not reader.headers:
            raise no_header(reader.files)
        return reader

    def _new_table_reader(self, source: CsvInput) -> TableReader:
        spark, counter = self.engine.spark, self._counter(source)
        corrections = self.options.corrections_of(source.name)
        with self.stage(f"plan {source.name}"):
            headers = source.headers(self.options.dialect())
            if isinstance(headers, FileHeaders):
                files = source.files()
                reader: TableReader = csv_lines(spark, files, headers=headers, counter=counter, corrections=corrections)
            elif corrections:
                raise UsageError(f"{corrections[0].place}: an .xlsx file is mended in the sheet itself")
            else:
                reader = xlsx_lines(spark, headers, counter=counter)
        self._add_reader(source, reader)
        return reader

    def _add_reader(self, source: Input, reader: Reader) -> None:
        self._readers[source.name] = reader
        self.counts(source.name).files = list(reader.files)
        self.counts(source.name).unit = "line" if isinstance(source, CsvInput) else "byte"
        self.counts(source.name).corrected = check_places(
            self.options.corrections_of(source.name), reader, self.engine.spark
        )

    def _counter(self, source: Input) -> RowCounter:
        # Counted where the reader makes the rows, so that a row that is lost later cannot hide.
        return self._reads.setdefault(source.name, self.engine.counter())

    # recording

    def record(
        self,
        name: str,
        frame: DataFrame,
        *,
        array_path: str = "",
        raw_column: str = "",
        may_be_empty: bool = False,
    ) -> DataFrame:
        """Counts what became of the rows of an input and returns the frame, cached, for outputs to be made of.

        In: every row of the input once, with `_error` as the job's checks left it. `name`: the input, or `input.part`
        for what was exploded out of its records; then `array_path` (rows are elements of the array at these keys of
        their records, `_index` is their place) or `raw_column` (a column of text, or a struct) gives their raw text.
        `may_be_empty` allows an input without any usable row. Rows with an error go to quarantine or excluded once the
        job's `run` has returned.
        """
        self._check_open(name)
        with self.stage(f"read {name}"):
            kept = self.cached(frame)
            found = kept.groupBy(*_by_error()).agg(*_rows_and_files()).collect()
        self._add_counts(name, kept, found, array_path, raw_column, may_be_empty)
        return kept

    def record_exploded(self, name: str, frame: DataFrame, part: str, *, array_path: str) -> DataFrame:
        """Counts the records of an input and the parts that they were exploded into, in one pass; returns the parts.

        In: one row per part, an element of the array at `array_path`, with its place in `_index`; and one row without
        `_index` per record that has no parts, with its `_error`. The parts are the input `name.part` of the report.
        """
        self._check_open(name)
        with self.stage(f"read {name}"):
            kept = self.cached(frame)
            is_part = F.col("_index").isNotNull()
            first = F.count_if(F.col("_index") == 0).alias("first")
            found = kept.groupBy(is_part.alias("is_part"), *_by_error()).agg(*_rows_and_files(), first).collect()
        whole = [row for row in found if not row.is_part]
        parts = [row for row in found if row.is_part]
        self._add_counts(name, kept.where(~is_part), whole, "", "", False)
        # A record with parts is used, whatever became of them: each has one part with the index 0.
        self.counts(name).used += sum(row["first"] for row in parts)
        self._add_counts(f"{name}.{part}", kept.where(is_part), parts, array_path, "", False)
        return kept.where(is_part)

    def record_used(self, **counted: int) -> None:
        """Takes what was used of inputs from where it was used, counted anew there; the check of the run compares."""
        for name, used in counted.items():
            self.counts(name).used = used

    def _check_open(self, name: str) -> None:
        if self._closed or any(one.name == name for one in self.rejected):
            raise PipelineError(f"input {name} is recorded already: its quarantine is written once, after all checks")

    def _add_counts(
        self,
        name: str,
        kept: DataFrame,
        found: Sequence[Row],
        array_path: str,
        raw_column: str,
        may_be_empty: bool,
    ) -> None:
        counts = self.counts(name)
        counts.may_be_empty = may_be_empty
        by_error = {(row.kind, row.code): row.rows for row in found if row.kind}
        counts.used = sum(row.rows for row in found if not row.kind)
        counts.excluded = {code: rows for (kind, code), rows in by_error.items() if kind == EXCLUDED}
        counts.rejected = {code: rows for (kind, code), rows in by_error.items() if kind != EXCLUDED}
        read = self._reads.get(name)
        counts.read = read.value() if read else counts.used + sum(by_error.values())
        files = frozenset(number for row in found if row.kind for number in row.files)
        reader = self._readers[name.partition(".")[0]]
        rows = kept.where(~is_valid())
        self.rejected.append(RejectedRows(name, rows, reader, by_error, files, array_path, raw_column))

    def reused(self, frame: DataFrame, key: str = "") -> DataFrame:
        """The frame, made once although a check between its rows reads it more than once; `key`: of equal rows."""
        with self.stage("parse"):
            kept = self.engine.reused(frame, key)
        self._cached.append(kept)
        return kept

    def checked(
        self, frame: DataFrame, check: Callable[[DataFrame], DataFrame], *, equal: Sequence[str] = ()
    ) -> DataFrame:
        """What a check of `transforms.checks` makes of an input's records, in the way that suits the engine.

        `equal`: the columns in which the rows that the check compares are equal.
        """
        with self.stage("check"):
            kept = self.engine.checked(frame, check, equal)
        self._cached.append(kept)
        return kept

    def cached(self, frame: DataFrame) -> DataFrame:
        """The frame with its rows kept, once they are made, until the run ends: for one that is used more than once."""
        kept = self.engine.cache(frame)
        self._cached.append(kept)
        return kept

    def close(self) -> None:
        """Nothing can be recorded any more."""
        self._closed = True

    def release(self) -> None:
        """Gives back the cached rows."""
        for frame in self._cached:
            self.engine.release(frame)

    # reporting

    def counts(self, name: str) -> RecordCounts:
        """The counts of an input, made on first use."""
        return self.report.counts.setdefault(name, RecordCounts(name))

    def used(self, name: str) -> int:
        """How many rows of a recorded input are used."""
        return self.counts(name).used

    def few_rows(self, frame: DataFrame, most: int = 100_000) -> list[Row]:
        """The rows of a frame that does not grow with the data; `PipelineError` when there are more than `most`."""
        rows = frame.limit(most + 1).collect()
        if len(rows) > most:
            raise PipelineError(f"more than {most} rows where a few were expected: {', '.join(frame.columns)}")
        return rows

    def note(self, text: str) -> None:
        """Adds a line to the report's notes."""
        self.report.notes.append(text)

    def metric(self, name: str, value: Any) -> None:
        """Adds a figure to the report."""
        self.report.figures[name] = value

    def print(self, shown: Any) -> None:
        """Prints a text, or what rich can render, on the terminal, unless the run is quiet."""
        if not self.options.quiet:
            report.console().print(shown)

    def show(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Prints a table on the terminal, unless the run is quiet."""
        if not self.options.quiet:
            report.table(title, headers, rows)

    def show_rejected(self, name: str, most: int) -> None:
        """Prints the first rows of a recorded CSV input that are not used: place, reason, detail, text."""
        [one] = [rows for rows in self.rejected if rows.name == name]
        texts = with_raw([one]).orderBy("file", "position").limit(most)
        rows = [
            [f"{PurePosixPath(row.file).name}, line {row.position}", row.code, row.detail, row.raw]
            for row in self.few_rows(texts)
        ]
        if rows:
            self.show("First rows that are not used", ["place", "reason", "detail", "row"], rows)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage for the report and shows its progress; stages with one name add up."""
        with self._stages.track(name, self.engine), self.report.timed(name):
            yield


def _by_error() -> tuple[Column, Column]:
    return F.col(f"{ERROR}.kind").alias("kind"), F.col(f"{ERROR}.code").alias("code")


def _rows_and_files() -> tuple[Column, Column]:
    """How many rows, and the numbers of their files where they have an error."""
    files = F.collect_set(F.when(~is_valid(), F.col("_source_file"))).alias("files")
    return F.count(F.lit(1)).alias("rows"), files
