"""What every scenario shares: settings, the commands of contenders, alternating runs, medians and table rows."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import measure

ROOT = Path(__file__).resolve().parents[1]
SPARK_CONTENDERS = ("floor", "plain")
HEADERS = ["work", "contender", "seconds", "min-max", "MB/s", "peak MB", "ratio", "result"]


@dataclass(frozen=True)
class Settings:
    """Options of a benchmark: where it works, sizes, and how often each contender runs."""

    work: Path
    runs: int = 3
    contenders: tuple[str, ...] = ("ours", "embedded", "floor", "plain", "pandas", "duckdb", "polars")
    megabytes: float = 500
    customers: int = 1_000_000
    array_megabytes: float = 4096
    small_files: int = 10_000
    objects: int = 1_000
    growth_megabytes: float = 125
    growth_customers: int = 250_000
    skew_restaurants: int = 100_000
    compose_megabytes: float = 1000
    timeout: float = 3600


@dataclass(frozen=True)
class Contender:
    """One way to do the work: its command, input bytes, the folder it fills (emptied before each run)."""

    name: str
    command: Sequence[str]
    size: int
    out: Path | None = None
    may_fail: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def submit(*arguments: str, master: str = "local[2]", memory: str = "4g", more: Sequence[str] = ()) -> list[str]:
    """A spark-submit command."""
    return [
        *("spark-submit", "--master", master, "--driver-memory", memory, "--conf", "spark.ui.enabled=false"),
        *more,
        *arguments,
    ]


SUBMIT = submit()


def job(
    name: str, *arguments: str, master: str = "local[2]", memory: str = "4g", more: Sequence[str] = ()
) -> list[str]:
    """The command of one of our jobs."""
    return submit(str(ROOT / "jobs" / f"{name}.py"), *arguments, "--quiet", master=master, memory=memory, more=more)


def embedded_job(name: str, *arguments: str) -> list[str]:
    """The command of one of our jobs on the embedded engine, in its own environment (`make .env-embedded-dev`)."""
    return [str(ROOT / ".venv-embedded" / "bin" / "python"), str(ROOT / "jobs" / f"{name}.py"), *arguments, "--quiet"]


def contender(module: str, name: str, *arguments: str, memory: str = "4g") -> list[str]:
    """The command of a contender in benchmarks/<module>.py; the ones that use Spark are submitted as our job is."""
    if name in SPARK_CONTENDERS or name.startswith("spark"):
        return submit(str(ROOT / "benchmarks" / f"{module}.py"), name, *arguments, memory=memory)
    return [sys.executable, "-m", f"benchmarks.{module}", name, *arguments]


def environment() -> dict[str, str]:
    """This environment, its programs first on PATH, two threads for engines that take more."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "POLARS_MAX_THREADS": "2", "SPARK_LOCAL_IP": "127.0.0.1"}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}


class Contest:
    """Contenders that do the same work in turn."""

    def __init__(self, work: str, contenders: Sequence[Contender], settings: Settings) -> None:
        self.work, self.contenders, self.settings = work, list(contenders), settings
        self.runs: dict[str, list[measure.Measured]] = {one.name: [] for one in contenders}
        self.results: dict[str, str] = {}

    def log(self, name: str) -> Path:
        """What a contender said."""
        return self.settings.work / f"{self.work}-{name}.log".replace("/", "_").replace(" ", "_")

    def run(self, times: int | None = None) -> Contest:
        """Runs all contenders in turn, several times over."""
        times = times or self.settings.runs
        for turn in range(times):
            for one in self.contenders:
                if one.out:
                    shutil.rmtree(one.out, ignore_errors=True)
                own = {**environment(), **one.environment}
                found = measure.run(one.command, own, str(self.log(one.name)), self.settings.timeout)
                self.runs[one.name].append(found)
                said = f"{found.seconds:.1f} s, {found.megabytes:.0f} MB"
                failed = "" if not found.exit_code else f", exit code {found.exit_code}, see {self.log(one.name)}"
                print(f"{self.work} {turn + 1}/{times} {one.name}: {said}{failed}", flush=True)
        for one in self.contenders:
            if self.failed(one.name):
                self.results[one.name] = "fails" if one.may_fail else "failed"
        return self

    def failed(self, name: str) -> bool:
        """True when a contender did not do its work in one of its runs, or was not there."""
        return not self.runs.get(name) or any(m.exit_code for m in self.runs[name])

    def compare(self, outputs: Callable[[Path], Any], silent: Sequence[str] = ("floor",)) -> Contest:
        """Compares what contenders made with what the first one made."""
        reference: Any = None
        for one in self.contenders:
            if one.name not in silent and one.out and not self.failed(one.name):
                found = outputs(one.out)
                reference = found if reference is None else reference
                self.results[one.name] = "equal" if found == reference else "differs"
        return self

    @property
    def equal(self) -> bool:
        """False when results differ, or work was not done that had to be."""
        return not {"differs", "failed"} & set(self.results.values())

    def seconds(self, name: str) -> float:
        """The median of a contender's runs."""
        return statistics.median(m.seconds for m in self.runs[name])

    def megabytes(self, name: str) -> float:
        """The median of the peaks of memory."""
        return statistics.median(m.megabytes for m in self.runs[name])

    def ratio(self, name: str, base: str) -> float | None:
        """A contender's seconds to another's; None when one of them failed or was left out."""
        return None if self.failed(name) or self.failed(base) else self.seconds(name) / self.seconds(base)

    def rate(self, name: str) -> float:
        """MB of input a second."""
        return next(one.size for one in self.contenders if one.name == name) / 1e6 / self.seconds(name)

    def rows(self, base: str = "ours") -> list[list[str]]:
        """Rows under HEADERS; the ratio is to `base`."""
        found = []
        for name, runs in self.runs.items():
            ratio = self.ratio(name, base)
            found.append(
                [
                    *(self.work, name, f"{self.seconds(name):.1f}"),
                    f"{min(m.seconds for m in runs):.1f}-{max(m.seconds for m in runs):.1f}",
                    f"{self.rate(name):.1f}",
                    f"{self.megabytes(name):.0f}",
                    "" if ratio is None else f"{ratio:.2f}",
                    self.results.get(name, ""),
                ]
            )
        return found


def made(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, made when it is not there; one that was not finished is made anew."""
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(folder)
    return folder


def published(out: Path) -> dict[str, str]:
    """SHA-256 of the data files that a run of ours published: the same inputs give the same bytes."""
    files = json.loads((out / "_manifest.json").read_text(encoding="utf-8"))["files"]
    return {name: kept["sha256"] for name, kept in files.items() if name.endswith((".csv", ".jsonl"))}


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def setup(settings: Settings, what: str) -> str:
    """What was measured, when, with which versions, on what."""
    names = ("pyspark", "pandas", "duckdb", "polars", "pyarrow")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}"
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    runs = f"medians of {settings.runs} alternating runs" if settings.runs > 1 else "one run"
    return f"{what}; {runs}, {day}; {versions}; {machine}."
