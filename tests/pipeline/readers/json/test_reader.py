"""JSON files as a frame of records."""

from __future__ import annotations

import gzip
import json
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.engines import engine_of
from pipeline.errors import InputError
from pipeline.readers.base import RECORDS
from pipeline.readers.json.reader import JsonReader, json_records
from tests.pipeline.readers.input_files import same, write_files


def without_separators() -> Column:
    """The text of a record: commas and blanks may follow it."""
    return F.regexp_replace("_raw", r"[\s,]+$", "")


def partitions(frame: DataFrame) -> int:
    """In how many partitions the rows are."""

    def one(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        yield pa.RecordBatch.from_pydict({"n": pa.array([1], pa.int32())})

    return frame.mapInArrow(one, "n int").count()


@pytest.fixture
def partition_a_task(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task is a partition, whatever the engine."""
    monkeypatch.setattr(type(engine_of(spark)), "partitions", lambda engine, tasks: tasks)


def values_in_order(reader: JsonReader) -> list[Any]:
    rows = reader.frame.orderBy("_source_offset").select(without_separators()).collect()
    return [json.loads(row[0]) for row in rows]


def test_json_files_of_any_form_give_one_row_per_record(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    files = write_files(
        tmp_path,
        a_json=b'[{"x":1},{"x":2}]',
        b_json=b'{"x":3}\n{"x":4\n',
        c_json=b"",
        d_json_gz=gzip.compress(b'{\n"x":5}'),
    )
    reader = json_records(spark, files)
    rows = [
        (0, 1, '{"x":1}', None),
        (0, 9, '{"x":2}', None),
        (1, 0, '{"x":3}', None),
        (1, 8, '{"x":4', "truncated"),
        (3, 0, '{\n"x":5}', None),
    ]
    same(reader.frame.withColumn("_raw", without_separators()), rows, RECORDS)
    assert [pathlib.Path(path).name for path in reader.files] == ["a.json", "b.json", "c.json", "d.json.gz"]


@pytest.mark.spark_only
def test_what_follows_a_record_in_its_text_does_not_disturb_the_parser(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    reader = json_records(spark, write_files(tmp_path, a_json=b'[{"x":1} ,\n {"x":2}]'))
    record = F.from_json("_raw", "x int, bad string", {"columnNameOfCorruptRecord": "bad"})
    same(reader.frame.select(record.alias("r")).select("r.*"), [(1, None), (2, None)], "x int, bad string")


@pytest.mark.usefixtures("tiny_ranges", "partition_a_task")
def test_a_big_array_is_read_in_ranges(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 4)} for number in range(120)]
    reader = json_records(spark, write_files(tmp_path, a_json=json.dumps(records).encode()))
    assert partitions(reader.frame) > 5
    assert values_in_order(reader) == records


@pytest.mark.usefixtures("tiny_ranges", "partition_a_task")
def test_a_big_document_is_read_in_ranges(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 4)} for number in range(120)]
    document = {
        "api": {"items": [{"at": "noon", "data": records[:90]}, {"at": "one", "data": records[90:]}], "data": []}
    }
    files = write_files(tmp_path, a_json=json.dumps(document).encode())
    reader = json_records(spark, files, records="api.items.data")
    assert partitions(reader.frame) > 5
    assert values_in_order(reader) == records


@pytest.mark.usefixtures("partition_a_task")
def test_many_small_files_are_few_tasks(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    texts = {f"f{number:03}_json": b'{"n":%d}' % number for number in range(200)}
    frame = json_records(spark, write_files(tmp_path, **texts)).frame
    assert partitions(frame) <= 8
    total = F.sum(F.get_json_object("_raw", "$.n").cast("int"))
    assert frame.select(total, F.countDistinct("_source_file")).collect() == [(19900, 200)]


def test_a_file_that_changed_since_it_was_listed_stops_the_job(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    reader = json_records(spark, write_files(tmp_path, a_json=b'{"x":1}\n'))
    (tmp_path / "a.json").write_bytes(b'{"x":1}\n{"x":2}\n')
    with pytest.raises(Exception, match=f"{InputError.__name__}.*changed while it was read"):
        reader.frame.collect()
