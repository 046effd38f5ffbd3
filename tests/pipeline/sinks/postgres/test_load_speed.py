"""A million people from a frame against one COPY of a file: load against load, in one run, with the same merge."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.sinks.postgres.connection import Table, connect
from pipeline.sinks.postgres.load import LoadResult, Target, load, merge
from tests.support.postgres import PrivatePostgres, private_postgres
from transforms.people.table import OUTPUT_COLUMNS

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.measures]

ROWS = 1_000_000
ROUNDS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with private_postgres() as started:
        yield started


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> Iterator[DataFrame]:
    frame = (
        spark.range(0, ROWS, numPartitions=4)
        .selectExpr("id AS n", "sha1(cast(id AS string)) AS h")
        .selectExpr(
            "regexp_replace(left(h, 32), '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5') AS id",
            "concat('First', n % 5000) AS first_name",
            "concat('van der Last', n % 70000) AS last_name",
            "cast(n % 90 AS int) AS age",
            "concat('City ', n % 900) AS location",
        )
    )
    frame = frame.persist()
    assert frame.count() == ROWS
    yield frame
    frame.unpersist()


@pytest.fixture(scope="module")
def text(people: DataFrame, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same rows as COPY reads them."""
    folder = tmp_path_factory.mktemp("copy") / "people"
    people.selectExpr("concat_ws('\t', id, first_name, last_name, age, location, 'copy') AS value").write.text(
        str(folder)
    )
    return sorted(folder.glob("part-*"))


def copy_and_merge(server: PrivatePostgres, target: Target, files: list[Path]) -> LoadResult:
    with connect(server.database, server.login, "copy") as session:
        with session.cursor().copy(f"COPY {target.table.staging().quoted} FROM STDIN") as copy:
            for file in files:
                with file.open("rb") as lines:
                    while block := lines.read(1 << 20):
                        copy.write(block)
        return merge(session, target, "copy", ROWS)


def seconds(action: Callable[[], LoadResult]) -> float:
    started = time.monotonic()
    assert action() == LoadResult(inserted=ROWS, updated=0, unchanged=0)
    return time.monotonic() - started


def test_a_million_people_load_at_half_the_rate_of_copy_at_least(
    people: DataFrame,
    text: list[Path],
    server: PrivatePostgres,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Both merges would wait for readers of the mark, which makes them more alike than they are.
    monkeypatch.setattr("pipeline.sinks.postgres.load.sleep", lambda _: None)
    ours, copies = [], []
    for _ in range(ROUNDS):
        for times in (copies, ours):
            target = Target(Table(f"p_{uuid.uuid4().hex[:12]}"), OUTPUT_COLUMNS, "id")
            load(people.limit(0), 0, target, server.database, server.login, "make the tables")
            server.query("CHECKPOINT")
            if times is copies:
                times.append(seconds(lambda t=target: copy_and_merge(server, t, text)))
            else:
                times.append(seconds(lambda t=target: load(people, ROWS, t, server.database, server.login, "run")))
            assert server.query(f"SELECT count(*) FROM {target.table.staging().quoted}") == [(0,)]
            server.query(
                f"DROP TABLE {target.table.quoted}, {target.table.staging().quoted}, {target.table.mark().quoted}"
            )
    ratio = min(copies) / min(ours)
    with capsys.disabled():
        print(
            f"\n{ROWS:,} people, {ROUNDS} rounds, seconds: load {shown(ours)}; COPY and the same merge {shown(copies)}"
        )
        print(f"best: {ROWS / min(ours):,.0f} and {ROWS / min(copies):,.0f} rows/s, ratio {ratio:.2f}")
    assert ratio >= 0.5


def shown(times: list[float]) -> str:
    return ", ".join(f"{time:.1f}" for time in times)
