"""Tables of Iceberg by the command line: what pyiceberg and DuckDB read back, day by day, and after runs that died."""

from __future__ import annotations

import datetime
import json
import pathlib
import socket
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table, Transaction

from pipeline.publish.iceberg import catalog as catalog_module
from pipeline.publish.iceberg import reader
from pipeline.publish.iceberg.reader import as_of
from tests.support.jobs import JobResult
from tests.support.killed_run import MOMENTS
from tests.support.paths import ROOT

Call = Callable[..., JobResult]
PATHS = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
DIED = (-9, 137)  # a process of its own, or one under spark-submit
KILLED = ROOT / "tests" / "support" / "killed_run.py"


def catalog_of(out: pathlib.Path) -> Catalog:
    return load_catalog("partners", type="sql", uri=f"sqlite:///{out}/partners.db", warehouse=str(out))


def table_of(out: pathlib.Path, name: str) -> Table:
    return catalog_of(out).load_table(f"partners.{name}")


def rows_of(out: pathlib.Path, name: str, columns: str, run_id: str = "") -> list[tuple[Any, ...]]:
    """Rows by DuckDB of what pyiceberg scans; of the snapshot of a run, if one is named."""
    table = table_of(out, name)
    [snapshot] = [one.snapshot_id for one in table.snapshots() if one.summary["run-id"] == run_id] or [None]
    with table.scan(snapshot_id=snapshot).to_duckdb("found") as connection:
        return connection.sql(f"SELECT {columns} FROM found ORDER BY ALL").fetchall()


def history(out: pathlib.Path, name: str) -> list[tuple[str, str, int]]:
    """Run, operation and rows of each snapshot."""
    return [
        (one.summary["run-id"], one.summary.operation.value, int(one.summary["total-records"]))
        for one in table_of(out, name).snapshots()
    ]


def schema_of(out: pathlib.Path, name: str) -> dict[str, str]:
    return {column.name: str(column.field_type) for column in table_of(out, name).schema().fields}


def order(number: int, *quantities: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "lines": [{"qty": quantity} for quantity in quantities], **more}


def arguments(folder: pathlib.Path, day: int | None, run_id: str, orders: Sequence[dict[str, Any]]) -> list[str]:
    """Those of a run over these orders; destination is `folder`/out."""
    source = folder / f"{run_id}.jsonl"
    source.write_text("".join(json.dumps(one) + "\n" for one in orders), encoding="utf-8")
    days = ["--day", f"2026-11-{day:02d}"] if day else []
    return [
        *("--source", str(source), "--destination", str(folder / "out"), "--root", "orders", "--key", "id"),
        *("--format", "iceberg", "--catalog", "partners", "--run-id", run_id, "--quiet", *days),
    ]  # fmt: skip


def notes_of(done: JobResult) -> list[str]:
    """The notes of a run that printed its report as JSON."""
    assert done.exit_code == 0, done.stderr
    found: list[str] = json.loads(done.stdout[done.stdout.index("{") :])["notes"]
    return found


def run(call_job: Call, folder: pathlib.Path, day: int | None, run_id: str, *orders: dict[str, Any]) -> JobResult:
    done = call_job("explode_json", *arguments(folder, day, run_id, orders))
    assert done.exit_code == 0, done.stderr
    return done


@pytest.mark.each_engine
def test_a_run_makes_a_table_for_each_level_and_the_second_run_of_a_day_replaces_that_day_alone(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10), order(2, 20, 21))
    run(call_job, tmp_path, 2, "r2", order(3, 30))
    done = run(call_job, tmp_path, 1, "r3", order(2, 22))
    out = tmp_path / "out"

    first, second = datetime.date(2026, 11, 1), datetime.date(2026, 11, 2)
    assert rows_of(out, "orders", "id, _day") == [(2, first), (3, second)]
    assert rows_of(out, "orders__lines", "qty, _day") == [(22, first), (30, second)]
    assert rows_of(out, "orders__lines", "qty", run_id="r2") == [(10,), (20,), (21,), (30,)]
    assert history(out, "orders") == [("r1", "append", 2), ("r2", "append", 3), ("r3", "overwrite", 2)]
    assert history(out, "orders__lines") == [("r1", "append", 3), ("r2", "append", 4), ("r3", "overwrite", 2)]
    assert schema_of(out, "orders") == {"_id": "string", "id": "long", "_day": "date"}
    snapshot = table_of(out, "orders").current_snapshot()
    entry = done.report["outputs"]["partners.orders"]
    assert entry["rows"] == 1
    assert snapshot is not None
    assert entry["snapshot"] == snapshot.snapshot_id
    assert not list((out / "_runs").glob(".partners*"))
    assert [one["file"] for one in json.loads(done.read("tables.json"))["tables"]] == ["orders", "orders__lines"]
    assert not (out / "tables.sql").exists()


def test_data_files_have_the_ids_of_the_columns_so_that_every_reader_of_iceberg_finds_them(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10))
    [file] = (tmp_path / "out" / "partners" / "orders" / "data" / "r1").iterdir()
    ids = {field.name: field.metadata[b"PARQUET:field_id"] for field in pq.read_schema(file)}
    assert ids == {"_id": b"1", "id": b"2", "_day": b"3"}


def test_without_a_day_a_run_replaces_all_rows_of_all_tables(call_job: Call, tmp_path: pathlib.Path) -> None:
    run(call_job, tmp_path, None, "r1", order(1, 10), order(2, 20))
    run(call_job, tmp_path, None, "r2", {"id": 3})
    assert rows_of(tmp_path / "out", "orders", "id") == [(3,)]
    assert rows_of(tmp_path / "out", "orders__lines", "qty") == []
    assert history(tmp_path / "out", "orders__lines") == [("r1", "append", 2), ("r2", "overwrite", 0)]


def test_a_column_without_values_comes_into_the_table_with_its_first_type(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10, note=None))
    assert schema_of(tmp_path / "out", "orders") == {"_id": "string", "id": "long", "_rest": "string", "_day": "date"}
    run(call_job, tmp_path, 2, "r2", order(2, 10, note=7))
    assert rows_of(tmp_path / "out", "orders", "id, note") == [(1, None), (2, 7)]
    assert schema_of(tmp_path / "out", "orders")["note"] == "long"


@pytest.mark.each_engine
def test_merged_rows_replace_those_with_their_keys_with_all_that_is_below_them_and_the_others_stay(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    run(call_job, tmp_path, 1, "r1", order(1, 10), order(2, 20, 21), order(3, 30))
    merged = [*arguments(tmp_path, 2, "r2", [order(2, 22), {"id": 4}]), "--merge"]
    assert call_job("explode_json", *merged).exit_code == 0
    first, second = datetime.date(2026, 11, 1), datetime.date(2026, 11, 2)
    assert rows_of(out, "orders", "id, _day") == [(1, first), (2, second), (3, first), (4, second)]
    assert rows_of(out, "orders__lines", "qty, _day") == [(10, first), (22, second), (30, first)]
    assert rows_of(out, "orders__lines", "qty", "r1") == [(10,), (20,), (21,), (30,)]
    assert history(out, "orders__lines") == [("r1", "append", 4), ("r2", "overwrite", 3)]

    # Nothing new is below order 2, and nothing is left of it; files without any of the keys stay.
    merged = [*arguments(tmp_path, 3, "r3", [{"id": 2}, order(5, 50)]), "--merge"]
    assert call_job("explode_json", *merged).exit_code == 0
    assert rows_of(out, "orders__lines", "qty") == [(10,), (30,), (50,)]
    found = [pathlib.Path(task.file.file_path) for task in table_of(out, "orders__lines").scan().plan_files()]
    assert sorted((path.parent.name, sorted(pq.read_table(path)["qty"].to_pylist())) for path in found) == [
        ("r2", [10, 30]), ("r3", [50])
    ]  # fmt: skip


def test_records_with_one_key_are_not_merged(call_job: Call, tmp_path: pathlib.Path) -> None:
    done = call_job("explode_json", *arguments(tmp_path, 1, "r1", [order(1, 10), order(1, 11)]), "--merge")
    assert done.exit_code == 2
    assert "--merge: several records have the same id; one of them is expected" in done.stderr


def test_a_type_that_the_table_cannot_take_is_refused_by_name_and_nothing_is_committed(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10))
    (tmp_path / "out" / "orders.schema.json").unlink()
    done = call_job("explode_json", *arguments(tmp_path, 2, "r2", [{"id": 2, "lines": [{"qty": "many"}], "new": 1}]))
    assert done.exit_code == 2
    assert "orders__lines.qty is long in the table, string in these rows" in done.stderr
    assert history(tmp_path / "out", "orders") == [("r1", "append", 1)]
    assert "new" not in schema_of(tmp_path / "out", "orders")


def test_rows_that_are_not_used_are_a_table_of_their_own_on_request(call_job: Call, tmp_path: pathlib.Path) -> None:
    more = ("--quarantine-table", "--max-rejected", "2")
    for day, run_id in ((1, "r1"), (2, "r2"), (1, "r3")):
        given = arguments(tmp_path, day, run_id, [order(day, day)])
        with (tmp_path / f"{run_id}.jsonl").open("ab") as file:
            file.write(b'{"id": \n{"id": 1, "note": "\xff"}\n')
        done = call_job("explode_json", *given, *more)
        assert done.exit_code == 0, done.stderr
    out = tmp_path / "out"
    assert rows_of(out, "orders_quarantine", "kind, run_id, input, reason, position, day(_day)") == [
        ("quarantine", "r2", "source", "not_utf8", 41, 2),
        ("quarantine", "r2", "source", "truncated", 33, 2),
        ("quarantine", "r3", "source", "not_utf8", 41, 1),
        ("quarantine", "r3", "source", "truncated", 33, 1),
    ]
    assert [rows for _, _, rows in history(out, "orders_quarantine")] == [2, 4, 4]
    # A run that does not ask for it leaves it as it is.
    run(call_job, tmp_path, 1, "r4", order(5, 5))
    assert call_job("explode_json", *arguments(tmp_path, 2, "r5", [order(5, 6)]), "--merge").exit_code == 0
    assert [rows for _, _, rows in history(out, "orders_quarantine")] == [2, 4, 4]
    assert set(as_of("partners", str(out), "orders", "r3")) == {"orders", "orders__lines", "orders_quarantine"}
    assert rows_of(out, "orders__lines", "qty") == [(2,), (6,)]


def test_a_column_of_the_records_that_is_named_as_the_day_is_refused(call_job: Call, tmp_path: pathlib.Path) -> None:
    done = call_job("explode_json", *arguments(tmp_path, 1, "r1", [{"id": 1, "_day": "x"}]))
    assert (done.exit_code, "--day: orders has a column _day of its own" in done.stderr) == (2, True)


def test_a_field_called_as_the_column_of_days_is_a_column_as_any_other_without_days(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, None, "r1", order(1, 10, _day="Mon"))
    run(call_job, tmp_path, None, "r2", order(2, 20, _day="Tue"))
    assert rows_of(tmp_path / "out", "orders", "id, _day") == [(2, "Tue")]
    done = call_job("explode_json", *arguments(tmp_path, 1, "r3", [order(3, 30)]))
    assert (done.exit_code, "orders was made without days, --day does not go with it" in done.stderr) == (2, True)


def test_rows_of_days_and_rows_without_one_do_not_come_into_one_table(call_job: Call, tmp_path: pathlib.Path) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10))
    done = call_job("explode_json", *arguments(tmp_path, None, "r2", [order(2, 20)]))
    assert (done.exit_code, "the rows of orders have days: --day YYYY-MM-DD is missing" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "iceberg"], "--format iceberg needs --catalog NAME"),
        (["--merge"], "--merge needs --key PATH and --format iceberg"),
        (["--day", "2026-11-01"], "--day goes with --format iceberg"),
        (["--format", "iceberg", "--catalog", "a b"], "--catalog a b: expected CATALOG or CATALOG.NAMESPACE"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str], message: str, call_job: Call, tmp_path: pathlib.Path
) -> None:
    given = arguments(tmp_path, None, "r1", [order(1, 10)])
    at = given.index("--format")
    done = call_job("explode_json", *given[:at], *given[at + 4 :], *options)
    assert (done.exit_code, message in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_leaves_what_was_there_or_all_of_it_once_the_next_run_ends(
    moment: str, call_job: Call, run_job: Call, tmp_path: pathlib.Path
) -> None:
    run(call_job, tmp_path, 1, "r1", order(1, 10))
    killed = run_job(KILLED, moment, "explode_json", *arguments(tmp_path, 2, "r2", [order(2, 20)]), env=PATHS)
    assert killed.exit_code in DIED, killed.stderr
    run(call_job, tmp_path, 3, "r3", order(3, 30))
    out, whole = tmp_path / "out", moment in ("after the last commit", "before the manifest")
    assert rows_of(out, "orders", "id") == ([(1,), (2,), (3,)] if whole else [(1,), (3,)])
    assert rows_of(out, "orders__lines", "qty") == ([(10,), (20,), (30,)] if whole else [(10,), (30,)])
    runs = ["r1", "r2", "r3"] if whole else ["r1", "r3"]
    for name in ("orders", "orders__lines"):
        assert [run_id for run_id, _, _ in history(out, name)] == runs
        assert sorted({path.parent.name for path in (out / "partners" / name / "data").rglob("*.parquet")}) == runs


def test_the_oldest_runs_go_with_their_files_and_the_rows_stay(call_job: Call, tmp_path: pathlib.Path) -> None:
    for number, day in enumerate((1, 2, 2, 3), 1):
        source = arguments(tmp_path, day, f"r{number}", [order(day, 10 * number)])
        assert call_job("explode_json", *source, "--keep-runs", "2").exit_code == 0
    out = tmp_path / "out"
    assert rows_of(out, "orders__lines", "qty") == [(10,), (30,), (40,)]
    assert history(out, "orders") == [("r3", "overwrite", 2), ("r4", "append", 3)]
    data = out / "partners" / "orders" / "data"
    assert sorted(path.parent.name for path in data.rglob("*.parquet")) == ["r1", "r3", "r4"]


@pytest.mark.each_engine
def test_split_columns_fills_a_table_with_lists_maps_and_decimals_and_widens_it(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    def split(day: int, types: str, *lines: str) -> JobResult:
        source = tmp_path / f"{day}.csv"
        source.write_text("\n".join(["first second,tags,info", *lines, ""]), encoding="utf-8")
        return call_job(
            "split_columns", "--source", source, "--destination", tmp_path / "out", "--types", types, "--quiet",
            "--list", "tags=array", "--pairs", "info=map", "--format", "iceberg", "--catalog", "partners",
            "--table", "pairs", "--day", f"2026-11-0{day}",
        )  # fmt: skip

    assert split(1, "first=int,second=decimal(5,2)", "1 2.50,a|b,k=v").exit_code == 0
    assert split(2, "first=bigint,second=decimal(7,2)", "3000000000 12345.25,c,").exit_code == 0
    refused = split(3, "first=string,second=decimal(7,3)", "x 1.125,c,")
    assert refused.exit_code == 2
    assert "pairs.first is long in the table, string in these rows" in refused.stderr
    assert "pairs.second is decimal(7, 2) in the table, decimal(7, 3) in these rows" in refused.stderr
    out = tmp_path / "out"
    assert rows_of(out, "pairs", "first, second, tags, info") == [
        (1, Decimal("2.50"), ["a", "b"], {"k": ["v"]}),
        (3000000000, Decimal("12345.25"), ["c"], None),
    ]
    assert schema_of(out, "pairs") == {
        "first": "long", "second": "decimal(7, 2)", "tags": "list<string>", "info": "map<string, list<string>>",
        "_day": "date",
    }  # fmt: skip


def merge(call_job: Call, folder: pathlib.Path, day: int, key: str, *lines: str) -> JobResult:
    """A run of split_columns that merges these lines into the table `stock`."""
    source = folder / f"{day}.csv"
    source.write_text("\n".join(["shop item,at,note", *lines, ""]), encoding="utf-8")
    return call_job(
        "split_columns", "--source", source, "--destination", folder / "out", "--types", "item=int,at=date", "--quiet",
        "--format", "iceberg", "--catalog", "partners", "--table", "stock", "--key", key, "--merge",
        "--day", f"2026-11-0{day}", "--run-id", f"r{day}",
    )  # fmt: skip


@pytest.mark.each_engine
def test_merged_rows_of_split_columns_replace_those_with_the_same_values_in_all_key_columns(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    assert merge(call_job, tmp_path, 1, "shop,item", "x 1,2026-01-01,a", "x 2,2026-01-01,b", "y 1,,c").exit_code == 0
    done = merge(call_job, tmp_path, 2, "shop,item", "x 2,2026-01-02,d", "y 2,2026-01-02,e")
    assert done.exit_code == 0, done.stderr
    first, second, out = datetime.date(2026, 11, 1), datetime.date(2026, 11, 2), tmp_path / "out"
    assert rows_of(out, "stock", "shop, item, note, _day") == [
        ("x", 1, "a", first), ("x", 2, "d", second), ("y", 1, "c", first), ("y", 2, "e", second),
    ]  # fmt: skip
    assert history(out, "stock") == [("r1", "append", 3), ("r2", "overwrite", 4)]
    # Another key: a row without a value in it stays, whatever comes.
    assert merge(call_job, tmp_path, 3, "at", "z 9,2026-01-01,f").exit_code == 0
    assert rows_of(out, "stock", "shop, item, note") == [("x", 2, "d"), ("y", 1, "c"), ("y", 2, "e"), ("z", 9, "f")]


@pytest.mark.each_engine
def test_a_merge_of_rows_without_key_or_with_one_key_is_refused_and_the_table_stays(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    assert merge(call_job, tmp_path, 1, "item", "x 1,,a").exit_code == 0
    double = merge(call_job, tmp_path, 2, "shop,item", "y 1,,b", "x 1,,c", "x 1,,d")
    assert double.exit_code == 2
    assert f"2 rows have shop x, item 1, first in {tmp_path}/2.csv; one of them is expected" in double.stderr
    empty = merge(call_job, tmp_path, 3, "item,at", "x 1,2026-01-01,e", "y 1,,f")
    assert empty.exit_code == 2
    assert f"{tmp_path}/3.csv has a row without at: every row needs its key" in empty.stderr
    assert rows_of(tmp_path / "out", "stock", "shop, item, note") == [("x", 1, "a")]


def test_a_key_that_cannot_tell_rows_apart_is_refused_by_name(call_job: Call, tmp_path: pathlib.Path) -> None:
    assert "--key: there is no column shp; near: shop" in merge(call_job, tmp_path, 1, "shp", "x 1,,a").stderr
    source, tables = tmp_path / "1.csv", ["--format", "iceberg", "--catalog", "partners"]
    words = ["--source", source, "--destination", tmp_path / "out", "--merge", "--key", "note"]
    listed = call_job("split_columns", *words, "--list", "note=array", *tables)
    assert (listed.exit_code, "note is array<string>; such values cannot" in listed.stderr) == (2, True)
    plain = call_job("split_columns", *words)
    assert (plain.exit_code, "--merge needs --key COLUMN and --format iceberg" in plain.stderr) == (2, True)


DAYS = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20]  # 5 and 12 are killed


def seen_as_of(out: pathlib.Path, run_id: str = "") -> tuple[list[int], list[int]]:
    """Ids of orders, and quantities of their lines, as DuckDB finds them in the state of a run."""
    scans = as_of("partners", str(out), "orders", run_id)
    with scans["orders"].to_duckdb("o") as orders, scans["orders__lines"].to_duckdb("l") as lines:
        return (
            [id for (id,) in orders.sql("SELECT id FROM o ORDER BY 1").fetchall()],
            [quantity for (quantity,) in lines.sql("SELECT qty FROM l ORDER BY 1").fetchall()],
        )


def test_twenty_days_of_which_two_are_killed_one_is_run_again_and_one_has_a_new_column_and_another_type(
    call_job: Call, run_job: Call, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    for day in range(1, 21):
        orders = [order(day, day, price=3)]
        if day == 15:
            orders = [order(15, 15, price=3.5, channel="shop")]
        if day in (5, 12):
            moment = "files written" if day == 5 else "between the commits"
            given = arguments(tmp_path, day, f"d{day:02d}", orders)
            assert run_job(KILLED, moment, "explode_json", *given, env=PATHS).exit_code in DIED
        else:
            run(call_job, tmp_path, day, f"d{day:02d}", *orders)
        if day == 9:
            run(call_job, tmp_path, 9, "d09-again", order(9, 900, price=4))
        if day == 12:  # its lines are there, its orders are not: nobody who asks for a run sees that
            assert [row for (row,) in rows_of(out, "orders__lines", "qty")][-3:] == [11, 12, 900]
            assert seen_as_of(out) == ([1, 2, 3, 4, 6, 7, 8, 9, 10, 11], [1, 2, 3, 4, 6, 7, 8, 10, 11, 900])

    prices = [3] * 7 + [4] + [3] * 4 + [None] + [3] * 5
    fractions = [None] * 12 + [3.5] + [None] * 5
    shops = [None] * 12 + ["shop"] + [None] * 5
    dates = [datetime.date(2026, 11, day) for day in DAYS]
    expected = list(zip(DAYS, prices, fractions, shops, dates, strict=True))
    assert rows_of(out, "orders", "id, price, price__double, channel, _day") == expected
    assert rows_of(out, "orders__lines", "qty, _day") == sorted(
        zip([900 if day == 9 else day for day in DAYS], dates, strict=True)
    )
    assert schema_of(out, "orders") == {
        "_id": "string", "id": "long", "price": "long", "_day": "date", "price__double": "double", "channel": "string",
    }  # fmt: skip
    first, rest = [(f"d{day:02d}", "append") for day in DAYS[:8]], [(f"d{day:02d}", "append") for day in DAYS[8:]]
    runs = [*first, ("d09-again", "overwrite"), *rest]
    totals = [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    for name in ("orders", "orders__lines"):
        assert history(out, name) == [(*one, rows) for one, rows in zip(runs, totals, strict=True)]
    assert seen_as_of(out, "d09") == ([1, 2, 3, 4, 6, 7, 8, 9], [1, 2, 3, 4, 6, 7, 8, 9])
    assert seen_as_of(out, "d09-again") == ([1, 2, 3, 4, 6, 7, 8, 9], [1, 2, 3, 4, 6, 7, 8, 900])
    assert [
        path.parent.name for path in (out / "partners").rglob("*.parquet") if path.parent.name in ("d05", "d12")
    ] == []


def test_twenty_days_of_a_table_of_split_columns_whose_type_is_widened(
    call_job: Call, run_job: Call, tmp_path: pathlib.Path
) -> None:
    for day in range(1, 21):
        source = tmp_path / f"{day}.csv"
        wide = day >= 15
        header, line = ("first second,more", "3000000000 x,m") if wide else ("first second", f"{day} x")
        source.write_text(f"{header}\n{line}\n", encoding="utf-8")
        given = [
            *("--source", source, "--destination", tmp_path / "out", "--types", f"first={'bigint' if wide else 'int'}"),
            *("--format", "iceberg", "--catalog", "partners", "--table", "pairs", "--quiet", "--run-id", f"d{day:02d}"),
            *("--day", f"2026-11-{day:02d}"),
        ]
        if day in (5, 12):
            moment = "files written" if day == 5 else "before the first commit"
            assert run_job(KILLED, moment, "split_columns", *given, env=PATHS).exit_code in DIED
            continue
        for _ in range(2 if day == 9 else 1):
            assert call_job("split_columns", *given).exit_code == 0
    small = [(day, None) for day in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 14)]
    out = tmp_path / "out"
    assert rows_of(out, "pairs", "first, more") == [*small, *[(3000000000, "m")] * 6]
    assert rows_of(out, "pairs", "first", "d14") == [(day,) for day, _ in small]
    assert schema_of(out, "pairs") == {"first": "long", "second": "string", "_day": "date", "more": "string"}
    assert [rows for _, _, rows in history(out, "pairs")] == [
        1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
    ]  # fmt: skip


def test_the_program_tables_answers_from_duckdb_and_names_what_is_not_there(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*more: str) -> tuple[int, str, str]:
        given = ["tables", "--catalog", "partners", "--destination", str(tmp_path / "out"), *more]
        monkeypatch.setattr("sys.argv", given)
        code = reader.main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    assert ask()[0] == 2
    assert not (tmp_path / "out").exists()
    run(call_job, tmp_path, 1, "r1", order(1, 10))
    run(call_job, tmp_path, 2, "r2", order(2, 20, 21))
    code, shown, _ = ask()
    assert code == 0
    assert "runs of orders: r1, r2\n" in shown
    assert "orders__lines: 3 rows; _id string, _parent_id string, _root_id string, _index long, qty long" in shown
    assert " 51 " in ask("--sql", "SELECT sum(qty) FROM orders__lines")[1]
    assert " 10 " in ask("--sql", "SELECT sum(qty) FROM orders__lines", "--as-of", "r1")[1]
    code, _, message = ask("--as-of", "r3")
    assert (code, "partners.orders: no run r3; the last ones: r1, r2" in message) == (2, True)
    assert ask("--sql", "SELECT x")[0] == 2


@pytest.mark.parametrize("kind", ["closed", "damaged", "unknown"])
def test_a_catalog_that_does_not_answer_is_refused_in_one_line(
    kind: str,
    call_job: Call,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "out").mkdir()
    if kind == "damaged":
        (tmp_path / "out" / "partners.db").write_text("x" * 2000)
    else:
        settings = {"closed": ("URI", "http://127.0.0.1:9"), "unknown": ("TYPE", "paper")}[kind]
        monkeypatch.setenv(f"PYICEBERG_CATALOG__PARTNERS__{settings[0]}", settings[1])
    done = call_job("explode_json", *arguments(tmp_path, None, "r1", [order(1, 10)]))
    monkeypatch.setattr("sys.argv", ["tables", "--catalog", "partners", "--destination", str(tmp_path / "out")])
    code, shown = reader.main(), capsys.readouterr().err
    for exit_code, message in ((done.exit_code, done.stderr), (code, shown)):
        assert (exit_code, message.count("\n")) == (2, 1), message
        assert "--catalog partners cannot be opened or does not answer: " in message
    assert not (tmp_path / "out" / "_runs").exists()  # nothing was read


def test_a_rest_catalog_that_takes_a_connection_and_never_answers_is_given_up_after_a_time(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert catalog_module.REST_SECONDS == (10.0, 60.0)
    monkeypatch.setattr(catalog_module, "REST_SECONDS", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PYICEBERG_CATALOG__PARTNERS__URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        done = call_job("explode_json", *arguments(tmp_path, None, "r1", [order(1, 10)]))
    assert (done.exit_code, "does not answer: ReadTimeout" in done.stderr) == (2, True), done.stderr


@pytest.mark.each_engine
def test_a_dry_run_says_what_would_become_of_the_tables_and_changes_nothing(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    def preview(day: int, *orders: dict[str, Any]) -> JobResult:
        return call_job("explode_json", *arguments(tmp_path, day, "r9", orders), "--dry-run", "--json")

    out = tmp_path / "out"
    assert [one for one in notes_of(preview(1, order(1, 10))) if "partners" in one] == [
        "partners: orders is a new table", "partners: orders__lines is a new table",
    ]  # fmt: skip
    assert not out.exists()
    run(call_job, tmp_path, 1, "r1", order(1, 10), order(2, 20, 21))
    run(call_job, tmp_path, 2, "r2", order(3, 30))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert [one for one in notes_of(preview(1, order(1, 10, city="Oslo"))) if "partners" in one] == [
        "partners: orders has 3 rows, replaced are 2; new columns: city",
        "partners: orders__lines has 4 rows, replaced are 3",
    ]
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_dry_run_refuses_what_the_table_cannot_take(call_job: Call, tmp_path: pathlib.Path) -> None:
    def split(kind: str, *more: str) -> JobResult:
        source = tmp_path / "rows.csv"
        source.write_text("first second\n1 x\n", encoding="utf-8")
        return call_job(
            "split_columns", "--source", source, "--destination", tmp_path / "out", "--types", f"first={kind}",
            "--format", "iceberg", "--catalog", "partners", *more,
        )  # fmt: skip

    assert split("int").exit_code == 0
    assert "partners: rows has 1 rows, replaced are 1; wider columns: first (int to long)" in " ".join(
        split("bigint", "--dry-run").stdout.split()
    )
    refused = split("decimal(5,2)", "--dry-run")
    assert (refused.exit_code, "rows.first is int in the table, decimal(5, 2) in these rows" in refused.stderr) == (
        2,
        True,
    )
    days = split("int", "--dry-run", "--day", "2026-11-01")
    assert (days.exit_code, "rows was made without days" in days.stderr) == (2, True)


def test_a_table_whose_metadata_is_damaged_is_refused_in_one_line(call_job: Call, tmp_path: pathlib.Path) -> None:
    run(call_job, tmp_path, None, "r1", order(1, 10))
    for path in (tmp_path / "out" / "partners" / "orders" / "metadata").glob("*.metadata.json"):
        path.write_text("{")
    done = call_job("explode_json", *arguments(tmp_path, None, "r2", [order(2, 20)]))
    message = "explode_json: --catalog partners cannot be opened or does not answer: ValidationError: "
    assert (done.exit_code, done.stderr[: len(message)], done.stderr.count("\n")) == (2, message, 1)


def test_a_catalog_that_goes_away_before_the_commit_is_one_line_and_exit_code_1(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Transaction) -> Table:
        raise ConnectionError("connection refused")

    run(call_job, tmp_path, None, "r1", order(1, 10))
    monkeypatch.setattr(Transaction, "commit_transaction", away)
    done = call_job("explode_json", *arguments(tmp_path, None, "r2", [order(2, 20)]))
    message = "--catalog partners cannot be opened or does not answer: ConnectionError: connection refused\n"
    assert (done.exit_code, done.stderr) == (1, f"explode_json: {message}")
    assert rows_of(tmp_path / "out", "orders", "id") == [(1,)]


def test_a_commit_that_is_not_answered_in_time_and_succeeds_later_has_its_files(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Transaction] = []

    def slow(change: Transaction) -> Table:
        late.append(change)
        raise ConnectionError("read timed out")

    run(call_job, tmp_path, 1, "r1", {"id": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit_transaction", slow)
        assert call_job("explode_json", *arguments(tmp_path, 2, "r2", [{"id": 2}])).exit_code == 1
    [change] = late
    change.commit_transaction()
    assert rows_of(tmp_path / "out", "orders", "id") == [(1,), (2,)]
    run(call_job, tmp_path, 3, "r3", {"id": 3})
    assert rows_of(tmp_path / "out", "orders", "id") == [(1,), (2,), (3,)]
