"""A spreadsheet's first sheet as CSV lines, so that it is read, checked and quarantined like any other input."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pyspark.sql import DataFrame, SparkSession

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers.base import RECORDS, Layout, RawSource, fields_schema
from pipeline.readers.csv.fields import by_hand


@dataclass
class XlsxReader:
    """A sheet's rows as CSV lines, `_source_offset` is the row: see `readers.base.TableReader`; small by nature."""

    frame: DataFrame
    files: list[str]
    headers: list[str]
    header_files: list[str] = field(default_factory=list)
    lines: list[tuple[int, int, str, None]] = field(default_factory=list)

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The wanted fields of the rows: `_source_file`, `_source_offset`, `_read_error`, `_read_detail`, `c0`, ..."""
        layout = layouts[0]
        rows = []
        for file, position, text, error in self.lines:
            values = by_hand(text, layout.delimiter) or [None] * layout.width
            rows.append((file, position, error, None, *[values[i] for i in layout.wanted]))
        return self.frame.sparkSession.createDataFrame(rows, fields_schema(len(layout.wanted)))

    def raw_source(self, spark: SparkSession, files: frozenset[int] | None) -> RawSource:
        """For fetching texts; places are the sheet's rows."""
        return RawSource(self.files, texts={position: text for _, position, text, _ in self.lines})


def _line(values: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    csv.writer(buffer, lineterminator="").writerow(
        ["" if v is None else str(v).replace("\r\n", " ").replace("\n", " ") for v in whole]
    )
    return buffer.getvalue()


def xlsx_lines(spark: SparkSession, path: str) -> XlsxReader:
    """Reads the first sheet of an .xlsx file; `InputError` when it is none."""
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
    lines: list[tuple[int, int, str, None]] = [(0, number, text, None) for number, text in rows[1:]]
    return XlsxReader(spark.createDataFrame(lines, RECORDS), [path], [rows[0][1]], [path], lines)
