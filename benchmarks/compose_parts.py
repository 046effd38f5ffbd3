"""Writes parts with Spark and joins them into one file, by `stage` and by `cat`, several times; seconds as JSON.

spark-submit benchmarks/compose_parts.py --megabytes 1000 --runs 3 --out DIR
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline.publish import concat as compose

LINE = 200


def concat(parts: list[str], target: Path) -> float:
    """Seconds in which the parts become one published file with its SHA-256."""
    os.sync()
    began = time.monotonic()
    compose.publish(compose.stage(parts, str(target)))
    return time.monotonic() - began


def cat(parts: list[str], target: Path) -> float:
    """Seconds in which `cat` makes the same file, synced to disk but not hashed."""
    os.sync()
    began = time.monotonic()
    with target.open("wb") as out:
        subprocess.run(["cat", *parts], stdout=out, check=True)
        os.fsync(out.fileno())
    return time.monotonic() - began


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    spark = SparkSession.builder.appName("concat").getOrCreate()
    rows = int(chosen.megabytes * 1e6 / LINE)
    line = F.rpad(F.col("id").cast("string"), LINE - 1, ",")
    found = []
    # The first turn warms up.
    for turn in range(chosen.runs + 1):
        shutil.rmtree(chosen.out, ignore_errors=True)
        folder, target, plain = (chosen.out / name for name in ("parts", "whole.txt", "cat.txt"))
        os.sync()
        began = time.monotonic()
        spark.range(0, rows, 1, 8).select(line.alias("value")).write.text(str(folder))
        seconds = {"write": time.monotonic() - began}
        parts = sorted(str(p) for p in folder.glob("part-*"))
        seconds |= {"concat": concat(parts, target), "cat": cat(parts, plain)}
        if not filecmp.cmp(target, plain, shallow=False):
            raise SystemExit(f"{target}: differs from the parts")
        if turn:
            found.append({**seconds, "bytes": target.stat().st_size, "parts": len(parts)})
    spark.stop()
    (chosen.out / "seconds.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
