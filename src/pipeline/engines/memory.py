"""Whether inputs can fit the memory of this machine, which the embedded engine needs and Spark does not."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import UsageError

# The least that a job needs for each byte of its inputs: restaurants took 1.2 GB for 500 MB, others more.
_AT_LEAST = 2
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
            f" bytes or more for each of the input, and there are {there / 1e9:.1f} GB: run the job on Spark"
            f" (spark-submit jobs/{job}.py ...), or with fewer files at a time"
        )
