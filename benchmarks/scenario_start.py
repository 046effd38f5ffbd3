"""Scenario `start-up`: from the command to the first task, and the whole sample run, against a bare Spark session."""

from __future__ import annotations

import json
import shlex
import statistics
from pathlib import Path

from benchmarks.harness import ROOT, BusyError, Contender, Contest, Settings, bytes_of, concluded, job, submit
from benchmarks.results import Section, Target
from pipeline.engines.session import WORKERS

HEADERS = ["job", "first task, s", "to bare first task", "to bare session", "whole run, s", "to bare session", "result"]
BARE = "bare session"


def samples() -> list[str]:
    """The jobs that have a sample."""
    return sorted(path.parent.name for path in ROOT.glob("data/*/args"))


def sample(name: str) -> list[str]:
    """The arguments of a job's sample, with paths that hold from any folder."""
    words = shlex.split((ROOT / "data" / name / "args").read_text(encoding="utf-8"), comments=True)
    return [str(ROOT / word) if word.startswith("data/") else word for word in words]


def sample_bytes(name: str) -> int:
    """Bytes of a sample."""
    return bytes_of(ROOT / "data" / name)


def first_task(log: Path) -> float | None:
    """When the first task of an event log was launched, in seconds of the epoch; None without one.

    The job that only starts a Python worker does not count: it does none of the work.
    """
    launched, aside = [], set()
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if '"SparkListenerJobStart"' in line:
                job = json.loads(line)
                if job.get("Properties", {}).get("spark.job.description") == WORKERS:
                    aside |= set(job["Stage IDs"])
            elif '"SparkListenerTaskStart"' in line:
                task = json.loads(line)
                if task["Stage ID"] not in aside:
                    launched.append(task["Task Info"]["Launch Time"] / 1000)
    return min(launched, default=None)


def to_first_task(contest: Contest, name: str, events: Path) -> float | None:
    """The median of seconds from command to first task: a run's log is the one whose first task falls into it."""
    tasks = [task for log in events.iterdir() if log.is_file() and (task := first_task(log)) is not None]
    found = [
        task - run.started
        for run in contest.runs.get(name, [])
        for task in tasks
        if run.started <= task <= run.started + run.seconds
    ]
    return statistics.median(found) if found else None


def contest(settings: Settings) -> tuple[Contest, Path]:
    """The bare session and every job with a sample, all with an event log."""
    events, out = settings.work / "events", settings.work / "out_start"
    events.mkdir(parents=True, exist_ok=True)
    for old in events.iterdir():
        old.unlink()
    more = ("--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir=file://{events.resolve()}")
    found = [Contender(BARE, submit(str(ROOT / "benchmarks" / "bare.py"), more=more), 0)]
    for name in samples():
        command = job(name, *sample(name), "--destination", str(out / name), more=more)
        found.append(Contender(name, command, sample_bytes(name), out / name))
    return Contest("start-up", found, settings).run(), events


def section(settings: Settings) -> Section:
    """Both figures of every job."""
    ran, events = contest(settings)
    if not ran.runs.get(BARE):
        raise BusyError(settings.stopped[0])
    bare_first, bare_whole = to_first_task(ran, BARE, events) or 0.0, ran.seconds(BARE)
    rows, targets = [], []
    for one in ran.contenders:
        first, whole = to_first_task(ran, one.name, events), ran.seconds(one.name)
        shown = (
            ["", "", ""]
            if first is None
            else [f"{first:.1f}", f"{first / bare_first:.2f}", f"{first / bare_whole:.2f}"]
        )
        rows.append([one.name, *shown, f"{whole:.1f}", f"{whole / bare_whole:.2f}", ran.results.get(one.name, "")])
        if one.name != BARE:
            early = None if first is None or not bare_first else first / bare_first
            targets.append(Target(f"{one.name}: first task to the bare session's", 1.3, early))
            done = None if ran.failed(one.name) else whole / bare_whole
            targets.append(Target(f"{one.name}: whole sample run to the bare session", 2.5, done))
    result = Section(
        "Start-up",
        "From the command to the first task, out of Spark's event log, and the whole run on the sample in data/. The bare"
        " session counts one row and stops; all start with spark-submit and the same settings.",
        HEADERS,
        rows,
        targets,
        equal=ran.equal,
    )
    return concluded(result, settings, "the samples in data/, local[2]", ran)
