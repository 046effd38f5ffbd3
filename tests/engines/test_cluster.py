"""Two executor processes of which one is killed, and tasks that run a second time: nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scenario_cores import spark_home
from tests.engines.inputs import damaged_day
from tests.engines.published import left_by
from tests.support.jobs import SUBMIT, clean_environment
from tests.support.paths import JOBS

MASTER = ("--master", "local-cluster[2,1,1024]")
# Whatever else a task does, it runs once more on the other executor.
AGAIN = {
    "spark.speculation": "true",
    "spark.speculation.interval": "10ms",
    "spark.speculation.multiplier": "0.01",
    "spark.speculation.quantile": "0.01",
    "spark.speculation.minTaskRuntime": "1ms",
    "spark.speculation.task.duration.threshold": "1ms",
}
Tasks = list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[dict[str, Any], Tasks]]:
    """Runs customer_orders on a damaged day, its outputs in parts; what it left, and how its tasks ended."""
    folder = tmp_path_factory.mktemp("cluster")
    damaged_day(folder / "day", 20_000)

    def once(name: str, settings: dict[str, str], disturb: Callable[[int], None]) -> tuple[dict[str, Any], Tasks]:
        out, log = folder / name, folder / f"log of {name}"
        log.mkdir()
        given = {**settings, "spark.eventLog.enabled": "true", "spark.eventLog.dir": str(log)}
        options = [word for key, value in given.items() for word in ("--conf", f"{key}={value}")]
        job = [str(JOBS / "customer_orders.py"), "--source", str(folder / "day"), "--destination", str(out)]
        command = ["spark-submit", *SUBMIT, *MASTER, *options, *job, "--max-rejected", "100%", "--files", "parts"]
        own = clean_environment({"SPARK_HOME": spark_home(folder / "spark_home")})
        with (folder / f"{name}.txt").open("w+") as said:
            process = subprocess.Popen(command, env=own, cwd=folder, stdout=said, stderr=said)
            disturb(process.pid)
            code = process.wait(timeout=300)
            said.seek(0)
            assert code == 0, said.read()
        return left_by(out), list(ended_tasks(log))

    return once


@pytest.fixture(scope="module")
def undisturbed(run: Callable[..., tuple[dict[str, Any], Tasks]]) -> dict[str, Any]:
    """What a run leaves that nothing happened to."""
    found, tasks = run("undisturbed", {}, lambda _: None)
    assert [task for task in tasks if task["Task End Reason"]["Reason"] != "Success"] == []
    return found


def ended_tasks(log: Path) -> Iterator[dict[str, Any]]:
    """The events of tasks that ended, of an event log."""
    [path] = [path for path in log.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            yield event


def children(of: int) -> dict[int, Sequence[str]]:
    """The processes below one, with their command lines."""
    parents, found = {}, {of: [""]}
    for entry in Path("/proc").iterdir():
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (ValueError, OSError):
            continue
    for pid in sorted(parents):
        try:
            if parents[pid] in found:
                found[pid] = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:
            continue
    return found


def kill_an_executor_at_work(job: int) -> None:
    """Waits until both executors run Python, and kills one while its task runs."""
    for _ in range(600):
        below = children(job)
        executors = [pid for pid, words in below.items() if any("CoarseGrainedExecutorBackend" in w for w in words)]
        busy = [pid for pid in executors if any("pyspark.daemon" in words for words in children(pid).values())]
        if len(busy) == 2:
            time.sleep(2)
            os.kill(busy[0], signal.SIGKILL)
            return
        time.sleep(0.1)
    raise AssertionError("no two executors at work within a minute")


@pytest.mark.slow
def test_an_executor_killed_at_work_loses_and_doubles_nothing(
    run: Callable[..., tuple[dict[str, Any], Tasks]], undisturbed: dict[str, Any]
) -> None:
    found, tasks = run("killed", {}, kill_an_executor_at_work)
    assert [task for task in tasks if task["Task End Reason"]["Reason"] == "ExecutorLostFailure"]
    assert found == undisturbed


@pytest.mark.slow
def test_tasks_that_run_a_second_time_lose_and_double_nothing(
    run: Callable[..., tuple[dict[str, Any], Tasks]], undisturbed: dict[str, Any]
) -> None:
    found, tasks = run("again", AGAIN, lambda _: None)
    assert [task for task in tasks if task["Task Info"]["Speculative"]]
    assert found == undisturbed
