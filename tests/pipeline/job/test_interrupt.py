"""Ctrl-C on a terminal: SIGINT to a job's process and all it started, spark-submit's included. Memory that runs out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from pipeline import engines
from tests.support.jobs import clean_environment, command, own_lines

# A job whose only task says that it runs, and then takes a minute.
JOB = """
import pathlib, time
from dataclasses import dataclass
from pipeline.job.context import JobContext
from pipeline.job.options import JobOptions, option
from pipeline.job.outputs import Outputs
from pipeline.job.runner import Job

@dataclass
class Options(JobOptions):
    started: str = option("file that the task makes")

def run(job: JobContext, o: Options) -> Outputs:
    def wait(batches):
        pathlib.Path(o.started).touch()
        time.sleep(60)
        yield from batches

    job.engine.spark.range(1).mapInArrow(wait, "id long").collect()
    return Outputs()

JOB = Job("waiting", Options, run)
if __name__ == "__main__":
    JOB.main()
"""
# The same, but its task keeps more than there is, as the job finds it.
GREEDY = (
    JOB.replace(
        "        pathlib.Path(o.started).touch()\n        time.sleep(60)\n",
        "        kept = b'x' * 600_000_000\n        time.sleep(seconds)\n",
    )
    .replace("    def wait", "    seconds = 60 if job.engine.name == 'embedded' else 0\n\n    def wait")
    .replace(
        "@dataclass",
        "from pipeline.engines import memory\n"
        "most = memory.held_bytes() + 500_000_000\n"
        "memory.memory_bytes = lambda: most\n\n@dataclass",
    )
)
MESSAGE = "stopped; published files are as the last complete run left them"


def test_ctrl_c_ends_a_run_with_one_line_exit_code_130_and_a_report_of_the_stopped_run(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(JOB)
    (tmp_path / "report.json").write_text('{"run_id": "the run before"}')
    started = tmp_path / "started"
    arguments = ["--destination", tmp_path, "--started", started, "--run-id", "r2", "--quiet"]
    environment = clean_environment({"SPARK_LOCAL_IP": "127.0.0.1"})
    process = subprocess.Popen(
        command(tmp_path / "waiting.py", arguments), env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not started.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, own_lines(output)) == (130, [f"waiting: {MESSAGE}"])
    for place in ("report.json", "_runs/r2/report.json"):
        report = json.loads((tmp_path / place).read_text())
        found = (report["run_id"], report["status"], report["exit_code"], report["message"])
        assert found == ("r2", "stopped", 130, MESSAGE)


def test_memory_that_runs_out_ends_a_run_of_the_embedded_engine_with_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(GREEDY)
    environment = clean_environment({"SPARK_LOCAL_IP": "127.0.0.1"})
    done = subprocess.run(
        command(tmp_path / "waiting.py", ["--destination", tmp_path, "--started", "x", "--run-id", "r", "--quiet"]),
        env=environment, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    report = json.loads((tmp_path / "report.json").read_text())
    if engines.chosen("auto") == "spark":
        assert (done.returncode, report["status"]) == (0, "succeeded")
        return
    [line] = own_lines(done.stdout + done.stderr)
    expected = (
        r"waiting: inputs of 0\.0 GB do not fit the embedded engine: it holds \d\.\d GB and there are \d\.\d GB: "
        r"run the job on Spark \(spark-submit jobs/waiting\.py \.\.\.\), or with fewer files at a time"
    )
    assert re.fullmatch(expected, line)
    assert (done.returncode, report["status"], report["exit_code"]) == (2, "failed", 2)
