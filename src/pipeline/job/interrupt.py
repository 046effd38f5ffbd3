"""Ctrl-C: a stopped run ends as a `KeyboardInterrupt`, whatever its engine makes of the signal."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from pipeline.engines.base import Engine


class _Stopped(BaseException):
    """Not a `KeyboardInterrupt` yet: at that one PySpark waits until the embedded engine has ended its tasks."""


class Interrupt:
    """While the block runs, SIGINT raises in it, and whatever comes of that leaves it as `KeyboardInterrupt`.

    A second SIGINT ends the process. A signal that is ignored stays so.
    """

    received = False
    _engine: Engine | None = None

    def __enter__(self) -> Interrupt:
        self._before = signal.getsignal(signal.SIGINT)
        self.listen()
        return self

    def listen(self, engine: Engine | None = None) -> None:
        """Takes the signal, also back from an engine: each installs its own handler when it starts."""
        self._engine = engine
        if callable(self._before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.received = True
        if self._engine:
            self._engine.cancel()
        raise _Stopped

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if callable(self._before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
        if self.received and error is not None:
            raise KeyboardInterrupt from None
