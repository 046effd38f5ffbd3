from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from pipeline.errors import DeliveryError, UsageError
from pipeline.sinks.postgres.connection import (
    Credentials,
    Database,
    Table,
    check_credentials,
    credentials,
    database_url,
    role_name,
    table_name,
)
from tests.support.bare import bare_python
from tools.package import write_zip

GOOD_URLS = [
    ("postgresql://db.example.com/shop", Database("db.example.com", 5432, "shop")),
    ("postgres://10.0.0.1:6000/shop", Database("10.0.0.1", 6000, "shop")),
    ("jdbc:postgresql://localhost:5433/my-shop", Database("localhost", 5433, "my-shop")),
    ("postgresql://[::1]:5433/shop", Database("::1", 5433, "shop")),
    (
        "postgresql://h/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        Database("h", 5432, "shop", {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}),
    ),
]
BAD_URLS = [
    ("", "expected postgresql://HOST"),
    ("shop", "expected postgresql://HOST"),
    ("mysql://h/shop", "expected postgresql://HOST"),
    ("postgresql:///shop", "expected postgresql://HOST"),
    ("postgresql://h", "expected postgresql://HOST"),
    ("postgresql://h/", "expected postgresql://HOST"),
    ("postgresql://h/a/b", "expected postgresql://HOST"),
    ("postgresql://h/a;drop", "expected postgresql://HOST"),
    ("postgresql://h,i/shop", "expected postgresql://HOST"),
    ("host=h dbname=shop", "expected postgresql://HOST"),
    ("postgresql://h:1,i:2/shop", "expected postgresql://HOST"),
    ("postgresql://%2Frun%2Fpostgresql/shop", "expected postgresql://HOST"),
    ("postgresql://[h/shop", "not a URL"),
    ("postgresql://h/shop?sslmode", "not a URL"),
    ("postgresql://h:x/shop", "the port is not a number"),
    ("postgresql://h:0/shop", "the port is not a number"),
    ("postgresql://h:99999/shop", "the port is not a number"),
    ("postgresql://h/shop?sslmode=no", "sslmode must be one of disable"),
    ("postgresql://h/shop?options=-c%20x", "unknown parameter options"),
    ("postgresql://h/shop?socketFactory=x", "an unknown parameter"),
]
WITH_CREDENTIALS = [
    "postgresql://ann:hunter2@h/shop",
    "postgresql://:hunter2@h/shop",
    "postgresql://h/shop?password=hunter2",
    "jdbc:postgresql://h/shop?user=ann&password=hunter2",
]
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:people"


@pytest.mark.parametrize(("text", "expected"), GOOD_URLS)
def test_a_url_is_read(text: str, expected: Database) -> None:
    assert database_url(text) == expected


@pytest.mark.parametrize(("text", "message"), BAD_URLS)
def test_a_wrong_url_says_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        database_url(text)


@pytest.mark.parametrize("text", WITH_CREDENTIALS)
def test_credentials_in_a_url_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN") as refused:
        database_url(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["postgresql://h/shop?hunter2", "postgresql://[hunter2", "postgresql://h:hunter2/x"])
def test_a_password_in_the_wrong_place_is_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        database_url(text)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "expected"), [("people", Table("people")), ("hr.people_2", Table("people_2", "hr")), ("_P", Table("_P"))]
)
def test_a_table_name_is_read(text: str, expected: Table) -> None:
    assert table_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.",
        ".a",
        "a.b.c",
        "1a",
        "a b",
        'a"b',
        "a;b",
        "people; DROP TABLE people",
        "a'--",
        "ä",
        "a" * 56,
        "a\n",
        "a-b",
    ],
)
def test_what_is_no_table_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a table name"):
        table_name(text)


def test_a_table_is_quoted_part_by_part() -> None:
    assert table_name("hr.people").quoted == '"hr"."people"'
    assert table_name("hr.people").sql.as_string() == '"hr"."people"'
    assert table_name("hr.people").staging() == Table("people_staging", "hr")
    assert table_name("hr.people").mark() == Table("people_mark", "hr")


@pytest.mark.parametrize("text", ["", "a b", 'a"b', "reader; DROP ROLE x", "a" * 56])
def test_what_is_no_role_name_is_refused(text: str) -> None:
    assert role_name("people_reader") == "people_reader"
    with pytest.raises(UsageError, match="is not a role's name"):
        role_name(text)


def test_the_certificates_of_rds_are_a_file_also_when_the_code_is_in_a_zip(tmp_path: Path) -> None:
    write_zip(tmp_path / "code.zip")
    code = """
import ssl, sys
from pipeline.sinks.postgres.connection import Credentials, database_url
database = database_url("postgresql://h/shop?sslmode=verify-full&sslrootcert=rds")
given = database.arguments(Credentials("ann", "pw"))
context = ssl.create_default_context(cafile=given["sslrootcert"])
print(given["sslmode"], given["sslrootcert"].startswith(sys.argv[1]), context.cert_store_stats()["x509_ca"])
"""
    done = subprocess.run(
        [bare_python(), "-c", code, str(tmp_path)],
        env={"PYTHONPATH": str(tmp_path / "code.zip")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # One root for each region that the file knows, and none of this machine's; a path into the .zip is no file.
    assert (done.stdout, done.stderr) == ("verify-full False 27\n", "")


def test_credentials_come_from_the_environment() -> None:
    assert credentials({"PGUSER": "ann", "PGPASSWORD": "hunter2"}) == Credentials("ann", "hunter2")


@pytest.mark.parametrize("environment", [{}, {"PGUSER": "ann"}, {"PGPASSWORD": "x"}, {"PGUSER": "", "PGPASSWORD": "x"}])
def test_absent_credentials_are_wrong_usage(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="set PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN"):
        check_credentials(environment)


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Credentials("ann", "hunter2"))


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def test_a_secret_wins_over_the_environment(secrets_manager) -> None:
    arn = secrets_manager.create_secret(Name="people", SecretString=json.dumps({"username": "ann", "password": "s3"}))[
        "ARN"
    ]
    assert credentials({"DATABASE_SECRET_ARN": arn, "PGUSER": "bob", "PGPASSWORD": "x"}) == Credentials("ann", "s3")


@pytest.mark.parametrize("content", ["hunter2", "[]", '"hunter2"', '{"username": "hunter2"}'])
def test_a_secret_of_another_form_is_reported_without_its_content(secrets_manager, content: str) -> None:
    arn = secrets_manager.create_secret(Name="people", SecretString=content)["ARN"]
    with pytest.raises(DeliveryError, match="not a JSON object with username and password") as failed:
        credentials({"DATABASE_SECRET_ARN": arn})
    assert "hunter2" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_an_absent_secret_is_reported(secrets_manager) -> None:
    with pytest.raises(DeliveryError, match="cannot be read: ResourceNotFoundException"):
        credentials({"DATABASE_SECRET_ARN": SECRET_ARN})


def test_the_read_api_loads_neither_spark_nor_arrow_nor_boto3() -> None:
    code = "import sys; import pipeline.sinks.postgres.connection; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pyspark", "numpy", "pyarrow", "boto3"} & set(done.stdout.split())
