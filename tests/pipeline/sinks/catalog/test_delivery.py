"""The registration itself: it fails with one line, running again mends it, and two runs at once end well."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import DeliveryError, UsageError
from pipeline.job.outputs import Delivery
from pipeline.sinks.catalog.athena import Column, TableFile
from pipeline.sinks.catalog.delivery import glue_catalog
from pipeline.sinks.catalog.glue import Catalog
from tests.support import athena
from tests.support.servers import Endpoint, moto_server

ROWS = TableFile("rows.parquet", (Column("id", "int"),))


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with moto_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _aws(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


def job(day: str, run_id: str = "r1") -> Any:
    found: dict[str, Any] = {}
    place, name = f"s3://b/shop/{day}", "split_columns"
    return SimpleNamespace(published=place, job=name, run_id=run_id, metric=found.__setitem__, metrics=found)


def registered(database: str, *files: TableFile) -> Delivery:
    found = glue_catalog(database, *files)
    assert found is not None
    return found


def test_without_a_database_nothing_is_registered() -> None:
    assert glue_catalog("", ROWS) is None


def test_a_failed_registration_is_one_line_and_running_again_mends_it(server: Endpoint) -> None:
    glue, run, delivery = server.client("glue"), job("20240229"), registered("gone", ROWS)
    with pytest.raises(DeliveryError) as failed:
        delivery.deliver(run)
    text = str(failed.value)
    assert text.startswith("catalog gone: table rows: An error occurred (EntityNotFoundException)")
    assert text.endswith("; the files are published, running again registers them")
    glue.create_database(DatabaseInput={"Name": "gone"})
    delivery.deliver(run)
    assert run.metrics == {"catalog gone": ["rows"]}
    [part] = athena.partitions(server, "gone", "rows").values()
    assert part["Parameters"] == {"job": "split_columns", "run_id": "r1"}


def test_the_run_of_a_day_again_names_the_last_run_in_its_partition(server: Endpoint) -> None:
    server.client("glue").create_database(DatabaseInput={"Name": "again"})
    for run_id in ("r1", "r2"):
        registered("again", ROWS).deliver(job("20240229", run_id))
    [part] = athena.partitions(server, "again", "rows").values()
    assert part["Parameters"]["run_id"] == "r2"


def test_a_table_that_another_run_makes_at_the_same_moment_is_looked_at_again(
    server: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.client("glue").create_database(DatabaseInput={"Name": "busy"})
    wider = TableFile("rows.parquet", (Column("id", "int"), Column("city", "string")))
    known, too_early = Catalog._known, [None]

    def late(self: Catalog, file: TableFile) -> Any:
        return too_early.pop() if too_early else known(self, file)

    registered("busy", wider).deliver(job("20240228"))
    monkeypatch.setattr(Catalog, "_known", late)
    registered("busy", ROWS).deliver(job("20240229"))
    assert athena.types(athena.table(server, "busy", "rows")) == {"id": "int", "city": "string"}
    assert set(athena.partitions(server, "busy", "rows")) == {"2024-02-28", "2024-02-29"}


def test_two_tables_of_one_name_are_refused(server: Endpoint) -> None:
    server.client("glue").create_database(DatabaseInput={"Name": "twins"})
    delivery = registered("twins", ROWS, TableFile("Rows.parquet", ROWS.columns))
    assert delivery.check is not None
    with pytest.raises(UsageError, match="--catalog twins: several tables are named rows; nothing was published"):
        delivery.check(job("20240229"))
