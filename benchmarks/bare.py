"""The least that a Spark program does: a session, one row counted, the end."""

from __future__ import annotations

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("bare").getOrCreate()
spark.range(1).count()
spark.stop()
