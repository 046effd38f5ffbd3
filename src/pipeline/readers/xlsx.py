"""A spreadsheet's first sheet as CSV lines, so that it is read, checked and quarantined like any other input."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers.csv.fields import Layout, by_hand
from pipeline.readers.records import LINES, fields_schema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class SheetScan:
    """The lines of a sheet (`_position` is the sheet's row) with the interface of `records.Scan`; small by nature."""

    frame: DataFrame
    files: list[str]
    headers: list[str]
    header_files: list[str] = field(default_factory=list)
    lines: list[tuple[int, int, str, None, int]] = field(default_factory=list)

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The wanted fields of the rows: `_file`, `_position`, `_error`, `_detail`, `c0`, ..."""
        layout = layouts[0]
        rows = []
        for file, position, text, error, _ in self.lines:
            values = by_hand(text, layout.delimiter) or [None] * layout.width
            rows.append((file, position, error, None, *[values[i] for i in layout.wanted]))
        return self.frame.sparkSession.createDataFrame(rows, fields_schema(len(layout.wanted)))

    def look_again(self, problems: DataFrame) -> DataFrame:
        """See `records.Scan.look_again`; `position` is the sheet's row."""
        from pipeline.readers.raw_lookup import look_at_one

        return look_at_one(self, problems)


def _line(values: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    csv.writer(buffer, lineterminator="").writerow(
        ["" if v is None else str(v).replace("\r\n", " ").replace("\n", " ") for v in whole]
    )
    return buffer.getvalue()


def sheet_lines(spark: SparkSession, path: str) -> SheetScan:
    """Reads the first sheet of an .xlsx file; `InputError` when it is none."""
    import zipfile

    from openpyxl import load_workbook
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
    lines: list[tuple[int, int, str, None, int]] = [(0, number, text, None, 0) for number, text in rows[1:]]
    return SheetScan(spark.createDataFrame(lines, LINES), [path], [rows[0][1]], [path], lines)
