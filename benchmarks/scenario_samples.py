"""Scenarios `samples` and `environment`: whole commands on the samples in data/, and from a clone to the first result."""

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
    embedded_job,
    job,
    published,
    setup,
    wait_for_quiet,
)
from benchmarks.results import EMBEDDED, MAKE_RUN, SAMPLE, SPARK, Section, Target
from benchmarks.scenario_start import sample, sample_bytes, samples


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
    return Section(
        "Samples, whole commands",
        "From the command to its end on the sample in data/: `python jobs/x.py` on the embedded engine, spark-submit on"
        " Spark. The published files of both are compared.",
        HEADERS,
        done.rows(""),
        targets,
        setup=setup(settings, "the samples in data/"),
        equal=done.equal,
    )


def fresh(settings: Settings, name: str, cached: bool) -> tuple[Path, float]:
    """A fresh clone, and the seconds until its first job has published."""
    clone = settings.work / f"clone_{name}"
    shutil.rmtree(clone, ignore_errors=True)
    own = Contender(
        name,
        ["sh", "-c", f"git clone -q {ROOT} {clone} && make -C {clone} run JOB=people"],
        0,
        environment={} if cached else {"PIP_NO_CACHE_DIR": "1"},
    )
    done = Contest("clone", [own], settings).run(1)
    return clone, done.seconds(name)


def cache_state() -> str:
    """The size of pip's cache."""
    asked = subprocess.run([sys.executable, "-m", "pip", "cache", "info"], capture_output=True, text=True, check=False)
    lines = [line for line in asked.stdout.splitlines() if line.startswith("Package index page cache size")]
    return lines[0].partition(":")[2].strip() if lines else "unknown"


def environment_section(settings: Settings) -> Section:
    """Megabytes of the environment of `make run`, seconds to the first result, and `make run` once it is there."""
    wait_for_quiet(settings)
    _, empty = fresh(settings, "nothing cached", cached=False)
    shutil.rmtree(settings.work / "clone_nothing cached")
    state = cache_state()
    clone, cached = fresh(settings, "packages cached", cached=True)
    size = int(subprocess.check_output(["du", "-sm", str(clone / ".venv-embedded")], text=True).split()[0])
    everything = Contender("make run, all seven, installed", ["make", "-C", str(clone), "run"], 0)
    done = Contest("make run", [everything], settings).run()
    shutil.rmtree(clone)
    seconds = None if done.failed(everything.name) else done.seconds(everything.name)
    return Section(
        "make run",
        "A fresh clone of this repository, `make run JOB=people` until it has ended, with nothing in pip's cache and with what the"
        " first one and others left there; then `make run`, all samples in one process.",
        ["what", "measured"],
        [
            ["from clone to first result, no cache of pip's (everything comes over the network)", f"{empty:.1f} s"],
            [f"from clone to first result, cache of pip's in use ({state})", f"{cached:.1f} s"],
            ["the environment of `make run` (du)", f"{size} MB"],
            ["`make run`, all seven, installed", "failed" if seconds is None else f"{seconds:.1f} s"],
        ],
        [
            Target("s, installed", 30, seconds, row=MAKE_RUN, engine=EMBEDDED),
            Target("MB of its environment", None, size, row=MAKE_RUN, engine=EMBEDDED),
            Target("s from clone to first result, no cache of pip's", None, empty, row=MAKE_RUN, engine=EMBEDDED),
            Target("s from clone to first result, cache in use", None, cached, row=MAKE_RUN, engine=EMBEDDED),
        ],
        setup=setup(settings, time.strftime("measured at %H:%M UTC", time.gmtime())),
        equal=done.equal,
    )
