from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.errors import DeliveryError
from pipeline.sinks import marks
from pipeline.sinks.postgres.connection import Credentials, Table
from pipeline.sinks.postgres.load import (
    MOST_CONNECTIONS,
    LoadResult,
    Target,
    _create_absent,
    _registered,
    load,
    merge,
    write_staging,
)
from tests.support.postgres import PrivatePostgres, private_postgres

pytestmark = pytest.mark.postgres

COLUMNS = {"id": "uuid", "name": "text", "age": "integer"}
SCHEMA = "id string, name string, age int"
Row = tuple[str, str | None, int | None]


def key(number: int) -> str:
    return str(uuid.UUID(int=number))


@pytest.fixture
def target(postgres: PrivatePostgres) -> Iterator[Target]:
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield Target(Table(name), COLUMNS, "id")
    postgres.query(f"DROP TABLE IF EXISTS {name}, {name}_staging, {name}_mark")


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What loads waited for: nobody reads here."""
    waited: list[float] = []
    monkeypatch.setattr("pipeline.sinks.postgres.load.sleep", waited.append)
    return waited


def load_rows(
    spark: SparkSession, server: PrivatePostgres, target: Target, rows: list[Row], login: Credentials | None = None
) -> LoadResult:
    frame = spark.createDataFrame(rows, SCHEMA).repartition(3)
    return load(frame, len(rows), target, server.database, login or server.login, "run")


def table(server: PrivatePostgres, target: Target) -> list[tuple[object, ...]]:
    return server.query(f"SELECT id::text, name, age FROM {target.table.quoted} ORDER BY id")


def staged(server: PrivatePostgres, target: Target) -> int:
    return server.query(f"SELECT count(*) FROM {target.table.staging().quoted}")[0][0]


ROWS: list[Row] = [(key(1), "Ann", 7), (key(2), 'O\'Neil \\ "x"', None), (key(3), None, -1)]


def test_a_first_load_makes_the_table_and_fills_it(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    assert load_rows(spark, postgres, target, ROWS) == LoadResult(inserted=3, updated=0, unchanged=0)
    assert table(postgres, target) == ROWS
    assert staged(postgres, target) == 0


def test_the_same_load_again_changes_nothing(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    load_rows(spark, postgres, target, ROWS)
    before = postgres.query(f"SELECT xmin FROM {target.table.quoted} ORDER BY id")
    assert load_rows(spark, postgres, target, ROWS) == LoadResult(inserted=0, updated=0, unchanged=3)
    assert postgres.query(f"SELECT xmin FROM {target.table.quoted} ORDER BY id") == before, "a row was written again"


def test_changed_rows_are_updated_also_from_and_to_null(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS)
    changed: list[Row] = [(key(1), "Ann", None), (key(2), "O'Neil", 9), (key(3), None, -1), (key(4), "New", 1)]
    assert load_rows(spark, postgres, target, changed) == LoadResult(inserted=1, updated=2, unchanged=1)
    assert table(postgres, target) == changed


def test_texts_arrive_as_they_are(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    texts = ["", " ", "\\.", "a\n\\.\nb", "\\N", "NULL", '"', 'a,"b"\r\n\tc', "\\", "é 山田", "load_id", None]
    rows: list[Row] = [(key(number), text, number) for number, text in enumerate(texts)]
    assert load_rows(spark, postgres, target, rows) == LoadResult(len(rows), 0, 0)
    assert table(postgres, target) == rows


def mark(server: PrivatePostgres, target: Target) -> str | None:
    return server.query(f"SELECT load_id FROM {target.table.mark().quoted}")[0][0]


def test_each_load_sets_a_mark_of_its_own_and_waits_before_rows_change(
    spark: SparkSession, postgres: PrivatePostgres, target: Target, waits: list[float]
) -> None:
    load_rows(spark, postgres, target, ROWS)
    first = mark(postgres, target)
    assert waits == [], "nobody knows a mark that never was"
    load_rows(spark, postgres, target, ROWS)
    second = mark(postgres, target)
    assert waits == [marks.WAIT_SECONDS]
    assert str(first).startswith("run-")
    assert str(second).startswith("run-")
    assert first != second


def test_while_rows_change_and_after_a_load_that_failed_there_is_no_mark(
    spark: SparkSession, postgres: PrivatePostgres, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_rows(spark, postgres, target, ROWS)
    seen: list[object] = []
    monkeypatch.setattr(
        "pipeline.sinks.postgres.load.sleep",
        lambda _: seen.extend([mark(postgres, target), len(table(postgres, target))]),
    )
    with pytest.raises(DeliveryError, match="1 of 2 rows arrived"):
        load(spark.createDataFrame([(key(9), "x", 1)], SCHEMA), 2, target, postgres.database, postgres.login, "run")
    assert seen == [None, 3]
    assert mark(postgres, target) is None
    load_rows(spark, postgres, target, ROWS)
    assert mark(postgres, target) is not None


def test_an_empty_load_is_fine(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    assert load_rows(spark, postgres, target, []) == LoadResult(0, 0, 0)


def test_rows_that_a_task_wrote_again_add_none(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    frame = spark.createDataFrame(ROWS, SCHEMA)
    assert load(frame.union(frame), 3, target, postgres.database, postgres.login, "run") == LoadResult(3, 0, 0)
    assert table(postgres, target) == ROWS


def test_rows_that_did_not_arrive_stop_the_merge(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    with pytest.raises(DeliveryError, match="3 of 4 rows arrived"):
        load(spark.createDataFrame(ROWS, SCHEMA), 4, target, postgres.database, postgres.login, "run")
    assert table(postgres, target) == []
    assert staged(postgres, target) == 0


def test_a_bad_value_fails_with_one_line_and_leaves_nothing(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS)
    with pytest.raises(DeliveryError, match=r'was not loaded: invalid input syntax for type uuid: "x"$') as failed:
        load_rows(spark, postgres, target, [(key(9), "fine", 1), ("x", "bad", 1)])
    assert "\n" not in str(failed.value)
    assert table(postgres, target) == ROWS
    assert staged(postgres, target) == 0


def test_what_a_killed_load_left_is_removed_and_never_merged(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS[:1])
    frame = spark.createDataFrame(ROWS, SCHEMA)
    assert write_staging(frame, target, postgres.database, postgres.login, "killed") == 3
    assert staged(postgres, target) == 3
    load_rows(spark, postgres, target, ROWS[:2])
    assert table(postgres, target) == ROWS[:2]
    assert staged(postgres, target) == 0


def test_rows_of_a_load_that_lives_are_left_alone(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS[:1])
    write_staging(spark.createDataFrame(ROWS, SCHEMA), target, postgres.database, postgres.login, "alive")
    with postgres.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtext(%s), hashtext('alive'))", (target.table.name,))
        load_rows(spark, postgres, target, ROWS[:2])
        assert staged(postgres, target) == 3


def test_a_load_that_names_the_schema_knows_one_that_does_not(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    with_schema = Target(Table(target.table.name, "public"), COLUMNS, "id")
    with postgres.connect() as other, _registered(other, target, "alive"):
        write_staging(spark.createDataFrame(ROWS, SCHEMA), target, postgres.database, postgres.login, "alive")
        load_rows(spark, postgres, with_schema, ROWS[:2])
        assert staged(postgres, target) == 3, "those of a load that lives are left alone"


def test_a_merge_that_names_the_schema_waits_for_one_that_does_not(postgres: PrivatePostgres, target: Target) -> None:
    with_schema = Target(Table(target.table.name, "public"), COLUMNS, "id")
    with postgres.connect() as first, postgres.connect() as second:
        _create_absent(first, target)
        merge(first, target, "first", 0)
        second.execute("SET lock_timeout = 100")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            merge(second, with_schema, "second", 0)


def test_loads_at_the_same_time_all_arrive(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    done: list[LoadResult] = []
    rows = [[(key(n), f"run {run}", n) for n in range(run * 50, run * 50 + 100)] for run in range(4)]
    threads = [threading.Thread(target=lambda r=r: done.append(load_rows(spark, postgres, target, r))) for r in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert sum(one.inserted for one in done) == 250
    assert [row[0] for row in table(postgres, target)] == [key(n) for n in range(250)]
    assert staged(postgres, target) == 0


def test_no_right_to_create_or_drop_is_needed(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    load_rows(spark, postgres, target, ROWS[:1])
    writer = f"w_{target.table.name}"
    postgres.query(f"CREATE ROLE {writer} LOGIN PASSWORD 'pw'")
    postgres.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    postgres.query(f"GRANT SELECT, INSERT, UPDATE ON {target.table.quoted} TO {writer}")
    postgres.query(f"GRANT SELECT, INSERT, DELETE ON {target.table.staging().quoted} TO {writer}")
    postgres.query(f"GRANT SELECT, INSERT, UPDATE ON {target.table.mark().quoted} TO {writer}")
    try:
        assert load_rows(spark, postgres, target, ROWS, Credentials(writer, "pw")) == LoadResult(2, 0, 1)
        with pytest.raises(DeliveryError, match="permission denied for schema public"):
            load_rows(spark, postgres, Target(Table("absent"), COLUMNS, "id"), ROWS, Credentials(writer, "pw"))
    finally:
        postgres.query(f"DROP OWNED BY {writer}")
        postgres.query(f"DROP ROLE {writer}")


def test_a_table_without_a_column_is_reported(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    postgres.query(f"CREATE TABLE {target.table.quoted} (id uuid PRIMARY KEY, years integer)")
    with pytest.raises(DeliveryError, match="lacks age, name; it has id, years"):
        load_rows(spark, postgres, target, ROWS)


def test_a_wrong_password_is_reported_without_any(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    with pytest.raises(DeliveryError, match=r"was not loaded: .*password authentication failed") as failed:
        load_rows(spark, postgres, target, ROWS, Credentials("app", "hunter2"))
    assert "hunter2" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_sql_in_names_and_values_is_only_text(spark: SparkSession, postgres: PrivatePostgres, target: Target) -> None:
    load_rows(spark, postgres, target, ROWS)
    evil = f"'); DROP TABLE {target.table.name}; --"
    odd = Target(target.table, {"id": "uuid", "name": "text", "age": "integer"}, "id")
    load(spark.createDataFrame([(key(9), evil, 1)], SCHEMA), 1, odd, postgres.database, postgres.login, evil)
    assert table(postgres, target) == [*ROWS, (key(9), evil, 1)]


def test_a_task_that_fails_is_one_line_without_the_password(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS[:1])
    # More rows than the pipe to a worker holds: input that a failed task leaves unread must not fail it once more.
    frame = spark.range(300_000).selectExpr("uuid() AS id", "repeat('x', 100) AS name", "1 AS age")
    with pytest.raises(DeliveryError, match=r"was not loaded: .*password authentication failed") as failed:
        write_staging(frame, target, postgres.database, Credentials("app", "hunter2"), "run")
    assert "hunter2" not in str(failed.value)
    assert "\n" not in str(failed.value)
    assert staged(postgres, target) == 0


def test_a_task_that_fails_late_leaves_none_of_its_rows(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    load_rows(spark, postgres, target, ROWS[:1])
    name = "CASE WHEN id = 99999 THEN 'a\\u0000b' ELSE 'x' END AS name"
    frame = spark.range(0, 100_000, numPartitions=1).selectExpr("uuid() AS id", name, "1 AS age")
    with pytest.raises(DeliveryError, match=r'was not loaded: invalid byte sequence for encoding "UTF8": 0x00$'):
        write_staging(frame, target, postgres.database, postgres.login, "run")
    assert staged(postgres, target) == 0


def test_a_load_takes_a_few_connections_however_many_partitions(
    spark: SparkSession, postgres: PrivatePostgres, target: Target
) -> None:
    frame = spark.createDataFrame(ROWS, SCHEMA).repartition(50)
    before = postgres.query("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")[0][0]
    assert load(frame, 3, target, postgres.database, postgres.login, "run") == LoadResult(3, 0, 0)
    after = postgres.query("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")[0][0]
    # The load's own, one per task, and those of this test.
    assert after - before <= MOST_CONNECTIONS + 4


@pytest.mark.slow
def test_a_database_killed_in_the_middle_of_a_load_is_right_after_the_next(spark: SparkSession) -> None:
    target = Target(Table("people"), COLUMNS, "id")
    frame: DataFrame = spark.range(400_000).selectExpr(
        "format_string('00000000-0000-0000-0000-%012x', id) AS id",
        "concat('name ', id) AS name",
        "cast(id % 90 AS int) AS age",
    )
    with private_postgres() as server:
        load_rows(spark, server, target, ROWS)
        killer = threading.Thread(target=server.crash_while_staging, args=(target.table.name,))
        killer.start()
        with pytest.raises(DeliveryError, match="was not loaded"):
            load(frame, 400_000, target, server.database, server.login, "run")
        killer.join()
        server.restart()
        assert table(server, target) == ROWS, "a part of the load is in the table"
        assert load(frame, 400_000, target, server.database, server.login, "run") == LoadResult(399_997, 3, 0)
        found = server.query("SELECT count(*), count(DISTINCT id), sum(age) FROM people")
        assert found == [(400_000, 400_000, sum(n % 90 for n in range(400_000)))]
        assert staged(server, target) == 0
