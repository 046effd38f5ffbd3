"""The exact text of single records, fetched from the files by place."""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace

import pytest
from openpyxl import Workbook
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.readers.csv.reader import csv_lines
from pipeline.readers.dialect import Dialect
from pipeline.readers.json.reader import json_records
from pipeline.readers.raw_lookup import fetch_raw
from pipeline.readers.xlsx import read_sheet, xlsx_lines
from tests.pipeline.readers.input_files import same, write_files

PLACES = "_input int, _source_file int, _source_offset long, _index int"
Place = tuple[int, int, int, int | None]


def places(spark: SparkSession, *rows: Place) -> DataFrame:
    return spark.createDataFrame(list(rows), PLACES)


def records(*found: tuple[int, int]) -> list[Place]:
    """Places of whole records of the first input."""
    return [(0, file, offset, None) for file, offset in found]


@pytest.mark.usefixtures("tiny_ranges")
def test_the_exact_text_of_json_records(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    array = json.dumps([{"n": number} for number in range(100)]).encode().replace(b'{"n": 57}', b'{"n": 57')
    lines = b"".join(b'{"n": %d}\n' % number for number in range(100))
    reader = json_records(spark, write_files(tmp_path, a_json=array, b_json=lines))
    damaged = array.index(b'{"n": 57')
    wanted = records((0, damaged), (0, 1), (1, 0), (1, 890), (1, 890), (1, 3), (1, 5000))
    first, second = reader.files
    rows = [
        (0, damaged, first, damaged, '{"n": 57'),
        (0, 1, first, 1, '{"n": 0}'),
        (1, 0, second, 0, '{"n": 0}'),
        (1, 3, second, 3, None),
        (1, 890, second, 890, '{"n": 90}'),
        (1, 890, second, 890, '{"n": 90}'),
        (1, 5000, second, 5000, None),
    ]
    found = fetch_raw([reader.raw_source()], places(spark, *wanted)).drop("_input", "_index")
    same(found, rows, "_source_file int, _source_offset long, file string, position long, raw string")
    errors = reader.frame.where("_read_error is not null").select("_source_offset", "_read_error")
    same(errors, [(damaged, "truncated")], "_source_offset long, _read_error string")


@pytest.mark.parametrize("by_line", [True, False])
def test_records_that_are_no_whole_line_are_found_like_those_that_are(
    spark: SparkSession, tmp_path: pathlib.Path, by_line: bool
) -> None:
    lines = b'{"n": 1}\n {"n": 2} {"n": 3}\n{"n": 4},\n{"n": 5\n{"n": "6"}\r\n{"n": 7}'
    reader = json_records(spark, write_files(tmp_path, a_json=lines))
    source = reader.raw_source()
    source = source if by_line else replace(source, lines=None)
    wanted = records((0, 0), (0, 9), (0, 10), (0, 19), (0, 28), (0, 38), (0, 46), (0, 58))
    found = fetch_raw([source], places(spark, *wanted)).select("_source_offset", "raw")
    rows = [
        (0, '{"n": 1}'),
        (9, None),
        (10, '{"n": 2}'),
        (19, '{"n": 3}'),
        (28, '{"n": 4}'),
        (38, '{"n": 5'),
        (46, '{"n": "6"}'),
        (58, '{"n": 7}'),
    ]
    same(found, rows, "_source_offset long, raw string")


def test_elements_of_an_array_in_a_record_are_found_to_the_byte(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    first = b'{"x": [9], "found": [ 1, null, {"a" : 1.10, "b": [2, {"c": "]"}]} , "d" ]}'
    repeated = b'{"found": [{"e": 1}], "found": [{"f": 1}]}'
    no_array = b'{"found": 5}'
    deep = b'{"found": [' + b"[" * 20_000 + b"]" * 20_000 + b"]}"
    reader = json_records(spark, write_files(tmp_path, a_json=b"\n".join([first, repeated, no_array, deep])))
    wanted: list[Place] = [
        (0, 0, 0, 0),
        (0, 0, 0, 2),
        (0, 0, 0, 3),
        (0, 0, 0, None),
        (0, 0, 75, 0),
        (0, 0, 118, 4),
        (0, 0, 131, 0),
    ]
    found = fetch_raw([replace(reader.raw_source(), array_path="found")], places(spark, *wanted))
    rows = [
        (0, 0, "1"),
        (0, 2, '{"a" : 1.10, "b": [2, {"c": "]"}]}'),
        (0, 3, '"d"'),
        (0, None, first.decode()),
        (75, 0, '{"f": 1}'),
        (118, 4, no_array.decode()),
        (131, 0, deep.decode()),
    ]
    same(found.select("_source_offset", "_index", "raw"), rows, "_source_offset long, _index int, raw string")


@pytest.mark.usefixtures("tiny_ranges")
def test_csv_lines_are_published_with_their_line_number(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    long = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(100)) + b'7,"y\n\n8,z'
    files = write_files(tmp_path, a_csv=b"b,a\r\n1,2\r\n", b_csv=long, c_csv=b"\xef\xbb\xbfb,a\n3,4\n", d_csv=b"")
    reader = csv_lines(spark, files)
    wanted = records((0, 5), (1, 494), (1, 500), (2, 7))
    found = fetch_raw([reader.raw_source()], places(spark, *wanted)).select("file", "position", "raw")
    a, b, c, _ = reader.files
    rows = [(a, 2, "1,2"), (b, 102, '7,"y'), (b, 104, "8,z"), (c, 2, "3,4")]
    same(found, rows, "file string, position long, raw string")


@pytest.mark.usefixtures("tiny_ranges")
def test_lines_without_a_record_are_counted_in_every_range(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    text = b"a,b\n" + b"\n" * 1000 + b"1,x\r\n" + b"\r\n" * 500 + b"2,y\n\n" + b"\n" * 700 + b"3,z"
    reader = csv_lines(spark, write_files(tmp_path, a_csv=text))
    wanted = records((0, 1004), (0, 2009), (0, 2714))
    found = fetch_raw([reader.raw_source()], places(spark, *wanted)).select("position", "raw")
    same(found, [(1002, "1,x"), (1503, "2,y"), (2205, "3,z")], "position long, raw string")


@pytest.mark.usefixtures("tiny_ranges")
def test_lines_that_are_skipped_are_counted(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    text = b"\xef\xbb\xbf\nabout\n\na,b\n1,x\n" + b"2,y\n" * 200 + b"3,z"
    files = write_files(tmp_path, a_csv=text, b_csv=text[:20])
    reader = csv_lines(spark, files, dialect=Dialect(skip_lines=3))
    found = fetch_raw([reader.raw_source()], places(spark, *records((0, 15), (0, 819), (1, 15))))
    a, b = reader.files
    rows = [(a, 5, "1,x"), (a, 206, "3,z"), (b, 5, "1,x")]
    same(found.select("file", "position", "raw"), rows, "file string, position long, raw string")


@pytest.mark.usefixtures("tiny_ranges")
def test_text_behind_the_last_record_of_a_range_is_found_in_the_next_one(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    array = b'[{"n": 1}' + b" " * 700 + b'oops, oh, {"n": 2}, ah]'
    reader = json_records(spark, write_files(tmp_path, a_json=array))
    same(
        reader.frame.where("_read_error is not null").select("_source_offset", "_raw"),
        [(709, "oops"), (715, "oh"), (729, "ah")],
        "_source_offset long, _raw string",
    )
    found = fetch_raw([reader.raw_source()], places(spark, *records((0, 709), (0, 715), (0, 719), (0, 729))))
    rows = [(709, "oops"), (715, "oh"), (719, '{"n": 2}'), (729, "ah")]
    same(found.select("position", "raw"), rows, "position long, raw string")


def test_csv_values_over_several_lines_have_the_number_of_their_first(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    reader = csv_lines(spark, write_files(tmp_path, a_csv=b'a,b\n1,"x\ny"\n2,z\n'), dialect=Dialect(multi_line=True))
    found = fetch_raw([reader.raw_source()], places(spark, *records((0, 4), (0, 12)))).select("position", "raw")
    same(found, [(2, '1,"x\ny"'), (4, "2,z")], "position long, raw string")


def test_several_inputs_are_looked_up_at_once_and_other_columns_stay(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    [file] = write_files(tmp_path, a_json=b'{"n": 1}\n{"n": 2}\n')
    pages = json_records(spark, [file])
    book = Workbook()
    for row in (["code", "name"], [1, "a"], [], [2, "b"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "codes.xlsx")
    sheet = xlsx_lines(spark, read_sheet(str(tmp_path / "codes.xlsx")))
    sources = [pages.raw_source(frozenset([0])), sheet.raw_source()]
    wanted = places(spark, (0, 0, 9, None), (1, 0, 4, None), (1, 0, 3, None))
    found = fetch_raw(sources, wanted.withColumn("input", F.concat(F.lit("input "), "_input")))
    rows = [
        ("input 0", file.path, 9, '{"n": 2}'),
        ("input 1", str(tmp_path / "codes.xlsx"), 4, "2,b"),
        ("input 1", str(tmp_path / "codes.xlsx"), 3, None),
    ]
    same(found.select("input", "file", "position", "raw"), rows, "input string, file string, position long, raw string")
