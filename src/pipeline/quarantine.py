"""Settles an input: counts its records in one pass and keeps the ones that are not used, with their raw text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from pipeline.accounts import Account
from transforms.problems import EXCLUDED, PROBLEM, REJECTED

if TYPE_CHECKING:
    from pipeline.run import Run

FIELDS = ("run_id", "job", "input", "file", "position", "reason", "detail", "raw")


def count_and_keep(run: Run, frame: DataFrame, account: Account) -> DataFrame:
    """Keeps the tagged rows and counts all and used ones in the pass that fills the cache; returns the kept frame."""
    kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
    counts = Observation(f"settle {account.name}")
    fine = F.count(F.when(F.col(PROBLEM).isNull(), 1))
    kept.observe(counts, F.count(F.lit(1)).alias("rows"), fine.alias("used")).write.format("noop").mode("overwrite").save()
    account.used = int(counts.get["used"])
    read = run.records_read(account.name)
    account.read = int(counts.get["rows"]) if read is None else read
    return kept


def count_problems(kept: DataFrame, account: Account) -> None:
    """Adds the counts by rule and by reason: a handful of rows, from the kept frame."""
    kinds = kept.where(F.col(PROBLEM).isNotNull()).groupBy(f"{PROBLEM}.kind", f"{PROBLEM}.reason").count()
    for kind, reason, count in sorted(tuple(row) for row in kinds.collect()):
        (account.excluded if kind == EXCLUDED else account.rejected)[reason] = count


def records(run: Run, name: str, kept: DataFrame, raw: Callable[[Column], Column] | None) -> DataFrame:
    """The rows with a problem as quarantine records: `kind`, `file`, `position` and `value` (the JSON line)."""
    problems = kept.where(F.col(PROBLEM).isNotNull())
    found = run.scan_of(name).look_again(problems.select("_file", "_position").distinct())
    found = found.select("_file", "_position", F.col("file").alias("_path"), F.col("position").alias("_place"), F.col("raw").alias("_text"))
    joined = problems.join(found, on=["_file", "_position"], how="left")
    text = raw(F.col("_text")) if raw else F.col("_text")
    line = F.struct(
        F.lit(run.run_id).alias("run_id"),
        F.lit(run.job).alias("job"),
        F.lit(name).alias("input"),
        F.col("_path").alias("file"),
        F.col("_place").alias("position"),
        F.col(f"{PROBLEM}.reason").alias("reason"),
        F.col(f"{PROBLEM}.detail").alias("detail"),
        F.coalesce(text, F.col("_text")).alias("raw"),
    )
    return joined.select(
        F.col(f"{PROBLEM}.kind").alias("kind"),
        F.col("_path").alias("file"),
        F.col("_place").alias("position"),
        F.to_json(line, {"ignoreNullFields": "false"}).alias("value"),
    )


def settle(run: Run, name: str, tagged: DataFrame, account: Account, raw: Callable[[Column], Column] | None) -> DataFrame:
    """Counts, keeps what is not used under quarantine/ and excluded/ of the run, and returns the kept tagged frame."""
    kept = count_and_keep(run, tagged, account)
    if account.used < account.read:
        count_problems(kept, account)
        if not run.dry_run:
            lines = records(run, name, kept, raw)
            folders = (("quarantine", REJECTED, account.rejected), ("excluded", EXCLUDED, account.excluded))
            for folder, kind, counts in folders:
                if counts:
                    chosen = lines.where(F.col("kind") == kind)
                    run.outputs.side_file(f"{folder}/{name}.jsonl", chosen, ["file", "position", "value"])
    return kept
