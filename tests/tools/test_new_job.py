"""`make new-job`: the files that it writes make a job that runs and tests that pass, as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import JobResult
from tests.support.paths import ROOT
from tools import new_job


def test_it_writes_a_job_its_transform_their_tests_and_a_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_job.main("daily_prices", tmp_path) == 0
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(written) == [
        "data/daily_prices/args",
        "data/daily_prices/daily_prices.csv",
        "jobs/daily_prices.py",
        "src/transforms/daily_prices.py",
        "tests/jobs/test_daily_prices.py",
        "tests/transforms/test_daily_prices.py",
    ]
    assert not [path for path in written if "NAME" in (tmp_path / path).read_text(encoding="utf-8")]
    assert "make run JOB=daily_prices" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "Prices", "daily-prices", "2024_prices", "a__b", "_a", "class", "../prices"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_job.main(name, tmp_path) == 2
    assert f"'{name}' is not a name of a job" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [("people", "jobs/people.py"), ("totals", "src/transforms/totals.py"), ("nested", "src/transforms/nested")],
)
def test_a_name_that_is_taken_is_refused(name: str, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_job.main(name) == 2
    assert f"{there} is there already" in capsys.readouterr().err


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a job and its tests need."""
    for name in ("src", "jobs", "data", "tests/support"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py", "tests/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("jobs", "transforms"):
        (tmp_path / "tests" / name).mkdir()
        (tmp_path / "tests" / name / "__init__.py").touch()
    return tmp_path


@pytest.mark.slow
def test_the_new_job_runs_and_its_tests_and_checks_pass(tree: Path, run_job: Callable[..., JobResult]) -> None:
    assert new_job.main("prices", tree) == 0
    path = {"PYTHONPATH": str(tree / "src")}
    given = ["--source", tree / "data" / "prices" / "prices.csv", "--max-rejected", "1"]
    done = run_job(tree / "jobs" / "prices.py", *given, "--destination", tree / "out", env=path)
    assert done.exit_code == 0, done.output
    assert done.read("prices.csv") == "id,price\n1,9.90\n3,0.50\n"
    assert done.report["inputs"]["source"]["rejected"] == {"negative_price": 1}
    files = [
        "jobs/prices.py",
        "src/transforms/prices.py",
        "tests/jobs/test_prices.py",
        "tests/transforms/test_prices.py",
    ]
    for command in (
        ["pytest", "-q", "-p", "no:schemathesis", *files[2:]],
        ["ruff", "check", *files],
        ["ruff", "format", "--check", *files],
        ["mypy", *files[:2]],
    ):
        program, own = [sys.executable, "-m", *command], {**os.environ, **path}
        ended = subprocess.run(program, cwd=tree, env=own, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
