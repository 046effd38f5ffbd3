"""Steps of a run at the same time: the plan of one is made while the tasks of another run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

# More steps at once only wait for each other.
_AT_ONCE = 4


class Beside:
    """Threads of one run, each with a thread of the JVM and the job group of the one that gave the step."""

    def __init__(self) -> None:
        # One after the other: what is left for later may use the same folder.
        self._later = ThreadPoolExecutor(1, thread_name_prefix="later")
        self._left: list[Future[Any]] = []

    @staticmethod
    def together(steps: tuple[Callable[[], Any], ...]) -> list[Any]:
        """Runs the steps and waits for all of them; gives their results, or raises the error of the first that failed.

        Which error is told does not hang on which thread was faster.
        """
        from pyspark import inheritable_thread_target

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="together") as pool:
            started = [pool.submit(inheritable_thread_target(step)) for step in steps]
        return [step.result() for step in started]

    def later(self, step: Callable[[], Any]) -> None:
        """Starts a step that nobody waits for before `wait`; such steps run one after the other."""
        from pyspark import inheritable_thread_target

        self._left.append(self._later.submit(inheritable_thread_target(step)))

    def wait(self) -> None:
        """Waits for what was left for later; raises its first error."""
        while self._left:
            self._left.pop(0).result()

    def end(self) -> None:
        """Waits without asking how it went: for a run that has failed already."""
        while self._left:
            with contextlib.suppress(Exception):
                self._left.pop(0).result()
        self._later.shutdown()
