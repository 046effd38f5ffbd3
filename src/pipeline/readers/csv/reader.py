"""CSV files as a frame of records, read in parallel with bounded memory."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.engines.base import RowCounter
from pipeline.engines.registry import engine_of
from pipeline.engines.tasks import run_tasks
from pipeline.errors import UsageError
from pipeline.readers import spans
from pipeline.readers.base import RECORDS, Layout, RawSource, fields_schema, splits_by_file
from pipeline.readers.corrections import Correction, Corrections, at_offsets, by_file
from pipeline.readers.csv import fields as csv_fields
from pipeline.readers.csv.headers import FileHeaders
from pipeline.readers.csv.line_numbers import lines_before
from pipeline.readers.csv.lines import csv_records
from pipeline.readers.csv.tasks import csv_spans, csv_task
from pipeline.readers.dialect import RFC_4180, Dialect
from pipeline.readers.splits import FileSplit, assign_splits, ranges, task_bytes
from pipeline.storage import FileInfo


@dataclass
class CsvReader:
    """CSV records: see `readers.base.TableReader`."""

    spark: SparkSession
    files: list[str]
    headers: list[str]
    header_places: list[str]
    splits: list[FileSplit]
    tasks: list[list[FileSplit]]
    layout_of_file: list[int]
    dialect: Dialect = RFC_4180
    counter: RowCounter | None = None
    corrections: Corrections = field(default_factory=dict)

    @functools.cached_property
    def frame(self) -> DataFrame:
        """The records as text."""
        tasks, dialect, corrections = self.tasks, self.dialect, self.corrections

        def work(number: int) -> Iterator[pa.RecordBatch]:
            """The records of a task as `RECORDS`."""
            finds = csv_task(tasks[number], dialect, corrections)
            return spans.batches((file, csv_fields.with_unclosed(one, dialect)) for file, one in finds)

        return run_tasks(self.spark, len(tasks), work, RECORDS, self.counter)

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The records parsed into the fields that the layouts want, in place of their text."""
        tasks, layout_of_file, dialect = self.tasks, self.layout_of_file, self.dialect
        corrections = self.corrections

        def work(number: int) -> Iterator[pa.RecordBatch]:
            """The fields of a task's records."""
            found = csv_task(tasks[number], dialect, corrections)
            return csv_fields.batches((file, spans, layouts[layout_of_file[file]]) for file, spans in found)

        return run_tasks(self.spark, len(tasks), work, fields_schema(len(layouts[0].wanted)), self.counter)

    def raw_source(self, files: frozenset[int] | None = None) -> RawSource:
        """For fetching texts; places are physical lines."""
        splits = splits_by_file(self.splits, files)
        read = partial(csv_spans, dialect=self.dialect)
        lines = lines_before(self.spark, splits)
        return RawSource(self.files, splits, read, lines, self.dialect.skip_lines, corrections=self.corrections)


def csv_lines(
    spark: SparkSession,
    files: Sequence[FileInfo],
    *,
    dialect: Dialect = RFC_4180,
    headers: FileHeaders | None = None,
    counter: RowCounter | None = None,
    corrections: Sequence[Correction] = (),
) -> CsvReader:
    """The records of CSV files without their header lines: `_source_file`, `_source_offset`, `_raw`, `_read_error`.

    A record is a line, without its end; empty ones are left out. With `multi_line` in the dialect, quoted values may
    hold line breaks, and a file is one task. Errors: `unclosed_quote`, `not_utf8`,
    `truncated_gzip`, `bad_gzip` (or zstd, bzip2). `headers`: what is known of the files already, in its own dialect.
    Raises `InputError` when a file changes while it is read.
    """
    cores = engine_of(spark).cores
    known = headers or FileHeaders(files, dialect)
    dialect, found = known.dialect, known.of_files()
    whole = found.pieces
    length = task_bytes(whole, cores)
    splits = whole if dialect.multi_line else [part for split in whole for part in ranges(split, length)]
    tasks = assign_splits(splits, cores)
    names = [file.path for file in files]
    _check_one_each(corrections, dialect)
    placed = at_offsets(whole, by_file(corrections, names)) if corrections else {}
    return CsvReader(spark, names, found.lines, found.places, splits, tasks, found.of_file, dialect, counter, placed)


def _check_one_each(corrections: Sequence[Correction], dialect: Dialect) -> None:
    """`UsageError` for a mended text that is several records, or none."""
    alone = replace(dialect, multi_line=True, comment=())
    for one in corrections:
        texts = csv_records([(0, one.raw.encode())], alone, header=False)
        count = sum(len(found.starts) for found in texts)
        if one.raw and count != 1:
            raise UsageError(f"{one.place}: raw is {count} records, expected one (a line break only in quotes)")
