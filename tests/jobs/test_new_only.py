"""`--new-only`: each file is read once, no row of an earlier run is lost, none is there double."""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.job.runner import Job
from pipeline.publish.iceberg.reader import as_of
from pipeline.publish.iceberg.tables import IcebergTables
from pipeline.publish.outputs import RunFiles
from tests.support.jobs import JobResult, clean_environment, command, job_module
from tests.support.paths import ROOT

Call = Callable[..., JobResult]
SECOND = 1_000_000_000
PATHS = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
KILLED = ROOT / "tests" / "support" / "killed_run.py"


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def put(folder: pathlib.Path, name: str, *ids: int, at: int = 1) -> None:
    file = folder / name
    file.write_text("".join(json.dumps({"id": number}) + "\n" for number in ids))
    os.utime(file, ns=(at * SECOND, at * SECOND))


def explode(call_job: Call, source: pathlib.Path, run_id: str, *more: str) -> JobResult:
    out = source.parent / "out"
    words = ("--source", source, "--destination", out, "--new-only", "--run-id", run_id, "--key", "id")
    return call_job("explode_json", *words, *more)


def rows(source: pathlib.Path) -> dict[str, list[str]]:
    """The ids by the folder of their run."""
    out = source.parent / "out"
    found = sorted(out.glob("*/root.csv"))
    return {file.parent.name: [line.split(",")[1] for line in file.read_text().splitlines()[1:]] for file in found}


def manifest(source: pathlib.Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((source.parent / "out" / "_manifest.json").read_text())
    return found


def notes(done: JobResult) -> str:
    return " ".join(done.output.split())


@pytest.mark.each_engine
def test_each_run_reads_the_new_files_and_keeps_the_rows_of_the_runs_before(
    call_job: Call, source: pathlib.Path
) -> None:
    put(source, "a.jsonl", 1, 2)
    put(source, "b.jsonl", 3)
    assert explode(call_job, source, "r1").exit_code == 0
    put(source, "c.jsonl", 4)
    second = explode(call_job, source, "r2")
    assert second.exit_code == 0
    assert second.report["notes"] == [f"source: 1 new files, 2 were read before: {source}/c.jsonl"]
    assert second.report["inputs"]["source"]["read"] == 1
    assert {run: sorted(ids) for run, ids in rows(source).items()} == {"run=r1": ["1", "2", "3"], "run=r2": ["4"]}
    found = manifest(source)
    assert {pathlib.Path(path).name: entry["run_id"] for path, entry in found["read"].items()} == {
        "a.jsonl": "r1", "b.jsonl": "r1", "c.jsonl": "r2",
    }  # fmt: skip
    assert found["read"][f"{source}/c.jsonl"] == {"run_id": "r2", "size": 10, "version": str(SECOND)}
    assert found["files"]["run=r2/root.csv"]["rows"] == 1
    assert (found["kept"]["run=r1/root.csv"]["rows"], found["kept"]["run=r1/root.csv"]["run_id"]) == (3, "r1")


def test_without_new_files_a_run_does_nothing_and_ends_with_0(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    explode(call_job, source, "r1")
    before = {path: path.read_bytes() for path in (source.parent / "out").rglob("*") if path.is_file()}
    for run_id in ("r2", "r1"):  # a run that is started again, too
        done = explode(call_job, source, run_id)
        assert done.exit_code == 0
        assert "source: 0 new files, 1 were read before" in notes(done)
    assert {path: path.read_bytes() for path in (source.parent / "out").rglob("*") if path.is_file()} == before


def test_a_changed_file_is_refused_by_name_and_nothing_else_is_read(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    explode(call_job, source, "r1")
    put(source, "b.jsonl", 3)
    for ids, at in (((1, 2), 1), ((9,), 2)):  # another size, then another time
        put(source, "a.jsonl", *ids, at=at)
        done = explode(call_job, source, "r2")
        size = (source / "a.jsonl").stat().st_size
        assert done.exit_code == 2
        text = f"changed since they were read: {source}/a.jsonl (10 bytes in run r1, {size} now)"
        assert text in notes(done)
        assert rows(source) == {"run=r1": ["1"]}


def test_what_old_runs_read_stays_known_when_their_folders_go(call_job: Call, source: pathlib.Path) -> None:
    for number, name in enumerate(("a", "b", "c"), start=1):
        put(source, f"{name}.jsonl", number)
        assert explode(call_job, source, f"r{number}", "--keep-runs", "1").exit_code == 0
    out = source.parent / "out"
    assert [path.name for path in (out / "_runs").iterdir() if path.is_dir()] == ["r3"]
    assert rows(source) == {"run=r1": ["1"], "run=r2": ["2"], "run=r3": ["3"]}
    assert explode(call_job, source, "r4").exit_code == 0
    assert set(rows(source)) == {"run=r1", "run=r2", "run=r3"}


def test_files_of_a_failed_run_are_new_again(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    (source / "b.jsonl").write_text("no json\n")
    assert explode(call_job, source, "r1", "--max-rejected", "0").exit_code == 3
    (source / "b.jsonl").write_text('{"id": 2}\n')
    assert explode(call_job, source, "r2", "--max-rejected", "0").exit_code == 0
    assert {run: sorted(ids) for run, ids in rows(source).items()} == {"run=r2": ["1", "2"]}


def test_a_correction_of_a_file_that_was_read_is_refused_and_of_a_new_one_taken(
    call_job: Call, source: pathlib.Path
) -> None:
    mended = source.parent / "mended.jsonl"
    (source / "a.json").write_text('{"id": 1}\n{"id": }\n')
    line = {"input": "source", "file": str(source / "a.json"), "position": 10, "raw": '{"id": 2}'}
    mended.write_text(json.dumps(line) + "\n")
    corrected = ("--corrections", str(mended))
    assert explode(call_job, source, "r1", "--max-rejected", "1").exit_code == 0
    done = explode(call_job, source, "r2", *corrected)
    assert done.exit_code == 2
    assert f"mended.jsonl, line 1: {source}/a.json was read in run r1 and is not read again; send" in done.output
    (source / "b.json").write_text('{"id": 3}\n{"id": }\n')
    mended.write_text(json.dumps(line | {"file": str(source / "b.json")}) + "\n")
    assert explode(call_job, source, "r3", *corrected).exit_code == 0
    assert {run: sorted(ids) for run, ids in rows(source).items()} == {"run=r1": ["1"], "run=r3": ["2", "3"]}


def test_a_run_that_ends_between_publishing_and_the_manifest_leaves_no_row(
    call_job: Call, source: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "a.jsonl", 1)
    explode(call_job, source, "r1")
    put(source, "b.jsonl", 2)

    def fail(_: RunFiles) -> None:
        raise RuntimeError("no power")

    with monkeypatch.context() as patched:
        patched.setattr(RunFiles, "finish", fail)
        assert explode(call_job, source, "r2").exit_code == 1
    assert set(rows(source)) == {"run=r1", "run=r2"}
    assert explode(call_job, source, "r3").exit_code == 0
    assert rows(source) == {"run=r1": ["1"], "run=r3": ["2"]}


@pytest.mark.slow
def test_runs_killed_at_random_moments_lose_no_row_and_double_none(call_job: Call, source: pathlib.Path) -> None:
    out, chance, killed = source.parent / "out", random.Random(7), 0
    for number in range(12):
        put(source, f"{number:02}.jsonl", number)
        words = ("--source", source, "--destination", out, "--new-only", "--key", "id", "--quiet")
        process = subprocess.Popen(
            command("explode_json", words), env=clean_environment(), stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=chance.uniform(0.5, 3))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
    print(f"{killed} of 12 runs were killed")
    assert explode(call_job, source, "last").exit_code == 0
    assert sorted(int(number) for ids in rows(source).values() for number in ids) == list(range(12))


def test_a_folder_of_somebody_else_stays(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    other = source.parent / "out" / "run=other" / "x.csv"
    other.parent.mkdir(parents=True)
    other.write_text("x\n")
    assert explode(call_job, source, "r1").exit_code == 0
    assert other.read_text() == "x\n"


def test_runs_with_and_without_it_do_not_share_a_destination(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    out, plain = source.parent / "out", source.parent / "plain"
    explode(call_job, source, "r1")
    whole = call_job("explode_json", "--source", source, "--destination", out)
    assert (whole.exit_code, "is filled with --new-only" in notes(whole)) == (2, True)
    assert call_job("explode_json", "--source", source, "--destination", plain).exit_code == 0
    done = call_job("explode_json", "--source", source, "--destination", plain, "--new-only")
    assert (done.exit_code, "has files of a run without --new-only" in notes(done)) == (2, True)
    put(source, "b.jsonl", 2)
    again = explode(call_job, source, "r1")
    assert (again.exit_code, "run r1 is published" in notes(again)) == (2, True)


def test_a_dry_run_shows_what_is_new_and_leaves_nothing(call_job: Call, source: pathlib.Path) -> None:
    put(source, "a.jsonl", 1)
    explode(call_job, source, "r1")
    put(source, "b.jsonl", 2)
    done = explode(call_job, source, "r2", "--dry-run")
    assert (done.exit_code, "1 new files, 1 were read before" in notes(done)) == (0, True)
    assert set(rows(source)) == {"run=r1"}


def test_a_reference_input_is_read_each_time(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    words = sample_args("restaurants")
    pages = pathlib.Path(words[words.index("--restaurants") + 1])
    out = ("--destination", tmp_path / "out", "--new-only")
    assert call_job("restaurants", *words, *out).exit_code == 0
    shutil.copy(pages, tmp_path / "more.json")
    words[words.index("--restaurants") + 1] = str(tmp_path / "more.json")
    assert call_job("restaurants", *words, *out).exit_code == 0
    assert len(list((tmp_path / "out").glob("run=*/restaurant_details.csv"))) == 2
    refused = call_job("restaurants", *words, *out, "--lookup-table", "x")
    assert (refused.exit_code, "--new-only and --lookup-table exclude each other" in notes(refused)) == (2, True)


def test_inputs_that_belong_together_must_both_have_new_files(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    words = sample_args("race_stats")
    shutil.copy(words[words.index("--results") + 1], tmp_path / "results-2.csv")
    out = ("--destination", tmp_path / "out", "--new-only")
    assert call_job("race_stats", *words, *out).exit_code == 0
    words[words.index("--results") + 1] += f",{tmp_path / 'results-2.csv'}"
    done = call_job("race_stats", *words, *out)
    assert (done.exit_code, "there are new files for --results and none for --races" in notes(done)) == (2, True)


def test_every_job_has_it_and_names_only_inputs_of_its_own_as_references() -> None:
    for name in ("restaurants", "customer_orders", "race_stats", "carparks", "people", "explode_json", "split_columns"):
        job: Job[Any] = job_module(name).JOB
        assert set(job.options.reference_inputs) <= set(job.options.__dataclass_fields__)
    assert job_module("restaurants").JOB.options.reference_inputs == ("country_codes",)
    assert job_module("carparks").JOB.options.reference_inputs == ("information",)


def table_words(source: pathlib.Path, run_id: str) -> list[str | pathlib.Path]:
    words = ["--source", source, "--destination", source.parent / "out", "--new-only", "--run-id", run_id]
    return [*words, "--root", "orders", "--format", "iceberg", "--catalog", "shop"]


def explode_into_tables(call_job: Call, source: pathlib.Path, run_id: str, *more: str | pathlib.Path) -> JobResult:
    return call_job("explode_json", *table_words(source, run_id), *more)


def quantities(source: pathlib.Path) -> list[tuple[str, int]]:
    """Names of orders and quantities of their lines, by DuckDB out of the tables of the newest run."""
    scans = as_of("shop", str(source.parent / "out"), "orders")
    with scans["orders"].to_duckdb("orders") as connection:
        connection.register("items", scans["orders__lines"].to_arrow())
        query = "SELECT name, qty FROM orders JOIN items ON items._parent_id = orders._id ORDER BY ALL"
        return connection.sql(query).fetchall()


def put_orders(folder: pathlib.Path, name: str, *numbers: int, at: int = 1) -> None:
    """An order with a line for each of the quantities."""
    (folder / name).write_text(json.dumps({"name": name, "lines": [{"qty": number} for number in numbers]}) + "\n")
    os.utime(folder / name, ns=(at * SECOND, at * SECOND))


@pytest.mark.each_engine
def test_in_tables_of_iceberg_a_changed_file_replaces_its_rows_and_all_others_stay(
    call_job: Call, source: pathlib.Path
) -> None:
    put_orders(source, "a", 1, 2)
    put_orders(source, "b", 3)
    assert explode_into_tables(call_job, source, "r1").exit_code == 0
    put_orders(source, "c", 4)
    assert explode_into_tables(call_job, source, "r2").exit_code == 0
    put_orders(source, "a", 5, at=2)
    put_orders(source, "d", 6)
    done = explode_into_tables(call_job, source, "r3")
    assert done.exit_code == 0, done.stderr
    assert quantities(source) == [("a", 5), ("b", 3), ("c", 4), ("d", 6)]
    changed, read = done.report["notes"][:2]
    assert changed.startswith(f"changed since they were read: {source}/a (")
    assert changed.endswith("rows of r1 are replaced, all files of these runs read again")
    assert read == f"source: 3 new files, 1 were read before: {source}/a, {source}/b, {source}/d"
    assert "source: 0 new files, 4 were read before" in notes(explode_into_tables(call_job, source, "r4"))
    assert quantities(source) == [("a", 5), ("b", 3), ("c", 4), ("d", 6)]


def test_a_correction_is_taken_where_a_file_of_the_same_run_has_changed(call_job: Call, source: pathlib.Path) -> None:
    (source / "a").write_text('{"name": "a", "lines": [{"qty": 1}]}\n{"name": }\n')
    put_orders(source, "b", 2)
    assert explode_into_tables(call_job, source, "r1", "--max-rejected", "1").exit_code == 0
    put_orders(source, "b", 3, at=2)
    mended = {
        "input": "source",
        "file": str(source / "a"),
        "position": 37,
        "raw": '{"name": "c", "lines": [{"qty": 4}]}',
    }
    (source.parent / "mended.jsonl").write_text(json.dumps(mended) + "\n")
    done = explode_into_tables(call_job, source, "r2", "--corrections", source.parent / "mended.jsonl")
    assert done.exit_code == 0, done.stderr
    assert quantities(source) == [("a", 1), ("b", 3), ("c", 4)]


def test_a_changed_file_is_refused_while_another_one_of_its_run_is_gone(call_job: Call, source: pathlib.Path) -> None:
    put_orders(source, "a", 1)
    put_orders(source, "b", 2)
    explode_into_tables(call_job, source, "r1")
    put_orders(source, "a", 3, at=2)
    (source / "b").unlink()
    done = explode_into_tables(call_job, source, "r2")
    assert (done.exit_code, f"of the same run, and not among the inputs now: {source}/b" in notes(done)) == (2, True)
    assert quantities(source) == [("a", 1), ("b", 2)]


def test_rows_of_a_run_that_was_killed_before_its_manifest_are_not_there_double(
    call_job: Call, run_job: Call, source: pathlib.Path
) -> None:
    put_orders(source, "a", 1)
    explode_into_tables(call_job, source, "r1")
    put_orders(source, "a", 2, at=2)
    put_orders(source, "b", 3)
    killed = run_job(KILLED, "after the last commit", "explode_json", *table_words(source, "r2"), env=PATHS)
    assert killed.exit_code in (-9, 137)
    shown = notes(explode_into_tables(call_job, source, "r3", "--dry-run"))
    assert "shop: orders has 2 rows, replaced are 0" in shown
    assert "a run before did not end" in shown
    assert explode_into_tables(call_job, source, "r3").exit_code == 0
    assert quantities(source) == [("a", 2), ("b", 3)]


def test_a_run_that_fails_once_its_manifest_is_written_keeps_its_rows(
    call_job: Call, source: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: IcebergTables) -> None:
        raise OSError("no answer")

    put_orders(source, "a", 1)
    explode_into_tables(call_job, source, "r1")
    put_orders(source, "a", 2, at=2)
    put_orders(source, "b", 3)
    with monkeypatch.context() as patch:
        patch.setattr(IcebergTables, "finish", stopped)
        assert explode_into_tables(call_job, source, "r2").exit_code == 1
    assert quantities(source) == [("a", 2), ("b", 3)]
    assert "source: 0 new files, 2 were read before" in notes(explode_into_tables(call_job, source, "r3"))
    put_orders(source, "c", 4)
    assert explode_into_tables(call_job, source, "r4").exit_code == 0
    assert quantities(source) == [("a", 2), ("b", 3), ("c", 4)]


def test_what_a_replaced_run_rejected_goes_from_its_table_though_the_new_run_does_not_ask_for_one(
    call_job: Call, source: pathlib.Path
) -> None:
    rejected = []
    for number, more in enumerate((["--quarantine-table"], [], ["--quarantine-table"]), 1):
        (source / "a").write_text('{"name": "a", "lines": [{"qty": 1}]}\n{"name": \n')
        os.utime(source / "a", ns=(number * SECOND, number * SECOND))
        done = explode_into_tables(call_job, source, f"r{number}", "--max-rejected", "1", *more)
        assert done.exit_code == 0, done.stderr
        scans = as_of("shop", str(source.parent / "out"), "orders")
        rejected.append(scans["orders_quarantine"].to_arrow()["run_id"].to_pylist())
    assert rejected == [["r1"], [], ["r3"]]


def test_a_day_and_new_files_only_do_not_go_together(call_job: Call, source: pathlib.Path) -> None:
    put_orders(source, "a", 1)
    words = ("--source", source, "--destination", source.parent / "out", "--new-only", "--day", "2026-11-01")
    done = call_job("explode_json", *words, "--format", "iceberg", "--catalog", "shop")
    assert (done.exit_code, "--new-only replaces the rows of changed files" in done.stderr) == (2, True)
