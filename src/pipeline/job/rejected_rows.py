"""Settles inputs: counts their records in one pass and keeps the ones that are not used, with their raw text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from pipeline.publish.outputs import is_few
from pipeline.readers.raw_lookup import Look, look_again
from transforms.problems import EXCLUDED, PROBLEM

if TYPE_CHECKING:
    from pipeline.job.context import Run

FOLDERS = {"rejected": "quarantine", "excluded": "excluded"}


@dataclass
class Settled:
    """Rows of an input, kept, `rows` of them with a problem; `codes` are their `kind:reason`, with commas.

    `files`: the numbers of the files that have such rows.
    `inside`: the rows are elements of the array at these keys of their records, `_index` is their place in it. Or
    `own_text` makes their text of their own columns, so that the files are not looked at again.
    """

    name: str
    kept: DataFrame
    codes: str
    rows: int
    files: frozenset[int] = frozenset()
    inside: str = ""
    own_text: Column | None = None

    @property
    def scan_name(self) -> str:
        """The input that was read: `restaurants.event` came out of `restaurants`."""
        return self.name.partition(".")[0]


def _counted(
    tagged: DataFrame, figures: Mapping[str, Column], own: Column | None = None
) -> tuple[DataFrame, Observation]:
    """The frame, counted on the way: its rows, the used ones, the kinds of problems, and what else is asked for."""
    counts = Observation()
    own = F.lit(True) if own is None else own
    used, troubled = F.col(PROBLEM).isNull(), F.col(PROBLEM).isNotNull()
    code = F.when(own & troubled, F.concat_ws(":", f"{PROBLEM}.kind", f"{PROBLEM}.reason"))
    metrics = [
        F.count(F.when(own, 1)).alias("rows"),
        F.count(F.when(own & used, 1)).alias("used"),
        F.array_join(F.sort_array(F.collect_set(code)), ",").alias("codes"),
        F.array_join(F.collect_set(F.when(own & troubled, F.col("_file").cast("string"))), ",").alias("files"),
        *[F.coalesce(figure, F.lit(0)).alias(key) for key, figure in figures.items()],
    ]
    return tagged.observe(counts, *metrics), counts


def files(found: Mapping[str, Any]) -> frozenset[int]:
    """The numbers of the files that have rows with a problem, out of the figures of a pass."""
    return frozenset(int(number) for number in found["files"].split(",") if number)


def keep(
    run: Run, tagged: DataFrame, *, figures: Mapping[str, Column] | None = None, persist: bool = True
) -> tuple[DataFrame, dict[str, Any]]:
    """Keeps the tagged rows and counts them in the pass that fills the cache: `rows`, `used`, `codes`, the `figures`.

    Without `persist` the rows stand on others that are kept, and are only counted.
    """
    counted, counts = _counted(tagged, figures or {})
    # Counting the rows of a cache fills it and reads no column.
    (run.keep(counted) if persist else counted).count()
    return counted if persist else tagged, counts.get


def keep_parts(
    run: Run, tagged: DataFrame, explode: Callable[[DataFrame], DataFrame]
) -> tuple[DataFrame, dict[str, Any], dict[str, Any]]:
    """Keeps what the tagged rows explode into, and counts both in the one pass: rows with an `_index` are parts."""
    whole, counts = _counted(tagged, {})
    parts, part_counts = _counted(explode(whole), {}, own=F.col("_index").isNotNull())
    run.keep(parts).count()
    return parts, counts.get, part_counts.get


def _with_own_text(run: Run, one: Settled, text: Column) -> DataFrame:
    """The rows with a problem that make their own text: `input`, `_problem`, `_path`, `_place`, `_text`."""
    files = F.array(*[F.lit(path) for path in run.scan_of(one.scan_name).files])
    problems = one.kept.where(F.col(PROBLEM).isNotNull())
    path = F.element_at(files, F.col("_file") + 1)
    columns = [path.alias("_path"), F.col("_position").alias("_place"), text.alias("_text")]
    return problems.select(F.lit(one.name).alias("input"), PROBLEM, *columns)


def _problems(one: Settled, scan: int) -> DataFrame:
    """The rows of one input that are not used: what they are, and where they are."""
    index = F.col("_index") if one.inside else F.lit(None)
    problems = one.kept.where(F.col(PROBLEM).isNotNull()).withColumn("_index", index.cast("int"))
    columns = [F.lit(one.name).alias("input"), F.lit(scan).alias("_scan")]
    return problems.select(*columns, PROBLEM, "_file", "_position", "_index")


def _with_text_from_files(run: Run, settled: list[Settled]) -> DataFrame:
    """The rows with a problem of all inputs with their text, in one look at the files: columns as above."""
    by_scan = {name: list(group) for name, group in groupby(settled, key=lambda one: one.scan_name)}
    looks = [
        Look(
            run.scan_of(name),
            frozenset[int]().union(*[one.files for one in group]),
            next((one.inside for one in group if one.inside), ""),
        )
        for name, group in by_scan.items()
    ]
    problems = [_problems(one, scan) for scan, group in enumerate(by_scan.values()) for one in group]
    found = look_again(looks, functools.reduce(DataFrame.unionByName, problems))
    texts = [F.col("file").alias("_path"), F.col("position").alias("_place"), F.col("raw").alias("_text")]
    return found.select("input", PROBLEM, *texts)


def _lines(run: Run, troubled: list[Settled]) -> DataFrame:
    """All rows with a problem: `kind`, `input`, `_path`, `_place`, `_reason` and the JSON line `value`."""
    frames = [_with_own_text(run, one, one.own_text) for one in troubled if one.own_text is not None]
    looked_up = [one for one in troubled if one.own_text is None]
    if looked_up:
        frames.append(_with_text_from_files(run, looked_up))
    return _line(run, functools.reduce(DataFrame.unionByName, frames))


def _line(run: Run, problems: DataFrame) -> DataFrame:
    line = F.struct(
        F.lit(run.run_id).alias("run_id"),
        F.lit(run.job).alias("job"),
        F.col("input"),
        F.col("_path").alias("file"),
        F.col("_place").alias("position"),
        F.col(f"{PROBLEM}.reason").alias("reason"),
        F.col(f"{PROBLEM}.detail").alias("detail"),
        F.col("_text").alias("raw"),
    )
    value = F.to_json(line, {"ignoreNullFields": "false"}).alias("value")
    kind, reason = F.col(f"{PROBLEM}.kind").alias("kind"), F.col(f"{PROBLEM}.reason").alias("_reason")
    return problems.select(kind, "input", "_path", "_place", reason, value)


def flush(run: Run, settled: Iterable[Settled]) -> None:
    """Writes quarantine/<input>.jsonl and excluded/<input>.jsonl of these inputs in one pass that also counts."""
    troubled = sorted([one for one in settled if one.codes], key=lambda one: one.scan_name)
    if not troubled:
        return
    codes = [(one.name, *code.partition(":")[::2]) for one in troubled for code in one.codes.split(",")]
    counts = Observation(f"quarantine {troubled[0].name}")
    metrics = [
        F.count(
            F.when((F.col("input") == name) & (F.col("kind") == kind) & (F.col("_reason") == reason), 1),
        ).alias(f"m{i}")
        for i, (name, kind, reason) in enumerate(codes)
    ]

    def counted(lines: DataFrame) -> DataFrame:
        return lines.observe(counts, *metrics)

    files = {(kind, name): f"{FOLDERS[kind]}/{name}.jsonl" for name, kind, _ in codes}
    lines, rows = _lines(run, troubled), sum(one.rows for one in troubled)
    # Many lines are sorted with a sample taken first: kept, so that texts are not looked for twice.
    run.outputs.side_files(lines if is_few(rows) else run.keep(lines), counted, files, rows)
    found = counts.get
    for i, (name, kind, reason) in enumerate(codes):
        account = run.account(name)
        (account.excluded if kind == EXCLUDED else account.rejected)[reason] = int(found[f"m{i}"])
