"""Pages of restaurants as frames, for the tests of what becomes of them."""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from transforms.restaurants import tables as restaurants
from transforms.row_errors import ERROR, no_error


def pages(spark: SparkSession, *texts: str) -> DataFrame:
    """Raw pages as a reader gives them, a hundred bytes each."""
    rows = [(0, 100 * i, text) for i, text in enumerate(texts)]
    return spark.createDataFrame(rows, "_source_file int, _source_offset long, _raw string").withColumn(
        ERROR, no_error()
    )


def page(*found: dict[str, Any]) -> str:
    """The text of a page of restaurants."""
    return json.dumps({"restaurants": [{"restaurant": one} for one in found]})


def exploded(spark: SparkSession, *texts: str) -> DataFrame:
    """The restaurants of raw pages."""
    return restaurants.explode_pages(pages(spark, *texts))


def outcome(frame: DataFrame) -> list[tuple[Any, ...]]:
    """Kind, code and detail of every row's error."""
    rows = frame.select(f"{ERROR}.kind", f"{ERROR}.code", f"{ERROR}.detail").collect()
    return [tuple(row) for row in rows]
