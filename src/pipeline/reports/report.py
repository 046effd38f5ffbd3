"""The report of a run: report.json for programs, tables on the terminal for people. Written also when a run fails."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import __version__, storage
from pipeline.reports.counts import FOLDERS, RecordCounts
from pipeline.reports.terminal import drop_stdout, terminal_of
from transforms.row_errors import REJECTED

_FILE_WIDTH = 140


@dataclass
class Report:
    """Everything a run reports: counts of the inputs, published files, notes, seconds per stage, versions."""

    job: str
    run_id: str
    status: str = "running"
    exit_code: int = 0
    message: str | None = None
    counts: dict[str, RecordCounts] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    versions: dict[str, str] = field(
        default_factory=lambda: {"pipeline": __version__, "python": platform.python_version()}
    )

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the seconds of a block to its stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started

    def as_json(self) -> bytes:
        """The content of report.json."""
        content = {
            "job": self.job,
            "run_id": self.run_id,
            "status": self.status,
            "exit_code": self.exit_code,
            "message": self.message,
            "inputs": {name: counts.as_dict() for name, counts in self.counts.items()},
            "outputs": dict(sorted(self.outputs.items())),
            "figures": self.figures,
            "notes": self.notes,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
            "versions": self.versions,
        }
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def table(title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints a table: numbers to the right, text to the left, None as NA. First the other columns give way."""

    width = console().width
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, header in enumerate(headers):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        least = 0 if index else min(max((len(str(row[0])) for row in rows), default=0), width // 2)
        shown.add_column(Text(header), justify="right" if numeric else "left", overflow="fold", min_width=least)
    for row in rows:
        # As it is: brackets in a text are no markup.
        texts = ["NA" if value is None else f"{value:,}" if isinstance(value, int) else str(value) for value in row]
        shown.add_row(*map(Text, texts))
    # As the table's own title it would be broken where a narrow table ends.
    say(title, "bold")
    console().print(shown)


def say(text: str, style: str = "") -> None:
    """Prints a text, broken between words where a terminal ends; in a file it is one line."""
    shown = console()
    shown.print(Text(text, style), soft_wrap=shown.width == _FILE_WIDTH)


def write_json(report: Report) -> None:
    """Writes report.json's content to stdout."""
    try:
        print(report.as_json().decode(), end="", flush=True)
    except BrokenPipeError:
        drop_stdout()


class _Console(Console):
    """A console that goes on in silence when nobody reads any more; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        drop_stdout()


def console() -> Console:
    """The terminal, as wide as it is; `_FILE_WIDTH` columns in a file."""
    terminal = terminal_of(sys.stdout)
    if terminal is None or terminal is sys.stdout:
        return _Console(highlight=False, width=None if terminal else _FILE_WIDTH)
    with terminal:
        return _Console(highlight=False, width=os.get_terminal_size(terminal.fileno()).columns)


def as_words(figure: Any) -> Any:
    """A figure as a cell: counts by name and lists as words."""
    if isinstance(figure, dict):
        return ", ".join(f"{name} {as_words(value)}" for name, value in figure.items()) or "-"
    if isinstance(figure, list | tuple):
        return ", ".join(str(one) for one in figure) or "-"
    return figure


def _counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "-"


def print_report(report: Report, place: str) -> None:
    """The run's report as terminal tables."""
    if report.counts:
        rows = [[a.name, a.read, a.used, _counts(a.excluded), _counts(a.rejected)] for a in report.counts.values()]
        table("Records", ["input", "read", "used", "excluded by rule", "rejected for"], rows)
    if report.outputs:
        columns = ["rows", "bytes"] if place else ["rows"]
        rows = [[name, *[entry[one] for one in columns]] for name, entry in sorted(report.outputs.items())]
        table(f"Files in {place}" if place else "Files (dry run, nothing written)", ["file", *columns], rows)
    if report.figures:
        table("Figures", ["figure", "value"], [[name, as_words(value)] for name, value in report.figures.items()])
    for note in report.notes:
        say(f"note: {note}")
    if place and report.exit_code in (0, 3) and any(counts.rejected for counts in report.counts.values()):
        say(f"rejected records: {storage.join(place, '_runs', report.run_id, FOLDERS[REJECTED])}")
    # Stages run side by side: their seconds add up to more than the run's.
    total = time.monotonic() - report.started
    stages = ", ".join(f"{stage} {value:.1f}" for stage, value in report.seconds.items() if value >= 0.05)
    in_stages = f" ({stages})" if stages else ""
    say(f"{report.job} {report.status} in {total:.1f} s{in_stages}; run {report.run_id}\n")
    sys.stdout.flush()
