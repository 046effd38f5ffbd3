"""The one session of a test process: the embedded engine's where that is installed, else a small local Spark."""

from __future__ import annotations

import os
import pathlib
import sys

from pyspark.sql import SparkSession

from pipeline import engines


def own_session(scratch: pathlib.Path) -> SparkSession:
    """The session of this environment's engine."""
    if engines.chosen("auto") == "embedded":
        return engines.start("embedded", "tests", 0).spark
    return local_session(scratch)


def local_session(scratch: pathlib.Path, master: str = "local[2]") -> SparkSession:
    """A session as a job would have it (ANSI, UTC), made for many small frames: one shuffle partition, no web page."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        # Tests run thousands of tiny plans once: quick compilation beats fast code.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(master).appName("tests")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
