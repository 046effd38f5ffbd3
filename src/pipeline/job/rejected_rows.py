"""The rows that are not used, with their raw text: quarantine/<input>.jsonl and excluded/<input>.jsonl of a run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.errors import AccountingError
from pipeline.publish.outputs import SideFiles
from pipeline.readers.base import Reader
from pipeline.readers.raw_lookup import Lookup, fetch_raw
from transforms.row_errors import ERROR, EXCLUDED, REJECTED

FOLDERS = {REJECTED: "quarantine", EXCLUDED: "excluded"}


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
    raw_column: Column | None = None


def _own_text(rows: RejectedRows, text: Column) -> DataFrame:
    """The rows with the text that they make themselves."""
    files = F.array(*[F.lit(path) for path in rows.reader.files])
    path = F.element_at(files, F.col("_source_file") + 1)
    columns = [path.alias("file"), F.col("_source_offset").alias("position"), text.alias("raw")]
    return rows.frame.select(F.lit(rows.name).alias("input"), ERROR, *columns)


def _fetched_text(rejected: Sequence[RejectedRows]) -> DataFrame:
    """The rows with the text of the files, each part of a file read once for all inputs."""
    readers = list(dict.fromkeys(id(one.reader) for one in rejected))
    lookups, places = [], []
    for number, reader in enumerate(readers):
        same = [one for one in rejected if id(one.reader) == reader]
        files = frozenset[int]().union(*[one.files for one in same])
        path = next((one.array_path for one in same if one.array_path), "")
        lookups.append(Lookup(same[0].reader, files, path))
        for one in same:
            index = (F.col("_index") if one.array_path else F.lit(None)).cast("int").alias("_index")
            columns = [F.lit(one.name).alias("input"), F.lit(number).alias("_input")]
            places.append(one.frame.select(*columns, ERROR, "_source_file", "_source_offset", index))
    found = fetch_raw(lookups, functools.reduce(DataFrame.unionByName, places))
    return found.select("input", ERROR, "file", "position", "raw")


def _as_lines(rows: DataFrame, run_id: str, job: str) -> DataFrame:
    """`kind`, `input`, `file`, `position` and the JSON line `value`."""
    line = F.struct(
        F.lit(run_id).alias("run_id"),
        F.lit(job).alias("job"),
        "input",
        "file",
        "position",
        F.col(f"{ERROR}.code").alias("reason"),
        F.col(f"{ERROR}.detail").alias("detail"),
        "raw",
    )
    value = F.to_json(line, {"ignoreNullFields": "false"}).alias("value")
    return rows.select(F.col(f"{ERROR}.kind").alias("kind"), "input", "file", "position", value)


def with_raw(rejected: Sequence[RejectedRows]) -> DataFrame:
    """The rows of all inputs: `input`, `_error`, `file`, `position`, `raw`."""
    frames = [_own_text(one, one.raw_column) for one in rejected if one.raw_column is not None]
    fetched = [one for one in rejected if one.raw_column is None]
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
    expected: dict[tuple[str, str], int] = {}
    for one in some:
        for (kind, _), count in one.counts.items():
            expected[kind, one.name] = expected.get((kind, one.name), 0) + count
    lines = _as_lines(with_raw(some), run_id, job)
    names = {(kind, name): f"{FOLDERS[kind]}/{name}.jsonl" for kind, name in expected}
    written = target.write(lines, names, sum(expected.values()))
    for (kind, name), count in expected.items():
        if written.get((kind, name), 0) != count:
            raise AccountingError(
                f"input {name}: {count} rows {kind}, but {written.get((kind, name), 0)} lines in {names[kind, name]}"
            )
