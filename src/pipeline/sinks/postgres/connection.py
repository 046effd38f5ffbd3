"""Where a PostgreSQL database is, who asks, and which table: checked before anything connects.

A URL never holds credentials. They come from PGUSER and PGPASSWORD, or from the secret that DATABASE_SECRET_ARN names.
The read API's function imports this module: nothing here may load pyspark, numpy or pyarrow.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from pipeline.errors import DeliveryError, UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,54}")
# A name, an IPv4 or an IPv6 address; libpq would take a list of hosts or a socket's folder too.
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PARAMETERS = ("sslmode", "sslrootcert")
_ADDRESS = {"host": "", "port": "5432", "dbname": ""}  # libpq's names and our defaults
_SECONDS_TO_CONNECT = 10
_FILES = contextlib.ExitStack()  # files that live as long as the process
atexit.register(_FILES.close)


@functools.cache
def rds_certificates() -> str:
    """A file with the root certificates of Amazon RDS: on Glue this package is in a .zip, where libpq cannot read."""
    found = resources.files("pipeline.sinks.postgres") / "rds-ca-rsa2048-g1.pem"
    return _FILES.enter_context(resources.as_file(found)).as_posix()


@dataclass(frozen=True)
class Database:
    """Host, port, name and TLS settings of a database, without credentials."""

    host: str
    port: int
    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, login: Credentials) -> dict[str, Any]:
        """Keyword arguments for `psycopg.connect`; a peer that vanishes is noticed within a minute."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": login.user,
            "password": login.password,
            "connect_timeout": _SECONDS_TO_CONNECT,
            "keepalives_idle": 15,
            "keepalives_interval": 15,
            "keepalives_count": 3,
            **self.parameters,
            **({"sslrootcert": rds_certificates()} if self.parameters.get("sslrootcert") == "rds" else {}),
        }


@dataclass(frozen=True)
class Credentials:
    """User and password; the password is not part of its text."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Table:
    """A checked table name, with its schema when one was given."""

    name: str
    schema: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Schema, if given, and name."""
        return (self.schema, self.name) if self.schema else (self.name,)

    @property
    def quoted(self) -> str:
        """The name as SQL text, in quotes."""
        return ".".join(f'"{part}"' for part in self.parts)

    @property
    def sql(self) -> Identifier:
        """The name as a quoted identifier for psycopg."""
        return Identifier(*self.parts)

    def staging(self) -> Table:
        """The table of the same schema that loads are written to first."""
        return Table(f"{self.name}_staging", self.schema)

    def mark(self) -> Table:
        """The table of the same schema whose one row says which load this table shows (`pipeline.sinks.marks`)."""
        return Table(f"{self.name}_mark", self.schema)


def database_url(text: str) -> Database:
    """Reads `postgresql://host[:port]/database[?sslmode=...]`, with or without `jdbc:`; `UsageError` otherwise.

    `sslrootcert=rds` are the root certificates of Amazon RDS, which come with this package.

    The message never repeats the text, which may hold a password by mistake.
    """
    url = text.strip().removeprefix("jdbc:")
    expected = "expected postgresql://HOST[:PORT]/DATABASE[?sslmode=verify-full]"
    if not url.startswith(("postgresql://", "postgres://")):  # libpq reads "host=h dbname=d" too
        raise UsageError(f"database URL: {expected}")
    try:
        settings = conninfo_to_dict(url)
    except psycopg.Error:
        # "from None": libpq's message repeats parts of the text.
        raise UsageError(f"database URL: not a URL, or an unknown parameter; {expected}") from None
    if {"user", "password"} & settings.keys():
        raise UsageError(
            "database URL: it carries credentials; give them as PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN"
        )
    host, port, name = (str(settings.pop(key, default)) for key, default in _ADDRESS.items())
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"database URL: the port is not a number from 1 to 65535; {expected}")
    if not _HOST.fullmatch(host) or not _NAME.fullmatch(name.replace("-", "_")):
        raise UsageError(f"database URL: {expected}")
    if unknown := settings.keys() - set(_PARAMETERS):
        raise UsageError(
            f"database URL: unknown parameter {', '.join(sorted(unknown))}; known are {', '.join(_PARAMETERS)}"
        )
    if settings.get("sslmode", "prefer") not in _SSL_MODES:
        raise UsageError(f"database URL: sslmode must be one of {', '.join(_SSL_MODES)}")
    return Database(host, int(port), name, {key: str(value) for key, value in settings.items()})


def table_name(text: str) -> Table:
    """Reads `table` or `schema.table`: letters, digits and underscores, at most 55; anything else is a `UsageError`."""
    parts = text.split(".")
    if len(parts) > 2 or not all(_NAME.fullmatch(part) for part in parts):
        raise UsageError(
            f"'{text}' is not a table name: letters, digits and underscores, at most 55, after SCHEMA. if need be"
        )
    return Table(parts[-1], parts[0] if len(parts) == 2 else None)


def role_name(text: str) -> str:
    """Reads a role's name: letters, digits and underscores, at most 55; anything else is a `UsageError`."""
    if not _NAME.fullmatch(text):
        raise UsageError(f"'{text}' is not a role's name: letters, digits and underscores, at most 55")
    return text


def check_credentials(environment: Mapping[str, str] = os.environ) -> None:
    """`UsageError` when the environment does not say where credentials come from; asks nobody."""
    if not environment.get("DATABASE_SECRET_ARN") and not (environment.get("PGUSER") and environment.get("PGPASSWORD")):
        raise UsageError("no credentials for the database: set PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN")


def credentials(environment: Mapping[str, str] = os.environ) -> Credentials:
    """User and password from DATABASE_SECRET_ARN (`{"username": ..., "password": ...}`), else PGUSER and PGPASSWORD."""
    check_credentials(environment)
    if arn := environment.get("DATABASE_SECRET_ARN"):
        return secret_login("DATABASE_SECRET_ARN", secret(arn))
    return Credentials(environment["PGUSER"], environment["PGPASSWORD"])


def secret_login(variable: str, content: str) -> Credentials:
    """User and password of a secret's text; `DeliveryError`, without the text, names the variable it came by."""
    try:
        login = json.loads(content)
        return Credentials(str(login["username"]), str(login["password"]))
    except (ValueError, KeyError, TypeError):
        # "from None": the chained error would show the secret's text.
        raise DeliveryError(f"the secret of {variable} is not a JSON object with username and password") from None


def secret(arn: str, seconds: int = 5, attempts: int = 3) -> str:
    """The text of a secret in Secrets Manager; `DeliveryError` when it cannot be had."""
    # Not at the top: a local run with PGUSER and PGPASSWORD must not load boto3.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": attempts})
    region = arn.split(":")[3] if arn.count(":") >= 6 else None
    try:
        client = boto3.client("secretsmanager", region_name=region, config=config)
        return str(client.get_secret_value(SecretId=arn)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise DeliveryError(f"the secret {arn} cannot be read: {type(error).__name__}: {error}") from error


def connect(database: Database, login: Credentials, application: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that commits each statement unless in a transaction block; `psycopg.Error` when there is none."""
    return psycopg.connect(**database.arguments(login), application_name=application, autocommit=True)
