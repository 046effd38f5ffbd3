"""The Spark session of a job: the same settings on a laptop, in a test and on Glue."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SOURCE = Path(__file__).resolve().parents[1]

SETTINGS = {
    # A bad cast must never become a silent null: ANSI on, and transforms use try_* where null is meant.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
    # Spark writes every plan out as text, a kept frame's own plan included, over and over: megabytes nobody reads.
    "spark.sql.maxPlanStringLength": "2000",
    # Kept rows are read once or twice: gathering what could be compressed costs a third of keeping them.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}

_SMALL_INPUT = 16 << 20
_LEAST_PART, _MOST_PART = 4 << 20, 64 << 20
# How Spark's event log names the job that only starts Python.
WORKERS = "start Python workers"

LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def on_glue() -> bool:
    """True inside an AWS Glue job, where s3:// and credentials work by themselves."""
    return "GLUE_INSTALLATION" in os.environ or "GLUE_VERSION" in os.environ


def is_local_master(master: str) -> bool:
    """True when executors run on this machine and see its files."""
    return master.startswith("local")


def _s3a_settings() -> dict[str, str]:
    """The usual AWS chain (environment, profile, instance) as Hadoop's settings for S3A."""
    import boto3

    session = boto3.Session()
    settings = {
        "fs.s3a.fast.upload": "true",
        "fs.s3a.directory.marker.retention": "keep",
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        settings["fs.s3a.endpoint"] = endpoint
        settings["fs.s3a.path.style.access"] = "true"
        settings["fs.s3a.connection.ssl.enabled"] = str(urlparse(endpoint).scheme == "https").lower()
    settings["fs.s3a.endpoint.region"] = session.region_name or "us-east-1"
    credentials = session.get_credentials()
    if credentials:
        frozen = credentials.get_frozen_credentials()
        settings["fs.s3a.access.key"], settings["fs.s3a.secret.key"] = frozen.access_key, frozen.secret_key
        provider = "SimpleAWSCredentialsProvider"
        if frozen.token:
            settings["fs.s3a.session.token"] = frozen.token
            provider = "TemporaryAWSCredentialsProvider"
        settings["fs.s3a.aws.credentials.provider"] = f"org.apache.hadoop.fs.s3a.{provider}"
    return settings


def _quieten(level: str) -> None:
    """spark-submit logs at INFO until a session says otherwise: say it before the session starts."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    assert jvm is not None
    # The first log line of Spark loads its own profile over any level set before, so that is brought about here.
    getattr(getattr(jvm.org.apache.spark.util, "Utils$"), "MODULE$").initializeLogIfNecessary(False, True)
    log4j = jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setRootLevel(log4j.Level.toLevel(level))


def _add_to_driver(jars: Iterable[str]) -> None:
    """spark-submit starts the driver's JVM before the job says what it needs: its class loader takes late jars."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    assert jvm is not None
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    for jar in jars:
        loader.addURL(jvm.java.io.File(jar).toURI().toURL())


def _ship_source(spark: SparkSession, master: str) -> None:
    """Executors on other machines or in other processes get the packages as a .zip, unless --py-files brought it."""
    if _in_driver(master) or _SOURCE.suffix in (".zip", ".whl"):
        return
    target = Path(os.environ.get("TMPDIR", "/tmp")) / f"pipeline-{os.getpid()}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_SOURCE.rglob("*.py")):
            archive.write(path, path.relative_to(_SOURCE))
    spark.sparkContext.addPyFile(str(target))


def start(name: str, *, needs: Iterable[str] = (), settings: Mapping[str, str] | None = None) -> SparkSession:
    """The session for job `name`; `needs` names what must be on the class path: `s3a`.

    Settings given with spark-submit win over the ones of this module. A session that runs already (tests, notebooks)
    is used as it is.
    """
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    level = os.environ.get("SPARK_LOG_LEVEL", "ERROR")
    if not on_glue():
        _quieten(level)
    jars = _jars(needs)
    if jars:
        _add_to_driver(jars)
    given = SparkConf()
    master = given.get("spark.master") or os.environ.get("SPARK_MASTER", "local[*]")
    chosen = dict(SETTINGS)
    if not on_glue():
        chosen["spark.master"] = master
        if is_local_master(master):
            chosen |= LOCAL_SETTINGS
            known = [str(_SOURCE), os.environ.get("PYTHONPATH", "")]
            chosen["spark.executorEnv.PYTHONPATH"] = os.pathsep.join(item for item in known if item)
        if jars:
            chosen["spark.jars"] = ",".join(jars)
        if "s3a" in needs:
            chosen |= {f"spark.hadoop.{key}": value for key, value in _s3a_settings().items()}
    chosen |= dict(settings or {})
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for key, value in chosen.items():
        if not given.contains(key) or key in ("spark.jars",):
            builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel(level)
    _ship_source(spark, str(spark.sparkContext.master))
    if is_local_master(str(spark.sparkContext.master)):
        _start_workers(spark)
    return spark


def _start_workers(spark: SparkSession) -> None:
    """Brings up a Python worker of this machine, and what it imports, while the driver plans."""
    from pyspark import inheritable_thread_target

    from pipeline.readers.records import RECORDS, run_tasks

    def load(_: int) -> Iterator[Any]:
        """No rows, once what the reader's tasks need is there."""
        for name in ("scan_fields", "scan_found", "scan_task"):
            importlib.import_module(f"pipeline.{name}")
        yield from ()

    def run() -> None:
        """One task; whatever is wrong is told by the job's own tasks."""
        spark.sparkContext.setJobDescription(WORKERS)
        with contextlib.suppress(Exception):
            run_tasks(spark, 1, load, RECORDS).write.format("noop").mode("overwrite").save()

    threading.Thread(target=inheritable_thread_target(run), daemon=True).start()


def tune(spark: SparkSession, input_bytes: int) -> None:
    """Fits the session to the inputs and to memory: parts of shuffles that fit, no compiled code for a few megabytes.

    Compiling a query takes longer than interpreting it over a small file; one partition sorts without a sampling pass.
    """
    given, cores = _given(spark), spark.sparkContext.defaultParallelism
    part = part_bytes(*_heap_and_tasks(spark, given))
    small = input_bytes < _SMALL_INPUT
    partitions = 1 if small else max(cores, min(-(-input_bytes // part), 4000))
    for name, value in (
        ("spark.sql.shuffle.partitions", str(partitions)),
        ("spark.sql.adaptive.advisoryPartitionSizeInBytes", str(part)),
    ):
        if name not in given:
            spark.conf.set(name, value)
    spark.conf.set("spark.sql.adaptive.enabled", str(not small).lower())
    spark.conf.set("spark.sql.codegen.wholeStage", str(not small).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if small else "FALLBACK")


def part_bytes(heap: int, tasks: int) -> int:
    """The input that a part of a shuffle stands for: 64 MiB, less where a JVM has little memory for its tasks.

    A hash join cannot spill, and its table takes about as much as the input of its rows. Spark leaves 0.6 of the heap,
    300 MiB aside, to tasks and kept rows; a table gets a quarter of a task's share.

    >>> part_bytes(4 << 30, 2) >> 20, part_bytes(1 << 30, 8) >> 20, part_bytes(640 << 20, 2) >> 20
    (64, 13, 25)
    """
    share = (heap - (300 << 20)) * 6 // 10 // tasks
    return min(_MOST_PART, max(share // 4, _LEAST_PART))


def _in_driver(master: str) -> bool:
    """True when tasks run in the driver's JVM."""
    return is_local_master(master) and not master.startswith("local-cluster")


def _heap_and_tasks(spark: SparkSession, given: Mapping[str, str]) -> tuple[int, int]:
    """The heap of a JVM that runs tasks, and how many it runs at once."""
    context = spark.sparkContext
    jvm = context._jvm
    assert jvm is not None
    if _in_driver(str(context.master)):
        return int(jvm.java.lang.Runtime.getRuntime().maxMemory()), context.defaultParallelism
    heap = jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(given.get("spark.executor.memory", "1g"))
    return int(heap), int(given.get("spark.executor.cores", "1"))


def _given(spark: SparkSession) -> dict[str, str]:
    """Settings that came with spark-submit, which win over ours."""
    return {key: value for key, value in spark.sparkContext.getConf().getAll() if LOCAL_SETTINGS.get(key) != value}


def _jars(needs: Iterable[str]) -> list[str]:
    wanted = list(needs)
    if not wanted or on_glue():
        return []
    import pyspark

    from pipeline.engines.jars import jars_for

    return jars_for(pyspark.__version__, *wanted)
