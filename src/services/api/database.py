"""Pooled reading from PostgreSQL that fails fast while the database is down and is well again by itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed
from psycopg_pool import ConnectionPool, PoolTimeout

from pipeline.errors import PipelineError
from pipeline.sinks.postgres.connection import Credentials, Database, credentials
from services.api.errors import UnavailableError

_log = logging.getLogger(__name__)
_WAIT_SECONDS = 3.0
_PAUSE_SECONDS = 1.0
_STATEMENT_MILLISECONDS = 5000

Pool = ConnectionPool[psycopg.Connection[dict[str, Any]]]


class Reader:
    """Runs single SELECTs. After a failure a new pool is made, with credentials read anew; in between nobody waits."""

    def __init__(self, database: Database, connections: int, iam_user: str | None = None) -> None:
        self.place = f"{database.host}:{database.port}/{database.name}"
        self._database, self._connections, self._iam_user = database, connections, iam_user
        self._pool: Pool | None = None
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def rows(self, statement: Composed | SQL, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a statement; `UnavailableError` when the database does not give them in time."""
        if time.monotonic() < self._closed_until:
            raise UnavailableError("the database does not answer")
        # Two attempts: after a restart of the database every pooled connection is dead, which the first use shows.
        for last in (False, True):
            pool = self._opened()
            try:
                with pool.connection(timeout=_WAIT_SECONDS) as connection:
                    return connection.execute(statement, values).fetchall()
            except psycopg.errors.QueryCanceled as error:
                raise UnavailableError("the database is too slow") from error
            except psycopg.errors.UndefinedTable as error:
                raise UnavailableError("the table is not there yet", retry_after=60) from error
            except psycopg.OperationalError as error:
                self._drop(pool)
                if last or isinstance(error, PoolTimeout):
                    _log.warning("database: %s", " ".join(str(error).split()))
                    self._closed_until = time.monotonic() + _PAUSE_SECONDS
                    raise UnavailableError("the database does not answer") from error
        raise AssertionError("not reached")

    def _opened(self) -> Pool:
        with self._lock:
            if self._pool is None:
                try:
                    login = None if self._iam_user else credentials()
                except PipelineError as error:
                    _log.warning("credentials: %s", error)
                    self._closed_until = time.monotonic() + _PAUSE_SECONDS
                    raise UnavailableError("the database's credentials cannot be read") from error
                options = f"-c statement_timeout={_STATEMENT_MILLISECONDS} -c default_transaction_read_only=on"

                def arguments() -> dict[str, Any]:
                    """For each connection anew: a token of IAM is good for 15 minutes."""
                    return {
                        **self._database.arguments(login or self._token()),
                        "connect_timeout": int(_WAIT_SECONDS),
                        "options": options,
                        "autocommit": True,
                        "row_factory": dict_row,
                        "application_name": "read-api",
                    }

                self._pool = ConnectionPool(
                    kwargs=arguments,
                    min_size=1,
                    max_size=self._connections,
                    open=True,
                    name="read-api",
                    # Attempts of a dropped pool must end before those of the next one.
                    reconnect_timeout=_WAIT_SECONDS,
                )
            return self._pool

    def _token(self) -> Credentials:
        """A log-in that this process signs with its role; nobody is asked."""
        # Not at the top: an API with a password must not load boto3.
        import boto3

        user, place = str(self._iam_user), self._database
        token = boto3.client("rds").generate_db_auth_token(DBHostname=place.host, Port=place.port, DBUsername=user)
        return Credentials(user, token)

    def _drop(self, pool: Pool, seconds: float = 0) -> None:
        """Replaces a pool that failed; of several users that notice it at once, one does."""
        with self._lock:
            if self._pool is not pool:
                return
            self._pool = None
        pool.close(timeout=seconds)

    def close(self) -> None:
        """Gives the connections back."""
        if self._pool is not None:
            self._drop(self._pool, seconds=5)  # else psycopg warns of its threads
