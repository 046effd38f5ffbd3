"""The first sheet of a workbook as CSV lines."""

from __future__ import annotations

import datetime
import pathlib

import pytest
from openpyxl import Workbook
from pyspark.sql import SparkSession

from pipeline.errors import InputError
from pipeline.readers.base import RECORDS, fields_schema
from pipeline.readers.csv.fields import Layout
from pipeline.readers.xlsx import XlsxReader, read_sheet, xlsx_lines
from tests.pipeline.readers.input_files import same


@pytest.fixture
def reader(spark: SparkSession, tmp_path: pathlib.Path) -> XlsxReader:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["code", "name", "since"], [1.0, 'a "b", c', None], [], [2.5, "x\ny", datetime.date(2024, 2, 29)]):
        sheet.append(row)
    book.create_sheet("other").append(["not read"])
    book.save(tmp_path / "codes.xlsx")
    return xlsx_lines(spark, read_sheet(str(tmp_path / "codes.xlsx")))


def test_a_sheet_is_csv_lines_whose_place_is_the_row_of_the_sheet(reader: XlsxReader, tmp_path: pathlib.Path) -> None:
    rows = [(0, 2, '1,"a ""b"", c",', None), (0, 4, "2.5,x y,2024-02-29 00:00:00", None)]
    same(reader.frame, rows, RECORDS)
    assert (reader.headers, reader.files) == (["code,name,since"], [str(tmp_path / "codes.xlsx")])


def test_the_wanted_fields_of_a_sheet(reader: XlsxReader) -> None:
    rows = [(0, 2, None, None, 'a "b", c', "1"), (0, 4, None, None, "x y", "2.5")]
    same(reader.fields([Layout(3, (1, 0))]), rows, fields_schema(2))


def test_a_file_that_is_no_workbook_is_refused(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    (tmp_path / "codes.xlsx").write_text("code,name\n")
    with pytest.raises(InputError, match=r"codes\.xlsx: not an \.xlsx workbook"):
        read_sheet(str(tmp_path / "codes.xlsx"))


def test_an_empty_sheet_is_refused(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    Workbook().save(tmp_path / "codes.xlsx")
    with pytest.raises(InputError, match=r"codes\.xlsx: the first sheet is empty"):
        read_sheet(str(tmp_path / "codes.xlsx"))
