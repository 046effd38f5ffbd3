"""Fixtures of what is written by tasks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from pipeline.engines import engine_of
from tests.support.stores import Place


@pytest.fixture
def task_place(place: Place, spark: SparkSession) -> Iterator[Place]:
    """As `place`; the environment of tasks leads there too. The embedded engine's tasks share that of this process."""
    if engine_of(spark).name == "embedded":
        yield place
        return
    environment = spark.sparkContext.environment
    before = dict(environment)
    environment.update(place.environment)
    yield place
    environment.clear()
    environment.update(before)
