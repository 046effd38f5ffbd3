"""The read API's settings from its environment; secrets come from there or from Secrets Manager, never from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import UsageError
from pipeline.sinks.postgres.connection import Database, Table, check_credentials, database_url, secret, table_name


@dataclass(frozen=True)
class Settings:
    """The API's configuration, checked; the key is not part of its text."""

    database: Database | None
    people: Table
    key: str = field(repr=False)
    connections: int = 10
    restaurants: str | None = None
    carparks: str | None = None
    iam_user: str | None = None


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads DATABASE_URL, PEOPLE_TABLE, API_CONNECTIONS, RESTAURANTS_TABLE, CARPARKS_TABLE and API_KEY or its secret.

    With DATABASE_IAM_USER this user logs in to Amazon RDS by IAM. Without DATABASE_URL only lookups are served.
    `UsageError` names what is absent or wrong.
    """
    url, iam_user = environment.get("DATABASE_URL"), environment.get("DATABASE_IAM_USER") or None
    restaurants, carparks = (environment.get(f"{name}_TABLE") or None for name in ("RESTAURANTS", "CARPARKS"))
    if not (url or restaurants or carparks):
        raise UsageError(
            "DATABASE_URL is not set, nor RESTAURANTS_TABLE or CARPARKS_TABLE: there is nothing to serve; "
            "expected postgresql://HOST[:PORT]/DATABASE"
        )
    if url and not iam_user:
        check_credentials(environment)
    return Settings(
        database=database_url(url) if url else None,
        people=table_name(environment.get("PEOPLE_TABLE") or "people"),
        key=_key(environment),
        connections=_connections(environment.get("API_CONNECTIONS") or "10"),
        restaurants=restaurants,
        carparks=carparks,
        iam_user=iam_user,
    )


def _key(environment: Mapping[str, str]) -> str:
    arn = environment.get("API_KEY_SECRET_ARN")
    key = (secret(arn) if arn else environment.get("API_KEY", "")).strip()
    if len(key) < 16:
        raise UsageError("the API key is absent or shorter than 16 characters: set API_KEY or API_KEY_SECRET_ARN")
    return key


def _connections(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise UsageError(f"API_CONNECTIONS={text}: expected a number from 1 to 100")
    return int(text)
