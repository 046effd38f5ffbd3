"""CSV files as a frame of lines, and as fields."""

from __future__ import annotations

import pathlib

import pytest
from pyspark.sql import SparkSession

from pipeline.readers.base import RECORDS, fields_schema
from pipeline.readers.csv.fields import Layout
from pipeline.readers.csv.reader import csv_lines
from pipeline.readers.dialect import Dialect
from tests.pipeline.readers.input_files import same, write_files


@pytest.mark.usefixtures("tiny_ranges")
def test_csv_rows_know_their_header(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    long = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(100)) + b'7,"y\n\n8,z'
    files = write_files(tmp_path, a_csv=b"b,a\r\n1,2\r\n", b_csv=long, c_csv=b"\xef\xbb\xbfb,a\n3,4\n", d_csv=b"")
    reader = csv_lines(spark, files)
    assert reader.headers == ["b,a", "a,b"]
    assert [pathlib.Path(path).name for path in reader.header_places] == ["a.csv, line 1", "b.csv, line 1"]
    rows = [
        (0, 5, "1,2", None),
        (1, 4, "0,x", None),
        (1, 494, '7,"y', "unclosed_quote"),
        (1, 500, "8,z", None),
        (2, 7, "3,4", None),
    ]
    same(reader.frame.where("_source_file != 1 or _source_offset in (4, 494, 500)"), rows, RECORDS)
    assert reader.frame.count() == 104


def test_csv_values_may_span_several_lines(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    reader = csv_lines(spark, write_files(tmp_path, a_csv=b'a,b\n1,"x\ny"\n2,z\n'), dialect=Dialect(multi_line=True))
    same(reader.frame, [(0, 4, '1,"x\ny"', None), (0, 12, "2,z", None)], RECORDS)


def test_fields_are_taken_by_the_layout_of_each_file(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    reader = csv_lines(spark, write_files(tmp_path, a_csv=b"b,a\n1,2\n", b_csv=b"a,x,b\n3,?,4\n5\n"))
    fields = reader.fields([Layout(2, (1, 0)), Layout(3, (0, 2))])
    rows = [
        (0, 4, None, None, "2", "1"),
        (1, 6, None, None, "3", "4"),
        (1, 12, "too_few_fields", "1 fields, expected 3", None, None),
    ]
    same(fields, rows, fields_schema(2))
