"""One array of a frame as rows, with position."""

from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.nested.items import explode_items


def test_explode_items_keeps_rows_without_items_when_asked(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a", [7, 8]), ("b", []), ("c", None)], "id string, codes array<int>")
    found = explode_items(frame, F.col("codes"), item="code", outer=True).select("id", "_index", "code")
    expected = spark.createDataFrame(
        [("a", 0, 7), ("a", 1, 8), ("b", None, None), ("c", None, None)], "id string, _index int, code int"
    )
    assert_df_equality(found, expected, ignore_nullable=True)
