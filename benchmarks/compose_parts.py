"""Writes parts with Spark and puts them together into one file, several times over; prints seconds as JSON.

spark-submit benchmarks/compose_parts.py --megabytes 1000 --runs 3 --out DIR
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "src")]

from pipeline.publish import concat as compose  # noqa: E402

LINE = 200


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    spark = SparkSession.builder.appName("compose").getOrCreate()
    rows = int(chosen.megabytes * 1e6 / LINE)
    line = F.rpad(F.col("id").cast("string"), LINE - 1, ",")
    found = []
    # The first turn warms up.
    for turn in range(chosen.runs + 1):
        shutil.rmtree(chosen.out, ignore_errors=True)
        folder, target = chosen.out / "parts", chosen.out / "whole.txt"
        os.sync()
        began = time.monotonic()
        spark.range(0, rows, 1, 8).select(line.alias("value")).write.text(str(folder))
        written = time.monotonic()
        parts = sorted(str(p) for p in folder.glob("part-*"))
        composed = compose.compose(parts, str(target))
        done = time.monotonic()
        size = sum(Path(p).stat().st_size for p in parts)
        if composed.bytes != size or target.stat().st_size != size:
            raise SystemExit(f"{target}: {composed.bytes} bytes, the parts have {size}")
        if turn:
            found.append({"write": written - began, "compose": done - written, "bytes": size, "parts": len(parts)})
    spark.stop()
    (chosen.out / "seconds.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
