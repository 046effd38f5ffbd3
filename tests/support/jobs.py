"""Runs a job as a person runs it, by its command line, and gives back everything it left."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.util
import io
import json
import os
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from pipeline import engines
from pipeline.job.runner import Job
from tests.support.paths import JOBS, ROOT, SAMPLES

# Small inputs: quick compilation takes less time than fast code saves.
SUBMIT = (
    *("--master", "local[1]", "--driver-memory", "1g", "--conf", "spark.ui.enabled=false"),
    *("--driver-java-options", "-XX:TieredStopAtLevel=1"),
)


@dataclasses.dataclass(frozen=True)
class JobResult:
    """What is left after one run of a job; `report` is None when there is no report.json."""

    exit_code: int
    stdout: str
    stderr: str
    destination: pathlib.Path | None

    @property
    def output(self) -> str:
        """All that was printed: spark-submit puts what the job says on stderr into stdout."""
        return self.stdout + self.stderr

    @property
    def report(self) -> dict[str, Any]:
        """The published report.json."""
        if self.destination is None:
            raise AssertionError("this run has no local --destination")
        found: dict[str, Any] = json.loads((self.destination / "report.json").read_text(encoding="utf-8"))
        return found

    def read(self, file: str) -> str:
        """The text of one file under the destination."""
        if self.destination is None:
            raise AssertionError("this run has no local --destination")
        return (self.destination / file).read_text(encoding="utf-8")


def destination_of(arguments: Sequence[str]) -> pathlib.Path | None:
    """The local folder that the arguments name as --destination."""
    for at, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--destination=") else ""
        if argument == "--destination" and at + 1 < len(arguments):
            value = arguments[at + 1]
        if value and "://" not in value:
            return pathlib.Path(value)
    return None


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with the programs of this Python first on PATH and no PYTHONPATH."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYSPARK_SUBMIT_ARGS", "SPARK_HOME")}
    environment["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), environment.get("PATH", "")])
    environment["PYSPARK_PYTHON"] = environment["PYSPARK_DRIVER_PYTHON"] = sys.executable
    return {**environment, **(extra or {})}


def own_lines(output: str) -> list[str]:
    """The lines of an output without the one of the JVM itself, which warns of a module that Spark 4.1 asks it for."""
    return [line for line in output.splitlines() if not line.startswith("WARNING: Using incubator modules")]


def command(job: str | pathlib.Path, arguments: Sequence[object], submit: Sequence[str] = ()) -> list[str]:
    """The command line of a job, given by name or by file: `python` on the embedded engine, else `spark-submit`.

    `submit` are options of spark-submit alone.
    """
    file = job if isinstance(job, pathlib.Path) else JOBS / f"{job}.py"
    if engines.chosen("auto") == "embedded":
        return [sys.executable, str(file), *map(str, arguments)]
    return ["spark-submit", *SUBMIT, *submit, str(file), *map(str, arguments)]


def submit_job(
    job: str | pathlib.Path,
    *arguments: object,
    submit: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    cwd: pathlib.Path | None = None,
    timeout: float = 300,
) -> JobResult:
    """Runs the job in a process of its own."""
    texts = [str(argument) for argument in arguments]
    done = subprocess.run(
        command(job, texts, submit), env=clean_environment(env), cwd=cwd, timeout=timeout,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return JobResult(done.returncode, done.stdout, done.stderr, destination_of(texts))


@functools.cache
def job_module(job: str) -> ModuleType:
    """The job's file as a module, without running it."""
    spec = importlib.util.spec_from_file_location(f"jobs_{job}", JOBS / f"{job}.py")
    if spec is None or spec.loader is None:
        raise AssertionError(f"there is no jobs/{job}.py")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look for the names in their types there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def call(job: Job[Any], *arguments: object) -> JobResult:
    """Runs a job in this process, in the session that runs already."""
    texts = [str(argument) for argument in arguments]
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        exit_code = job.call(texts)
    return JobResult(exit_code, stdout.getvalue(), stderr.getvalue(), destination_of(texts))


def call_job(job: str, *arguments: object) -> JobResult:
    """As `call`, with a job's name; seconds faster than `submit_job`."""
    return call(job_module(job).JOB, *arguments)


def sample_args(job: str) -> list[str]:
    """The arguments in data/JOB/args; its paths made absolute."""
    words = shlex.split((SAMPLES / job / "args").read_text(encoding="utf-8"), comments=True)
    return [str(ROOT / word) if word.startswith("data/") else word for word in words]


def sampled_jobs() -> list[str]:
    """The jobs that have a sample."""
    return sorted(path.parent.name for path in SAMPLES.glob("*/args"))
