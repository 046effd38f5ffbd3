"""Loads a frame into a PostgreSQL table: COPY from parallel tasks into a staging table, then one merge.

The staging table is permanent and shared: every load marks its rows with an id of its own and holds an advisory lock on
that id for as long as it lives. So loads may run at the same time, and what a killed load left behind is known by its
free lock and deleted by the next one. Rights needed: SELECT, INSERT, UPDATE and DELETE; CREATE where a table is absent.
TABLE_mark says which load the table shows (`pipeline.sinks.marks`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any

import psycopg
import pyarrow
from psycopg.sql import SQL, Composed, Identifier
from pyarrow.csv import WriteOptions, write_csv
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.errors import DeliveryError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.outputs import Delivery
from pipeline.sinks import marks
from pipeline.sinks.postgres.connection import Credentials, Database, Table, connect, credentials
from transforms.text import quoted

Connection = psycopg.Connection[tuple[Any, ...]]

# More connections than this gain nothing on one server and take them from others.
MOST_CONNECTIONS = 8


@dataclass(frozen=True)
class LoadResult:
    """What a load did to the table, in rows."""

    inserted: int
    updated: int
    unchanged: int


@dataclass(frozen=True)
class Target:
    """A table to load: its SQL types by column, in order, and the column that is its primary key."""

    table: Table
    columns: Mapping[str, str]
    key: str

    def names(self, prefix: str = "") -> Composed:
        """The columns as a list for SQL."""
        return SQL(", ").join(Identifier(*([prefix] if prefix else []), name) for name in self.columns)


def load(
    frame: DataFrame, rows: int, target: Target, database: Database, login: Credentials, run_id: str
) -> LoadResult:
    """Loads all `rows` rows of the frame, which has the target's columns; the table changes as a whole or not at all.

    A row whose key is there is updated when it differs. Errors: `DeliveryError` with one line, never with a password.
    """
    load_id = marks.load_id(run_id)
    try:
        with connect(database, login, "load") as connection, _registered(connection, target, load_id):
            _remove_leftovers(connection, target)
            write_staging(frame, target, database, login, load_id)
            return merge(connection, target, load_id, rows)
    except psycopg.Error as error:
        raise _failure(target, _reason(error), login) from None


def check_database(database: Database, login: Credentials) -> None:
    """`UsageError` when the database lets nobody in: asked before a run reads anything."""
    try:
        connect(database, login, "check").close()
    except psycopg.Error as error:
        place = f"{database.host}:{database.port}/{database.name}"
        raise UsageError(f"--database-url {place}: {_plain(_reason(error), login)[:500]}") from None


def _reason(error: psycopg.Error) -> str:
    """The server's message without the detail, which repeats values of rows; else what the client says."""
    return error.diag.message_primary or str(error)


def _failure(target: Target, reason: str, login: Credentials) -> DeliveryError:
    line = _plain(reason, login)
    return DeliveryError(f"the files are published, but table {target.table.quoted} was not loaded: {line[:500]}")


def _plain(reason: str, login: Credentials) -> str:
    # As a word of its own: a short password must not hide letters of ordinary words.
    return re.sub(rf"(?<!\w){re.escape(login.password)}(?!\w)", "***", " ".join(reason.split()))


@contextmanager
def _registered(connection: Connection, target: Target, load_id: str) -> Iterator[None]:
    """Tables are there, the load's lock is held; after a failure its staged rows go, if the database still answers."""
    _create_absent(connection, target)
    connection.execute("SELECT pg_advisory_lock(hashtext(%s), hashtext(%s))", _lock(target, load_id))
    try:
        yield
    except BaseException:
        if not connection.closed:
            try:
                _delete_staged(connection, target, load_id)
            except psycopg.Error:
                connection.close()  # the next load removes the rows
        raise


def _lock(target: Target, load_id: str) -> tuple[str, str]:
    return target.table.name, load_id  # the same with the schema and without


def _create_absent(connection: Connection, target: Target) -> None:
    columns = SQL(", ").join(SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in target.columns.items())
    key = SQL("{}, PRIMARY KEY ({})").format(columns, Identifier(target.key))
    for table, start, body in (
        (target.table, SQL("CREATE TABLE IF NOT EXISTS"), key),
        # Unlogged: staged rows need not outlive a crash, and are then gone by themselves.
        (target.table.staging(), SQL("CREATE UNLOGGED TABLE IF NOT EXISTS"), columns + SQL(", load_id text NOT NULL")),
        (target.table.mark(), SQL("CREATE TABLE IF NOT EXISTS"), SQL("one boolean PRIMARY KEY, load_id text")),
    ):
        with connection.transaction():
            # Two loads that create the same table at once would fail on a unique index of the catalogue.
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (table.quoted,))
            if _columns(connection, table) is None:  # CREATE needs its right even where the table exists
                connection.execute(SQL("{} {} ({})").format(start, table.sql, body))
    wanted_columns = (
        (target.table, set(target.columns)),
        (target.table.staging(), {*target.columns, "load_id"}),
        (target.table.mark(), {"one", "load_id"}),
    )
    for table, wanted in wanted_columns:
        have = _columns(connection, table) or []
        if missing := sorted(wanted - set(have)):
            raise DeliveryError(f"table {table.quoted} lacks {', '.join(missing)}; it has {', '.join(have)}")


def _columns(connection: Connection, table: Table) -> list[str] | None:
    """The columns of a table in order; None when there is no such table."""
    names = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        (table.quoted,),
    ).fetchall()
    return [str(row[0]) for row in names] or None


def _remove_leftovers(connection: Connection, target: Target) -> None:
    """Deletes the staged rows of loads that live no longer: nobody holds their lock."""
    staging = target.table.staging()
    for (other,) in connection.execute(SQL("SELECT DISTINCT load_id FROM {}").format(staging.sql)).fetchall():
        with connection.transaction():
            row = connection.execute(
                "SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))", _lock(target, other)
            ).fetchone()
            if row and row[0]:
                _delete_staged(connection, target, other)


def _delete_staged(connection: Connection, target: Target, load_id: str) -> None:
    connection.execute(SQL("DELETE FROM {} WHERE load_id = %s").format(target.table.staging().sql), (load_id,))


def write_staging(frame: DataFrame, target: Target, database: Database, login: Credentials, load_id: str) -> int:
    """Appends the frame to the staging table over several connections; returns how many rows were written.

    In: a frame that has the target's columns; null stays null. A task that fails leaves none of its rows, and one that
    Spark repeats leaves them again: the merge takes one row per key. Errors: `DeliveryError` with one line.
    """
    columns = frame.select(*(F.col(quoted(name)) for name in target.columns), F.lit(load_id).alias("load_id"))
    writer = _writer(target, database, login)
    done = columns.coalesce(MOST_CONNECTIONS).mapInArrow(writer, "rows long, failure string").collect()
    if failures := sorted({row.failure for row in done if row.failure}):
        raise _failure(target, failures[0], login)
    return sum(row["rows"] for row in done)


def _writer(
    target: Target, database: Database, login: Credentials
) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    statement = SQL("COPY {} ({}, load_id) FROM STDIN (FORMAT csv)").format(target.table.staging().sql, target.names())

    def write(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        """Copies a partition in one transaction; gives one row: how many rows were written, and what failed."""
        rows, failure = 0, ""
        try:
            with connect(database, login, "load") as connection, connection.cursor().copy(statement) as copy:
                for batch in batches:
                    lines = pyarrow.BufferOutputStream()
                    # Arrow quotes every text and leaves null empty, which is how COPY tells them apart.
                    write_csv(batch, lines, WriteOptions(include_header=False))
                    copy.write(lines.getvalue().to_pybytes())
                    rows += batch.num_rows
        except psycopg.Error as error:
            # Reported by the driver in one line instead of a worker's stack trace.
            rows, failure = 0, _reason(error)
            deque(batches, maxlen=0)  # Spark fails a task that leaves input unread
        yield pyarrow.RecordBatch.from_pydict({"rows": [rows], "failure": [failure]})

    return write


def merge(connection: Connection, target: Target, load_id: str, rows: int) -> LoadResult:
    """Moves the staged rows of a load into the table in one transaction, in the order of their keys, and marks it.

    Nothing changes unless exactly `rows` keys are staged (`DeliveryError`). Other merges wait until the session ends.
    """
    # Two merges at once would wait for each other's rows, and the mark of one would be seen while the other writes.
    # By its number: one job may name the table with its schema, another without.
    connection.execute("SELECT pg_advisory_lock(to_regclass(%s)::oid::bigint)", (target.table.quoted,))
    _remove_mark(connection, target)
    values = [name for name in target.columns if name != target.key]
    statement = SQL(
        "WITH staged AS (SELECT DISTINCT ON ({key}) {columns} FROM {staging} WHERE load_id = %(load)s ORDER BY {key}),"
        " merged AS (INSERT INTO {table} AS old ({columns}) SELECT {columns} FROM staged ON CONFLICT ({key})"
        " DO UPDATE SET {assignments} WHERE ({old}) IS DISTINCT FROM ({new}) RETURNING old.xmax = 0 AS inserted)"
        " SELECT (SELECT count(*) FROM staged), count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted)"
        " FROM merged"
    ).format(
        key=Identifier(target.key),
        columns=target.names(),
        staging=target.table.staging().sql,
        table=target.table.sql,
        assignments=SQL(", ").join(SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in values),
        old=SQL(", ").join(Identifier("old", name) for name in values),
        new=SQL(", ").join(SQL("EXCLUDED.{}").format(Identifier(name)) for name in values),
    )
    with connection.transaction():
        counts = connection.execute(statement, {"load": load_id}).fetchone()
        staged, inserted, updated = counts or (0, 0, 0)
        if staged != rows:
            raise DeliveryError(
                f"table {target.table.quoted} was not loaded: {staged} of {rows} rows arrived in the staging table"
            )
        _delete_staged(connection, target, load_id)
        connection.execute(SQL("UPDATE {} SET load_id = %s").format(target.table.mark().sql), (load_id,))
    return LoadResult(inserted, updated, rows - inserted - updated)


def _remove_mark(connection: Connection, target: Target) -> None:
    """Takes the mark away and waits until no reader goes by it; a table that never had one needs no wait."""
    statement = SQL(
        "INSERT INTO {} AS old (one) VALUES (true) ON CONFLICT (one) DO UPDATE SET load_id = NULL"
        " RETURNING old.xmax <> 0"
    )
    [had_one] = connection.execute(statement.format(target.table.mark().sql)).fetchone() or (False,)
    if had_one:
        sleep(marks.WAIT_SECONDS)


def let_read(database: Database, login: Credentials, table: Table, reader: str) -> None:
    """Makes the role when it is not there and lets it read the table; on RDS it logs in by IAM, without a password."""
    role = Identifier(reader)
    try:
        with connect(database, login, "load") as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"role {reader}",))
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            if reader not in known:
                connection.execute(SQL("CREATE ROLE {} LOGIN").format(role))
                if "rds_iam" in known:
                    connection.execute(SQL("GRANT rds_iam TO {}").format(role))
            connection.execute(SQL("GRANT SELECT ON {}, {} TO {}").format(table.sql, table.mark().sql, role))
    except psycopg.Error as error:
        raise DeliveryError(f"the role {reader} cannot be given table {table.quoted}: {_reason(error)}") from None


def postgres(
    database: Database | None, target: Target, frame: DataFrame, *, row_count: int, reader: str | None = None
) -> Delivery | None:
    """Loads the frame, of `row_count` rows, into the table once the files are published; None without a database.

    `reader`: a role that may read the table afterwards.
    """
    if database is None:
        return None

    def deliver(job: JobContext) -> None:
        """Loads the table and reports what changed there."""
        login = credentials()
        done = load(frame, row_count, target, database, login, job.run_id)
        if reader:
            let_read(database, login, target.table, reader)
        changes = {"inserted": done.inserted, "updated": done.updated, "unchanged": done.unchanged}
        job.metric(f"table {target.table.quoted}", changes)

    return Delivery("load the table", deliver)
