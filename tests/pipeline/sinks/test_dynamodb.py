"""Rows put into a DynamoDB table for lookups: on moto and dynalite, and on a table that throttles."""

from __future__ import annotations

import http.server
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from pipeline.errors import DeliveryError, UsageError
from pipeline.sinks.dynamodb import check_table, put_rows, remove_mark, remove_other_runs, set_mark, write_batch
from tests.support.jobs import sample_args, submit_job
from tests.support.servers import Endpoint, dynalite, moto_server


@pytest.fixture(scope="module", params=["moto", pytest.param("dynalite", marks=pytest.mark.standin)])
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    with {"moto": moto_server, "dynalite": dynalite}[request.param]() as found:
        yield found


@pytest.fixture
def table(endpoint: Endpoint, request: pytest.FixtureRequest) -> str:
    return new_table(endpoint, f"t{abs(hash(request.node.name))}")


def new_table(endpoint: Endpoint, name: str, **key: str) -> str:
    parts = key or {"id": "HASH"}
    client = endpoint.client("dynamodb")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": attribute, "KeyType": kind} for attribute, kind in parts.items()],
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in parts],
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


def plain(endpoint: Endpoint) -> Any:
    """A client that takes and gives plain Python values."""
    return boto3.resource(
        "dynamodb",
        endpoint_url=endpoint.url,
        region_name="eu-west-1",
        aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key,
    ).meta.client


def items(endpoint: Endpoint, table: str) -> list[dict[str, Any]]:
    pages = endpoint.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return sorted((item for page in pages for item in page["Items"]), key=lambda item: str(item["id"]["S"]))


def test_a_row_becomes_an_item_with_its_columns_and_the_run(endpoint: Endpoint, table: str) -> None:
    rows = [{"id": "A10", "address": "BLK 1 é", "total_lots": 12, "x": 1.5, "stale": False, "Average Cost": None}]
    assert put_rows(plain(endpoint), table, rows, "monday") == 1
    assert items(endpoint, table) == [
        {
            "id": {"S": "A10"},
            "address": {"S": "BLK 1 é"},
            "total_lots": {"N": "12"},
            "x": {"N": "1.5"},
            "stale": {"BOOL": False},
            "Average Cost": {"NULL": True},
            "run_id": {"S": "monday"},
        }
    ]


def test_rows_of_the_day_before_go_and_rows_of_somebody_else_stay(endpoint: Endpoint, table: str) -> None:
    client = plain(endpoint)
    client.put_item(TableName=table, Item={"id": "note", "text": "by hand"})
    assert put_rows(client, table, ({"id": f"{i:03}"} for i in range(120)), "monday") == 120
    assert put_rows(client, table, ({"id": f"{i:03}"} for i in range(60, 130)), "tuesday") == 70
    assert remove_other_runs(client, table, "tuesday") == 60
    assert [item["id"]["S"] for item in items(endpoint, table)] == [*[f"{i:03}" for i in range(60, 130)], "note"]
    assert remove_other_runs(client, table, "tuesday") == 0


def test_the_same_run_again_writes_the_same_items(endpoint: Endpoint, table: str) -> None:
    client = plain(endpoint)
    for _ in range(2):
        put_rows(client, table, [{"id": "A", "n": 1}, {"id": "A", "n": 2}, {"id": "B", "n": 3}], "monday")
    assert [(item["id"]["S"], item["n"]["N"]) for item in items(endpoint, table)] == [("A", "2"), ("B", "3")]


def test_a_fill_marks_the_table_last_and_waits_where_it_had_a_mark(endpoint: Endpoint, table: str) -> None:
    client, waited = plain(endpoint), []
    remove_mark(client, table, waited.append)
    assert waited == []
    set_mark(client, table, "monday-1")
    assert items(endpoint, table) == [{"id": {"S": "#load"}, "load": {"S": "monday-1"}}]
    remove_mark(client, table, waited.append)
    assert items(endpoint, table) == [{"id": {"S": "#load"}}]
    assert waited == [1.25]
    put_rows(client, table, [{"id": "A"}], "tuesday")
    assert remove_other_runs(client, table, "tuesday") == 0, "the mark is of no run"


def test_a_table_that_is_missing_or_has_another_key_is_refused(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in endpoint.environment.items():
        monkeypatch.setenv(name, value)
    other = new_table(endpoint, "other", pk="HASH", sk="RANGE")
    with pytest.raises(
        UsageError, match="--lookup-table other: its key is pk S HASH, sk S RANGE, expected id S HASH alone"
    ):
        check_table(other)
    with pytest.raises(UsageError, match=r"--lookup-table away: .*ResourceNotFoundException"):
        check_table("away")
    check_table(new_table(endpoint, "right"))


class Throttling:
    """A DynamoDB that takes `step` items of a batch at a time, after refusing the first `refusals` requests."""

    def __init__(self, step: int, refusals: int = 0) -> None:
        self.taken: list[str] = []
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["RequestItems"]["slow"]
                outer.requests += 1
                if outer.requests <= refusals:
                    self.answer(
                        400,
                        {
                            "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                            "message": "slow",
                        },
                    )
                    return
                outer.taken += [request["PutRequest"]["Item"]["id"]["S"] for request in asked[:step]]
                self.answer(200, {"UnprocessedItems": {"slow": asked[step:]} if asked[step:] else {}})

            def answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: requests are counted."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Any:
        self.thread.start()
        url = f"http://127.0.0.1:{self.http.server_address[1]}"
        config = Config(retries={"mode": "adaptive", "max_attempts": 8}, ignore_configured_endpoint_urls=True)
        return boto3.resource(
            "dynamodb",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=config,
        ).meta.client

    def __exit__(self, *error: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def requests(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": {"id": f"{i:02}"}}} for i in range(count)]


def test_items_the_table_did_not_take_are_sent_again_after_growing_waits() -> None:
    slow = Throttling(step=5)
    waits: list[float] = []
    with slow as client:
        write_batch(client, "slow", requests(25), waits.append)
    assert slow.taken == [f"{i:02}" for i in range(25)]
    assert slow.requests == 5
    assert [low <= wait <= 2 * low for wait, low in zip(waits, (0.05, 0.1, 0.2, 0.4), strict=True)] == [True] * 4


def test_a_throttled_request_is_repeated_by_the_client() -> None:
    slow = Throttling(step=25, refusals=2)
    with slow as client:
        write_batch(client, "slow", requests(25))
    assert (len(slow.taken), slow.requests) == (25, 3)


def test_a_table_that_takes_nothing_ends_with_a_message() -> None:
    slow = Throttling(step=0)
    waits: list[float] = []
    with slow as client, pytest.raises(DeliveryError, match="lookup table slow: 25 items not taken after 10 attempts"):
        write_batch(client, "slow", requests(25), waits.append)
    assert slow.requests == 10
    assert max(waits) <= 20.0


def test_the_carparks_job_fills_the_table_and_removes_what_the_run_before_left(tmp_path: pathlib.Path) -> None:
    with moto_server() as endpoint:
        table = new_table(endpoint, "carparks")
        put_rows(plain(endpoint), table, [{"id": "GONE"}, {"id": "T1", "address": "old"}], "yesterday")
        done = submit_job(
            "carparks", *sample_args("carparks"), "--destination", tmp_path / "out", "--lookup-table", table,
            "--run-id", "today", env=endpoint.environment,
        )  # fmt: skip
        assert (done.exit_code, done.stderr) == (0, done.stderr)
        names = [item["id"]["S"] for item in items(endpoint, table)]
        assert names == ["#load", "ALL", "K7", "K8", "T1", "T2", "T3M", "Z99"]
        assert items(endpoint, table)[0]["load"]["S"].startswith("today-")
        found = {item["id"]["S"]: item for item in items(endpoint, table)}["T2"]
        assert (found["car_park_no"], found["total_lots"], found["stale"]) == (
            {"S": "T2"},
            {"N": "371"},
            {"BOOL": False},
        )
        assert (found["run_id"], found["updated_at"]) == ({"S": "today"}, {"S": "2024-05-04T09:07:02+08:00"})
        assert done.report["figures"]["lookup table carparks"] == {"written": 7, "removed": 1}

        refused = submit_job(
            "carparks",
            *sample_args("carparks"),
            "--destination",
            tmp_path / "no",
            "--lookup-table",
            "away",
            env=endpoint.environment,
        )
        assert refused.exit_code == 2
        assert "carparks: --lookup-table away: " in refused.output
        assert not (tmp_path / "no" / "carparks.csv").exists()
