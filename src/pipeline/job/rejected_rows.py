"""The rows that are not used, with their raw text: quarantine/<input>.jsonl and excluded/<input>.jsonl of a run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.errors import AccountingError
from pipeline.publish.outputs import SideFiles
from pipeline.readers.base import Reader
from pipeline.readers.raw_lookup import fetch_raw
from pipeline.reports.counts import FOLDERS
from transforms.kernels.batches import map_each
from transforms.render import json_text, json_value
from transforms.row_errors import ERROR, ERROR_FIELDS

_WITH_RAW = "input string, kind string, code string, detail string, file string, position long, raw string"


@dataclass(frozen=True)
class RejectedRows:
    """The rows of one input that are not used: `frame` has `_source_file`, `_source_offset`, `_error`.

    `counts`: how many rows have each (kind, code); `files`: the numbers of the files that have any. With `array_path`
    the rows are elements of the array at these keys of their records, and `_index` is their place in it. With
    `raw_column` their text is made of their own columns, and the files are not read for it.
    """

    name: str
    frame: DataFrame
    reader: Reader
    counts: dict[tuple[str, str], int]
    files: frozenset[int]
    array_path: str = ""
    raw_column: str = ""


def _columns(rows: RejectedRows) -> list[Column]:
    return [F.lit(rows.name).alias("input"), *[F.col(f"{ERROR}.{name}").alias(name) for name in ERROR_FIELDS]]


def _own_text(rows: RejectedRows) -> DataFrame:
    """The rows with the text that they make themselves: a column of text, or of a struct as JSON without its nulls."""
    paths = rows.reader.files

    def render(batch: pa.RecordBatch) -> pa.RecordBatch:
        """Path, place and text of the rows."""
        files = pa.array([paths[number] for number in batch.column("_source_file").to_pylist()], pa.string())
        texts = pa.array(_own_texts(batch.column("_raw")), pa.string())
        columns = [*batch.columns[:4], files, batch.column("_source_offset"), texts]
        return pa.RecordBatch.from_arrays(columns, names=["input", *ERROR_FIELDS, "file", "position", "raw"])

    raw = F.col(rows.raw_column).alias("_raw")
    return map_each(rows.frame.select(*_columns(rows), "_source_file", "_source_offset", raw), render, _WITH_RAW)


def _own_texts(raw: pa.Array) -> list[str | None]:
    if not pa.types.is_struct(raw.type):
        return list(raw.to_pylist())
    # Column by column: a dict for each row takes double the time.
    keys = [f"{json_text(one.name)}:" for one in raw.type]
    rows = zip(raw.is_valid().to_pylist(), *[one.to_pylist() for one in raw.flatten()], strict=True)
    return [_object(keys, values) if is_there else None for is_there, *values in rows]


def _object(keys: Sequence[str], values: Sequence[Any]) -> str:
    """An object as JSON without its nulls."""
    members = zip(keys, values, strict=True)
    return "{" + ",".join([key + json_value(value) for key, value in members if value is not None]) + "}"


def _fetched_text(rejected: Sequence[RejectedRows]) -> DataFrame:
    """The rows with the text of the files, each part of a file read once for all inputs."""
    sources, places = [], []
    for number, reader in enumerate({id(one.reader): one.reader for one in rejected}.values()):
        same = [one for one in rejected if one.reader is reader]
        files = frozenset[int]().union(*[one.files for one in same])
        path = next((one.array_path for one in same if one.array_path), "")
        sources.append(replace(reader.raw_source(files), array_path=path))
        for one in same:
            index = (F.col("_index") if one.array_path else F.lit(None)).cast("int").alias("_index")
            columns = [*_columns(one), F.lit(number).alias("_input"), index]
            places.append(one.frame.select(*columns, "_source_file", "_source_offset"))
    found = fetch_raw(sources, functools.reduce(DataFrame.unionByName, places))
    return found.select("input", *ERROR_FIELDS, "file", "position", "raw")


def _as_lines(rows: DataFrame, run_id: str, job: str) -> DataFrame:
    """`group` (kind and input), `file`, `position` and the JSON line, `lines`."""
    head = f'{{"run_id":{json_text(run_id)},"job":{json_text(job)}'

    def render(batch: pa.RecordBatch) -> pa.RecordBatch:
        """The lines of the rows."""
        columns = [batch.column(name).to_pylist() for name in ("input", "file", "position", "code", "detail", "raw")]
        lines = [
            f'{head},"input":{json_text(name)},"file":{json_text(file)},"position":{position},'
            f'"reason":{json_text(code)},"detail":{json_value(detail)},"raw":{json_value(raw)}}}'
            for name, file, position, code, detail, raw in zip(*columns, strict=True)
        ]
        kept = {name: batch.column(name) for name in ("group", "file", "position")}
        return pa.RecordBatch.from_pydict({**kept, "lines": pa.array(lines, pa.string())})

    chosen = rows.withColumn("group", F.concat("kind", F.lit(" "), "input"))
    return map_each(chosen, render, "group string, file string, position long, lines string")


def with_raw(rejected: Sequence[RejectedRows]) -> DataFrame:
    """The rows of all inputs: `input`, `kind`, `code`, `detail`, `file`, `position`, `raw`."""
    frames = [_own_text(one) for one in rejected if one.raw_column]
    fetched = [one for one in rejected if not one.raw_column]
    if fetched:
        frames.append(_fetched_text(fetched))
    return functools.reduce(DataFrame.unionByName, frames)


def write_rejected(rejected: Sequence[RejectedRows], run_id: str, job: str, target: SideFiles) -> None:
    """Writes the files of all inputs at once.

    `AccountingError` when a file does not get as many lines as rows were counted.
    """
    some = [one for one in rejected if one.counts]
    if not some:
        return
    expected: dict[str, int] = {}
    names: dict[str, str] = {}
    for one in some:
        for (kind, _), count in one.counts.items():
            group = f"{kind} {one.name}"
            expected[group] = expected.get(group, 0) + count
            names[group] = f"{FOLDERS[kind]}/{one.name}.jsonl"
    written = target.write(_as_lines(with_raw(some), run_id, job), names, sum(expected.values()))
    for group, count in expected.items():
        if written.get(group, 0) != count:
            kind, _, name = group.partition(" ")
            raise AccountingError(
                f"input {name}: {count} rows {kind}, but {written.get(group, 0)} lines in {names[group]}"
            )
