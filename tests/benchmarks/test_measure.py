"""Processor seconds and memory of a command and all below it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.harness import BusyError, Contender, Contest, Settings, wait_for_quiet

BURN = "import time\nwhile time.process_time() < 1.0: pass\n"
# As pyspark's daemon does: it ignores the ends of its children, so that their times are added up nowhere.
DAEMON = f"""
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    exec({BURN!r})
    os._exit(0)
try:
    os.wait()
except ChildProcessError:
    pass
"""
FILLED = "kept = bytearray(200_000_000)\n"


def test_processor_seconds_of_a_child_that_nobody_waits_for_are_counted() -> None:
    found = measure.run([sys.executable, "-c", DAEMON])
    assert found.exit_code == 0
    assert 0.3 <= found.cpu <= 1.6


def test_processor_seconds_of_a_child_that_is_waited_for_are_counted_once() -> None:
    shell = ["sh", "-c", f"{sys.executable} -c '{BURN}'; true"]
    assert 1.0 <= measure.run(shell).cpu <= 1.6


def test_memory_of_a_run_shorter_than_a_second_is_seen() -> None:
    found = measure.run([sys.executable, "-c", f"import time\n{FILLED}time.sleep(0.5)"])
    assert 190 <= found.megabytes <= 260


def test_a_busy_machine_is_refused_with_the_programs_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "others_at_work", lambda look: (0.9, ["17 python"]))
    monkeypatch.setattr("benchmarks.harness.QUIET_TRIES", 2)
    with pytest.raises(BusyError, match="use 90% of a core: 17 python; end them, or measure with --busy"):
        wait_for_quiet(Settings(work=Path()))
    wait_for_quiet(Settings(work=Path(), busy=True))


def test_a_further_round_begins_only_when_there_is_time_for_it(tmp_path: Path) -> None:
    one = Contender("one", [sys.executable, "-c", "pass"], 0)
    done = Contest("work", [one], Settings(work=tmp_path, busy=True, runs=3, until=0.0)).run()
    assert len(done.runs["one"]) == 1
    assert len(Contest("work", [one], Settings(work=tmp_path, busy=True, runs=2)).run().runs["one"]) == 2
