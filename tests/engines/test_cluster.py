"""A cluster of two workers: an executor is killed at work, tasks run a second time: nothing is lost or doubled.

Spark never runs a task a second time on the same host, so the workers have addresses of their own.
"""

from __future__ import annotations

import contextlib
import dataclasses
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
from tools.postgres import free_port

HOSTS = ("127.0.0.1", "127.0.0.2")
# Whatever else a task does, it runs once more on the other executor.
AGAIN = {
    "spark.speculation": "true",
    "spark.speculation.interval": "10ms",
    "spark.speculation.multiplier": "0.01",
    "spark.speculation.quantile": "0.01",
    "spark.speculation.minTaskRuntime": "1ms",
    "spark.speculation.task.duration.threshold": "1ms",
}
LOOPBACK = {"spark.driver.host": HOSTS[0], "spark.driver.bindAddress": HOSTS[0], "spark.executor.memory": "1g"}
# What a run left, and the events of its tasks' ends.
Left = tuple[dict[str, Any], list[dict[str, Any]]]


@dataclasses.dataclass
class Cluster:
    """A running cluster: its address, the process ids of its workers, the folder that they work in."""

    master: str
    workers: list[int]
    home: Path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers of one core each."""
    folder = tmp_path_factory.mktemp("workers")
    master, home = f"{HOSTS[0]}:{free_port()}", Path(spark_home(folder / "spark_home"))
    own = clean_environment({"SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOSTS[0], "SPARK_NO_DAEMONIZE": "1"})
    port = ["--port", master.partition(":")[2], "--webui-port", "0"]
    commands = [["Master", "--host", HOSTS[0], *port]]
    for host in HOSTS:
        at = ["--host", host, "--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(folder / host)]
        commands.append(["Worker", *at, f"spark://{master}"])
    with contextlib.ExitStack() as stack:
        started = list[subprocess.Popen[bytes]]()
        for name, *words in commands:
            log = stack.enter_context((folder / f"{name}{len(started)}.txt").open("w"))
            command = ["spark-class", f"org.apache.spark.deploy.{name.lower()}.{name}", *words]
            process = subprocess.Popen(command, env=own, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            started.append(process)
        yield Cluster(f"spark://{master}", [process.pid for process in started[1:]], home)


@pytest.fixture(scope="module")
def run(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Left]:
    """Runs customer_orders on a damaged day, its outputs in parts; what it left, and how its tasks ended."""
    folder = tmp_path_factory.mktemp("cluster")
    damaged_day(folder / "day", 20_000)

    def once(name: str, settings: dict[str, str], disturb: Callable[[], None] = lambda: None) -> Left:
        out, log = folder / name, folder / f"log of {name}"
        log.mkdir()
        given = {**settings, **LOOPBACK, "spark.eventLog.enabled": "true", "spark.eventLog.dir": str(log)}
        options = [word for key, value in given.items() for word in ("--conf", f"{key}={value}")]
        job = [str(JOBS / "customer_orders.py"), "--source", str(folder / "day"), "--destination", str(out)]
        job += ["--max-rejected", "100%", "--files", "parts"]
        command = [
            "spark-submit",
            *SUBMIT,
            "--master",
            cluster.master,
            *options,
            *job,
            "--max-rejected",
            "100%",
            "--files",
            "parts",
        ]
        own = clean_environment({"SPARK_HOME": str(cluster.home)})
        with (folder / f"{name}.txt").open("w+") as said:
            process = subprocess.Popen(command, env=own, cwd=folder, stdout=said, stderr=said)
            disturb()
            code = process.wait(timeout=300)
            said.seek(0)
            assert code == 0, said.read()
        return left_by(out), list(ended_tasks(log))

    return once


@pytest.fixture(scope="module")
def undisturbed(run: Callable[..., Left]) -> dict[str, Any]:
    """What a run leaves that nothing happened to."""
    found, tasks = run("undisturbed", {})
    assert [task for task in tasks if task["Task End Reason"]["Reason"] != "Success"] == []
    return found


def ended_tasks(log: Path) -> Iterator[dict[str, Any]]:
    """The events of tasks that ended, of an event log."""
    [path] = [path for path in log.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            yield event


def children(of: int) -> dict[int, list[str]]:
    """The processes below one, with their command lines."""
    parents: dict[int, int] = {}
    found = {of: [""]}
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


def computes(pid: int) -> bool:
    """Whether a process is on a processor, or waits for one."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    return False


def kill_an_executor_at_work(workers: Sequence[int]) -> None:
    """Waits until the Python of an executor makes rows, and kills that executor."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        below = {pid: words for worker in workers for pid, words in children(worker).items()}
        for executor in [pid for pid, words in below.items() if any("CoarseGrainedExecutor" in w for w in words)]:
            python = [pid for pid, words in children(executor).items() if "pyspark.daemon" in words]
            if len(python) > 1 and any(computes(pid) for pid in python):
                os.kill(executor, signal.SIGKILL)
                return
        time.sleep(0.02)
    raise AssertionError("no executor made rows within two minutes")


@pytest.mark.engines
def test_an_executor_killed_at_work_loses_and_doubles_nothing(
    run: Callable[..., Left], undisturbed: dict[str, Any], cluster: Cluster
) -> None:
    found, tasks = run("killed", {}, lambda: kill_an_executor_at_work(cluster.workers))
    assert "ExecutorLostFailure" in {task["Task End Reason"]["Reason"] for task in tasks}
    assert found == undisturbed


@pytest.mark.engines
def test_tasks_that_run_a_second_time_lose_and_double_nothing(
    run: Callable[..., Left], undisturbed: dict[str, Any]
) -> None:
    found, tasks = run("again", AGAIN)
    assert [task for task in tasks if task["Task Info"]["Speculative"]]
    assert found == undisturbed
