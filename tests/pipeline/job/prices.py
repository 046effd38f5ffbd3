"""A small job for tests of what every run does: its options, its readers, and `make`, which takes the test's `run`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JobOptions, JsonInput, csv_input, json_input
from pipeline.job.outputs import Outputs
from pipeline.job.runner import Job
from transforms.row_errors import exclude

PRICE = T.StructType([T.StructField("id", T.LongType(), False), T.StructField("price", T.DecimalType(10, 2))])
SHOP = T.StructType([T.StructField("name", T.StringType(), False), T.StructField("town", T.StringType())])
BASKET = T.StructType([T.StructField("codes", T.ArrayType(T.StringType()))])


@dataclass
class Options(JobOptions):
    """Prices, the shops that have them, and baskets of codes."""

    prices: CsvInput = csv_input("prices as CSV: id, price", required=False)
    shops: CsvInput = csv_input("shops as CSV: name, town", required=False)
    baskets: JsonInput = json_input("baskets as JSON: codes", required=False)


Run = Callable[[JobContext, Options], Outputs]


def make(run: Run) -> Job[Options]:
    """The job with this `run`."""
    return Job("prices", Options, run)


def write(path: Path, *lines: str) -> Path:
    """A file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read_prices(job: JobContext, options: Options) -> DataFrame:
    """The prices; a price of zero is excluded as `free`."""
    rows = job.read_csv(options.prices, PRICE)
    return exclude(rows, F.coalesce(F.col("price") == 0, F.lit(False)), "free", "the price is 0")
