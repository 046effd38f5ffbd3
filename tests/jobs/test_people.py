"""The people job as it is run: names, ids, problems, and the table of a real PostgreSQL."""

from __future__ import annotations

import csv
import io
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.support.jobs import JobResult
from tests.support.postgres import PrivatePostgres, private_postgres

Call = Callable[..., JobResult]
HEADER = "fullname,age,location"


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return file


def names(done: JobResult) -> list[tuple[str, str, str, str]]:
    """The published rows by name, without their ids."""
    rows = csv.DictReader(io.StringIO(done.read("people.csv")))
    return sorted((row["first_name"], row["last_name"], row["age"], row["location"]) for row in rows)


def test_a_row_of_each_kind(call_job: Call, tmp_path: Path) -> None:
    people = write(
        tmp_path / "people.csv",
        "Ludwig van der Berg,41,Amsterdam",
        '"King, Dr. Martin Luther, Jr.",39,"Atlanta, Georgia"',
        "Madonna,66,",
        "Madonna, 66 ,",
        "Ann Lee,forty,Rome",
        "Ann Lee,,Rome",
        "Ann Lee,151,Rome",
        ",5,Rome",
        "Ann Lee,7",
    )
    done = call_job("people", "--people", people, "--destination", tmp_path / "out", "--max-rejected", "60%")
    assert (done.exit_code, done.stderr) == (0, done.stderr)
    assert done.read("people.csv") == (
        "id,first_name,last_name,age,location\n"
        "04a600ee-799b-59d5-9220-99bef1221b9c,Madonna,NA,66,NA\n"
        "365ff5f3-e54c-5b93-a2dd-18c8f59cfe32,Ludwig,van der Berg,41,Amsterdam\n"
        '395a30f1-e605-50a8-beab-5f736e70d625,Martin Luther,King Jr.,39,"Atlanta, Georgia"\n'
    )
    assert done.report["inputs"]["people"] == {
        "read": 9,
        "used": 3,
        "excluded": {"duplicate": 1},
        "rejected": {"age_out_of_range": 1, "missing_value": 2, "too_few_fields": 1, "wrong_type": 1},
    }


def test_the_same_input_gives_the_same_bytes_in_any_order(call_job: Call, tmp_path: Path) -> None:
    lines = ["Ann Lee,7,Rome", "Bob Ray,8,Oslo", "Cid Orr,9,"]
    there = call_job("people", "--people", write(tmp_path / "a.csv", *lines), "--destination", tmp_path / "a")
    back = call_job("people", "--people", write(tmp_path / "b.csv", *reversed(lines)), "--destination", tmp_path / "b")
    assert there.read("people.csv") == back.read("people.csv")


def test_with_a_key_different_content_is_ambiguous(call_job: Call, tmp_path: Path) -> None:
    people = write(tmp_path / "people.csv", "Ann Lee,7,Rome", "Ann Lee,8,Rome", "Bob Ray,8,Oslo")
    done = call_job(
        "people", "--people", people, "--destination", tmp_path / "out", "--key", "fullname", "--max-rejected", "2"
    )
    assert names(done) == [("Bob", "Ray", "8", "Oslo")]
    assert done.report["inputs"]["people"]["rejected"] == {"ambiguous_person": 2}


WRONG_OPTIONS = [
    (["--database-url", "mysql://h/shop"], "database URL: expected postgresql://HOST"),
    (["--database-url", "postgresql://ann:hunter2@h/shop"], "it carries credentials"),
    (["--table", "people; DROP TABLE people"], "is not a table name"),
    (["--table", 'people"'], "is not a table name"),
    (["--key", "fullname,shoe"], "--key fullname,shoe: expected one or more of fullname,age,location"),
    (["--database-url", "postgresql://127.0.0.1/shop"], "set PGUSER and PGPASSWORD, or DATABASE_SECRET_ARN"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS)
def test_a_wrong_option_is_exit_2(
    call_job: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    for name in ("PGUSER", "PGPASSWORD", "DATABASE_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)
    people = write(tmp_path / "people.csv", "Ann Lee,7,Rome")
    done = call_job("people", "--people", people, "--destination", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert not (tmp_path / "out" / "people.csv").exists()


class Loader:
    """Runs the job with a table of its own and looks at what became of it."""

    def __init__(self, call_job: Call, server: PrivatePostgres, folder: Path) -> None:
        self.call_job, self.server, self.folder = call_job, server, folder
        self.table = f"p_{uuid.uuid4().hex[:12]}"

    def run(self, people: Path, *options: object, url: str = "") -> JobResult:
        arguments = [
            "--database-url",
            url or self.server.server.url,
            "--table",
            self.table,
            "--destination",
            self.folder / "out",
        ]
        return self.call_job("people", "--people", people, *arguments, *options)

    def rows(self) -> list[tuple[object, ...]]:
        return self.server.query(f"SELECT first_name, last_name, age, location FROM {self.table} ORDER BY 1, 2, 3, 4")

    def staged(self) -> int:
        return self.server.query(f"SELECT count(*) FROM {self.table}_staging")[0][0]

    def figures(self, done: JobResult) -> object:
        assert done.exit_code == 0, done.stderr
        return done.report["figures"][f'table "{self.table}"']


@pytest.fixture
def loader(
    call_job: Call, postgres: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loader]:
    monkeypatch.setenv("PGUSER", postgres.login.user)
    monkeypatch.setenv("PGPASSWORD", postgres.login.password)
    created = Loader(call_job, postgres, tmp_path)
    yield created
    postgres.query(f"DROP TABLE IF EXISTS {created.table}, {created.table}_staging, {created.table}_mark")


def change(inserted: int, updated: int, unchanged: int) -> dict[str, int]:
    return {"inserted": inserted, "updated": updated, "unchanged": unchanged}


@pytest.mark.postgres
@pytest.mark.parametrize("on_rds", [False, True])
def test_the_reader_is_made_once_reads_the_table_and_changes_nothing(
    loader: Loader, tmp_path: Path, on_rds: bool
) -> None:
    reader = f"reader_{uuid.uuid4().hex[:12]}"
    if on_rds:
        loader.server.query("CREATE ROLE rds_iam")
    people = write(tmp_path / "p.csv", "Ann Lee,7,Rome")
    for expected in (change(1, 0, 0), change(0, 0, 1)):
        assert loader.figures(loader.run(people, "--reader", reader)) == expected
    with loader.server.connect() as session:
        session.execute(f"SET ROLE {reader}")
        assert session.execute(f"SELECT first_name FROM {loader.table}").fetchall() == [("Ann",)]
        assert session.execute(f"SELECT count(*) FROM {loader.table}_mark").fetchall() == [(1,)]
        for refused in (f"DELETE FROM {loader.table}", f"SELECT 1 FROM {loader.table}_staging"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(refused)
    [(may_log_in, password, iam)] = loader.server.query(
        "SELECT rolcanlogin, rolpassword, ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = a.oid)"
        " FROM pg_authid a WHERE rolname = %s",
        reader,
    )
    assert (may_log_in, password, iam) == (True, None, ["rds_iam"] if on_rds else [])
    loader.server.query(f"DROP OWNED BY {reader}")
    loader.server.query(f"DROP ROLE {reader}" + (", rds_iam" if on_rds else ""))


@pytest.mark.postgres
def test_the_real_people_loaded_again_are_still_fifteen_rows(loader: Loader, real_data: Path) -> None:
    people = real_data / "people" / "sample.csv"
    assert loader.figures(loader.run(people)) == change(15, 0, 0)
    first = loader.rows()
    assert (len(first), first[0], first[-1]) == (
        15,
        ("Andrew", "Harris", 32, "Austin"),
        ("Stephanie", "Martinez", 28, "San Diego"),
    )
    done = loader.run(people)
    assert loader.figures(done) == change(0, 0, 15)
    assert loader.rows() == first
    assert [(a, b, str(c), d) for a, b, c, d in first] == names(done)
    assert loader.staged() == 0


@pytest.mark.postgres
def test_with_key_fullname_a_changed_age_or_location_updates(loader: Loader, tmp_path: Path) -> None:
    key = ("--key", "fullname")
    loader.run(write(tmp_path / "a.csv", "Ann Lee,7,Rome", "Bob Ray,8,Oslo", "Cid Orr,9,Bonn"), *key)
    changed = write(tmp_path / "b.csv", "Ann Lee,8,Rome", "Bob Ray,8,", "Cid Orr,9,Bonn", "Dee Foy,1,Kiel")
    assert loader.figures(loader.run(changed, *key)) == change(1, 2, 1)
    assert loader.rows() == [
        ("Ann", "Lee", 8, "Rome"),
        ("Bob", "Ray", 8, None),
        ("Cid", "Orr", 9, "Bonn"),
        ("Dee", "Foy", 1, "Kiel"),
    ]


@pytest.mark.postgres
def test_a_dry_run_touches_no_table(loader: Loader, tmp_path: Path) -> None:
    assert loader.run(write(tmp_path / "a.csv", "Ann Lee,7,Rome"), "--dry-run").exit_code == 0
    assert loader.server.query("SELECT to_regclass(%s)::text", loader.table) == [(None,)]


@pytest.mark.postgres
@pytest.mark.parametrize(("password", "port"), [("hunter2", None), (None, 1)])
def test_a_database_that_refuses_is_exit_2_with_one_line_before_anything_is_read(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str | None, port: int | None
) -> None:
    if password:
        monkeypatch.setenv("PGPASSWORD", password)
    url = f"postgresql://127.0.0.1:{port}/app" if port else ""
    done = loader.run(write(tmp_path / "a.csv", "Ann Lee,7,Rome"), url=url)
    assert (done.exit_code, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"people: --database-url 127.0.0.1:{port or loader.server.server.port}/")
    for secret in (loader.server.login.password, "hunter2"):
        assert secret not in done.stderr


def test_two_databases_are_refused(call_job: Call, tmp_path: Path) -> None:
    urls = ["--database-url", "postgresql://127.0.0.1/a", "--database-url", "postgresql://127.0.0.1/b"]
    people = write(tmp_path / "a.csv", "Ann Lee,7,Rome")
    done = call_job("people", "--people", people, "--destination", tmp_path / "out", *urls)
    message = (
        "people: argument --database-url: given as two different values, one of them is expected. See people --help"
    )
    assert (done.exit_code, done.stderr) == (2, f"{message}\n")


@pytest.mark.postgres
@pytest.mark.slow
def test_people_again_then_changed_then_with_the_database_killed_in_the_middle(
    call_job: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 40_000
    with private_postgres() as server:
        for name, value in server.server.environment.items():
            monkeypatch.setenv(name, value)
        loader = Loader(call_job, server, tmp_path)
        before, after = many(tmp_path / "a.csv", number, age=20), many(tmp_path / "b.csv", number, age=21)
        key = ("--key", "fullname")
        assert loader.figures(loader.run(before, *key)) == change(number, 0, 0)
        assert loader.figures(loader.run(before, *key)) == change(0, 0, number)
        killer = threading.Thread(target=server.crash_while_staging, args=(loader.table,))
        killer.start()
        killed = loader.run(after, *key)
        killer.join()
        assert killed.exit_code == 1
        assert "the files are published" in killed.stderr
        server.restart()
        assert counts(server, loader.table) == [(number, number, 20, 20)], "a part of the load is in the table"
        assert loader.figures(loader.run(after, *key)) == change(0, number, 0)
        assert counts(server, loader.table) == [(number, number, 21, 21)]
        assert loader.staged() == 0


def many(file: Path, number: int, age: int) -> Path:
    letters = str.maketrans("0123456789", "bcdfghklmn")
    return write(file, *(f"Anna{str(n).translate(letters)} Lee,{age},Rome" for n in range(number)))


def counts(server: PrivatePostgres, table: str) -> Sequence[tuple[object, ...]]:
    return server.query(f"SELECT count(*), count(DISTINCT first_name), min(age), max(age) FROM {table}")
