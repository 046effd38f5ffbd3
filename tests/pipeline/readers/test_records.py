"""The reader as jobs use it: frames of records, the second look."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any

import pytest
from chispa import assert_df_equality
from pipeline.readers.records import LINES, RECORDS, Scan, csv_lines, json_records, trimmed
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers import splits as scan_plan


def files(folder: pathlib.Path, **texts: bytes) -> list[storage.FileInfo]:
    for name, data in texts.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return storage.list_files(str(folder))


@pytest.fixture
def tiny_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred bytes are cut as big ones are."""
    monkeypatch.setattr(scan_plan, "RANGE_BYTES", 300)
    monkeypatch.setattr(scan_plan, "SMALL_BYTES", 300)


def same(frame: DataFrame, rows: list[tuple[Any, ...]], schema: str) -> None:
    assert_df_equality(
        frame, frame.sparkSession.createDataFrame(rows, schema), ignore_nullable=True, ignore_row_order=True
    )


def test_json_files_of_any_form_give_one_row_a_record(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    found = files(
        tmp_path,
        a_json=b'[{"x":1},{"x":2}]',
        b_json=b'{"x":3}\n{"x":4\n',
        c_json=b"",
        d_json_gz=gzip.compress(b'{\n"x":5}'),
    )
    scan = json_records(spark, found)
    rows = [
        (0, 1, '{"x":1}', None),
        (0, 9, '{"x":2}', None),
        (1, 0, '{"x":3}', None),
        (1, 8, '{"x":4', "truncated"),
        (3, 0, '{\n"x":5}', None),
    ]
    same(scan.frame.withColumn("_raw", trimmed(F.col("_raw"))), rows, RECORDS)
    assert [pathlib.Path(path).name for path in scan.files] == ["a.json", "b.json", "c.json", "d.json.gz"]


def test_what_follows_a_record_in_its_text_does_not_disturb_the_parser(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    found = files(tmp_path, a_json=b'[{"x":1} ,\n {"x":2}]')
    parsed = json_records(spark, found).frame.select(
        F.from_json("_raw", "x int, bad string", {"columnNameOfCorruptRecord": "bad"}).alias("r")
    )
    same(parsed.select("r.*"), [(1, None), (2, None)], "x int, bad string")


def values_in_order(scan: Scan) -> list[Any]:
    """The records of a scan by their place, parsed."""
    return [json.loads(row[0]) for row in scan.frame.orderBy("_source_offset").select(trimmed(F.col("_raw"))).collect()]


@pytest.mark.usefixtures("tiny_ranges")
def test_a_big_array_is_read_in_ranges(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 4)} for number in range(120)]
    scan = json_records(spark, files(tmp_path, a_json=json.dumps(records).encode()))
    assert scan.frame.rdd.getNumPartitions() > 5
    assert values_in_order(scan) == records


@pytest.mark.usefixtures("tiny_ranges")
def test_a_big_document_is_read_in_ranges(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 4)} for number in range(120)]
    document = {
        "api": {"items": [{"at": "noon", "data": records[:90]}, {"at": "one", "data": records[90:]}], "data": []}
    }
    scan = json_records(spark, files(tmp_path, a_json=json.dumps(document).encode()), records="api.items.data")
    assert scan.frame.rdd.getNumPartitions() > 5
    assert values_in_order(scan) == records


@pytest.mark.usefixtures("tiny_ranges")
def test_a_second_look_at_json_gives_the_exact_text(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    array = json.dumps([{"n": number} for number in range(100)]).encode().replace(b'{"n": 57}', b'{"n": 57')
    lines = b"".join(b'{"n": %d}\n' % number for number in range(100))
    scan = json_records(spark, files(tmp_path, a_json=array, b_json=lines))
    place = array.index(b'{"n": 57')
    places = [(0, place), (0, 1), (1, 0), (1, 890), (1, 890), (1, 3), (1, 5000)]
    wanted = spark.createDataFrame(places, "_source_file int, _source_offset long")
    rows = [
        (0, place, scan.files[0], place, '{"n": 57'),
        (0, 1, scan.files[0], 1, '{"n": 0}'),
        (1, 0, scan.files[1], 0, '{"n": 0}'),
        (1, 3, scan.files[1], 3, None),
        (1, 890, scan.files[1], 890, '{"n": 90}'),
        (1, 890, scan.files[1], 890, '{"n": 90}'),
        (1, 5000, scan.files[1], 5000, None),
    ]
    same(scan.look_again(wanted), rows, "_source_file int, _source_offset long, file string, position long, raw string")
    assert scan.frame.where("_read_error is not null").select("_source_offset", "_read_error").collect() == [
        (place, "truncated")
    ]


def test_elements_of_an_array_in_a_record_are_found_again_to_the_byte(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    first = b'{"x": [9], "found": [ 1, null, {"a" : 1.10, "b": [2, {"c": "]"}]} , "d" ]}'
    twice = b'{"found": [{"e": 1}], "found": [{"f": 1}]}'
    none = b'{"found": 5}'
    scan = json_records(spark, files(tmp_path, a_json=b"\n".join([first, twice, none])))
    at = [0, len(first) + 1, len(first) + len(twice) + 2]
    wanted = [(at[0], 0), (at[0], 2), (at[0], 3), (at[0], None), (at[1], 0), (at[2], 4)]
    places = spark.createDataFrame([(0, *row) for row in wanted], "_source_file int, _source_offset long, _index int")
    same(
        scan.look_again(places, "found").select("_source_offset", "_index", "raw"),
        [
            (at[0], 0, "1"),
            (at[0], 2, '{"a" : 1.10, "b": [2, {"c": "]"}]}'),
            (at[0], 3, '"d"'),
            (at[0], None, first.decode()),
            (at[1], 0, twice.decode()),
            (at[2], 4, none.decode()),
        ],
        "_source_offset long, _index int, raw string",
    )


@pytest.mark.usefixtures("tiny_ranges")
def test_csv_rows_know_their_header_and_their_line(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    long = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(100)) + b'7,"y\n\n8,z'
    scan = csv_lines(
        spark, files(tmp_path, a_csv=b"b,a\r\n1,2\r\n", b_csv=long, c_csv=b"\xef\xbb\xbfb,a\n3,4\n", d_csv=b"")
    )
    assert scan.headers == ["b,a", "a,b"]
    assert [pathlib.Path(path).name for path in scan.header_files] == ["a.csv", "b.csv"]
    rows = [
        (0, 5, "1,2", None, 0),
        (1, 4, "0,x", None, 1),
        (1, 494, '7,"y', "unclosed_quote", 1),
        (1, 500, "8,z", None, 1),
        (2, 7, "3,4", None, 0),
    ]
    same(scan.frame.where("_source_file != 1 or _source_offset in (4, 494, 500)"), rows, LINES)
    assert scan.frame.count() == 104
    looked = [(0, 5, 2, "1,2"), (1, 494, 102, '7,"y'), (1, 500, 104, "8,z"), (2, 7, 2, "3,4")]
    wanted = spark.createDataFrame([row[:2] for row in looked], "_source_file int, _source_offset long")
    same(
        scan.look_again(wanted).drop("file"), looked, "_source_file int, _source_offset long, position long, raw string"
    )


def test_csv_values_over_several_lines(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    scan = csv_lines(spark, files(tmp_path, a_csv=b'a,b\n1,"x\ny"\n2,z\n'), multi_line=True)
    same(scan.frame, [(0, 4, '1,"x\ny"', None, 0), (0, 12, "2,z", None, 0)], LINES)
    same(
        scan.look_again(scan.frame).select("position", "raw"),
        [(2, '1,"x\ny"'), (4, "2,z")],
        "position long, raw string",
    )


def test_many_small_files_are_few_tasks(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    texts = {f"f{number:03}_json": b'{"n":%d}' % number for number in range(200)}
    frame = json_records(spark, files(tmp_path, **texts)).frame
    assert frame.rdd.getNumPartitions() <= 8
    assert frame.select(
        F.sum(F.get_json_object("_raw", "$.n").cast("int")), F.countDistinct("_source_file")
    ).collect() == [(19900, 200)]


def test_a_file_that_changed_since_it_was_listed_stops_the_job(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    found = files(tmp_path, a_json=b'{"x":1}\n')
    scan = json_records(spark, found)
    (tmp_path / "a.json").write_bytes(b'{"x":1}\n{"x":2}\n')
    with pytest.raises(Exception, match=f"{InputError.__name__}.*changed while it was read"):
        scan.frame.collect()
