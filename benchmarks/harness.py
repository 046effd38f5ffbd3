"""What every scenario shares: settings, the commands of contenders, alternating runs, medians and table rows."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.results import Section

ROOT = Path(__file__).resolve().parents[1]
SPARK_CONTENDERS = ("floor", "plain")
HEADERS = ["work", "contender", "runs", "seconds", "min-max", "CPU s", "MB/s", "peak MB", "ratio", "result"]
# Contenders in environments of their own, with the newest versions of their packages: requirements/LIST.txt in .venv-LIST.
LISTS = {"pandas": "contenders", "duckdb": "contenders", "polars": "contenders", "dlt": "dlt"}
# Runs once: it has no target, and takes long.
ONCE = ("pandas",)
QUIET_SHARE, QUIET_TRIES, QUIET_LOOK = 0.2, 60, 0.5
DISTURBED = 0.05


@dataclass(frozen=True)
class Settings:
    """Options of a benchmark: where it works, sizes, and how often each contender runs."""

    work: Path
    runs: int = 3
    contenders: tuple[str, ...] = ("ours", "embedded", "floor", "plain", "pandas", "duckdb", "polars", "dlt")
    megabytes: float = 500
    customers: int = 1_000_000
    array_megabytes: float = 4096
    small_files: int = 10_000
    objects: int = 1_000
    growth_megabytes: float = 125
    growth_customers: int = 250_000
    skew_restaurants: int = 100_000
    compose_megabytes: float = 1000
    dlt_megabytes: float = 52
    heap: str = "4g"
    timeout: float = 3600
    busy: bool = False
    until: float | None = None
    # Why no more is measured: filled by the first contest that found the machine busy, for all contests after it.
    stopped: list[str] = field(default_factory=list)


class BusyError(Exception):
    """Something else runs on the machine."""


def wait_for_quiet(settings: Settings) -> None:
    """Returns when nothing else runs; refuses after half a minute in which something did, and at once from then on."""
    if settings.stopped:
        raise BusyError(settings.stopped[0])
    for attempt in range(0 if settings.busy else QUIET_TRIES):
        share, names = measure.others_at_work(QUIET_LOOK)
        if share <= QUIET_SHARE:
            return
        if attempt == QUIET_TRIES - 1:
            raise BusyError(
                f"other programs use {share:.0%} of a core: {', '.join(names)}; end them, or measure with --busy,"
                " which makes seconds worthless"
            )


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
    python = ROOT / f".venv-{LISTS[name]}" / "bin" / "python" if name in LISTS else Path(sys.executable)
    return [str(python), "-m", f"benchmarks.{module}", name, *arguments]


@functools.cache
def missing(name: str) -> str:
    """Why a contender cannot be measured; empty when it can. Its environment is made when it is not there."""
    if name not in LISTS:
        return ""
    words = [str(ROOT / "tools" / "setup.sh"), f".venv-{LISTS[name]}", LISTS[name]]
    made = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if not made.returncode else (made.stderr.strip().splitlines() or ["no word"])[-1][:200]


def pinned(name: str) -> str:
    """The version of a contender's package."""
    for line in (ROOT / "requirements" / f"{LISTS[name]}.txt").read_text(encoding="utf-8").splitlines():
        package, _, version = line.partition("==")
        if package.partition("[")[0] == name:
            return version.split()[0]
    raise LookupError(name)


def environment() -> dict[str, str]:
    """This environment, its programs first on PATH, two threads for engines that take more."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "POLARS_MAX_THREADS": "2", "SPARK_LOCAL_IP": "127.0.0.1"}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}


class Contest:
    """Contenders that do the same work in turn."""

    def __init__(self, work: str, contenders: Sequence[Contender], settings: Settings) -> None:
        self.work, self.settings = work, settings
        self.missing = {one.name: reason for one in contenders if (reason := missing(one.name))}
        self.contenders = [one for one in contenders if one.name not in self.missing]
        self.runs: dict[str, list[measure.Measured]] = {one.name: [] for one in self.contenders}
        self.results: dict[str, str] = {}
        self.disturbed: list[str] = []
        self.complete = True

    def log(self, name: str) -> Path:
        """What a contender said."""
        return self.settings.work / f"{self.work}-{name}.log".replace("/", "_").replace(" ", "_")

    def run(self, times: int | None = None) -> Contest:
        """Runs all contenders in turn, several times over; a further round only when there is time for it.

        On a machine that became busy the runs that are done stay, and who has none is missing.
        """
        try:
            self._rounds(times)
        except BusyError as error:
            self.settings.stopped.append(str(error))
            without = [one for one in self.contenders if not self.runs[one.name]]
            self.missing |= {one.name: "the machine was busy" for one in without}
            self.contenders = [one for one in self.contenders if one not in without]
            self.runs = {one.name: self.runs[one.name] for one in self.contenders}
            self.complete = not without
        for one in self.contenders:
            if self.failed(one.name):
                self.results[one.name] = "fails" if one.may_fail else "failed"
        return self

    def _rounds(self, times: int | None) -> None:
        times = times or self.settings.runs
        ends = self.settings.until
        for turn in range(times):
            again = [one for one in self.contenders if one.name not in ONCE or not turn]
            needed = sum(self.runs[one.name][-1].seconds for one in again) if turn else 0.0
            if turn and ends is not None and time.monotonic() + needed > ends:
                break
            for one in again:
                wait_for_quiet(self.settings)
                if one.out:
                    shutil.rmtree(one.out, ignore_errors=True)
                own = {**environment(), **one.environment}
                found = measure.run(one.command, own, str(self.log(one.name)), self.settings.timeout)
                self.runs[one.name].append(found)
                said = f"{found.seconds:.1f} s, CPU {found.cpu:.1f} s, {found.megabytes:.0f} MB"
                if found.others_share > DISTURBED:
                    words = f"others took {found.others_share:.0%} of the machine"
                    said += f", {words}"
                    self.disturbed.append(f"{self.work}, {one.name}, run {turn + 1}: {words}.")
                failed = "" if not found.exit_code else f", exit code {found.exit_code}, see {self.log(one.name)}"
                print(f"{self.work} {turn + 1}/{times} {one.name}: {said}{failed}", flush=True)

    @property
    def least_runs(self) -> int:
        """The least number of runs behind a median; 0 when not everybody had one."""
        if not self.complete:
            return 0
        return min((len(runs) for name, runs in self.runs.items() if name not in ONCE), default=0)

    def failed(self, name: str) -> bool:
        """True when a contender did not do its work in one of its runs, or was not there."""
        return not self.runs.get(name) or any(m.exit_code for m in self.runs[name])

    def compare(self, outputs: Callable[[Path], Any], silent: Sequence[str] = ("floor",)) -> Contest:
        """Compares what contenders made with what the first one made; nothing, and what `outputs` refuses, is equal to nothing."""
        reference: Any = None
        for one in self.contenders:
            if one.name not in silent and one.out and not self.failed(one.name):
                try:
                    found = outputs(one.out)
                except ValueError as error:
                    print(f"{self.work} {one.name}: {error}", flush=True)
                    found = None
                reference = found if reference is None else reference
                empty = not found or (isinstance(found, dict) and not all(found.values()))
                self.results[one.name] = "equal" if found == reference and not empty else "differs"
        return self

    @property
    def equal(self) -> bool:
        """False when results differ, or work was not done that had to be."""
        return self.complete and not {"differs", "failed"} & set(self.results.values())

    def seconds(self, name: str) -> float:
        """The median of a contender's runs."""
        return statistics.median(m.seconds for m in self.runs[name])

    def megabytes(self, name: str) -> float:
        """The median of the peaks of memory."""
        return statistics.median(m.megabytes for m in self.runs[name])

    def ratio(self, name: str, base: str) -> float | None:
        """A contender's seconds to another's; None when one of them failed or was left out."""
        return None if self.failed(name) or self.failed(base) else self.seconds(name) / self.seconds(base)

    def memory_ratio(self, name: str, base: str) -> float | None:
        """A contender's peak memory to another's."""
        if self.failed(name) or self.failed(base) or not self.megabytes(base):
            return None
        return self.megabytes(name) / self.megabytes(base)

    def figure(self, name: str, of: Callable[[str], float]) -> float | None:
        """What `of` gives for a contender; None when it failed or was left out."""
        return None if self.failed(name) else of(name)

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
                    *(self.work, name, str(len(runs)), f"{self.seconds(name):.1f}"),
                    f"{min(m.seconds for m in runs):.1f}-{max(m.seconds for m in runs):.1f}",
                    f"{statistics.median(m.cpu for m in runs):.1f}",
                    f"{self.rate(name):.1f}",
                    f"{self.megabytes(name):.0f}",
                    "" if ratio is None else f"{ratio:.2f}",
                    self.results.get(name, ""),
                ]
            )
        blank = [""] * (len(HEADERS) - 3)
        return found + [[self.work, name, *blank, f"not measured: {reason}"] for name, reason in self.missing.items()]


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
    return {name: kept["sha256"] for name, kept in files.items() if name.endswith((".csv", ".json", ".jsonl"))}


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def concluded(
    section: Section, settings: Settings, what: str, *contests: Contest, sizes: Sequence[str] = ()
) -> Section:
    """The section with what was measured, how often, when, with which versions, on what, and with the runs that others disturbed.

    `sizes`: the settings that make the size of the work; its targets are for what they are by default.
    """
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("pyspark", "pyarrow"))
    versions += "".join(f", {name} {pinned(name)}" for name in LISTS)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}"
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    least = min((one.least_runs for one in contests), default=0)
    most = max((len(runs) for one in contests for runs in one.runs.values()), default=0)
    counts = f"{least}" if least == most else f"{least} to {most}"
    runs = f"medians of {counts} alternating runs" if least > 1 else "one run"
    usual = {one.name: one.default for one in fields(Settings)}
    other = [
        f"{getattr(settings, name):,.10g} {'MB' if name.endswith('megabytes') else name.rpartition('_')[2]}"
        for name in sizes
        if getattr(settings, name) != usual[name]
    ]
    section.runs, section.busy, section.other_size = least, settings.busy, ", ".join(other)
    section.notes += [note for one in contests for note in one.disturbed]
    busy = ", on a busy machine" if settings.busy else ""
    section.setup = f"{what}; {runs}{busy}, {day}; {versions}; {machine}."
    return section
