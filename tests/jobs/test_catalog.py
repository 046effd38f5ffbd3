"""Jobs that register their tables: what the Data Catalog says afterwards, and that DuckDB reads the files by it."""

from __future__ import annotations

import datetime
import decimal
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline import engines
from tests.support import athena
from tests.support.jobs import JobResult
from tests.support.servers import REGION, Endpoint, moto_server

BUCKET = "results"
Run = Callable[..., JobResult]


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with moto_server() as found:
        place = {"LocationConstraint": REGION}
        found.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield found


@pytest.fixture
def database(server: Endpoint, request: pytest.FixtureRequest) -> str:
    name = f"d{abs(hash(request.node.nodeid)) % 10**8}"
    server.client("glue").create_database(DatabaseInput={"Name": name})
    return name


@pytest.fixture
def run(server: Endpoint, database: str, call_job: Run, run_job: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a job into a folder of the bucket, with --catalog."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)

    def start(job: str, folder: str, *arguments: object) -> JobResult:
        words = [*arguments, "--destination", f"s3://{BUCKET}/{database}/{folder}", "--catalog", database]
        # A Spark that runs already has the environment that it was started with.
        return call_job(job, *words) if engines.chosen("auto") == "embedded" else run_job(job, *words)

    return start


def lines(tmp_path: pathlib.Path, *records: dict[str, Any]) -> pathlib.Path:
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def stored(server: Endpoint, database: str, folder: str) -> list[str]:
    """The keys under a folder, those of runs left out."""
    prefix = f"{database}/{folder}/"
    found = server.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [name for item in found if "_runs/" not in (name := item["Key"].removeprefix(prefix))]


ORDERS: tuple[dict[str, Any], ...] = (
    {"Id": 1, "note": 'say "hi", \\all', "price": 2.5, "paid": True, "at": "2024-02-28T10:00:00Z"},
    {"Id": 2, "note": "", "price": 3, "paid": False, "at": "2024-02-28T11:30:00Z"},
)
ORDERS[0]["items"] = [{"sku": "a"}]
ORDERS[1]["items"] = [{"sku": "b"}, {"sku": "c"}]


@pytest.mark.each_engine
@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_exploded_tables_are_read_by_what_the_catalog_says(
    form: str, run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    done = run(
        *("explode_json", "shop", "--source", lines(tmp_path, *ORDERS), "--root", "orders"),
        *("--key", "Id", "--format", form, "--dates"),
    )
    assert done.exit_code == 0, done.output
    entry = athena.table(server, database, "orders")
    assert entry["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/{database}/shop/orders.{form}/"
    declared = {
        "_id": "string", "id": "bigint", "note": "string", "price": "double", "paid": "boolean", "at": "timestamp",
    }  # fmt: skip
    expected = {"csv": dict.fromkeys(declared, "string"), "jsonl": declared | {"at": "string"}, "parquet": declared}
    assert athena.types(entry) == expected[form]
    comments = {column["Name"]: column["Comment"] for column in entry["StorageDescriptor"]["Columns"]}
    assert comments["price"] == ("double, price" if form == "csv" else "price")
    rows = sorted(athena.select(server, database, "orders"), key=lambda row: int(row["id"]))
    first = {name: rows[0][name] for name in ("id", "note", "price", "paid")}
    typed = {"id": 1, "note": 'say "hi", \\all', "price": 2.5, "paid": True}
    assert first == (typed | {"id": "1", "price": "2.5", "paid": "true"} if form == "csv" else typed)
    assert len(rows) == 2
    if form == "parquet":
        assert rows[0]["at"].astimezone(datetime.UTC) == datetime.datetime(2024, 2, 28, 10, tzinfo=datetime.UTC)
    children = athena.select(server, database, "orders__items")
    assert sorted(row["sku"] for row in children) == ["a", "b", "c"]
    assert {row["_parent_id"] for row in children} == {row["_id"] for row in rows}


def test_days_are_partitions_of_one_table_and_a_day_again_stays_one(
    run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    words = ("--root", "orders", "--format", "parquet", "--key", "Id")
    for day, records in (("20240228", ORDERS), ("20240229", ORDERS[:1]), ("20240229", ORDERS)):
        assert run("explode_json", f"shop/{day}", "--source", lines(tmp_path, *records), *words).exit_code == 0
    entry = athena.table(server, database, "orders")
    assert entry["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
    assert entry["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/{database}/shop/"
    days = athena.partitions(server, database, "orders")
    assert {day: one["StorageDescriptor"]["Location"] for day, one in days.items()} == {
        "2024-02-28": f"s3://{BUCKET}/{database}/shop/20240228/orders.parquet/",
        "2024-02-29": f"s3://{BUCKET}/{database}/shop/20240229/orders.parquet/",
    }
    rows = [(row["day"], row["id"]) for row in athena.select(server, database, "orders")]
    assert sorted(rows) == [("2024-02-28", 1), ("2024-02-28", 2), ("2024-02-29", 1), ("2024-02-29", 2)]


def test_with_new_only_runs_are_partitions(run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.jsonl").write_text(json.dumps({"id": number}) + "\n")
        words = ("--format", "parquet", "--new-only", "--run-id", f"r{number}")
        assert run("explode_json", "shop", "--source", folder, *words).exit_code == 0
    assert athena.table(server, database, "root")["PartitionKeys"] == [{"Name": "run", "Type": "string"}]
    assert [(row["run"], row["id"]) for row in athena.select(server, database, "root")] == [("r1", 1), ("r2", 2)]


def test_a_new_column_and_a_column_that_a_day_lacks_are_taken_and_an_impossible_type_is_refused_before_publishing(
    run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    words = ("--root", "orders", "--format", "parquet", "--key", "id")
    first = lines(tmp_path, {"id": 1, "price": 2, "city": "Oslo"})
    more = lines(tmp_path, {"id": 2, "code": "x", "price": 3})
    text = lines(tmp_path, {"id": 3, "code": 7, "price": "cheap"})
    assert run("explode_json", "shop/20240228", "--source", first, *words).exit_code == 0
    assert run("explode_json", "shop/20240229", "--source", more, *words).exit_code == 0
    assert athena.types(athena.table(server, database, "orders")) == {
        "_id": "string", "id": "bigint", "price": "bigint", "city": "string", "code": "string",
    }  # fmt: skip
    rows = athena.select(server, database, "orders")
    assert [(row["id"], row.get("city"), row.get("code")) for row in rows] == [(1, "Oslo", None), (2, None, "x")]
    before = athena.table(server, database, "orders")
    refused = run("explode_json", "shop/20240301", "--source", text, *words)
    assert refused.exit_code == 2
    problems = "orders: column price is string, was bigint; column code is bigint, was string; nothing was published"
    assert problems in refused.output
    assert stored(server, database, "shop/20240301") == ["report.html", "report.json"]
    assert athena.table(server, database, "orders") == before


def test_csv_is_read_by_position_so_that_a_column_in_the_middle_is_refused(
    run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    first, middle, end = (tmp_path / f"{name}.csv" for name in ("first", "middle", "end"))
    first.write_text("name,size b\nrug,1 x\n")
    middle.write_text("name,colour,size b\nrug,red,1 x\n")
    end.write_text("name,size b,colour\nrug,1 x,red\n")
    assert run("split_columns", "rugs/2024-02-28", "--source", first).exit_code == 0
    refused = run("split_columns", "rugs/2024-02-29", "--source", middle)
    assert refused.exit_code == 2
    assert "rows: column 2 is colour, was size: new ones go to the end, none may go" in refused.output
    assert run("split_columns", "rugs/2024-02-29", "--source", end).exit_code == 0
    rows = athena.select(server, database, "rows")
    assert [(row["day"], row["b"], row.get("colour")) for row in rows] == [
        ("2024-02-28", "x", None), ("2024-02-29", "x", "red"),
    ]  # fmt: skip
    gone = run("split_columns", "rugs/2024-03-01", "--source", first)
    assert (gone.exit_code, "column 4 is missing, was colour" in gone.output) == (2, True)


def test_types_of_split_columns_are_the_catalog_s_in_parquet_and_a_wider_one_is_taken(
    run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "p.csv"
    file.write_text("Price-EUR,stock,tags\n2.50,3,a|b\n")
    words = ("--source", file, "--list", "tags=array", "--format", "parquet", "--types")
    for day, stock in (("20240228", "int"), ("20240229", "bigint"), ("20240301", "smallint")):
        done = run("split_columns", f"p/{day}", *words, f"Price-EUR=decimal(8,2),stock={stock}")
        assert done.exit_code == 0, done.output
    expected = {"price_eur": "decimal(8,2)", "stock": "bigint", "tags": "array<string>"}
    assert athena.types(athena.table(server, database, "rows")) == expected
    days = athena.partitions(server, database, "rows")
    assert [athena.types(one)["stock"] for _, one in sorted(days.items())] == ["int", "bigint", "smallint"]
    rows = [(row["price_eur"], row["stock"], row["tags"]) for row in athena.select(server, database, "rows")]
    assert rows == [(decimal.Decimal("2.50"), 3, ["a", "b"])] * 3
    refused = run("split_columns", "p/20240302", *words, "Price-EUR=decimal(9,2),stock=int")
    assert "column price_eur is decimal(9,2), was decimal(8,2)" in refused.output


@pytest.mark.parametrize(
    ("job", "tables"),
    [
        ("restaurants", {"restaurant_details", "restaurant_events", "rating_thresholds"}),
        ("carparks", {"carparks", "carpark_lots"}),
        ("people", {"people"}),
    ],
)
def test_the_tables_of_the_other_jobs_have_the_rows_of_the_manifest(
    job: str, tables: set[str], run: Run, server: Endpoint, database: str, sample_args: Callable[[str], list[str]]
) -> None:
    done = run(job, f"{job}/20240229", *sample_args(job))
    assert done.exit_code == 0, done.output
    body = server.client("s3").get_object(Bucket=BUCKET, Key=f"{database}/{job}/20240229/_manifest.json")["Body"]
    counts = {name.partition(".")[0]: one["rows"] for name, one in json.load(body)["files"].items()}
    found = {one["Name"] for one in server.client("glue").get_tables(DatabaseName=database)["TableList"]}
    assert found == tables
    for name in tables:
        assert len(athena.select(server, database, name)) == counts[name] > 0


def test_a_table_of_another_place_or_another_format_is_not_taken_over(
    run: Run, server: Endpoint, database: str, tmp_path: pathlib.Path
) -> None:
    file = lines(tmp_path, {"id": 1})
    assert run("explode_json", "a/20240229", "--source", file).exit_code == 0
    place = f"s3://{BUCKET}/{database}"
    for folder, form, expected in (
        ("b/20240229", "csv", f"root is a table by day in {place}/a/, not in {place}/b/"),
        ("a/manual", "csv", f"root is a table by day in {place}/a/, not in {place}/a/manual/root.csv/"),
        ("a/20240301", "parquet", "root is read with OpenCSVSerde, root.parquet is parquet"),
    ):
        refused = run("explode_json", folder, "--source", file, "--format", form)
        assert (refused.exit_code, expected in refused.output) == (2, True), refused.output
        assert stored(server, database, folder) == ["report.html", "report.json"]


def test_a_database_that_is_not_there_and_a_local_destination_are_refused_before_anything_is_read(
    run: Run, call_job: Run, tmp_path: pathlib.Path
) -> None:
    file = lines(tmp_path, {"id": 1})
    missing = call_job("explode_json", "--source", file, "--destination", f"s3://{BUCKET}/x", "--catalog", "nowhere")
    assert (missing.exit_code, "--catalog nowhere: " in missing.output) == (2, True)
    local = call_job("explode_json", "--source", file, "--destination", tmp_path / "out", "--catalog", "x")
    assert (local.exit_code, "--catalog needs a destination on S3" in local.output) == (2, True)


def test_a_dry_run_asks_nothing_of_the_catalog(call_job: Run, tmp_path: pathlib.Path) -> None:
    done = call_job("explode_json", "--source", lines(tmp_path, {"id": 1}), "--catalog", "x", "--dry-run")
    assert done.exit_code == 0, done.output
