"""Records of objects on S3, without Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers import chunks
from pipeline.readers.json.file_splits import with_states
from pipeline.readers.json.tasks import json_task, split_summary
from pipeline.readers.spans import batches
from pipeline.readers.splits import ranges, whole_files


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="partner-in")
        yield client


def test_many_small_objects_come_in_order(bucket: Any) -> None:
    for number in range(50):
        bucket.put_object(Bucket="partner-in", Key=f"{number:02}.json", Body=f'{{"n":{number}}}'.encode())
    found = [
        row
        for batch in batches(json_task(whole_files(storage.list_files("s3://partner-in/")), ""))
        for row in batch.to_pylist()
    ]
    assert [(row["_source_file"], row["_raw"]) for row in found] == [(n, f'{{"n":{n}}}') for n in range(50)]


def test_a_big_object_is_read_in_ranges(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 3)} for number in range(100)]
    bucket.put_object(Bucket="partner-in", Key="a.json", Body=json.dumps(records).encode())
    monkeypatch.setattr(chunks, "BLOCK", 100)
    monkeypatch.setattr(chunks, "BEHIND", 10)
    file = replace(whole_files(storage.list_files("s3://partner-in/a.json"))[0], form="stream")
    parts = ranges(file, 1000)
    pieces = with_states(parts, [split_summary(part) for part in parts])
    found = [row for batch in batches(json_task(pieces, "")) for row in batch.to_pylist()]
    assert len(pieces) == 3
    assert [json.loads(row["_raw"].rstrip(", ")) for row in found] == records


def test_an_object_that_was_replaced_is_an_error(bucket: Any) -> None:
    bucket.put_object(Bucket="partner-in", Key="a.json", Body=b'{"n":1}')
    pieces = whole_files(storage.list_files("s3://partner-in/a.json"))
    bucket.put_object(Bucket="partner-in", Key="a.json", Body=b'{"n":2}')
    with pytest.raises(InputError, match="changed while it was read"):
        list(json_task(pieces, ""))
