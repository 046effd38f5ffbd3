"""The program `partner-jobs`, in the project's environments and installed from the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.jobs import sample_args, sampled_jobs
from tests.support.paths import ROOT
from tools import package

PROGRAM = Path(sys.executable).parent / "partner-jobs"


def ask(*arguments: str, program: Path = PROGRAM, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What the program answers."""
    command = [str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env={"PATH": os.defpath})


def test_it_lists_the_jobs_and_the_programs_that_need_no_engine() -> None:
    shown = ask()
    names = [line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ")]
    assert (shown.returncode, names) == (0, [*sampled_jobs(), "lookup", "availability", "tables", "api"])


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("race_stats", "usage: partner-jobs race_stats --races PATH --results PATH --destination DIR [options]"),
        ("lookup", "usage: partner-jobs lookup [-h] [--data DIR]"),
        ("availability", "usage: partner-jobs availability"),
    ],
)
def test_help_shows_how_a_job_or_service_is_started(name: str, first: str) -> None:
    shown = ask(name, "--help")
    assert (shown.returncode, shown.stdout[: len(first)]) == (0, first)


def test_it_says_its_version() -> None:
    shown = ask("--version")
    assert (shown.returncode, shown.stdout) == (0, "partner-jobs 1.0.0\n")


def test_an_unknown_name_exits_2_with_the_nearest_one() -> None:
    shown = ask("restaurant")
    message = "partner-jobs: there is no restaurant; did you mean restaurants? partner-jobs lists all\n"
    assert (shown.returncode, shown.stderr) == (2, message)


@pytest.mark.slow
@pytest.mark.spark_only  # where the wheel can be built; the empty environment has the other engine
def test_the_wheel_alone_in_an_empty_environment_runs_every_sample(tmp_path: Path) -> None:
    package.main(tmp_path / "dist")
    [wheel] = (tmp_path / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "empty")], check=True)
    installed = tmp_path / "empty" / "bin"
    subprocess.run([str(installed / "pip"), "install", "--quiet", str(wheel)], check=True)
    for job in sampled_jobs():
        arguments = [*sample_args(job), "--destination", str(tmp_path / job), "--quiet"]
        done = ask(job, *arguments, program=installed / "partner-jobs", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), job
    found = ask("lookup", "--data", str(tmp_path / "carparks"), "--number", "T1", program=installed / "partner-jobs")
    assert (found.returncode, found.stdout.split()[:1]) == (0, ["T1"]), found.stderr
