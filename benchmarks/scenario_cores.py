"""Scenario `cores`: the same jobs on one core, on two, and on two executor processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import explode
from benchmarks.harness import HEADERS, ROOT, Contender, Contest, Settings, bytes_of, concluded, job, published
from benchmarks.results import Section
from benchmarks.scenario_tables import codes, day, pages
from benchmarks.sizing import line

ONE, TWO, CLUSTER = "local[1]", "local[2]", "local-cluster[2,1,1024]"
# Shares of the other scenarios' sizes, so that one round takes ten minutes at most on a quiet machine.
LARGE, SMALLER = 2, 4
FOLDERS = {ONE: "one", TWO: "two", CLUSTER: "cluster"}


def package(settings: Settings) -> str:
    """The .zip for --py-files."""
    folder = settings.work / "dist"
    subprocess.run([sys.executable, str(ROOT / "tools" / "package.py"), str(folder)], check=True)
    return str(next(folder.glob("*.zip")))


def spark_home(folder: Path) -> str:
    """A folder that looks like Spark's: executors of local-cluster start from it and leave their work folders in it."""
    import pyspark

    folder.mkdir(exist_ok=True)
    for entry in Path(pyspark.__file__).parent.iterdir():
        if entry.name != "work" and not (folder / entry.name).exists():
            (folder / entry.name).symlink_to(entry)
    return str(folder)


def contest(
    settings: Settings,
    name: str,
    sources: tuple[Path, Path],
    arguments: Callable[[Path], list[str]],
    outputs: Callable[[Path], Any],
    archive: str,
) -> list[Contest]:
    """One job with one core and with two on the small input, and with all three masters on the big one."""
    found = []
    for size, source, masters in (("small", sources[0], (ONE, TWO)), ("big", sources[1], (ONE, TWO, CLUSTER))):
        contenders = []
        for master in masters:
            out = settings.work / "out_cores" / name / size / FOLDERS[master]
            words = [*arguments(source), "--destination", str(out)]
            is_cluster = master == CLUSTER
            more = ("--py-files", archive) if is_cluster else ()
            own = {"SPARK_HOME": spark_home(settings.work / "spark_home")} if is_cluster else {}
            command = job(name, *words, master=master, memory=settings.heap, more=more)
            contenders.append(Contender(master, command, bytes_of(source), out, environment=own))
        contest = Contest(f"{name}, {bytes_of(source) / 1e6:.0f} MB", contenders, settings)
        found.append(contest.run().compare(outputs, silent=()))
    return found


def figures(small: Contest, big: Contest) -> dict[str, float]:
    """What a run takes whatever its size, the MB/s of one core behind it, and what is left of a second one."""
    if any(contest.failed(master) for contest in (small, big) for master in (ONE, TWO)):
        return {}
    lines = {
        master: line(*((one.contenders[0].size / 1e6, one.seconds(master)) for one in (small, big)))
        for master in (ONE, TWO)
    }
    rate = lines[ONE][1]
    efficiency = min(1.0, lines[TWO][1] / rate / 2)
    return {"mb_per_second_per_core": rate, "efficiency": efficiency, "start_seconds": lines[TWO][0]}


def section(settings: Settings) -> Section:
    """How far a second core and a second process carry, and figures for benchmarks.sizing."""
    archive, megabytes, customers = package(settings), settings.megabytes / LARGE, settings.customers // LARGE
    small, large = (replace(settings, megabytes=size) for size in (megabytes / SMALLER, megabytes))
    lines = pages(small), pages(large)
    days = day(settings, customers // SMALLER), day(settings, customers)

    def restaurants(source: Path) -> list[str]:
        return ["--restaurants", str(source), "--country-codes", codes(settings)]

    def exploded(source: Path) -> list[str]:
        return ["--source", str(source), "--root", "pages", "--format", "parquet"]

    contests = {
        "customer_orders": contest(
            settings, "customer_orders", days, lambda source: ["--source", str(source)], published, archive
        ),
        "restaurants": contest(settings, "restaurants", lines, restaurants, published, archive),
        "explode_json": contest(settings, "explode_json", lines, exploded, explode.outputs, archive),
    }
    found = {name: figures(*pair) for name, pair in contests.items()}
    notes = [
        f"{name}: {one['start_seconds']:.0f} s whatever the size with two cores, then {one['mb_per_second_per_core']:.1f} MB/s"
        f" of one core; with two {one['efficiency']:.0%} of that a core."
        for name, one in found.items()
        if one
    ]
    result = Section(
        "One core, two cores, two executor processes",
        "The same jobs with other masters, on two sizes, so that what a run takes whatever its size is separate from what a MB"
        " takes; local-cluster starts two executors as processes of their own, which get the packages as the .zip of"
        " `make package`. With one core the JVM still compiles and collects on the other.",
        HEADERS,
        [row for pair in contests.values() for one in pair for row in one.rows(TWO)],
        notes=notes,
        equal=all(one.equal for pair in contests.values() for one in pair),
        figures={name: one for name, one in found.items() if one},
    )
    return concluded(
        result,
        settings,
        f"{megabytes:.0f} MB of pages, {customers:,} customers, and a quarter",
        *(one for pair in contests.values() for one in pair),
    )
