"""Steps of a run at the same time."""

import argparse
import threading

import pytest
from pyspark.sql import SparkSession

from pipeline.engines.concurrency import together
from pipeline.job.context import Run
from pipeline.job.report import Report
from pipeline.publish.outputs import Outputs


def test_steps_run_at_the_same_time_and_give_their_results_in_order(spark: SparkSession) -> None:
    met = threading.Barrier(2, timeout=30)

    def step(name: str) -> str:
        met.wait()
        return name

    assert spark
    assert together((lambda: step("a"), lambda: step("b"))) == ["a", "b"]


def test_the_first_step_that_failed_is_told_and_the_others_have_ended(spark: SparkSession) -> None:
    failed = threading.Event()

    def slow() -> None:
        failed.wait(30)
        raise ValueError("first")

    def fast() -> None:
        failed.set()
        raise KeyError("second")

    assert spark
    with pytest.raises(ValueError, match="first"):
        together((slow, fast))


def test_a_step_has_the_job_group_of_the_thread_that_gave_it(spark: SparkSession) -> None:
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", "of this run")
    try:
        found = together((lambda: spark.sparkContext.getLocalProperty("spark.jobGroup.id"),))
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    assert found == ["of this run"]


@pytest.mark.parametrize("single", [True, False])
def test_outputs_in_parts_are_written_one_after_the_other(spark: SparkSession, single: bool) -> None:
    run = Run("test", argparse.Namespace(quiet=True), "r", Outputs("", "r", "test", single, True), Report("test", "r"))
    names = run.together(*[lambda: threading.current_thread().name] * 2)
    run.release()
    assert spark
    assert [name == threading.current_thread().name for name in names] == [not single] * 2
