"""The terminal that a person sees a job on, also when spark-submit is between the two."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO


def open_missing_streams() -> None:
    """Gives the process the stdout and stderr that it was started without; what is said there goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def drop_stdout() -> None:
    """Sends the rest of stdout nowhere when its reader has gone: a run does not end because nobody reads its report."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def terminal_of(stream: TextIO) -> TextIO | None:
    """The terminal behind the process's stdout or stderr, or None; what is not the stream itself is the caller's.

    spark-submit hands the job pipes instead of its own streams, so there the parent's stream is tested.
    """
    if stream.isatty():
        return stream
    number = {sys.stdout: 1, sys.stderr: 2}.get(stream)
    if number and "PYSPARK_GATEWAY_PORT" in os.environ:
        with contextlib.suppress(OSError):
            behind = Path(f"/proc/{os.getppid()}/fd/{number}")
            if not behind.is_char_device():  # a file would be emptied by opening it
                return None
            found = behind.open("w", encoding="utf-8")
            if found.isatty():
                return found
            found.close()
    return None
