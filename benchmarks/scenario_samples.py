"""Scenarios `samples` and `make-run`: whole commands on the samples in data/, and from a clone to the first result."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import (
    HEADERS,
    ROOT,
    Contender,
    Contest,
    Settings,
    concluded,
    embedded_job,
    job,
    published,
)
from benchmarks.results import EMBEDDED, MAKE_RUN, SAMPLE, SPARK, Section, Target
from benchmarks.scenario_start import sample, sample_bytes, samples

# A clone imports what is its own.
NOTHING_OF_OURS = {"PYTHONPATH": ""}


def section(settings: Settings) -> Section:
    """Every sample as one command on both engines: the median job and the slowest one."""
    found = []
    for name in samples():
        for engine, command in (("embedded", embedded_job), ("ours", job)):
            out = settings.work / "out_samples" / engine / name
            words = command(name, *sample(name), "--destination", str(out))
            found.append(Contender(f"{name}, {engine}", words, sample_bytes(name), out))
    done = Contest("samples", found, settings).run()
    for own, other in zip(found[::2], found[1::2], strict=True):
        if own.out and other.out and not done.failed(own.name) and not done.failed(other.name):
            done.results[other.name] = "equal" if published(own.out) == published(other.out) else "differs"
    targets = []
    for engine, shown, most in (("embedded", EMBEDDED, 4.0), ("ours", SPARK, 12.0)):
        names = [one.name for one in found if one.name.endswith(f", {engine}")]
        seconds = None if any(map(done.failed, names)) else [done.seconds(name) for name in names]
        middle, worst = (None, None) if seconds is None else (statistics.median(seconds), max(seconds))
        targets += [
            Target(f"{engine}: s, the median of the jobs", most, middle, row=SAMPLE, engine=shown),
            Target(f"{engine}: s, the slowest job", most, worst, row=SAMPLE, engine=shown),
        ]
    result = Section(
        "Samples, whole commands",
        "From the command to its end on the sample in data/: `python jobs/x.py` on the embedded engine, spark-submit on"
        " Spark. The published files of both are compared.",
        HEADERS,
        done.rows(""),
        targets,
        equal=done.equal,
    )
    return concluded(result, settings, "the samples in data/", done)


def fresh(settings: Settings, name: str, own: dict[str, str]) -> tuple[Path, float | None]:
    """A fresh clone, and the seconds until its first job has published; None when it failed. `own`: for its environment."""
    clone = settings.work / f"clone_{name}"
    shutil.rmtree(clone, ignore_errors=True)
    words = ["sh", "-c", f"git clone -q '{ROOT}' '{clone}' && make -C '{clone}' run JOB=people"]
    done = Contest("clone", [Contender(name, words, 0, environment={**NOTHING_OF_OURS, **own})], settings).run(1)
    return clone, done.figure(name, done.seconds)


def cache_state() -> str:
    """The size of pip's cache."""
    asked = subprocess.run([sys.executable, "-m", "pip", "cache", "info"], capture_output=True, text=True, check=False)
    lines = [line for line in asked.stdout.splitlines() if line.startswith("Package index page cache size")]
    return lines[0].partition(":")[2].strip() if lines else "unknown"


def megabytes_on_disk(folder: Path) -> float | None:
    """Megabytes of a folder by `du`; None when it is not there."""
    asked = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=False)
    return None if asked.returncode else float(asked.stdout.split()[0])


def environment_section(settings: Settings) -> Section:
    """Megabytes of the environment of `make run`, seconds to the first result, and `make run` once it is there."""
    first, empty = fresh(settings, "without_cache", {"PIP_NO_CACHE_DIR": "1"})
    shutil.rmtree(first, ignore_errors=True)
    state = cache_state()
    clone, cached = fresh(settings, "with_cache", {})
    size = megabytes_on_disk(clone / ".venv-embedded")
    everything = Contender(
        "make run, all seven, installed", ["make", "-C", str(clone), "run"], 0, environment=NOTHING_OF_OURS
    )
    done = Contest("make run", [everything], settings).run()
    shutil.rmtree(clone, ignore_errors=True)
    seconds = done.figure(everything.name, done.seconds)
    shown = ["failed" if one is None else f"{one:.1f} s" for one in (empty, cached, seconds)]
    result = Section(
        "make run",
        "A fresh clone of this repository, `make run JOB=people` until it has ended, once without pip's cache and once with what it"
        " holds; then `make run`, all samples in one process.",
        ["what", "measured"],
        [
            ["from clone to first result, no cache of pip's (everything comes over the network)", shown[0]],
            [f"from clone to first result, cache of pip's in use ({state})", shown[1]],
            ["the environment of `make run` (du)", "failed" if size is None else f"{size:.0f} MB"],
            ["`make run`, all seven, installed", shown[2]],
        ],
        [
            Target("s, installed", 30, seconds, row=MAKE_RUN, engine=EMBEDDED),
            Target("MB of its environment", None, size, row=MAKE_RUN, engine=EMBEDDED),
            Target("s from clone to first result, no cache of pip's", None, empty, row=MAKE_RUN, engine=EMBEDDED),
            Target("s from clone to first result, cache in use", None, cached, row=MAKE_RUN, engine=EMBEDDED),
        ],
        equal=done.equal and None not in (empty, cached),
    )
    return concluded(result, settings, time.strftime("measured at %H:%M UTC", time.gmtime()), done)
