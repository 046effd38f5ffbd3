from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from fastapi.testclient import TestClient
from moto.server import ThreadedMotoServer

from pipeline.sinks.dynamodb import put_rows
from pipeline.sinks.postgres.connection import Database, Table
from services.api import app as api
from services.api import lookups as api_lookups
from services.api.cache import CacheServer, SharedCache
from services.api.errors import UnavailableError
from services.api.settings import CachePlace, Settings

KEY = "0123456789abcdef"
CARPARKS = [
    {
        "id": "ACB",
        "car_park_no": "ACB",
        "address": "BLK 270/271 ALBERT CENTRE BASEMENT CAR PARK",
        "total_lots": 105,
        "x_coord": 30314.79,
    },
    {
        "id": "A10",
        "car_park_no": "A10",
        "address": "BLK 203/204 ANG MO KIO STREET 22",
        "total_lots": None,
        "x_coord": 29257.72,
    },
    {"id": "A11", "car_park_no": "A11", "address": "BLK 201 ANG MO KIO AVENUE 3", "total_lots": 0, "x_coord": 29176.0},
    {"id": "X", "car_park_no": "X", "address": None, "total_lots": 1, "x_coord": None},
]


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        known = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        for name, value in {**known, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
            patch.setenv(name, value)
        client = boto3.resource("dynamodb").meta.client
        key = {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        for table in ("restaurants", "carparks"):
            client.create_table(TableName=table, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], **key)
        put_rows(client, "carparks", CARPARKS, "run-1")
        put_rows(
            client,
            "restaurants",
            [{"id": "18649486", "Restaurant Name": "Noodle « Bar »", "User Rating Votes": 1046}],
            "run-1",
        )
        yield client
    server.stop()


@pytest.fixture
def client(dynamodb: Any) -> TestClient:
    settings = Settings(
        Database("127.0.0.1", 1, "none"), Table("people"), KEY, restaurants="restaurants", carparks="carparks"
    )
    return TestClient(api.create_app(settings), headers={"x-api-key": KEY})


def test_a_restaurant_is_found_by_its_id(client: TestClient) -> None:
    answer = client.get("/restaurants/18649486")
    assert answer.status_code == 200
    assert answer.json() == {"id": "18649486", "Restaurant Name": "Noodle « Bar »", "User Rating Votes": 1046}
    assert answer.headers["cache-control"] == "private, max-age=60"


def test_what_is_not_there_is_404(client: TestClient) -> None:
    answer = client.get("/restaurants/1")
    assert (answer.status_code, answer.json()["message"]) == (404, "there is no restaurant 1")


@pytest.mark.parametrize("number", ["A10", "a10"])
def test_a_car_park_is_found_by_its_number_in_any_case(client: TestClient, number: str) -> None:
    assert client.get(f"/carparks/{number}").json() == CARPARKS[1]


@pytest.mark.parametrize("address", ["ang mo kio", "KIO mo", "  ang  kio "])
def test_car_parks_are_found_by_parts_of_the_address(client: TestClient, address: str) -> None:
    answer = client.get("/carparks", params={"address": address})
    assert answer.json() == {"rows": [CARPARKS[1], CARPARKS[2]], "total": 2}
    assert answer.headers["cache-control"] == "private, max-age=60"


def test_the_answer_has_no_more_rows_than_its_limit_and_tells_the_total(client: TestClient) -> None:
    assert client.get("/carparks", params={"address": "blk", "limit": 1}).json() == {"rows": [CARPARKS[1]], "total": 3}


@pytest.mark.parametrize(
    "path",
    [
        "/carparks",
        "/carparks?address=ab",
        "/carparks?address=%20%20%20",
        "/carparks?address=kio&limit=0",
        "/carparks?adress=kio",
        "/carparks/a%20b",
    ],
)
def test_a_wrong_parameter_is_reported(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_parameter")


@pytest.mark.parametrize("path", ["/restaurants/18649486", "/carparks/A10", "/carparks?address=kio"])
def test_without_the_key_nothing_is_found(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"x-api-key": "wrong"}).status_code == 401


def test_an_answer_is_kept_for_a_minute_and_no_longer(
    client: TestClient, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(api_lookups.time, "monotonic", lambda: now)
    assert client.get("/restaurants/2").status_code == 404
    put_rows(dynamodb, "restaurants", [{"id": "2"}], "run-2")
    assert client.get("/restaurants/2").status_code == 404
    now += 61
    assert client.get("/restaurants/2").json() == {"id": "2"}


def test_a_table_that_does_not_answer_is_503(dynamodb: Any) -> None:
    settings = Settings(Database("127.0.0.1", 1, "none"), Table("people"), KEY, restaurants="absent", carparks="absent")
    client = TestClient(api.create_app(settings), headers={"x-api-key": KEY})
    for path in ("/restaurants/1", "/carparks/A10", "/carparks?address=kio"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_mark_is_asked_for_once_for_a_second_so_that_there_is_time_for_the_answer(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SharedCache(CacheServer(CachePlace("127.0.0.1", 1, tls=False)))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        table = api_lookups.LookupTable("carparks", cache)
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            table._mark()
        assert time.monotonic() - began < 3, "the time limit of an answer"
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_what_is_not_configured_is_not_served() -> None:
    client = TestClient(
        api.create_app(Settings(Database("127.0.0.1", 1, "none"), Table("people"), KEY)), headers={"x-api-key": KEY}
    )
    assert client.get("/restaurants/1").status_code == 404
    assert client.get("/carparks?address=kio").status_code == 404


def test_without_a_database_lookups_are_served_and_people_are_not(dynamodb: Any) -> None:
    settings = Settings(None, Table("people"), KEY, restaurants="restaurants", carparks="carparks")
    client = TestClient(api.create_app(settings), headers={"x-api-key": KEY})
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/carparks/A10").json() == CARPARKS[1]
    assert client.get("/read/first-chunk").status_code == 404
