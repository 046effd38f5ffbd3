"""Whether inputs fit the memory of this machine, which the embedded engine needs and Spark does not."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import MemoryLimitError, UsageError

# The least that a job needs for each byte of its inputs: restaurants took 1.2 GB for 500 MB, others more.
_AT_LEAST = 2
# Beyond this share of the memory the system may end the process at any moment; looked at so often, in seconds.
_AT_MOST, _LOOK_SECONDS = 0.85, 0.2
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_bytes() -> int:
    """The memory of this machine, or of the container that the process is in."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in map(Path, _GROUP_LIMITS):
        text = path.read_text(encoding="ascii").strip() if path.is_file() else ""
        found += [int(text)] if text.isdigit() else []
    return min(found)


def check_fits(job: str, input_bytes: int) -> None:
    """Raises `UsageError` when the inputs cannot fit: the system would end the process without a word."""
    there = memory_bytes()
    if input_bytes * _AT_LEAST > there:
        raise UsageError(
            f"inputs of {input_bytes / 1e9:.1f} GB do not fit the embedded engine: it keeps rows in memory, {_AT_LEAST}"
            f" bytes or more for each of the input, and there are {there / 1e9:.1f} GB: {_way_out(job)}"
        )


def _way_out(job: str) -> str:
    return f"run the job on Spark (spark-submit jobs/{job}.py ...), or with fewer files at a time"


def held_bytes() -> int:
    """The memory of this process that is in no file; 0 where the system does not say."""
    status = Path("/proc/self/status")
    found = re.search(r"^RssAnon:\s*(\d+) kB", status.read_text(), re.MULTILINE) if status.is_file() else None
    return int(found[1]) << 10 if found else 0


def watch(job: str, input_bytes: int, stop: Callable[[MemoryLimitError], None], over: threading.Event) -> None:
    """Calls `stop` once this process holds nearly all memory, unless the run is over before."""
    most = memory_bytes()

    def look() -> None:
        """Until there is too much, or the run is over."""
        while not over.wait(_LOOK_SECONDS):
            if (held := held_bytes()) > _AT_MOST * most:
                stop(
                    MemoryLimitError(
                        f"inputs of {input_bytes / 1e9:.1f} GB do not fit the embedded engine: it holds"
                        f" {held / 1e9:.1f} GB and there are {most / 1e9:.1f} GB: {_way_out(job)}"
                    )
                )
                return

    threading.Thread(target=look, name="memory", daemon=True).start()
