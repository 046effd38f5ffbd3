"""Runs a job and kills its own process at a moment of its commits: killed_run.py MOMENT JOB ARGUMENTS."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pipeline.publish.iceberg.tables import IcebergTables
from tests.support.jobs import job_module

MOMENTS = {
    "files written": ("commit", 1, False),
    "before the first commit": ("_commit", 1, False),
    "between the commits": ("_commit", 1, True),
    "after the last commit": ("_commit", 2, True),
    "before the manifest": ("commit", 1, True),
}


def killing(method: Callable[..., Any], call: int, after: bool) -> Callable[..., Any]:
    """The method, which kills the process before or after a call."""
    calls = 0

    def killed(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = method(*arguments)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return killed


if __name__ == "__main__":
    name, call, after = MOMENTS[sys.argv[1]]
    setattr(IcebergTables, name, killing(getattr(IcebergTables, name), call, after))
    sys.exit(job_module(sys.argv[2]).JOB.call(sys.argv[3:]))
