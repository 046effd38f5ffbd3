"""Runs a command and measures it from outside: seconds, and the peak memory of its whole process tree."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Reading a process's memory map stops it for a moment: five looks a second slowed a job by a fifth.
LOOK_SECONDS = 1.0
TIMED_OUT = -999


@dataclass(frozen=True)
class Measured:
    """One run: wall seconds, peak resident memory of all its processes in MB (shared pages counted once), exit code.

    `started`: when it began, in seconds of the epoch.
    """

    seconds: float
    megabytes: float
    exit_code: int
    started: float = 0.0


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                with (folder / "stat").open() as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(folder.name))
    return found


def _memory(process: int) -> int:
    """Proportional set size in kB: memory that processes share is counted once."""
    try:
        with Path(f"/proc/{process}/smaps_rollup").open() as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def tree_memory(root: int) -> int:
    """Memory of a process and all below it, in kB."""
    children, waiting, total = _children(), [root], 0
    while waiting:
        process = waiting.pop()
        total += _memory(process)
        waiting += children.get(process, [])
    return total


def _wait(process: subprocess.Popen[bytes], timeout: float | None) -> int:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return TIMED_OUT


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    log: str = os.devnull,
    timeout: float | None = None,
) -> Measured:
    """Runs the command to its end, or for `timeout` seconds; what it says is added to `log`."""
    peak, stop = [0], threading.Event()
    with Path(log).open("ab") as out:
        moment, started = time.time(), time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )

        def watch() -> None:
            while not stop.wait(LOOK_SECONDS):
                peak[0] = max(peak[0], tree_memory(process.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            code = _wait(process, timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            stop.set()
        seconds = time.monotonic() - started
    watcher.join()
    return Measured(seconds, peak[0] / 1024, code, moment)
