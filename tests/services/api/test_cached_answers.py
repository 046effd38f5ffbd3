"""The API's answers out of a real Valkey, over PostgreSQL and a stand-in of DynamoDB: none of an earlier load."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg.sql import SQL

from pipeline.sinks.dynamodb import put_rows, remove_mark, remove_other_runs, set_mark
from pipeline.sinks.postgres.connection import Table, connect
from pipeline.sinks.postgres.load import LoadResult, Target, _create_absent, let_read, merge
from services.api import app as api
from services.api import cache as api_cache
from services.api.database import Reader
from services.api.settings import CachePlace, Settings
from tests.services.api.test_lookups import dynamodb  # noqa: F401
from tests.support.paths import ROOT
from tests.support.postgres import PrivatePostgres
from tests.support.servers import PrivateValkey, valkey_server
from transforms.people.table import OUTPUT_COLUMNS

pytestmark = [pytest.mark.postgres, pytest.mark.standin]

KEY = "0123456789abcdef"
USER = "read-api"


@pytest.fixture(scope="module")
def valkey() -> Iterator[PrivateValkey]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def people(postgres: PrivatePostgres) -> Iterator[Target]:
    target = Target(Table(f"p_{uuid.uuid4().hex[:12]}"), OUTPUT_COLUMNS, "id")
    yield target
    table = target.table
    postgres.query(f"DROP TABLE IF EXISTS {table.name}, {table.staging().name}, {table.mark().name}")


@pytest.fixture
def client(
    dynamodb: Any,  # noqa: F811
    postgres: PrivatePostgres,
    people: Target,
    valkey: PrivateValkey,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TestClient]:
    """The API with the rights in the cache that it has in the cloud."""
    for name, value in postgres.server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(api_cache, name, 30.0)  # this machine may be slow
    monkeypatch.setenv("CACHE_USER", USER)
    monkeypatch.setenv("CACHE_PASSWORD", "pw")
    valkey.client().flushall()
    given = re.search(r'access_string *= "([^"]+)"', (ROOT / "terraform/modules/cache/main.tf").read_text())
    assert given
    valkey.client().execute_command("ACL", "SETUSER", USER, "reset", ">pw", *given[1].split())
    settings = Settings(
        postgres.database,
        people.table,
        KEY,
        connections=3,
        restaurants="restaurants",
        carparks="carparks",
        cache=CachePlace("127.0.0.1", valkey.port, tls=False, login=True),
    )
    with TestClient(api.create_app(settings), headers={"x-api-key": KEY}) as found:
        yield found


def load_people(server: PrivatePostgres, target: Target, first_name: str, rows: int = 20) -> LoadResult:
    """The last step of the people job: staged rows become the table's."""
    with connect(server.database, server.login, "load") as connection:
        _create_absent(connection, target)
        staged = SQL(
            "INSERT INTO {} SELECT lpad(to_hex(i), 32, '0')::uuid, %s, 'Lee', 1, NULL, %s FROM generate_series(1, %s) i"
        )
        connection.execute(staged.format(target.table.staging().sql), (first_name, first_name, rows))
        return merge(connection, target, first_name, rows)


def fill(client: Any, table: str, rows: list[dict[str, Any]], run_id: str) -> None:
    """What the jobs do with a lookup table."""
    remove_mark(client, table)
    put_rows(client, table, rows, run_id)
    remove_other_runs(client, table, run_id)
    set_mark(client, table, run_id)


def carpark(lots: int) -> list[dict[str, Any]]:
    return [{"id": "A10", "address": "BLK 203 ANG MO KIO STREET 22", "total_lots": lots}]


def first_names(client: TestClient) -> set[str]:
    return {row["first_name"] for row in client.get("/read/first-chunk").json()["rows"]}


def kept(valkey: PrivateValkey) -> list[str]:
    return sorted(key.decode() for key in valkey.client().scan_iter())


def wait_until_kept(valkey: PrivateValkey, load_id: str) -> None:
    until = time.monotonic() + 10
    while not any(f":{load_id}:first:" in key for key in kept(valkey)):
        assert time.monotonic() < until, f"{load_id} is not cached"
        time.sleep(0.02)


def test_answers_are_kept_under_the_load_without_what_was_looked_for_or_the_key(
    client: TestClient,
    dynamodb: Any,  # noqa: F811
    postgres: PrivatePostgres,
    people: Target,
    valkey: PrivateValkey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_cache, "LEASE_SECONDS", 30.0)  # every load is done before it is asked for
    load_people(postgres, people, "monday")
    fill(dynamodb, "carparks", carpark(5), "tuesday")
    fill(dynamodb, "restaurants", [{"id": "7", "name": "Noodle « Bar »"}], "friday")
    paths = ("/read/first-chunk?num_records=7", "/carparks/a10", "/carparks?address=kio", "/restaurants/7")
    before = [client.get(path) for path in paths]
    assert [answer.status_code for answer in before] == [200] * 4
    found, place = kept(valkey), postgres.database
    assert [re.sub(r"search:[0-9a-f]{64}$", "search", key) for key in found] == [
        f'read-api:1:127.0.0.1:{place.port}/{place.name}/"{people.table.name}":monday:first:7',
        "read-api:1:eu-west-1/carparks:tuesday:item:A10",
        "read-api:1:eu-west-1/carparks:tuesday:search",
        "read-api:1:eu-west-1/restaurants:friday:item:7",
    ]
    text = " ".join(found)
    assert "kio" not in text
    assert KEY not in text
    # Rows that change without a load are seen when an answer is over: so these come from the cache.
    postgres.query(f"UPDATE {people.table.name} SET age = 99")
    put_rows(dynamodb, "carparks", carpark(99), "by hand")
    put_rows(dynamodb, "restaurants", [{"id": "7", "name": "other"}], "by hand")
    after = [client.get(path) for path in paths]
    assert [answer.content for answer in after] == [answer.content for answer in before]
    assert after[3].json() == {"id": "7", "name": "Noodle « Bar »"}
    assert after[3].headers["cache-control"] == "private, no-cache"
    assert after[0].headers["content-type"] == "application/json"


def test_what_is_not_there_is_404_from_the_cache_too(
    client: TestClient,
    dynamodb: Any,  # noqa: F811
    valkey: PrivateValkey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_cache, "LEASE_SECONDS", 30.0)
    fill(dynamodb, "restaurants", [{"id": "7"}], "friday")
    assert [client.get("/restaurants/8").status_code for _ in range(2)] == [404, 404]
    assert valkey.client().get("read-api:1:eu-west-1/restaurants:friday:item:8") == b"null"
    assert client.get("/restaurants/%23load").status_code == 422, "the mark is no restaurant"


def test_the_key_is_asked_for_before_the_cache(
    client: TestClient,
    dynamodb: Any,  # noqa: F811
) -> None:
    fill(dynamodb, "carparks", carpark(5), "tuesday")
    assert client.get("/carparks/A10").status_code == 200
    assert client.get("/carparks/A10", headers={"x-api-key": "wrong"}).status_code == 401


def test_no_request_that_begins_after_a_load_gets_an_answer_of_the_load_before(
    client: TestClient,
    dynamodb: Any,  # noqa: F811
    postgres: PrivatePostgres,
    people: Target,
    valkey: PrivateValkey,
) -> None:
    load_people(postgres, people, "load 0")
    fill(dynamodb, "carparks", carpark(0), "load-0")
    seen: list[tuple[float, int, int, int]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            began = time.monotonic()
            [name] = first_names(client)
            one = client.get("/carparks/A10").json()["total_lots"]
            [found] = client.get("/carparks", params={"address": "kio"}).json()["rows"]
            seen.append((began, int(name.removeprefix("load ")), one, found["total_lots"]))

    pool = ThreadPoolExecutor(4)
    asking = [pool.submit(ask) for _ in range(4)]
    ended = [0.0]
    try:
        for load in (1, 2):
            wait_until_kept(valkey, f"load {load - 1}")
            loaders = [
                threading.Thread(target=load_people, args=(postgres, people, f"load {load}")),
                threading.Thread(target=fill, args=(dynamodb, "carparks", carpark(load), f"load-{load}")),
            ]
            for loader in loaders:
                loader.start()
            for loader in loaders:
                loader.join()
            ended.append(time.monotonic())
        assert (first_names(client), client.get("/carparks/A10").json()["total_lots"]) == ({"load 2"}, 2)
    finally:
        done.set()
        pool.shutdown()
    assert [future.exception() for future in asking] == [None] * 4
    stale = [row for row in seen for load in (1, 2) if row[0] > ended[load] and min(row[1:]) < load]
    assert stale == []
    assert {number for row in seen for number in row[1:]} == {0, 1, 2}
    assert len(seen) > 20


def test_without_a_mark_nothing_is_kept_and_answers_are_right(
    client: TestClient,
    dynamodb: Any,  # noqa: F811
    postgres: PrivatePostgres,
    people: Target,
    valkey: PrivateValkey,
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in OUTPUT_COLUMNS.items())
    postgres.query(f"CREATE TABLE {people.table.name} ({columns})")
    postgres.query(f"INSERT INTO {people.table.name} VALUES (gen_random_uuid(), 'Ann', 'Lee', 1, NULL)")
    remove_mark(dynamodb, "carparks")
    put_rows(dynamodb, "carparks", carpark(5), "before marks")
    for lots in (5, 6):
        put_rows(dynamodb, "carparks", carpark(lots), "before marks")
        assert first_names(client) == {"Ann"}
        assert client.get("/carparks/A10").json()["total_lots"] == lots
        assert client.get("/carparks", params={"address": "kio"}).json()["rows"][0]["total_lots"] == lots
    assert kept(valkey) == []


def test_a_mark_that_is_a_table_of_another_kind_is_none(
    client: TestClient, postgres: PrivatePostgres, people: Target, valkey: PrivateValkey
) -> None:
    load_people(postgres, people, "monday")
    postgres.query(f"ALTER TABLE {people.table.mark().name} DROP COLUMN load_id")
    assert first_names(client) == {"monday"}
    assert kept(valkey) == []


def test_a_reader_that_may_not_read_the_mark_goes_on_without_the_cache(
    client: TestClient,
    postgres: PrivatePostgres,
    people: Target,
    valkey: PrivateValkey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_people(postgres, people, "monday")
    role = f"r_{people.table.name}"
    postgres.query(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
    postgres.query(f"GRANT SELECT ON {people.table.name} TO {role}")
    monkeypatch.setenv("PGUSER", role)
    monkeypatch.setenv("PGPASSWORD", "pw")
    try:
        assert first_names(client) == {"monday"}
        assert kept(valkey) == []
        let_read(postgres.database, postgres.login, people.table, role)
        reader = Reader(postgres.database, 1)
        assert reader.rows(SQL("SELECT load_id FROM {}").format(people.table.mark().sql)) == [{"load_id": "monday"}]
        reader.close()
    finally:
        postgres.query(f"DROP OWNED BY {role}")
        postgres.query(f"DROP ROLE {role}")
