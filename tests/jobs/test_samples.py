"""Every job runs on its sample with the arguments that `make run` uses, and is described by its --help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import JobResult, sampled_jobs
from tests.support.paths import JOBS, ROOT

pytestmark = pytest.mark.each_engine

ALL_JOBS = sorted(path.stem for path in JOBS.glob("[a-z]*.py"))


def test_every_job_has_a_sample() -> None:
    assert sampled_jobs() == ALL_JOBS


@pytest.mark.parametrize("job", ALL_JOBS)
def test_a_job_runs_on_its_sample(
    job: str,
    call_job: Callable[..., JobResult],
    sample_args: Callable[[str], list[str]],
    tmp_path: Path,
) -> None:
    done = call_job(job, *sample_args(job), "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["status"] == "succeeded"
    for name, counts in done.report["inputs"].items():
        parts = counts["used"] + sum(counts["excluded"].values()) + sum(counts["rejected"].values())
        assert counts["read"] == parts, name


@pytest.mark.parametrize("job", ALL_JOBS)
def test_help_is_there_without_starting_java(job: str) -> None:
    done = subprocess.run(
        [sys.executable, str(JOBS / f"{job}.py"), "--help"],
        cwd=ROOT,
        env={"PATH": "", "JAVA_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--destination DIR" in done.stdout
