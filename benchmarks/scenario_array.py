"""Scenario `array`: one array in a single file with a small heap, against the same pages one a line."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import big_array
from benchmarks.generate_pages import COUNTRIES
from benchmarks.harness import (
    HEADERS,
    Contender,
    Contest,
    Settings,
    bytes_of,
    concluded,
    contender,
    embedded_job,
    job,
    made,
    published,
)
from benchmarks.results import ARRAY, AT_LEAST, EMBEDDED, SPARK, Section, Target

HEAP = "1g"
DEATH = re.compile(r"^.*(?:OutOfMemoryError|exceeds|Caused by: java\.lang|Job aborted).*$", re.MULTILINE)


def inputs(settings: Settings) -> tuple[Path, Path, Path]:
    """The array, the lines and the sheet of countries, made when they are not there."""
    size = settings.array_megabytes

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        big_array.write(folder / "pages.json", folder / "pages.jsonl", size)
        words = "".join(f"{code},{name}\n" for code, name in COUNTRIES.items())
        (folder / "country_codes.csv").write_text(f"Country Code,Country\n{words}", encoding="utf-8")

    folder = made(settings.work / f"one_array_{size:g}", write)
    return folder / "pages.json", folder / "pages.jsonl", folder / "country_codes.csv"


def death(log: Path) -> str:
    """The first line of a log that tells why a run ended; empty when none does."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    out_of_memory = re.search(r"java\.lang\.OutOfMemoryError.*", text)
    found = out_of_memory or DEATH.search(text)
    return found.group(0).strip()[:300] if found else ""


def targets(contest: Contest, engine: str, most: float | None) -> list[Target]:
    """The array's rate to that of the lines, and its peak of memory."""
    rate = contest.ratio("lines", "array")
    rate = None if rate is None else contest.rate("array") / contest.rate("lines")
    peak = contest.figure("array", contest.megabytes)
    return [
        Target("MB/s of the array to MB/s of the lines", 0.8, rate, AT_LEAST, ARRAY, engine),
        Target("peak MB of the array", most, peak, row=ARRAY, engine=engine),
    ]


def contest(settings: Settings, engine: str) -> Contest:
    """The array and the lines on one engine, once: the inputs are big enough."""
    array, lines, sheet = inputs(settings)
    found = []
    for name, source in (("array", array), ("lines", lines)):
        out = settings.work / f"out_array_{engine.partition(' ')[0]}" / name
        given = ("--restaurants", str(source), "--country-codes", str(sheet), "--destination", str(out))
        command = embedded_job("restaurants", *given) if engine == EMBEDDED else job("restaurants", *given, memory=HEAP)
        found.append(Contender(name, command, bytes_of(source), out))
    return Contest(f"one array, {engine.partition(' ')[0]}", found, settings).run(1).compare(published)


def embedded_section(settings: Settings) -> Section:
    """MB/s of both forms on the embedded engine, and the peak of memory."""
    done = contest(settings, EMBEDDED)
    size = bytes_of(inputs(settings)[0]) / 1e6
    result = Section(
        f"One array of {size:,.0f} MB in a single file, embedded",
        "The restaurants job on the array and on the same pages one a line.",
        HEADERS,
        done.rows("lines"),
        targets(done, EMBEDDED, 2000),
        equal=done.equal,
    )
    return concluded(
        result, settings, f"{settings.array_megabytes:.0f} MB, two cores", done, sizes=("array_megabytes",)
    )


def section(settings: Settings) -> Section:
    """MB/s of both forms on Spark, and what becomes of Spark's own reader with the same heap (left out without the floor)."""
    array = inputs(settings)[0]
    done = contest(settings, SPARK)
    rows, notes = done.rows("lines"), []
    if "floor" in settings.contenders:
        reader = contender("big_array", "spark-multiline", "--source", str(array), memory=HEAP)
        multiline = Contest(
            "one array", [Contender("Spark multiLine", reader, bytes_of(array), may_fail=True)], settings
        )
        log = multiline.log("Spark multiLine")
        log.unlink(missing_ok=True)
        multiline.run(1)
        words = (
            death(log) if multiline.failed("Spark multiLine") else "it lived: the array is too small to show the end"
        )
        rows += multiline.rows("Spark multiLine")
        notes.append(f"Spark's multiLine reader: {words or 'ended without a word; exit code or time limit'}")
    result = Section(
        f"One array of {bytes_of(array) / 1e6:,.0f} MB in a single file, heap of {HEAP}",
        "The restaurants job on the array and on the same pages one a line, and Spark's own multiLine reader on the array"
        " with the same heap.",
        HEADERS,
        rows,
        targets(done, SPARK, None),
        notes=notes,
        equal=done.equal,
    )
    return concluded(
        result, settings, f"{settings.array_megabytes:.0f} MB, two cores", done, sizes=("array_megabytes",)
    )
