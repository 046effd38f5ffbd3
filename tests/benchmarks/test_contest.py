"""What a contest compares, and what is left of it when the machine becomes busy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import bench, explode, harness, measure, orders, results
from benchmarks.harness import BusyError, Contender, Contest, Settings, concluded
from benchmarks.results import Section

SOUND = '{"customer_reference": "c1", "orders": 2, "total": 2.50}\n'
DONE = Contender("done", [sys.executable, "-c", "pass"], 0)


def compared(tmp_path: Path, first: str, second: str) -> Contest:
    """Two contenders that left these messages."""
    contenders = [Contender(name, [], 0, tmp_path / name) for name in ("first", "second")]
    for name, lines in (("first", first), ("second", second)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "messages.jsonl").write_text(lines, encoding="utf-8")
    done = Contest("work", contenders, Settings(work=tmp_path))
    done.runs = {one.name: [measure.Measured(1.0, 1.0, 0)] for one in contenders}
    return done.compare(orders.outputs)


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        pytest.param(SOUND.replace("2.50", "2.5"), "equal", id="the same amount with other digits"),
        pytest.param(SOUND.replace("2.50", "2.6"), "differs", id="another total"),
        pytest.param(SOUND + SOUND, "differs", id="a message two times"),
        pytest.param("", "differs", id="no message"),
    ],
)
def test_messages_are_equal_or_differ(tmp_path: Path, lines: str, result: str) -> None:
    done = compared(tmp_path, SOUND, lines)
    assert done.results == {"first": "equal", "second": result}
    assert done.equal == (result == "equal")


def test_two_empty_results_are_not_equal(tmp_path: Path) -> None:
    assert compared(tmp_path, "", "").results == {"first": "differs", "second": "differs"}


def test_a_table_without_a_column_that_is_compared_is_refused(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    duckdb.connect().execute(f"COPY (SELECT 1 AS code) TO '{tmp_path / 'documents__divisions.parquet'}'")
    with pytest.raises(ValueError, match="no column share"):
        explode.outputs(tmp_path)


def busy_after(monkeypatch: pytest.MonkeyPatch, quiet: int) -> None:
    """The machine is quiet so many times, then busy."""
    looks = iter([0.0] * quiet)
    monkeypatch.setattr(measure, "others_at_work", lambda look: (next(looks, 0.9), ["17 python"]))
    monkeypatch.setattr(harness, "QUIET_TRIES", 1)


def test_runs_that_are_done_stay_when_the_machine_becomes_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_after(monkeypatch, 3)
    settings = Settings(work=tmp_path, runs=3)
    two = Contest("two", [DONE, Contender("other", DONE.command, 0)], settings).run()
    assert {name: len(runs) for name, runs in two.runs.items()} == {"done": 2, "other": 1}
    assert (two.least_runs, two.equal) == (1, True)
    after = Contest("after", [DONE], settings).run()
    assert (after.least_runs, after.equal) == (0, False)
    assert after.rows()[0][-1] == "not measured: the machine was busy"


@pytest.mark.parametrize(("quiet", "kept"), [(1, {"one"}), (0, set())])
def test_a_section_is_written_before_a_busy_machine_ends_the_benchmark_if_everybody_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: int, kept: set[str]
) -> None:
    busy_after(monkeypatch, quiet)
    written: set[str] = set()

    def scenario(settings: Settings) -> Section:
        done = Contest("work", [DONE], settings).run()
        return concluded(Section("One", "", [], []), settings, "work", done)

    monkeypatch.setattr(bench, "SCENARIOS", {"one": scenario})
    monkeypatch.setattr(results, "write", lambda new, order: written.update(new))
    with pytest.raises(BusyError, match="one: other programs use 90% of a core"):
        bench.run(["one"], Settings(work=tmp_path, runs=2), write=True)
    assert written == kept


def test_a_section_says_how_often_at_what_size_and_on_what_machine_it_was_measured(tmp_path: Path) -> None:
    settings = Settings(work=tmp_path, runs=2, customers=20_000, busy=True)
    done = Contest("work", [DONE], settings).run()
    done.disturbed = ["work, done, run 2: others took 7% of the machine."]
    section = concluded(Section("", "", [], []), settings, "20,000 customers", done, sizes=("customers", "megabytes"))
    assert (section.runs, section.busy, section.other_size) == (2, True, "20,000 customers")
    assert section.setup.startswith("20,000 customers; medians of 2 alternating runs, on a busy machine, ")
    assert section.notes == ["work, done, run 2: others took 7% of the machine."]
    once = Contest("work", [DONE], settings).run(1)
    assert "; one run, on a busy machine, " in concluded(Section("", "", [], []), settings, "one clone", once).setup


def test_the_share_of_others_is_of_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure.os, "cpu_count", lambda: 2)
    assert measure.Measured(10.0, 1.0, 0, others=1.0).others_share == 0.05
