"""The API as it is run: uvicorn in a process of its own, over PostgreSQL, a stand-in of DynamoDB, and Valkey."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.sinks.dynamodb import put_rows, set_mark
from tests.support.http_load import run_clients
from tests.support.postgres import PrivatePostgres
from tests.support.servers import valkey_server
from tools.postgres import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

KEY = "0123456789abcdef"
CLIENTS, SECONDS = 200, 30
SECONDS_WITH_CACHE = 12
PATHS = [
    *(f"/read/first-chunk?num_records={number}" for number in (10, 10, 10, 50, 1)),
    "/carparks/A10",
    "/carparks?address=kio",
]


@dataclass(frozen=True)
class Api:
    """A served API and what it said on stderr."""

    port: int
    log: Path


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    server.stop()


@pytest.fixture(scope="module")
def sources(postgres: PrivatePostgres, aws: dict[str, str]) -> Iterator[dict[str, str]]:
    """100,000 people and two lookup tables, with their marks; the environment of an API over them."""
    table = f"p_{uuid.uuid4().hex[:12]}"
    postgres.query(
        f"CREATE TABLE {table} (id uuid PRIMARY KEY, first_name text, last_name text, age integer, location text)"
    )
    postgres.query(
        f"INSERT INTO {table} SELECT gen_random_uuid(), 'Ann ' || i, 'Lee', i % 90, 'Rome'"
        " FROM generate_series(1, 100000) i"
    )
    postgres.query(f"CREATE TABLE {table}_mark AS SELECT true AS one, 'monday' AS load_id")
    session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-west-1")
    dynamodb = session.resource("dynamodb", endpoint_url=aws["AWS_ENDPOINT_URL"]).meta.client
    key = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}
    for name in ("restaurants", "carparks"):
        dynamodb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], **key)
        put_rows(dynamodb, name, [{"id": "A10", "address": "BLK 203 ANG MO KIO STREET 22", "total_lots": 5}], "run")
        set_mark(dynamodb, name, "run")
    yield {
        **postgres.server.environment,
        **aws,
        "PEOPLE_TABLE": table,
        "API_KEY": KEY,
        "RESTAURANTS_TABLE": "restaurants",
        "CARPARKS_TABLE": "carparks",
    }
    postgres.query(f"DROP TABLE {table}, {table}_mark")


@contextlib.contextmanager
def serve(environment: dict[str, str], log: Path) -> Iterator[Api]:
    api = free_port()
    with log.open("w") as stderr:
        command = [sys.executable, "-m", "services.api", "--port", str(api)]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=stderr)
    try:
        wait_for(f"http://127.0.0.1:{api}/health")
        yield Api(api, log)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def served(sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serve(sources, tmp_path_factory.mktemp("api") / "stderr.txt") as api:
        yield api


def wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def measure(api: Api, what: str, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Lets the clients ask, prints the figures; every answer must be right."""
    result = run_clients("127.0.0.1", api.port, PATHS, {"x-api-key": KEY}, CLIENTS, seconds)
    with capsys.disabled():
        rate, median, late = len(result.seconds) / seconds, result.percentile(50), result.percentile(99)
        print(
            f"\nread API, {what}, {CLIENTS} clients for {seconds:.0f} s: {rate:.0f} answers a second,"
            f" p50 {median * 1000:.0f} ms, p99 {late * 1000:.0f} ms"
        )
    assert result.failures == {}
    assert len(result.seconds) > CLIENTS * 2, "some clients got hardly an answer"


@pytest.mark.measures
def test_200_clients_for_30_seconds_get_no_error(served: Api, capsys: pytest.CaptureFixture[str]) -> None:
    measure(served, "without a cache", SECONDS, capsys)


@pytest.mark.measures
def test_200_clients_get_no_error_with_the_cache_nor_when_it_is_killed_meanwhile(
    sources: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with valkey_server() as valkey:
        known = {**sources, "CACHE_URL": valkey.url, "CACHE_PASSWORD": valkey.password}
        with serve(known, tmp_path / "stderr.txt") as api:
            measure(api, "with the cache", SECONDS_WITH_CACHE, capsys)
            assert valkey.client().info("stats")["keyspace_hits"] > 100
            killer = threading.Timer(SECONDS_WITH_CACHE / 2, valkey.kill)
            killer.start()
            measure(api, "the cache killed in the middle", SECONDS_WITH_CACHE, capsys)
            killer.join()
        said = api.log.read_text()
    assert "cache: ConnectionError" in said
    assert valkey.password not in said
    assert "Traceback" not in said


def test_schemathesis_finds_nothing(served: Api, tmp_path: Path) -> None:
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"http://127.0.0.1:{served.port}/openapi.json",
        "--header",
        f"x-api-key: {KEY}",
        "--max-examples",
        "50",
        "--seed",
        "1",
        "--no-color",
        "--phases",
        "examples,coverage,fuzzing,stateful",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "/carparks" in urllib.request.urlopen(f"http://127.0.0.1:{served.port}/openapi.json").read().decode()


def test_the_log_has_no_secret(served: Api, postgres: PrivatePostgres) -> None:
    text = served.log.read_text()
    assert KEY not in text
    assert postgres.server.password not in text
    assert "Traceback" not in text
