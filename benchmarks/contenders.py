"""What the contenders of a job share: the session of those that use Spark, and the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def session(name: str) -> Any:
    """The session of the Spark contenders; memory and cores come with spark-submit."""
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName(name).config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def main(contenders: Sequence[Callable[..., None]], *paths: str, **choices: Sequence[str]) -> None:
    """Calls the contender named first on the command line with its other options: `choices`, then `paths`."""
    by_name = {one.__name__: one for one in contenders}
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=tuple(by_name))
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, required=True)
    for name in paths:
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    by_name[chosen.contender](*(getattr(chosen, name) for name in (*choices, *paths)))
