"""Progress of a running job: a bar on a terminal, plain log lines elsewhere; always on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def log(job: str, text: str) -> None:
    """One plain line with the time of day (UTC)."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} {job}: {text}", file=sys.stderr, flush=True)


def _terminal() -> TextIO | None:
    """The terminal that a person reads stderr on, or None.

    spark-submit hands the job a pipe instead of its own stderr, so there the parent's stderr is looked at.
    """
    if sys.stderr.isatty():
        return sys.stderr
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        with contextlib.suppress(OSError):
            found = Path(f"/proc/{os.getppid()}/fd/2").open("w", encoding="utf-8")  # noqa: SIM115  (stays open)
            if found.isatty():
                return found
            found.close()
    return None


def _tasks(spark: SparkSession) -> tuple[int, int]:
    """(finished, all) tasks of the stages that run now."""
    tracker = spark.sparkContext.statusTracker()
    done = total = 0
    for stage_id in tracker.getActiveStageIds():
        info = tracker.getStageInfo(stage_id)
        if info:
            done, total = done + info.numCompletedTasks, total + info.numTasks
    return done, total


@contextlib.contextmanager
def stage_progress(spark: SparkSession | None, job: str, stage: str, quiet: bool) -> Iterator[None]:
    """Shows a stage while it runs: tasks done and time left as a bar, or one line when it starts."""
    if quiet:
        yield
        return
    terminal = _terminal() if spark is not None else None
    if spark is None or terminal is None:
        log(job, stage)
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tasks"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    stop = threading.Event()
    with Progress(*columns, console=Console(file=terminal), transient=True) as bar:
        task = bar.add_task(f"{job}: {stage}", total=None)

        def poll() -> None:
            """Moves the bar to the tasks done, five times a second."""
            while not stop.wait(0.2):
                with contextlib.suppress(Exception):  # the display must never fail a job
                    done, total = _tasks(spark)
                    bar.update(task, completed=done, total=total or None)

        poller = threading.Thread(target=poll, daemon=True)
        poller.start()
        try:
            yield
        finally:
            stop.set()
            poller.join()
