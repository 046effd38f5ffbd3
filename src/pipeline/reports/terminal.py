"""The terminal that a person sees a job on, also when spark-submit is between the two."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO


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
