"""Runs a command and measures it from outside: wall seconds, processor seconds and peak memory of its whole process tree.

Processor seconds are those of the command and of all below it that was waited for, as the kernel adds them up, and of
what no one waits for: pyspark's daemon ignores the ends of its workers, so that their times are read from /proc while they
live (up to a quarter of a second of each is lost), and what outlives the command. Memory is the greatest sum of a look
a second, in which shared pages count once, or the most that a single process had, if that is more.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Reading a process's memory map stops it for a moment: five looks a second slowed a job by a fifth.
LOOK_SECONDS = 1.0
# Times are read from short files, which stops nobody.
TIMES_SECONDS = 0.25
TICKS = os.sysconf("SC_CLK_TCK")
TIMED_OUT = -999


@dataclass(frozen=True)
class Measured:
    """One run: wall seconds, peak resident memory of all its processes in MB (1,000,000 bytes), exit code.

    `started`: when it began, in seconds of the epoch; `cpu`: processor seconds; `others`: those of everybody else meanwhile.
    """

    seconds: float
    megabytes: float
    exit_code: int
    started: float = 0.0
    cpu: float = 0.0
    others: float = 0.0

    @property
    def others_share(self) -> float:
        """The share of the machine's processor time that everybody else used."""
        return self.others / (self.seconds * (os.cpu_count() or 1)) if self.seconds else 0.0


@dataclass(frozen=True)
class Process:
    """One process: its parent, and the ticks of itself and of the children that it waited for."""

    parent: int
    ticks: int


def processes() -> dict[int, Process]:
    """All processes by their number."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            found[int(folder.name)] = Process(int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root: int, found: Mapping[int, Process]) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for number, process in found.items():
        children.setdefault(process.parent, []).append(number)
    below, waiting = [], [root]
    while waiting:
        below.append(waiting.pop())
        waiting += children.get(below[-1], [])
    return below


def busy_ticks() -> int:
    """Ticks that all processors of the machine worked since it was started."""
    return sum(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:4]))


def _status(process: int) -> tuple[int, bool]:
    """The most memory that a process ever had, in kB, and whether it ignores the ends of its children."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(errors="replace").splitlines()
    except OSError:
        return 0, False
    found = {name: value.split() for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    mask = int(found.get("SigIgn", ["0"])[0], 16)
    return int(found.get("VmHWM", ["0"])[0]), bool(mask >> (signal.SIGCHLD - 1) & 1)


class Looks:
    """What is seen of `root` and all below it: ticks that no parent adds up, the most memory of one process in kB."""

    def __init__(self, root: int) -> None:
        self.root, self.most = root, 0
        self.ticks: dict[int, int] = {}
        self.known: set[int] = set()

    def look(self) -> None:
        """Reads what is there of those that live."""
        found = processes()
        below = [number for number in tree(self.root, found) if number in found]
        status = {number: _status(number) for number in below}
        self.known |= set(below)
        self.most = max([self.most, *(memory for memory, _ in status.values())])
        for number in below:
            if status.get(found[number].parent, (0, False))[1]:
                self.ticks[number] = found[number].ticks

    def unwaited_seconds(self) -> float:
        """Processor seconds that no parent added up, of those included that outlive the root."""
        left = processes()
        self.ticks |= {number: left[number].ticks for number in self.known & left.keys() if number != self.root}
        return sum(self.ticks.values()) / TICKS


def waited_seconds() -> float:
    """Processor seconds of the children of this process that have ended, and of what they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(process: int) -> int:
    """Proportional set size in kB: memory that processes share is counted once."""
    try:
        with Path(f"/proc/{process}/smaps_rollup").open() as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def tree_memory(root: int) -> int:
    """Memory of a process and all below it, in kB."""
    return sum(map(_memory, tree(root, processes())))


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
    waited, busy = waited_seconds(), busy_ticks()
    with Path(log).open("ab") as out:
        moment, started = time.time(), time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )

        looks = Looks(process.pid)

        def watch() -> None:
            next_look = time.monotonic() + LOOK_SECONDS
            while not stop.wait(TIMES_SECONDS):
                looks.look()
                if time.monotonic() >= next_look:
                    peak[0] = max(peak[0], tree_memory(process.pid))
                    next_look = time.monotonic() + LOOK_SECONDS

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
    cpu = waited_seconds() - waited + looks.unwaited_seconds()
    others = max(0.0, (busy_ticks() - busy) / TICKS - cpu)
    return Measured(seconds, max(peak[0], looks.most) * 1024 / 1e6, code, moment, cpu, others)


def others_at_work(look: float) -> tuple[float, list[str]]:
    """The share of one core that everybody else uses now, and the commands that use most of it."""
    before, ticks = processes(), busy_ticks()
    time.sleep(look)
    share = (busy_ticks() - ticks) / TICKS / look
    used = {number: one.ticks - before[number].ticks for number, one in processes().items() if number in before}
    most = sorted((number for number in used if used[number] > 0), key=lambda number: -used[number])[:3]
    return share, [f"{number} {_name(number)}" for number in most if number != os.getpid()]


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return "(ended)"
