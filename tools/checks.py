"""Runs groups of checks, some at the same time, and ends with one line that counts them all: `N passed, N failed`.

    quick   the checks of `lint`, Terraform's own checks, and the tests that need nothing but an engine, on Spark 3.5
            and on the embedded engine   (make test)
    all     also the same tests on Spark 4.1, tests with servers, the cloud rehearsal, slow ones   (make test-all)
    rest    what `all` has and `quick` has not, for a machine that has just run `quick`
    lint    ruff, mypy, import-linter, and the words   (make lint)

The first group of a phase prints as it goes, the others when it has ended. Logs stay in .cache/checks.
With CI=true a skipped test counts as failed.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "checks"
APART = ("slow", "measures", "standin", "postgres", "cloud", "spark4", "engines")
FIRST = "(each_engine or real_data or spark_only)"


@dataclass(frozen=True)
class Group:
    """A command that counts as one check, or as many as its pytest report says."""

    name: str
    command: tuple[str, ...]
    environment: str = ".venv"
    minutes: float = 10
    marks: str = ""  # what pytest selects; empty for another command

    def full_command(self) -> list[str]:
        """The command line, in its environment."""
        own = list(self.command)
        if self.marks:
            own += ["-m", self.marks, "-p", "no:cacheprovider", f"--junitxml={self.report}"]
        return [str(ROOT / "tools" / "with.sh"), self.environment, *own]

    @property
    def report(self) -> pathlib.Path:
        """Where pytest leaves its counts."""
        return LOGS / f"{self.name}.xml"


@dataclass(frozen=True)
class Outcome:
    """How a group ended; `problem` says why when it is not a failed test."""

    group: Group
    passed: int
    failed: int
    seconds: float
    problem: str = ""


def without(*marks: str) -> str:
    """A pytest selection of what has none of the marks."""
    return " and ".join(f"not {mark}" for mark in marks)


# The plugin of schemathesis takes its time in every run and is used by none.
PYTEST = ("pytest", "-q", "-p", "no:schemathesis")
RUFF = Group("ruff", ("ruff", "check", "--quiet", "."))
MYPY = Group("mypy", ("mypy",))
IMPORTS = Group("imports", ("lint-imports", "--no-logo", "--no-cache"))
WORDS = Group("words", ("python", "tools/words.py"))
TERRAFORM = Group("terraform", ("sh", "tools/terraform.sh", "check"))
TESTS = Group("tests", PYTEST, minutes=40, marks=without(*APART, "jobs"))
# Whole jobs take seconds each on Spark: samples, real and damaged inputs are run there first, the others with the rest.
JOBS = Group("jobs end to end", PYTEST, minutes=40, marks=f"jobs and {FIRST} and {without(*APART)}")
OTHER_JOBS = Group(
    "other jobs, engines compared",
    PYTEST,
    minutes=40,
    marks=f"engines or (jobs and not {FIRST} and {without(*APART)})",
)
EMBEDDED = Group(
    "tests on the embedded engine",
    (*PYTEST, "tests/transforms", "tests/pipeline", "tests/jobs", "tests/test_docstrings.py"),
    ".venv-embedded",
    30,
    without(*APART, "spark_only"),
)
ENGINE4 = Group("environment of Spark 4.1", ("tools/setup.sh", ".venv-spark4", "spark4"), minutes=20)
SPARK4 = Group("tests on Spark 4.1", PYTEST, ".venv-spark4", 60, f"spark4 or ({without(*APART)})")
SERVERS = Group(
    "tests with servers", PYTEST, minutes=40, marks="(standin or postgres) and not slow and not cloud and not spark4"
)
CLOUD = Group("cloud rehearsal", PYTEST, minutes=50, marks="cloud and not spark4")
SLOW = Group("slow tests", PYTEST, minutes=60, marks="slow and not measures and not cloud and not spark4")
MEASURES = Group("tests that measure", PYTEST, minutes=30, marks="measures and not cloud and not spark4")

LINT = [RUFF, MYPY, IMPORTS, *([WORDS] if (ROOT / "tools" / "words.py").is_file() else [])]
QUICK = [TESTS, JOBS, EMBEDDED, *LINT, TERRAFORM]
# The longest first, so that two at a time end together. The last ones measure: nothing else runs at the same time.
REST = [[OTHER_JOBS, SPARK4, SLOW, CLOUD, SERVERS], [MEASURES]]
PHASES = {"lint": [LINT], "quick": [QUICK], "all": [[*QUICK, ENGINE4], *REST], "rest": [[ENGINE4], *REST]}


def execute(group: Group, live: bool) -> tuple[int, str]:
    """Runs the command until it ends or its time is up (124): its exit code and, unless live, what it printed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    group.report.unlink(missing_ok=True)
    log = LOGS / f"{group.name}.log"
    with contextlib.ExitStack() as stack:
        out = None if live else stack.enter_context(log.open("w"))
        process = subprocess.Popen(
            group.full_command(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=group.minutes * 60)
        except subprocess.TimeoutExpired:
            code = 124
        finally:
            # Whatever the group left running ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, "" if live else log.read_text(encoding="utf-8", errors="replace")


def counted(group: Group, code: int, seconds: float) -> Outcome:
    """Turns an exit code, and for pytest its report, into counts."""
    if code == 124:
        return Outcome(group, 0, 1, seconds, f"stopped after {group.minutes:.0f} minutes")
    if not group.marks:
        return Outcome(group, int(code == 0), int(code != 0), seconds)
    if not group.report.is_file():
        return Outcome(group, 0, 1, seconds, f"pytest ended with {code} and left no report")
    suite = next(ET.parse(group.report).getroot().iter("testsuite"))
    tests, failures, errors, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    problem = ""
    if skipped:
        problem = f"{skipped} skipped"
        failed += skipped if os.environ.get("CI") else 0
    if tests == 0:
        failed, problem = 1, "no tests"
    elif code and not failed:
        failed, problem = 1, f"pytest ended with {code}"
    return Outcome(group, tests - failures - errors - skipped, failed, seconds, problem)


def run(group: Group, live: bool) -> tuple[Outcome, str]:
    """Runs and counts one group."""
    started = time.monotonic()
    code, printed = execute(group, live)
    return counted(group, code, time.monotonic() - started), printed


def run_phase(groups: list[Group]) -> list[Outcome]:
    """Runs two groups at a time, in their order: what the first one prints is shown at once, the others' in the end."""
    print(f"== {groups[0].name}", flush=True)
    with ThreadPoolExecutor(max_workers=2) as pool:
        ended = [pool.submit(run, group, group is groups[0]) for group in groups]
        ended[0].result()
        for group, future in zip(groups[1:], ended[1:], strict=True):
            print(f"== {group.name}\n{future.result()[1]}", flush=True)
    return [future.result()[0] for future in ended]


def main(what: str) -> int:
    """Runs all phases even when one fails, so that the last lines report everything."""
    outcomes = [outcome for phase in PHASES[what] for outcome in run_phase(phase)]
    print()
    for one in outcomes:
        state = "failed" if one.failed else "passed"
        print(f"{one.group.name:34} {state}  {one.passed:5} + {one.failed:<4} {one.seconds:6.1f} s  {one.problem}")
    passed, failed = sum(one.passed for one in outcomes), sum(one.failed for one in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "quick"))
