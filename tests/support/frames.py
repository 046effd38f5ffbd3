"""Frames that are compared whatever the order of their rows."""

from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import DataFrame

from transforms.render import Render


def in_row_order(frame: DataFrame) -> DataFrame:
    """The rows in an order of their own, made here: not every engine sorts arrays and structs."""
    rows = sorted(frame.collect(), key=repr)
    return frame.sparkSession.createDataFrame(rows, frame.schema)


def assert_same_rows(actual: DataFrame, expected: DataFrame) -> None:
    """The frames have the same columns in the same order, and the same rows in any order."""
    assert_df_equality(actual, expected, ignore_nullable=True, transforms=[in_row_order])


def column_lines(name: str) -> Render:
    """Lines that are finished already: a column of texts."""
    return lambda batch: batch.column(name)
