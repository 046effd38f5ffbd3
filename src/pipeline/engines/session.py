"""The Spark session of a job: the same settings on a laptop, in a test and on Glue."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from pipeline.engines.base import BATCH_ROWS, Engine
from pipeline.engines.glue import is_glue_run
from pipeline.engines.registry import engine_of
from pipeline.engines.spark import in_own_thread, runs_in_driver
from pipeline.engines.tasks import run_tasks

_SOURCE = Path(__file__).resolve().parents[2]
_LOGGING = Path(__file__).with_name("log4j2.properties")
# What tasks import of it: the folder may be site-packages, which holds everything else too.
_PACKAGES = ("pipeline", "transforms")

SETTINGS = {
    # A bad cast must never become a silent null: ANSI on, and transforms use try_* where null is meant.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    # Spark writes every plan out as text, a cached frame's own plan included, over and over: megabytes nobody reads.
    "spark.sql.maxPlanStringLength": "2000",
    # Cached rows are read only a few times: compressing them takes a third of the time of caching them.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}

_SMALL_INPUT = 16 << 20
# Inputs up to this share of the heap, on this machine: all rows that are kept take some six times as much and stay in
# it, and planning behind each stage takes longer than it saves.
_PLANNED_ONCE = 0.05
_LEAST_PART, _MOST_PART = 4 << 20, 64 << 20
# How Spark's event log names the job that only starts Python.
WORKERS = "start Python workers"

LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def is_local_master(master: str) -> bool:
    """True when executors run on this machine and see its files."""
    return master.startswith("local")


def _quieten(level: str) -> None:
    """spark-submit logs at INFO until a session says otherwise: say it before the session starts."""

    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    assert jvm is not None
    # The first log line of Spark loads its own profile over any level set before, so that is brought about here.
    getattr(getattr(jvm.org.apache.spark.util, "Utils$"), "MODULE$").initializeLogIfNecessary(False, True)
    log4j = jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setRootLevel(log4j.Level.toLevel(level))


def _ship_source(spark: SparkSession, master: str) -> None:
    """Executors on other machines or in other processes get the packages as a .zip, unless --py-files brought it."""
    if runs_in_driver(master) or _SOURCE.suffix in (".zip", ".whl"):
        return
    target = Path(os.environ.get("TMPDIR", "/tmp")) / f"pipeline-{os.getpid()}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for package in _PACKAGES for path in (_SOURCE / package).rglob("*.py")):
            archive.write(path, path.relative_to(_SOURCE))
    spark.sparkContext.addPyFile(str(target))


def start(name: str, *, settings: Mapping[str, str] | None = None) -> SparkSession:
    """The session for job `name`.

    Settings given with spark-submit win over the ones of this module. A session that runs already (tests, notebooks)
    is used as it is.
    """

    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    # What makes a run fail arrives as an exception.
    level = os.environ.get("SPARK_LOG_LEVEL", "FATAL")
    chosen = dict(SETTINGS)
    if not is_glue_run(sys.argv):
        # Without settings Spark runs on this machine alone, and need not warn that it has two addresses.
        if not os.environ.keys() & {"SPARK_HOME", "SPARK_CONF_DIR", "SPARK_MASTER"}:
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # Where this program starts the JVM, Spark says nothing before its level is set; Java reads no .zip.
        given_java = os.environ.get("SPARK_SUBMIT_OPTS", "")
        if _LOGGING.is_file() and "-Dlog4j" not in given_java:
            os.environ["SPARK_SUBMIT_OPTS"] = f"{given_java} -Dlog4j2.configurationFile={_LOGGING}"
        _quieten(level)
    given = SparkConf()
    master = given.get("spark.master") or os.environ.get("SPARK_MASTER", "local[*]")
    if not is_glue_run(sys.argv):
        chosen["spark.master"] = master
        if is_local_master(master):
            chosen |= LOCAL_SETTINGS
    chosen |= dict(settings or {})
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for key, value in chosen.items():
        # For Python's own start of Spark spark-submit itself turns the bars on, which no person asked for.
        if not given.contains(key) or key == "spark.ui.showConsoleProgress":
            builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel(level)
    _ship_source(spark, str(spark.sparkContext.master))
    if is_local_master(str(spark.sparkContext.master)):
        _start_workers(spark)
    return spark


def spark_engine(job: str, input_bytes: int, batch_rows: int) -> Engine:
    """Spark, started if it does not run, and fitted to the inputs."""
    spark = start(job)
    tune(spark, input_bytes, batch_rows)
    return engine_of(spark)


def _start_workers(spark: SparkSession) -> None:
    """Brings up a Python worker of this machine, and what it imports, while the driver plans."""

    def load(_: int) -> Iterator[Any]:
        """No rows, once what the reader's tasks need is there."""
        # By name: the readers are made on top of the engines, not the other way round.
        for form in ("csv", "json"):
            importlib.import_module(f"pipeline.readers.{form}.tasks")
        yield from ()

    def run() -> None:
        """Runs one task; whatever is wrong is reported by the job's own tasks."""
        spark.sparkContext.setJobDescription(WORKERS)
        with contextlib.suppress(Exception):
            run_tasks(spark, 1, load, "nothing int").write.format("noop").mode("overwrite").save()

    threading.Thread(target=in_own_thread(spark, run), daemon=True).start()


def tune(spark: SparkSession, input_bytes: int, batch_rows: int = BATCH_ROWS) -> None:
    """Fits the session to the inputs and to memory: parts of shuffles that fit, no compiled code for a few megabytes.

    Compiling a query takes longer than interpreting it over a small file; one partition sorts without a sampling pass.
    """
    given, cores = _given(spark), spark.sparkContext.defaultParallelism
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(batch_rows))
    heap, tasks = _heap_and_tasks(spark, given)
    part = part_bytes(heap, tasks)
    small = input_bytes < _SMALL_INPUT
    partitions = 1 if small else max(cores, min(-(-input_bytes // part), 4000))
    for name, value in (
        ("spark.sql.shuffle.partitions", str(partitions)),
        ("spark.sql.adaptive.advisoryPartitionSizeInBytes", str(part)),
    ):
        if name not in given:
            spark.conf.set(name, value)
    once = small or (runs_in_driver(str(spark.sparkContext.master)) and input_bytes < _PLANNED_ONCE * heap)
    spark.conf.set("spark.sql.adaptive.enabled", str(not once).lower())
    if (broadcast := "spark.sql.autoBroadcastJoinThreshold") not in given:
        # Sizes are not known before rows are made.
        spark.conf.set(broadcast, "-1") if once else spark.conf.unset(broadcast)
    spark.conf.set("spark.sql.codegen.wholeStage", str(not small).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if small else "FALLBACK")


def part_bytes(heap: int, tasks: int) -> int:
    """The bytes of input per part of a shuffle: 64 MiB, less where a JVM has little memory for its tasks.

    A hash join cannot spill, and its table takes about as much as the input of its rows. Spark leaves 0.6 of the heap,
    300 MiB aside, to tasks and cached rows; a table gets a quarter of a task's share.

    >>> part_bytes(4 << 30, 2) >> 20, part_bytes(1 << 30, 8) >> 20, part_bytes(640 << 20, 2) >> 20
    (64, 13, 25)
    """
    share = (heap - (300 << 20)) * 6 // 10 // tasks
    return min(_MOST_PART, max(share // 4, _LEAST_PART))


def _heap_and_tasks(spark: SparkSession, given: Mapping[str, str]) -> tuple[int, int]:
    """The heap of a JVM that runs tasks, and how many it runs at once."""
    context = spark.sparkContext
    jvm = context._jvm
    assert jvm is not None
    if runs_in_driver(str(context.master)):
        return int(jvm.java.lang.Runtime.getRuntime().maxMemory()), context.defaultParallelism
    heap = jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(given.get("spark.executor.memory", "1g"))
    return int(heap), int(given.get("spark.executor.cores", "1"))


def _given(spark: SparkSession) -> dict[str, str]:
    """Settings that came with spark-submit, which win over ours."""
    return {key: value for key, value in spark.sparkContext.getConf().getAll() if LOCAL_SETTINGS.get(key) != value}
