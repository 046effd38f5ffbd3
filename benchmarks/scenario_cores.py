"""Scenario `cores`: the same jobs on one core, on two, and on two executor processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import explode
from benchmarks.harness import HEADERS, ROOT, Contender, Contest, Settings, bytes_of, job, published, setup
from benchmarks.results import Section
from benchmarks.scenario_tables import codes, day, pages

ONE, TWO, CLUSTER = "local[1]", "local[2]", "local-cluster[2,1,1024]"
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
    settings: Settings, name: str, source: Path, given: list[str], outputs: Callable[[Path], Any], archive: str
) -> Contest:
    """One job with all three masters."""
    found = []
    for master in (ONE, TWO, CLUSTER):
        out = settings.work / "out_cores" / name / FOLDERS[master]
        words = [*given, "--destination", str(out)]
        is_cluster = master == CLUSTER
        command = job(name, *words, master=master, more=("--py-files", archive) if is_cluster else ())
        own = {"SPARK_HOME": spark_home(settings.work / "spark_home")} if is_cluster else {}
        found.append(Contender(master, command, bytes_of(source), out, environment=own))
    return Contest(name, found, settings).run().compare(outputs, silent=())


def section(settings: Settings) -> Section:
    """How far a second core and a second process carry, and the MB/s of one core for benchmarks.sizing."""
    archive, lines, files = package(settings), pages(settings), day(settings, settings.customers)
    contests = [
        contest(settings, "customer_orders", files, ["--source", str(files)], published, archive),
        contest(
            settings,
            "restaurants",
            lines,
            ["--restaurants", str(lines), "--country-codes", codes(settings)],
            published,
            archive,
        ),
        contest(
            settings,
            "explode_json",
            lines,
            ["--source", str(lines), "--root", "pages", "--format", "parquet"],
            explode.outputs,
            archive,
        ),
    ]
    figures, notes = {}, []
    for one in contests:
        speedup = one.ratio(ONE, TWO)
        if speedup is not None:
            figures[one.work] = {"mb_per_second_per_core": one.rate(ONE), "efficiency": min(1.0, speedup / 2)}
            notes.append(
                f"{one.work}: the second core makes it {speedup:.2f} times as fast ({speedup / 2:.0%} of 2 times)."
            )
    return Section(
        "One core, two cores, two executor processes",
        "The same jobs with other masters; local-cluster starts two executors as processes of their own, which get the"
        " packages as the .zip of `make package`. Start-up is part of all figures, and with"
        " one core the JVM still compiles and collects on the other.",
        HEADERS,
        [row for one in contests for row in one.rows(TWO)],
        notes=notes,
        setup=setup(settings, f"{settings.megabytes:.0f} MB of pages, {settings.customers:,} customers"),
        equal=all(one.equal for one in contests),
        figures=figures,
    )
