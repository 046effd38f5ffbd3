from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from pipeline.errors import UsageError
from pipeline.sinks.postgres.connection import Database, Table
from services.api.settings import CachePlace, Settings, from_environment

KEY = "0123456789abcdef"
COMPLETE = {"DATABASE_URL": "postgresql://h/shop", "PGUSER": "ann", "PGPASSWORD": "pw", "API_KEY": KEY}


def test_what_is_needed_is_enough() -> None:
    assert from_environment(COMPLETE) == Settings(Database("h", 5432, "shop"), Table("people"), KEY)


def test_everything_can_be_said() -> None:
    more = {"PEOPLE_TABLE": "hr.staff", "API_CONNECTIONS": "2", "RESTAURANTS_TABLE": "r", "CARPARKS_TABLE": "c"}
    expected = Settings(Database("h", 5432, "shop"), Table("staff", "hr"), KEY, 2, "r", "c")
    assert from_environment({**COMPLETE, **more}) == expected


def test_a_user_of_iam_needs_no_password() -> None:
    given = {"DATABASE_URL": "postgresql://h/shop", "DATABASE_IAM_USER": "people_reader", "API_KEY": KEY}
    assert from_environment(given) == Settings(
        Database("h", 5432, "shop"), Table("people"), KEY, iam_user="people_reader"
    )


def test_lookups_need_no_database() -> None:
    given = {"DATABASE_URL": "", "CARPARKS_TABLE": "c", "API_KEY": KEY}
    assert from_environment(given) == Settings(None, Table("people"), KEY, carparks="c")


def test_a_cache_is_used_where_it_is_named() -> None:
    tls = {"CACHE_URL": "valkeys://cache.example.com:6380/", "CACHE_SECRET_ARN": "arn:x", "CACHE_SECONDS": "60"}
    here = {"CACHE_URL": "valkey://127.0.0.1"}
    assert from_environment({**COMPLETE, **tls}).cache == CachePlace("cache.example.com", 6380, True, True, 60)
    assert from_environment({**COMPLETE, **here}).cache == CachePlace("127.0.0.1", 6379, False, False, 300)
    assert from_environment({**COMPLETE, "CACHE_URL": ""}).cache is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CACHE_URL": "cache.example.com"}, "CACHE_URL: expected valkeys://HOST"),
        ({"CACHE_URL": "valkeys://"}, "CACHE_URL: expected valkeys://HOST"),
        ({"CACHE_URL": "valkeys://h:x"}, "CACHE_URL: its host or port cannot be read"),
        ({"CACHE_URL": "valkeys://[::1"}, "CACHE_URL: its host or port cannot be read"),
        ({"CACHE_URL": "valkeys://ann:hunter2\u2100@h"}, "^CACHE_URL: its host or port cannot be read; [^@]*$"),
        ({"CACHE_URL": "valkeys://ann:hunter2@h"}, "CACHE_URL: it carries credentials; give them as CACHE_PASSWORD"),
        ({"CACHE_URL": "valkey://cache.example.com"}, "CACHE_URL: answers and a password would pass the network"),
        ({"CACHE_URL": "valkey://127.0.0.1", "CACHE_SECONDS": "0"}, "CACHE_SECONDS=0: expected a number from 1"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "postgresql://ann:pw@h/shop"}, "it carries credentials"),
        ({"PGPASSWORD": ""}, "set PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN"),
        ({"API_KEY": ""}, "set API_KEY or API_KEY_SECRET_ARN"),
        ({"API_KEY": "short"}, "shorter than 16 characters"),
        ({"PEOPLE_TABLE": "people; DROP TABLE people"}, "is not a table name"),
        ({"API_CONNECTIONS": "0"}, "API_CONNECTIONS=0: expected a number from 1 to 100"),
        ({"API_CONNECTIONS": "many"}, "expected a number from 1 to 100"),
    ],
)
def test_what_is_absent_or_wrong_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_environment({**COMPLETE, **change})


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(from_environment(COMPLETE))


def test_the_key_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        arn = boto3.client("secretsmanager", region_name="eu-west-1").create_secret(
            Name="key", SecretString=f"{KEY}-2\n"
        )["ARN"]
        assert from_environment({**COMPLETE, "API_KEY": "", "API_KEY_SECRET_ARN": arn}).key == f"{KEY}-2"
