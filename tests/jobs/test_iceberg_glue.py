"""Tables of Iceberg on S3, in the Glue Data Catalog, and in a catalog that pyiceberg's own configuration names."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator

import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import PyArrowFileIO

from pipeline import engines
from pipeline.publish.iceberg import store_io
from pipeline.publish.iceberg.reader import as_of
from tests.support.jobs import JobResult
from tests.support.servers import REGION, Endpoint, moto_server

Call = Callable[..., JobResult]
DESTINATION = "s3://results/shop"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with moto_server() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        place = {"LocationConstraint": REGION}
        found.client("s3").create_bucket(Bucket="results", CreateBucketConfiguration=place)
        yield found


def test_on_s3_the_tables_are_in_the_glue_catalog_and_a_run_replaces_its_day(
    server: Endpoint, call_job: Call, run_job: Call, tmp_path: pathlib.Path
) -> None:
    # A Spark that runs already has the environment that it was started with.
    start = call_job if engines.chosen("auto") == "embedded" else run_job
    for run_id, day, quantities in (("r1", "01", [1, 2]), ("r2", "02", [3]), ("r3", "01", [4])):
        source = tmp_path / f"{run_id}.jsonl"
        source.write_text(json.dumps({"id": 1, "lines": [{"qty": one} for one in quantities]}), encoding="utf-8")
        done = start(
            "explode_json", "--source", source, "--destination", DESTINATION, "--root", "orders", "--quiet",
            "--format", "iceberg", "--catalog", "shop", "--day", f"2026-11-{day}", "--run-id", run_id,
            "--keep-runs", 2,
        )  # fmt: skip
        assert done.exit_code == 0, done.output

    entry = server.client("glue").get_table(DatabaseName="shop", Name="orders__lines")["Table"]
    assert entry["Parameters"]["table_type"] == "ICEBERG"
    assert entry["StorageDescriptor"]["Location"] == f"{DESTINATION}/shop.db/orders__lines"
    lines = as_of("shop", DESTINATION, "orders")["orders__lines"].to_duckdb("lines")
    assert lines.sql("SELECT qty, day(_day) FROM lines ORDER BY 1").fetchall() == [(3, 2), (4, 1)]
    former = as_of("shop", DESTINATION, "orders", "r2")["orders__lines"].to_duckdb("lines")
    assert former.sql("SELECT qty FROM lines ORDER BY 1").fetchall() == [(1,), (2,), (3,)]


if engines.chosen("auto") == "embedded":  # a Spark that runs already has the environment that it was started with

    def test_a_run_commits_on_s3_with_the_credentials_of_the_storage_layer_alone(
        server: Endpoint, call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_client(*_: object) -> None:
            raise AssertionError("pyarrow's client of S3")

        monkeypatch.setattr(PyArrowFileIO, "_initialize_s3_fs", no_client)
        monkeypatch.setattr(store_io, "_WHOLE", 100)  # files of metadata and footers are read by ranges
        for number in (1, 2, 3):
            source = tmp_path / "orders.jsonl"
            source.write_text(json.dumps({"id": number}), encoding="utf-8")
            done = call_job(
                "explode_json", "--source", source, "--destination", DESTINATION, "--root", "orders", "--quiet",
                "--format", "iceberg", "--catalog", "shop", "--key", "id", "--merge", "--run-id", f"r{number}",
                "--keep-runs", 2,
            )  # fmt: skip
            assert done.exit_code == 0, done.output
        monkeypatch.undo()
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        orders = as_of("shop", DESTINATION, "orders")["orders"].to_duckdb("orders")
        assert orders.sql("SELECT id FROM orders ORDER BY 1").fetchall() == [(1,), (2,), (3,)]


def test_a_catalog_that_pyiceberg_is_configured_with_takes_the_tables_where_it_keeps_them(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"type": "sql", "uri": f"sqlite:///{tmp_path}/own.db", "warehouse": str(tmp_path / "warehouse")}
    for key, value in where.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__COMPANY__{key.upper()}", value)
    source = tmp_path / "orders.jsonl"
    source.write_text('{"id": 1}', encoding="utf-8")
    done = call_job(
        "explode_json", "--source", source, "--destination", tmp_path / "out", "--root", "orders", "--quiet",
        "--format", "iceberg", "--catalog", "company.sales",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert [path.suffix for path in (tmp_path / "out").glob("*.db")] == []
    table = load_catalog("company", **where).load_table("sales.orders")
    assert table.location() == str(tmp_path / "warehouse" / "sales" / "orders")
    assert table.scan().to_arrow()["id"].to_pylist() == [1]
