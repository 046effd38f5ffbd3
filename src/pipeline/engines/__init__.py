"""What runs a job's frames: Spark, or the embedded engine in this process."""

from __future__ import annotations

import importlib.util
import os
import sys

from pipeline.engines.base import BATCH_ROWS, Engine
from pipeline.engines.glue import is_glue_run
from pipeline.engines.memory import check_fits
from pipeline.engines.registry import engine_of

__all__ = ["BATCH_ROWS", "ENGINES", "Engine", "chosen", "engine_of", "start"]

ENGINES = ("auto", "embedded", "spark")


def chosen(engine: str) -> str:
    """What `auto` means: Spark when spark-submit or Glue started the program, else what is installed."""
    if engine != "auto":
        return engine
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ or is_glue_run(sys.argv)
    return "spark" if submitted or importlib.util.find_spec("pysail") is None else "embedded"


def start(engine: str, job: str, input_bytes: int, batch_rows: int = BATCH_ROWS) -> Engine:
    """The engine, started and fitted to the size of the inputs; the one that runs already is used again.

    Raises `UsageError` when the inputs cannot fit the embedded engine.
    """
    # Only one of the two is installed in an environment, and loading either takes its time.
    if chosen(engine) == "embedded":
        from pipeline.engines.embedded import embedded_engine

        check_fits(job, input_bytes)
        return embedded_engine()
    from pipeline.engines.session import spark_engine

    return spark_engine(job, input_bytes, batch_rows)
