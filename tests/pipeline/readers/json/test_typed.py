"""JSON records as typed columns: every record is a row, and a row that does not fit says why."""

from __future__ import annotations

import datetime
import pathlib
from decimal import Decimal

from pyspark.sql import SparkSession
from pyspark.sql import types as T

from pipeline.readers.json.reader import json_records
from pipeline.readers.json.typed import parse_records, tag_raw
from tests.pipeline.readers.input_files import same, write_files

SCHEMA = T.StructType(
    [
        T.StructField("id", T.LongType(), False),
        T.StructField("price", T.DecimalType(10, 2)),
        T.StructField("at", T.TimestampType()),
        T.StructField("lots", T.ArrayType(T.StructType([T.StructField("kind", T.StringType())]))),
    ]
)
COLUMNS = (
    "id long, price decimal(10,2), at timestamp, lots array<struct<kind:string>>, _source_offset long, code string"
)


def test_records_become_typed_rows_with_their_reasons(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    lines = (
        b'{"id":1,"price":1.5,"at":"2021-05-23T08:00:00Z","lots":[{"kind":7},null]}\n'
        b'{"id":2,"price":1.005}\n{"price":1}\n[1]\n{"id":3\n'
    )
    frame = parse_records(json_records(spark, write_files(tmp_path, a_jsonl=lines)).frame, SCHEMA)
    at = datetime.datetime(2021, 5, 23, 8, tzinfo=datetime.UTC)
    rows = [
        (1, Decimal("1.50"), at, [("7",), None], 0, None),
        (2, None, None, None, 74, "wrong_type"),
        (None, Decimal("1.00"), None, None, 97, "missing_value"),
        (None, None, None, None, 109, "not_an_object"),
        (None, None, None, None, 113, "truncated"),
    ]
    same(frame.select(*SCHEMA.fieldNames(), "_source_offset", "_error.code"), rows, COLUMNS)


def test_records_as_text_keep_what_the_reader_found(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    frame = tag_raw(json_records(spark, write_files(tmp_path, a_jsonl=b'{"x":1}\n{"x":\n')).frame)
    assert frame.columns == ["_source_file", "_source_offset", "_raw", "_error"]
    same(
        frame.select("_source_offset", "_error.code"), [(0, None), (8, "truncated")], "_source_offset long, code string"
    )
