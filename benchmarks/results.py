"""The record of what was measured (measured.json) and the page made of it (RESULTS.md): a section a scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RECORD, PAGE = FOLDER / "measured.json", FOLDER / "RESULTS.md"
AT_MOST, AT_LEAST = "at most", "at least"
EMBEDDED, SPARK = ENGINES = ("embedded", "Spark 3.5.6, two cores")
MEMORY, SAMPLE, MAKE_RUN, ARRAY = (
    "peak memory",
    "one sample, whole command",
    "`make run`, all seven",
    "one array of 4 GB",
)
# The rows of the summary, in its order.
ROWS = ("restaurants", "customer_orders", "explode pages", "explode documents", MEMORY, SAMPLE, MAKE_RUN, ARRAY)


@dataclass
class Target:
    """A figure to reach: what it is, its limit, and what was measured (None: not measured in this run).

    `row` and `engine`: where it is in the summary at the top of the page; an empty `row` is not there. A limit of None: a
    figure to know.
    """

    what: str
    limit: float | None
    measured: float | None
    sense: str = AT_MOST
    row: str = ""
    engine: str = ""

    @property
    def met(self) -> bool:
        """True when it was measured and reached."""
        if self.measured is None or self.limit is None:
            return False
        return self.measured <= self.limit if self.sense == AT_MOST else self.measured >= self.limit

    @property
    def bound(self) -> str:
        """The limit with its sense; empty without one."""
        return "" if self.limit is None else f"{self.sense} {self.limit:g}"

    def verdict(self) -> str:
        """`met`, or by what part of the limit it falls short.

        >>> Target("time to the floor", 1.4, 1.75).verdict()
        'falls short by 25 %'
        """
        if self.measured is None:
            return "not measured"
        if self.limit is None:
            return "no target"
        if self.met:
            return "met"
        return f"falls short by {abs(self.measured - self.limit) / self.limit * 100:.0f} %"


@dataclass
class Section:
    """One scenario's result: a table, the figures to reach, notes. `figures` are for programs (benchmarks.sizing).

    `runs`: the least number of runs behind a figure, 0 when it is not known; `busy`: measured although something else ran;
    `other_size`: the size, where it is not that of the targets.
    """

    title: str
    shows: str
    headers: list[str]
    rows: list[list[str]]
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    setup: str = ""
    equal: bool = True
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    runs: int = 0
    busy: bool = False
    other_size: str = ""

    def verdict(self, target: Target) -> str:
        """A target's verdict, and what it rests on.

        >>> Section("", "", [], [], runs=1, busy=True).verdict(Target("time to the floor", 1.4, 1.2))
        'met (one run, busy machine)'
        """
        if target.measured is None or target.limit is None:
            return target.verdict()
        runs = ["one run" if self.runs == 1 else f"{self.runs} runs"] if self.runs else []
        rests_on = ", ".join(runs + ["busy machine"] * self.busy)
        verdict = f"not at the size of the target: {self.other_size}" if self.other_size else target.verdict()
        return f"{verdict} ({rests_on})" if rests_on else verdict


def figure(measured: float | None) -> str:
    """A measured figure as it is shown: without decimals from 100 on."""
    return "" if measured is None else f"{measured:.2f}" if measured < 100 else f"{measured:.0f}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table; a bar inside a cell is escaped."""
    lines = [list(headers), ["---"] * len(headers), *map(list, rows)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def section_lines(section: Section) -> list[str]:
    """The lines of one section of the page."""
    lines = [f"## {section.title}", "", section.shows, "", *table(section.headers, section.rows), ""]
    if section.targets:
        shown = [[t.what, t.bound, figure(t.measured), section.verdict(t)] for t in section.targets]
        lines += [*table(["to reach", "target", "measured", "verdict"], shown), ""]
    lines += [f"- {note}" for note in section.notes] + ([""] if section.notes else [])
    return [*lines, section.setup, ""] if section.setup else lines


def summary(sections: Sequence[Section]) -> list[str]:
    """The lines of the summary: a row a piece of work, a column an engine, each figure with its limit and verdict."""
    cells: dict[str, dict[str, list[str]]] = {row: {} for row in ROWS}
    for section, target in ((one, target) for one in sections for target in one.targets if target.row):
        shown = f"{target.what}: {figure(target.measured)}".rstrip()
        shown = shown if target.limit is None else f"{shown} ({target.bound}), {section.verdict(target)}"
        cells.setdefault(target.row, {}).setdefault(target.engine, []).append(shown)
    rows = [[row, *("<br>".join(found.get(one, [])) for one in ENGINES)] for row, found in cells.items() if found]
    return [*table(["work", *ENGINES], rows), ""] if rows else []


def page(sections: Mapping[str, Section], order: Sequence[str]) -> str:
    """The whole page: the sections in the given order, then any others by name."""
    names = [name for name in order if name in sections] + sorted(set(sections) - set(order))
    lines = ["# Results", "", "Written by `make bench ARGS=--write`; each section tells what it was measured on.", ""]
    lines += summary([sections[name] for name in names])
    for name in names:
        lines += section_lines(sections[name])
    return "\n".join(lines).rstrip("\n") + "\n"


def read(path: Path = RECORD) -> dict[str, Section]:
    """The recorded sections by scenario; none when there is no record."""
    if not path.is_file():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Section(**{**kept, "targets": [Target(**one) for one in kept.get("targets", [])]})
        for name, kept in found.items()
    }


def write(new: Mapping[str, Section], order: Sequence[str], record: Path = RECORD, shown: Path = PAGE) -> None:
    """Puts the sections into the record and writes the page anew: scenarios that were not run keep theirs."""
    merged = {**read(record), **new}
    content = {name: asdict(section) for name, section in merged.items()}
    record.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    shown.write_text(page(merged, order), encoding="utf-8")
