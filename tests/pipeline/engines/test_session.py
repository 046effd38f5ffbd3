"""How a session is fitted to its inputs and its memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pyspark.sql import SparkSession

from pipeline.engines.session import part_bytes, tune
from tests.support.jobs import clean_environment, own_lines

MIB = 1 << 20


@pytest.mark.parametrize(
    ("heap", "tasks", "part"),
    [(4096 * MIB, 2, 64 * MIB), (1024 * MIB, 8, 14_234_419), (640 * MIB, 2, 26_738_688), (256 * MIB, 2, 4 * MIB)],
)
def test_a_part_of_a_shuffle_is_64_mib_and_less_where_tasks_have_little_memory(
    heap: int, tasks: int, part: int
) -> None:
    assert part_bytes(heap, tasks) == part


def test_large_inputs_run_adaptively_middling_ones_as_planned_and_small_ones_without_compiled_code(
    spark: SparkSession,
) -> None:
    names = ("spark.sql.adaptive.enabled", "spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode")
    for size, expected in (
        (MIB, ["false", "false", "NO_CODEGEN"]),
        (32 * MIB, ["false", "true", "FALLBACK"]),
        (64 * MIB, ["true", "true", "FALLBACK"]),
    ):
        own = spark.newSession()
        tune(own, size)
        assert [own.conf.get(name) for name in names] == expected


def test_no_join_is_broadcast_where_all_is_planned_once_and_a_later_large_input_has_spark_s_own_limit(
    spark: SparkSession,
) -> None:
    own, found = spark.newSession(), list[str | None]()
    for size in (MIB, 64 * MIB):
        tune(own, size)
        found.append(own.conf.get("spark.sql.autoBroadcastJoinThreshold"))
    assert found == ["-1", "10485760b"]


def test_settings_that_were_given_win(spark: SparkSession) -> None:
    own = spark.newSession()
    tune(own, 4096 * MIB)
    assert own.conf.get("spark.sql.shuffle.partitions") == "1"
    assert int(own.conf.get("spark.sql.adaptive.advisoryPartitionSizeInBytes") or 0) <= 64 * MIB


def test_spark_says_nothing_where_python_starts_it() -> None:
    program = "from pipeline.engines.session import start; start('quiet')"
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, own_lines(done.stderr)) == (0, "", [])
