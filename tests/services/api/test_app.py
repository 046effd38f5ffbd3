from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from pipeline.sinks.postgres.connection import Credentials, Table
from services.api import app as api
from services.api.database import Reader
from services.api.settings import Settings
from tests.support.postgres import PrivatePostgres, private_postgres

pytestmark = pytest.mark.postgres

KEY = "0123456789abcdef"
COLUMNS = "id uuid PRIMARY KEY, first_name text, last_name text, age integer, location text"


def new_table(server: PrivatePostgres, rows: int) -> str:
    name = f"p_{uuid.uuid4().hex[:12]}"
    server.query(f"CREATE TABLE {name} ({COLUMNS})")
    server.query(
        f"INSERT INTO {name} SELECT lpad(to_hex(i), 32, '0')::uuid, 'Ann ' || i, CASE WHEN i % 2 = 0 THEN 'Lee' END,"
        f" i % 90, NULL FROM generate_series(1, {rows}) AS i"
    )
    return name


@pytest.fixture
def environment(postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    known = {**postgres.server.environment, "API_KEY": KEY}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    return known


@pytest.fixture
def table(postgres: PrivatePostgres) -> Iterator[str]:
    name = new_table(postgres, 25)
    yield name
    postgres.query(f"DROP TABLE {name}")


def client_of(server: PrivatePostgres, table: str, key: str | None = KEY) -> TestClient:
    app = api.create_app(Settings(server.database, Table(table), KEY, connections=3))
    return TestClient(app, headers={"x-api-key": key} if key else {}, raise_server_exceptions=False)


@pytest.fixture
def client(environment: dict[str, str], postgres: PrivatePostgres, table: str) -> Iterator[TestClient]:
    with client_of(postgres, table) as found:
        yield found


def person(number: int) -> dict[str, Any]:
    last = "Lee" if number % 2 == 0 else None
    return {
        "id": str(uuid.UUID(int=number)),
        "first_name": f"Ann {number}",
        "last_name": last,
        "age": number % 90,
        "location": None,
    }


def test_the_first_chunk_has_ten_rows_by_id_and_a_cursor(client: TestClient) -> None:
    answer = client.get("/read/first-chunk")
    assert answer.status_code == 200
    assert answer.json()["rows"] == [person(n) for n in range(1, 11)]
    assert isinstance(answer.json()["next_cursor"], str)


@pytest.mark.parametrize("num_records", [1, 7, 24, 25, 26, 1000])
def test_chunk_by_chunk_every_row_comes_once(client: TestClient, num_records: int) -> None:
    answer = client.get("/read/first-chunk", params={"num_records": num_records}).json()
    rows, sizes = answer["rows"], [len(answer["rows"])]
    while answer["next_cursor"]:
        answer = client.get("/read/next-chunk", params={"cursor": answer["next_cursor"]}).json()
        rows += answer["rows"]
        sizes.append(len(answer["rows"]))
    assert rows == [person(n) for n in range(1, 26)]
    assert all(size == num_records for size in sizes[:-1])
    assert 0 < sizes[-1] <= num_records


def test_a_row_that_comes_or_goes_meanwhile_moves_no_other(
    client: TestClient, postgres: PrivatePostgres, table: str
) -> None:
    cursor = client.get("/read/first-chunk").json()["next_cursor"]
    postgres.query(f"DELETE FROM {table} WHERE id = %s", uuid.UUID(int=10))
    postgres.query(f"INSERT INTO {table} (id) VALUES (%s)", uuid.UUID(int=0))
    assert client.get("/read/next-chunk", params={"cursor": cursor}).json()["rows"][0] == person(11)


def test_an_empty_table_is_an_empty_chunk(environment: dict[str, str], postgres: PrivatePostgres) -> None:
    name = new_table(postgres, 0)
    with client_of(postgres, name) as client:
        assert client.get("/read/first-chunk").json() == {"rows": [], "next_cursor": None}
    postgres.query(f"DROP TABLE {name}")


@pytest.mark.parametrize("key", [None, "", "wrong", KEY[:-1], KEY + "x", "é"])
@pytest.mark.parametrize("path", ["/read/first-chunk", "/read/next-chunk"])
def test_without_the_key_nothing_is_read(
    environment: dict[str, str], postgres: PrivatePostgres, table: str, path: str, key: str | None
) -> None:
    with client_of(postgres, table, None) as client:
        answer = client.get(path, headers={} if key is None else {b"x-api-key": key.encode()})
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "unauthorized",
        "message": "the header x-api-key is absent or wrong",
        "parameter": None,
    }
    assert answer.headers["www-authenticate"] == "ApiKey"


WRONG = [
    ("/read/first-chunk?num_records=0", "num_records", "greater than or equal to 1"),
    ("/read/first-chunk?num_records=1001", "num_records", "less than or equal to 1000"),
    ("/read/first-chunk?num_records=-1", "num_records", "greater than or equal to 1"),
    ("/read/first-chunk?num_records=ten", "num_records", "valid integer"),
    ("/read/first-chunk?num_records=", "num_records", "valid integer"),
    ("/read/first-chunk?num_records=1.5", "num_records", "valid integer"),
    ("/read/first-chunk?num_records=1;DROP TABLE people", "num_records", "valid integer"),
    ("/read/first-chunk?num_record=5", "num_record", "no such parameter"),
    ("/read/next-chunk", "cursor", "required"),
    ("/read/next-chunk?cursor=", "cursor", "pattern"),
    ("/read/next-chunk?cursor=' OR 1=1 --", "cursor", "pattern"),
    ("/read/next-chunk?cursor=a&num_records=5", "cursor", "pattern"),
]


@pytest.mark.parametrize(("path", "parameter", "message"), WRONG)
def test_a_wrong_parameter_is_reported(client: TestClient, path: str, parameter: str, message: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid_parameter"
    assert answer.json()["parameter"] == parameter
    assert message in answer.json()["message"]


def test_a_cursor_of_nobody_is_reported(client: TestClient) -> None:
    answer = client.get("/read/next-chunk", params={"cursor": "A" * 32})
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_cursor")


def test_sql_in_parameters_and_headers_does_nothing(client: TestClient, postgres: PrivatePostgres, table: str) -> None:
    before = postgres.query(f"SELECT * FROM {table} ORDER BY id")
    for evil in (f"'; DROP TABLE {table}; --", f"1 UNION SELECT * FROM {table}", "10)--", "%27%20OR%201%3D1"):
        assert client.get("/read/first-chunk", params={"num_records": evil}).status_code == 422
        assert client.get("/read/next-chunk", params={"cursor": evil}).status_code == 422
        assert client.get("/read/first-chunk", headers={"x-api-key": evil}).status_code == 401
    assert postgres.query(f"SELECT * FROM {table} ORDER BY id") == before


def test_the_api_cannot_write(environment: dict[str, str], postgres: PrivatePostgres, table: str) -> None:
    from psycopg.errors import ReadOnlySqlTransaction
    from psycopg.sql import SQL, Identifier

    reader = Reader(postgres.database, 1)
    with pytest.raises(ReadOnlySqlTransaction):
        reader.rows(SQL("DELETE FROM {} RETURNING id").format(Identifier(table)))
    reader.close()


def test_an_unknown_path_or_method_is_reported_in_the_same_form(client: TestClient) -> None:
    assert client.get("/nope").json() == {"error": "not_found", "message": "GET /nope: Not Found", "parameter": None}
    answer = client.post("/read/first-chunk")
    assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (405, "method_not_allowed", "GET")


def test_health_needs_no_key(environment: dict[str, str], postgres: PrivatePostgres, table: str) -> None:
    with client_of(postgres, table, None) as client:
        assert client.get("/health").json() == {"status": "ok"}


def test_the_openapi_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
    assert set(client.get("/openapi.json").json()["paths"]) == {"/health", "/read/first-chunk", "/read/next-chunk"}


def test_an_absent_table_is_503_until_it_is_there(environment: dict[str, str], postgres: PrivatePostgres) -> None:
    with client_of(postgres, "not_yet") as client:
        answer = client.get("/read/first-chunk")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json()["message"] == "the table is not there yet; try again in 60 s"
        postgres.query(f"CREATE TABLE not_yet ({COLUMNS})")
        assert client.get("/read/first-chunk").status_code == 200
    postgres.query("DROP TABLE not_yet")


def test_connections_that_the_server_cut_are_replaced_unnoticed(client: TestClient, postgres: PrivatePostgres) -> None:
    client.get("/health")
    postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'read-api'")
    assert client.get("/read/first-chunk").status_code == 200


@pytest.mark.usefixtures("environment")
def test_the_api_ends_without_a_word_of_its_connections(
    postgres: PrivatePostgres, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(postgres, table) as client:
        assert client.get("/read/first-chunk").status_code == 200
    assert [record.message for record in caplog.records if record.name.startswith("psycopg")] == []


def test_while_the_database_is_down_503_at_once_and_healthy_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with private_postgres("fsync=off") as server:
        for name, value in server.server.environment.items():
            monkeypatch.setenv(name, value)
        table = new_table(server, 25)
        with client_of(server, table) as client:
            assert client.get("/read/first-chunk").status_code == 200
            server.crash()
            first, first_seconds = timed(client, "/read/first-chunk")
            second, second_seconds = timed(client, "/health")
            for answer in (first, second):
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "2"
                assert answer.json()["error"] == "unavailable"
            assert first_seconds < 5
            assert second_seconds < 0.2, "nobody waits while it is known to be down"
            server.restart()
            assert seconds_until_healthy(client) < 6
            assert client.get("/read/first-chunk").json()["rows"][0] == person(1)


def timed(client: TestClient, path: str) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    return client.get(path), time.monotonic() - started


def seconds_until_healthy(client: TestClient) -> float:
    started = time.monotonic()
    while client.get("/health").status_code != 200 and time.monotonic() - started < 30:
        time.sleep(0.2)
    return time.monotonic() - started


def test_a_new_password_is_taken_up_when_connections_are_made_anew(
    client: TestClient, postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.query("CREATE ROLE reader LOGIN PASSWORD 'old' IN ROLE pg_read_all_data")
    monkeypatch.setenv("PGUSER", "reader")
    monkeypatch.setenv("PGPASSWORD", "old")
    assert client.get("/read/first-chunk").status_code == 200
    postgres.query("ALTER ROLE reader PASSWORD 'new'")
    monkeypatch.setenv("PGPASSWORD", "new")
    postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'read-api'")
    assert client.get("/read/first-chunk").status_code == 200
    postgres.query("DROP ROLE reader")


def test_with_a_user_of_iam_every_connection_logs_in_with_a_token_of_its_own(
    environment: dict[str, str], postgres: PrivatePostgres, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("PGPASSWORD")
    place = postgres.database
    token = Reader(place, 1, "people_reader")._token()
    url, _, query = token.password.partition("/?")
    assert (token.user, url) == ("people_reader", f"{place.host}:{place.port}")
    assert {"Action=connect", "DBUser=people_reader", "X-Amz-Expires=900"} <= set(query.split("&"))
    # A server without IAM takes passwords: each token is one here.
    postgres.query("CREATE ROLE people_reader LOGIN IN ROLE pg_read_all_data")
    given = []

    def next_token(reader: Reader) -> Credentials:
        given.append(f"token {len(given)}")
        postgres.query(f"ALTER ROLE people_reader PASSWORD '{given[-1]}'")
        return Credentials("people_reader", given[-1])

    monkeypatch.setattr(Reader, "_token", next_token)
    settings = Settings(place, Table(table), KEY, connections=1, iam_user="people_reader")
    with TestClient(api.create_app(settings), headers={"x-api-key": KEY}) as client:
        assert client.get("/read/first-chunk").status_code == 200
        postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'people_reader'")
        assert client.get("/read/first-chunk").status_code == 200
    assert len(given) >= 2
    postgres.query("DROP ROLE people_reader")


def lambda_event(path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "isBase64Encoded": False,
        "requestContext": {
            "http": http,
            "stage": "$default",
            "requestId": "1",
            "domainName": "api.example.com",
            "timeEpoch": 0,
        },
    }


def test_the_same_app_answers_on_lambda(
    environment: dict[str, str], table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEOPLE_TABLE", table)
    api._on_lambda.cache_clear()
    key = {"x-api-key": KEY}
    first = api.handler(lambda_event("/read/first-chunk", "num_records=20", key), None)
    assert first["statusCode"] == 200
    cursor = json.loads(first["body"])["next_cursor"]
    second = api.handler(lambda_event("/read/next-chunk", f"cursor={cursor}", key), None)
    assert json.loads(second["body"]) == {"rows": [person(n) for n in range(21, 26)], "next_cursor": None}
    assert api.handler(lambda_event("/read/first-chunk", "", {}), None)["statusCode"] == 401
    api._on_lambda.cache_clear()
