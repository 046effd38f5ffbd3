"""Runs a command and measures it from outside: seconds, and the peak memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """One run: wall seconds, peak resident memory of all its processes in MB (shared pages counted once)."""

    seconds: float
    megabytes: float
    exit_code: int


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


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, log: str = os.devnull) -> Measured:
    """Runs the command to its end."""
    peak, stop = [0], threading.Event()
    with Path(log).open("ab") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

        def watch() -> None:
            while not stop.wait(1.0):
                peak[0] = max(peak[0], tree_memory(process.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        code = process.wait()
        seconds = time.monotonic() - started
    stop.set()
    watcher.join()
    return Measured(seconds, peak[0] / 1024, code)
