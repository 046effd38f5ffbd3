"""Progress of a running job: a bar on a terminal, plain log lines elsewhere; always on stderr."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from pipeline.engines.base import Engine
from pipeline.reports.terminal import terminal_of


def log(job: str, text: str) -> None:
    """One plain line with the time of day (UTC)."""
    # One write: what threads print at the same time must not run together.
    sys.stderr.write(f"{time.strftime('%H:%M:%S', time.gmtime())} {job}: {text}\n")
    sys.stderr.flush()


class _Bar:
    """A bar of tasks on a terminal that moves by itself."""

    def __init__(self, engine: Engine, terminal: TextIO) -> None:
        name = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
        # Where nobody knows how many tasks there are, nothing is said of them.
        counted = (MofNCompleteColumn(), TextColumn("tasks"), TimeRemainingColumn()) if engine.progress() else ()
        columns = (name, BarColumn(bar_width=20), *counted, TimeElapsedColumn())
        self._engine, self._stopped = engine, threading.Event()
        self._bar = Progress(*columns, console=Console(file=terminal), transient=True, expand=True)
        self._task = self._bar.add_task("", total=None)
        self._poller = threading.Thread(target=self._poll, daemon=True)
        self._bar.start()
        self._poller.start()

    def describe(self, text: str) -> None:
        """Says what runs."""
        self._bar.update(self._task, description=text)

    def _poll(self) -> None:
        """Moves the bar to the tasks done, five times a second."""
        while not self._stopped.wait(0.2):
            with contextlib.suppress(Exception):  # the display must never fail a job
                done, total = self._engine.progress() or (0, 0)
                self._bar.update(self._task, completed=done, total=total or None)

    def stop(self) -> None:
        """Takes the bar away."""
        self._stopped.set()
        self._poller.join()
        self._bar.stop()


class Stages:
    """The stages of a run that are under way: tasks done and time left as one bar, or a line when each one starts."""

    def __init__(self, job: str, quiet: bool) -> None:
        self._job, self._quiet, self._lock = job, quiet, threading.Lock()
        self._running: list[str] = []
        self._bar: _Bar | None = None

    @contextlib.contextmanager
    def track(self, stage: str, engine: Engine) -> Iterator[None]:
        """Shows a stage while the block runs; stages of several threads share the bar."""
        terminal = terminal_of(sys.stderr) if not self._quiet else None
        if terminal is None:
            if not self._quiet:
                log(self._job, stage)
            yield
            return
        with self._lock:
            self._bar = self._bar or _Bar(engine, terminal)
            self._running.append(stage)
            self._describe(self._bar)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(stage)
                if self._running:
                    self._describe(self._bar)
                else:
                    self._bar.stop()
                    self._bar = None

    def _describe(self, bar: _Bar) -> None:
        bar.describe(f"{self._job}: {', '.join(self._running)}")
