"""A real PostgreSQL for tests: started once on a free port, stopped by its process id."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from pipeline.sinks.postgres.connection import Credentials, Database, database_url
from tools import postgres


class PrivatePostgres:
    """A server, its credentials, and how a test looks at it or breaks it."""

    def __init__(self, folder: pathlib.Path, settings: tuple[str, ...] = ()) -> None:
        self.folder, self.settings = folder, settings
        self.server = postgres.start(folder, settings=settings)

    @property
    def database(self) -> Database:
        return database_url(self.server.url)

    @property
    def login(self) -> Credentials:
        return Credentials(postgres.USER, self.server.password)

    def connect(self, user: str = postgres.USER, password: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.server.url, user=user, password=password or self.server.password, autocommit=True)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement as the owner and gives its rows."""
        with self.connect() as session:
            done = session.execute(statement, values or None)
            return done.fetchall() if done.description else []

    def crash(self) -> None:
        """Stops the server as a crash would: no checkpoint, every connection is cut."""
        postgres.stop(self.folder, how=postgres.signal.SIGQUIT)

    def crash_while_staging(self, table: str, seconds: float = 600) -> None:
        """Waits until rows are being written to the staging table of `table`, and crashes in the middle of that."""
        until = time.monotonic() + seconds
        with self.connect() as watch:
            busy = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE %s"
            while watch.execute(busy, (f'COPY "{table}_staging"%',)).fetchone() == (0,):
                assert time.monotonic() < until, f"nothing was written to {table}_staging"
                time.sleep(0.005)
            time.sleep(0.02)
        self.crash()

    def restart(self) -> None:
        self.server = postgres.start(self.folder, self.server.port, self.settings)


@contextlib.contextmanager
def private_postgres(*settings: str) -> Iterator[PrivatePostgres]:
    """A server of its own, gone afterwards with all it held."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="postgres-"))
    home.chmod(0o755)  # under root the server runs as another account, which must reach its folder
    try:
        yield PrivatePostgres(home / "server", settings)
    finally:
        postgres.stop(home / "server")
        shutil.rmtree(home)
