"""What a failed run says: the one line that helps, out of what engines and stores wrap around it."""

from __future__ import annotations

import re

from pipeline import errors
from pipeline.errors import PipelineError

MOST_MESSAGE = 2000
# What the system, S3 or another service says when it is full, closed or too busy, whatever the engine wraps around it.
_TELLING = re.compile(
    "no space left|disk quota exceeded|permission denied|access ?denied|throttl|slow ?down|too many requests"
    "|out ?of ?memory",
    re.IGNORECASE,
)


def raised_by_a_task(error: BaseException) -> PipelineError | None:
    """The project's own error when a task of an executor raised it (engines hand it on as text), else None."""
    for found in re.finditer(r"(?:pipeline\.errors\.|External error: )(?=(\w+Error): (.*))", str(error)):
        if kind := getattr(errors, found[1], None):
            own: PipelineError = kind(found[2].strip())
            return own
    return None


def telling_cause(error: BaseException | None) -> str:
    """The deepest line, in the error and what caused it, that says what a person can put right; empty without one."""
    found = ""
    while error is not None:
        for line in str(error).splitlines():
            if _TELLING.search(line):
                found = line.strip().removeprefix("Caused by: ")
        error = error.__cause__ or error.__context__
    return found[:MOST_MESSAGE]


def one_line(error: BaseException) -> str:
    """An error's kind and its most useful line: the telling cause, the last one of a Python worker's trace, the first.

    >>> one_line(RuntimeError("Job aborted\\nCaused by: java.io.IOException: No space left on device\\nat x"))
    'RuntimeError: java.io.IOException: No space left on device'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kind = type(error).__name__
    line = telling_cause(error) or (lines[-1 if kind == "PythonException" else 0] if lines else "")
    return f"{kind}: {line}" if line else kind
