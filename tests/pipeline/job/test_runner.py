"""A job's life: exit codes and the one line that says why."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from pipeline.errors import InputError, RejectedError, UsageError
from pipeline.job.context import Run
from pipeline.job.runner import Input, Job, one_line, raised_by_a_task


def refuse(options: argparse.Namespace) -> None:
    raise UsageError("--from-year 2024 is after --to-year 2020")


JOB = Job("example", "An example.", [Input("people", "a file")], check=refuse)


def never(run: Run) -> None:
    raise AssertionError("a job that is refused does not start")


def test_a_refused_job_exits_2_with_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert JOB.run(["--people", "x.csv", "--destination", str(tmp_path / "out")], never) == 2
    assert capsys.readouterr().err == "example: --from-year 2024 is after --to-year 2020\n"
    assert not (tmp_path / "out").exists()


def test_an_unknown_option_exits_2_with_the_nearest_known_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert JOB.run(["--poeple", "x.csv"], never) == 2
    assert capsys.readouterr().err == "example: unknown option --poeple; did you mean --people? See example --help\n"


def test_an_error_of_ours_that_a_task_raised_keeps_its_exit_code() -> None:
    trace = "An exception was thrown\n  File x\npipeline.errors.InputError: a.json changed while it was read\n"
    found = raised_by_a_task(RuntimeError(trace))
    assert isinstance(found, InputError)
    assert str(found) == "a.json changed while it was read"
    assert raised_by_a_task(RuntimeError("nothing of ours")) is None
    assert isinstance(raised_by_a_task(RuntimeError("pipeline.errors.RejectedError: too many")), RejectedError)


def test_an_unexpected_error_is_told_by_its_telling_line() -> None:
    class PythonException(Exception):  # noqa: N818  (the name that Spark gives it)
        pass

    assert one_line(PythonException("\n thrown\nTrace\nValueError: bad\n")) == "PythonException: ValueError: bad"
    assert one_line(RuntimeError("[NO_COLUMN] x\n'Project a\n")) == "RuntimeError: [NO_COLUMN] x"
    assert one_line(KeyError()) == "KeyError"
