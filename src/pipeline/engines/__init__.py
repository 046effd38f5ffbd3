"""What runs a job's frames: Spark, or the embedded engine in this process."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable

from pipeline.engines.base import BATCH_ROWS, Engine
from pipeline.engines.glue import is_glue_run
from pipeline.engines.memory import check_fits, watch
from pipeline.engines.registry import engine_of
from pipeline.errors import MemoryLimitError, UsageError

__all__ = ["BATCH_ROWS", "ENGINES", "Engine", "chosen", "engine_of", "start", "watch_memory"]

ENGINES = ("auto", "embedded", "spark")
# A package that only environments with the engine have, and how to get one.
_NEEDED = {"embedded": "pysail", "spark": "py4j"}
_ENVIRONMENT = {
    "embedded": "requirements/embedded.txt (make run)",
    "spark": "requirements/run.txt (make spark, then tools/with.sh .venv)",
}


def chosen(engine: str) -> str:
    """What `auto` means: Spark when spark-submit or Glue started the program, else what is installed."""
    if engine != "auto":
        return engine
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ or is_glue_run(sys.argv)
    return "spark" if submitted or importlib.util.find_spec("pysail") is None else "embedded"


def start(engine: str, job: str, input_bytes: int, batch_rows: int = BATCH_ROWS) -> Engine:
    """The engine, started and fitted to the size of the inputs; the one that runs already is used again.

    Raises `UsageError` when it is not installed, or the inputs cannot fit the embedded engine.
    """
    kind = chosen(engine)
    if importlib.util.find_spec(_NEEDED[kind]) is None:
        other = next(name for name in _NEEDED if name != kind)
        raise UsageError(f"--engine {kind} is not installed here: {_ENVIRONMENT[kind]}, or --engine {other}")
    # Only one of the two is installed in an environment, and loading either takes its time.
    if kind == "embedded":
        from pipeline.engines.embedded import embedded_engine

        check_fits(job, input_bytes)
        return embedded_engine()
    from pipeline.engines.session import spark_engine

    return spark_engine(job, input_bytes, batch_rows)


def watch_memory(
    engine: Engine, job: str, input_bytes: int, stop: Callable[[MemoryLimitError], None], over: threading.Event
) -> None:
    """Has a run that comes to need more memory than there is end by `stop`, where the engine keeps rows in it."""
    if engine.name == "embedded":
        watch(job, input_bytes, stop, over)
