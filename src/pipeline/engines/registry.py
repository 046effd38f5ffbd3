"""Which engine a session belongs to."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pipeline.engines.base import Engine

_ENGINES: dict[int, Engine] = {}


def register(engine: Engine) -> None:
    """Makes the engine the one of its session."""
    _ENGINES[id(engine.spark)] = engine


def engine_of(spark: SparkSession) -> Engine:
    """The engine of a session. A Spark session that somebody else started gets one."""
    found = _ENGINES.get(id(spark))
    if found is None or found.spark is not spark:
        from pipeline.engines.spark import SparkEngine  # the embedded engine's environment has no Spark

        found = SparkEngine(spark)
        register(found)
    return found
