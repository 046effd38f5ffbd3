"""Steps of a run at the same time."""

import threading

import pytest
from pipeline.engines.concurrency import run_parallel
from pyspark.sql import SparkSession


def test_steps_run_at_the_same_time_and_give_their_results_in_order(spark: SparkSession) -> None:
    met = threading.Barrier(2, timeout=30)

    def step(name: str) -> str:
        met.wait()
        return name

    assert spark
    assert run_parallel((lambda: step("a"), lambda: step("b"))) == ["a", "b"]


def test_the_error_of_the_first_failed_step_is_raised_once_all_have_ended(spark: SparkSession) -> None:
    failed = threading.Event()

    def slow() -> None:
        failed.wait(30)
        raise ValueError("first")

    def fast() -> None:
        failed.set()
        raise KeyError("second")

    assert spark
    with pytest.raises(ValueError, match="first"):
        run_parallel((slow, fast))


def test_a_step_has_the_job_group_of_the_thread_that_gave_it(spark: SparkSession) -> None:
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", "of this run")
    try:
        found = run_parallel((lambda: spark.sparkContext.getLocalProperty("spark.jobGroup.id"),))
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    assert found == ["of this run"]
