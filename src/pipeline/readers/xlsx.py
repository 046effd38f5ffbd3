"""A spreadsheet's first sheet as CSV lines, so that it is read, checked and quarantined like any other input."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline import storage
from pipeline.engines.base import RowCounter
from pipeline.engines.tasks import run_tasks
from pipeline.errors import InputError
from pipeline.readers.base import RECORDS, Layout, RawSource, fields_schema
from pipeline.readers.corrections import Corrections
from pipeline.readers.csv.headers import Headers
from pipeline.readers.dialect import RFC_4180, Dialect


@dataclass
class XlsxReader:
    """A sheet's rows as CSV lines, `_source_offset` is the row: see `readers.base.TableReader`; small by nature."""

    spark: SparkSession
    files: list[str]
    headers: list[str]
    header_places: list[str]
    lines: list[tuple[int, str]]
    counter: RowCounter | None = None
    corrections: Corrections = field(default_factory=dict)  # never any
    dialect: Dialect = RFC_4180

    @property
    def frame(self) -> DataFrame:
        """The rows as text."""
        columns = {"_raw": pa.array([text for _, text in self.lines], pa.string())}
        return self._made(columns | {"_read_error": pa.nulls(len(self.lines), pa.string())}, RECORDS)

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The wanted fields of the rows: `_source_file`, `_source_offset`, `_read_error`, `_read_detail`, `c0`, ..."""
        layout = layouts[0]
        rows = [self.dialect.fields(text) for _, text in self.lines]
        columns = {name: pa.nulls(len(rows), pa.string()) for name in ("_read_error", "_read_detail")}
        columns |= {f"c{n}": pa.array([row[at] for row in rows], pa.string()) for n, at in enumerate(layout.wanted)}
        return self._made(columns, fields_schema(len(layout.wanted)))

    def _made(self, columns: dict[str, pa.Array], schema: str) -> DataFrame:
        places = pa.array([position for position, _ in self.lines], pa.int64())
        files = pa.array([0] * len(places), pa.int32())
        batch = pa.RecordBatch.from_pydict({"_source_file": files, "_source_offset": places, **columns})
        return run_tasks(self.spark, 1, lambda number: iter([batch]), schema, self.counter)

    def raw_source(self, files: frozenset[int] | None = None) -> RawSource:
        """For fetching texts; places are the sheet's rows."""
        return RawSource(self.files, texts=dict(self.lines))


def _line(values: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    csv.writer(buffer, lineterminator="").writerow(
        ["" if v is None else str(v).replace("\r\n", " ").replace("\n", " ") for v in whole]
    )
    return buffer.getvalue()


@dataclass(frozen=True)
class Sheet:
    """The rows of a file's first sheet that are not empty, as CSV lines with their numbers."""

    path: str
    rows: list[tuple[int, str]]
    dialect: Dialect = RFC_4180  # a sheet has no other, whatever the job's CSV files have

    def of_files(self, most: int | None = None) -> Headers:
        """The header, as `FileHeaders` gives those of CSV files."""
        return Headers([self.rows[0][1]], [f"{self.path}, line {self.rows[0][0]}"], [0], [])


def read_sheet(path: str) -> Sheet:
    """Reads the first sheet of an .xlsx file, which needs no engine; `InputError` when it is none."""
    from openpyxl import load_workbook  # runs without a sheet do not load it
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(storage.read_bytes(path)), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise InputError(f"{path}: not an .xlsx workbook ({error})") from None
    sheet = book.worksheets[0]
    rows = [
        (i, _line(values))
        for i, values in enumerate(sheet.iter_rows(values_only=True), 1)
        if any(v is not None for v in values)
    ]
    if not rows:
        raise InputError(f"{path}: the first sheet is empty")
    return Sheet(path, rows)


def xlsx_lines(spark: SparkSession, sheet: Sheet, *, counter: RowCounter | None = None) -> XlsxReader:
    """The rows of a sheet behind its header."""
    header = sheet.of_files()
    return XlsxReader(spark, [sheet.path], header.lines, header.places, sheet.rows[1:], counter, dialect=sheet.dialect)
