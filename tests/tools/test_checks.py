"""How groups of checks are counted into the one line that decides."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from tools import checks
from tools.checks import Group, Outcome, counted

TESTS = Group("tests", ("pytest",), marks="not slow")
STYLE = Group("ruff", ("ruff",))


@pytest.fixture(autouse=True)
def _own_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LOGS", tmp_path)
    monkeypatch.delenv("CI", raising=False)


def report(tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> None:
    counts = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    TESTS.report.write_text(f"<testsuites><testsuite {counts}/></testsuites>")


def test_a_command_counts_as_one() -> None:
    assert counted(STYLE, 0, 1.0) == Outcome(STYLE, 1, 0, 1.0)
    assert counted(STYLE, 1, 1.0) == Outcome(STYLE, 0, 1, 1.0)


def test_tests_count_as_their_report_says_and_an_error_is_a_failure() -> None:
    report(10, failures=2, errors=1)
    assert counted(TESTS, 1, 1.0) == Outcome(TESTS, 7, 3, 1.0)


def test_a_skipped_test_is_reported_and_fails_an_unattended_run(monkeypatch: pytest.MonkeyPatch) -> None:
    report(10, skipped=1)
    assert counted(TESTS, 0, 1.0) == Outcome(TESTS, 9, 0, 1.0, "1 skipped")
    monkeypatch.setenv("CI", "true")
    assert counted(TESTS, 0, 1.0) == Outcome(TESTS, 9, 1, 1.0, "1 skipped")


def test_a_crash_a_stop_and_an_unknown_failure_are_failures() -> None:
    assert counted(TESTS, 3, 1.0) == Outcome(TESTS, 0, 1, 1.0, "pytest ended with 3 and left no report")
    assert counted(TESTS, 124, 1.0) == Outcome(TESTS, 0, 1, 1.0, "stopped after 10 minutes")
    report(4)
    assert counted(TESTS, 3, 1.0) == Outcome(TESTS, 4, 1, 1.0, "pytest ended with 3")


def test_a_group_without_tests_fails_because_it_proves_nothing() -> None:
    report(0)
    assert counted(TESTS, 5, 1.0) == Outcome(TESTS, 0, 1, 1.0, "no tests")


def test_a_group_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    endless = Group("endless", ("sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; wait"), minutes=0.05)
    assert checks.execute(endless, live=False) == (124, "")
    left = Path("/proc", (tmp_path / "pid").read_text().strip())
    until = time.monotonic() + 10
    while left.exists() and time.monotonic() < until:  # the kernel takes a moment to clear it away
        time.sleep(0.05)
    assert not left.exists()


def test_every_test_belongs_to_a_group_of_test_all() -> None:
    def selected(marks: set[str]) -> bool:
        names = {mark: mark in marks for mark in known}
        groups = [group for phase in checks.PHASES["all"] for group in phase if group.marks]
        return any(eval(group.marks, {"__builtins__": {}}, names) for group in groups)

    known = ("jobs", "each_engine", "real_data", "spark_only", *checks.APART)
    combinations = [set()] + [{a, b} for a in known for b in known]
    assert [marks for marks in combinations if not selected(marks)] == []


def test_the_marks_are_the_ones_of_the_configuration(pytestconfig: pytest.Config) -> None:
    known = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert set(checks.APART) <= known


def test_make_test_has_all_that_make_lint_has() -> None:
    [lint], [quick] = checks.PHASES["lint"], checks.PHASES["quick"]
    assert [group.name for group in lint] == ["ruff", "mypy", "imports", "words"]
    assert set(lint) <= set(quick)


def test_phases_name_each_group_once() -> None:
    for phases in checks.PHASES.values():
        names = [group.name for phase in phases for group in phase]
        assert len(names) == len(set(names))
        assert all(dataclasses.is_dataclass(group) for phase in phases for group in phase)


def test_two_groups_run_at_a_time_and_the_next_begins_when_one_of_them_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # The first waits for what the third leaves, and would wait in vain if the others came after it.
    waits = f"while [ ! -e {tmp_path}/third ]; do sleep 0.02; done; echo one"
    groups = [
        Group("first", ("sh", "-c", waits), minutes=0.2),
        Group("second", ("echo", "two")),
        Group("third", ("sh", "-c", f"touch {tmp_path}/third; exit 3")),
    ]
    outcomes = checks.run_phase(groups)
    assert [(one.group.name, one.passed, one.failed) for one in outcomes] == [
        ("first", 1, 0),
        ("second", 1, 0),
        ("third", 0, 1),
    ]
    assert capfd.readouterr().out.split() == ["==", "first", "one", "==", "second", "two", "==", "third"]
