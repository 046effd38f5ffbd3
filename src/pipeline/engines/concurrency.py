"""Steps of a run at the same time: the plan of one is made while the tasks of another run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark import inheritable_thread_target

# More steps at once only wait for each other.
_AT_ONCE = 4


def run_parallel(steps: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs the steps and waits for all of them; gives their results, or raises the error of the first that failed.

    Each step has a thread of the JVM of its own, with the job group of the caller's. Which error is raised does not
    depend on which thread was faster.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="parallel") as pool:
        started = [pool.submit(inheritable_thread_target(step)) for step in steps]
    return [step.result() for step in started]
