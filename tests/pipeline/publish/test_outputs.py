"""Staging of outputs: the same bytes however the rows are sorted."""

from __future__ import annotations

import pathlib

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline.publish import outputs
from pipeline.publish.outputs import Outputs


@pytest.mark.parametrize("known", [None, 5, 4], ids=["unknown number", "many", "few"])
def test_rows_are_in_order_whether_there_are_few_or_many(
    spark: SparkSession, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, known: int | None
) -> None:
    monkeypatch.setattr(outputs, "_FEW", 4)
    rows = [(4, "d"), (1, "a"), (3, "c"), (2, "b")]
    frame = spark.createDataFrame(rows, "id int, name string").repartition(3)
    to = Outputs(str(tmp_path), "run-1", "example", single=True, dry_run=False)
    assert to.lines("names.txt", frame, ["id"], "name\n", F.col("name"), known) == 4
    to.publish()
    assert (tmp_path / "names.txt").read_text(encoding="utf-8") == "name\na\nb\nc\nd\n"


def test_few_is_what_one_task_sorts() -> None:
    assert [outputs.is_few(rows) for rows in (0, 500_000, 500_001, None)] == [True, True, False, False]
