"""The read API's settings from its environment; secrets come from there or from Secrets Manager, never from a file."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import UsageError
from pipeline.sinks.postgres.connection import Database, Table, check_credentials, database_url, secret, table_name


@dataclass(frozen=True)
class CachePlace:
    """Where the cache is, whether by TLS and with a password, and how many seconds it keeps an answer."""

    host: str
    port: int
    tls: bool
    login: bool = False
    seconds: int = 300


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
    cache: CachePlace | None = None


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads DATABASE_URL, PEOPLE_TABLE, API_CONNECTIONS, RESTAURANTS_TABLE, CARPARKS_TABLE and API_KEY or its secret.

    With DATABASE_IAM_USER this user logs in to Amazon RDS by IAM. Without DATABASE_URL only lookups are served.
    With CACHE_URL frequent answers are kept for CACHE_SECONDS; CACHE_SECRET_ARN or CACHE_PASSWORD logs in there.
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
        connections=_number(environment, "API_CONNECTIONS", 10, 100),
        restaurants=restaurants,
        carparks=carparks,
        iam_user=iam_user,
        cache=_cache(environment),
    )


def _key(environment: Mapping[str, str]) -> str:
    arn = environment.get("API_KEY_SECRET_ARN")
    key = (secret(arn) if arn else environment.get("API_KEY", "")).strip()
    if len(key) < 16:
        raise UsageError("the API key is absent or shorter than 16 characters: set API_KEY or API_KEY_SECRET_ARN")
    return key


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise UsageError(f"{name}={text}: expected a number from 1 to {most}")
    return int(text)


def _cache(environment: Mapping[str, str]) -> CachePlace | None:
    """The cache of CACHE_URL, None without one; the message never repeats the URL, which may hold a password."""
    text = environment.get("CACHE_URL")
    if not text:
        return None
    expected = "expected valkeys://HOST[:PORT], or valkey:// (without TLS) on this machine"
    try:
        url = urllib.parse.urlsplit(text)
        host, port = url.hostname, url.port or 6379
    except ValueError:
        raise UsageError(f"CACHE_URL: its host or port cannot be read; {expected}") from None
    if "@" in url.netloc:
        raise UsageError("CACHE_URL: it carries credentials; give them as CACHE_PASSWORD or CACHE_SECRET_ARN")
    if url.scheme not in ("valkey", "valkeys") or not host or url.path.strip("/") or url.query or url.fragment:
        raise UsageError(f"CACHE_URL: {expected}")
    if url.scheme == "valkey" and host not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError(f"CACHE_URL: answers and a password would pass the network as they are; {expected}")
    login = bool(environment.get("CACHE_SECRET_ARN") or environment.get("CACHE_PASSWORD"))
    return CachePlace(host, port, url.scheme == "valkeys", login, _number(environment, "CACHE_SECONDS", 300, 86400))
