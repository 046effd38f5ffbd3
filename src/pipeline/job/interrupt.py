"""Ctrl-C: a stopped run ends as a `KeyboardInterrupt`, whatever its engine makes of the signal. So it ends for an error
that another thread finds.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType

from pipeline.engines.base import Engine
from pipeline.errors import PipelineError


class _Stopped(BaseException):
    """Not a `KeyboardInterrupt` yet: at that one PySpark waits until the embedded engine has ended its tasks."""


class Interrupt:
    """While the block runs, SIGINT raises in it, and whatever comes of that leaves it as `KeyboardInterrupt`.

    A second SIGINT ends the process. A signal that is ignored stays so.
    """

    received = False
    _engine: Engine | None = None
    _error: PipelineError | None = None

    def __enter__(self) -> Interrupt:
        self._before = signal.getsignal(signal.SIGINT)
        self.over = threading.Event()
        self.listen()
        return self

    def listen(self, engine: Engine | None = None) -> None:
        """Takes the signal, also back from an engine: each installs its own handler when it starts."""
        self._engine = engine
        self._listens = callable(self._before) and threading.current_thread() is threading.main_thread()
        if self._listens:
            signal.signal(signal.SIGINT, self._stop)

    def end_with(self, error: PipelineError) -> None:
        """The block ends with this error; nothing comes of it in a block that does not take the signal."""
        if self._listens:
            self._error = error
            os.kill(os.getpid(), signal.SIGINT)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.received = True
        if self._engine:
            self._engine.cancel()
        raise _Stopped

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.over.set()
        if self._listens:
            signal.signal(signal.SIGINT, self._before)
        if self.received and error is not None:
            raise self._error or KeyboardInterrupt from None
