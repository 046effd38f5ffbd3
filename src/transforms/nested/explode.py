"""Explodes any nested JSON into typed, keyed tables: check and see the records, plan the tables, then make all rows.

    checked = check(records, reading)              # one pass: strict parsing, keys, and what was seen
    place = seen_in(rows of merged(checked, ...))  # on the driver: one small tree
    tables = plan_tables(place, "orders")
    exploded = explode(with_ranks(checked), tables, reading, "parquet")   # one pass: rows of all tables
    table_rows(exploded, 0, "parquet")             # one frame per table

`records` has `_file` int, `_position` long (which record it is), `_raw` string (its JSON) and `_problem`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from transforms.nested.record_check import DEPTH, Check, Reading
from transforms.nested.rows.render import TYPED, as_lists, spark_type
from transforms.nested.rows.router import digest
from transforms.nested.rows.shredder import Walk
from transforms.nested.schema.dump import dump, load
from transforms.nested.schema.plan import Table
from transforms.nested.schema.rules import Rule
from transforms.nested.schema.stats import Place
from transforms.nested.values.parse import Parser, deep_recursion, no_collection
from transforms.problems import PROBLEM, PROBLEM_TYPE, REJECTED, no_problem

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "DEPTH",
    "Reading",
    "check",
    "explode",
    "merged",
    "ranks",
    "records_of",
    "seen_in",
    "table_rows",
    "with_ranks",
]

# More at once leaves the processor's cache; less makes many small batches.
_CHUNK_BYTES = 1 << 20
_CHECKED = (
    f"_file int, _position long, _raw string, {PROBLEM} {PROBLEM_TYPE}, _reason string, _detail string,"
    " _key string, _hash string, _repeated string, _types string"
)


def records_of(frame: DataFrame, column: str) -> DataFrame:
    """A column of JSON strings as records: `_file` 0, `_position` by row, `_raw`, no problem."""
    return frame.select(
        F.lit(0).alias("_file"),
        F.monotonically_increasing_id().alias("_position"),
        F.col(column).alias("_raw"),
        no_problem().alias(PROBLEM),
    )


def check(records: DataFrame, reading: Reading) -> DataFrame:
    """Parses every record strictly and sees what is in it, in one pass.

    Out: the record's columns; `_problem` also for refused documents (`malformed_json`, `too_deep`, `missing_key`);
    `_key` string, the root key before its rank; `_hash` string of the content; `_repeated` string, the keys that stand
    twice in an object (the last one counts); `_types` string, on one row a task: what the task saw.
    """

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Checks one task's records; its last batch says what the task saw."""
        checking, held = Check(reading), None
        with deep_recursion(), no_collection():
            for batch in batches:
                if held is not None:
                    yield _checked(held, None)
                rows = [
                    checking.record(text) if fine else (None,) * 5
                    for text, fine in zip(
                        batch.column("_raw").to_pylist(), batch.column(PROBLEM).is_null().to_pylist(), strict=True
                    )
                ]
                held = (batch, rows) if rows else held
            if held is not None:
                yield _checked(held, dump(checking.seen()))

    chosen = records.select("_file", "_position", "_raw", PROBLEM).mapInArrow(body, _CHECKED)
    refused = F.struct(
        F.lit(REJECTED).alias("kind"), F.col("_reason").alias("reason"), F.col("_detail").alias("detail")
    )
    problem = F.coalesce(F.col(PROBLEM), F.when(F.col("_reason").isNotNull(), refused.cast(PROBLEM_TYPE)))
    return chosen.withColumn(PROBLEM, problem).drop("_reason", "_detail")


def _checked(held: tuple[pa.RecordBatch, list[tuple[Any, ...]]], types: str | None) -> pa.RecordBatch:
    import pyarrow as pa

    batch, rows = held
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    last = pa.array([None] * (len(rows) - 1) + [types], pa.string())
    names = [*batch.schema.names, "_reason", "_detail", "_key", "_hash", "_repeated", "_types"]
    return pa.RecordBatch.from_arrays([*batch.columns, *columns, last], names)


def merged(checked: DataFrame, rules: Rule, parts: int = 8) -> DataFrame:
    """What all tasks saw, added up to `parts` rows of `_types`: bounded by the places, not by the tasks."""

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Adds up what some tasks saw."""
        import pyarrow as pa

        with deep_recursion():
            texts = [text for batch in batches for text in batch.column(0).to_pylist()]
            if texts:
                yield pa.RecordBatch.from_arrays([pa.array([dump(seen_in(texts, rules))], pa.string())], ["_types"])

    return checked.where(F.col("_types").isNotNull()).select("_types").coalesce(parts).mapInArrow(body, "_types string")


def seen_in(texts: Iterable[str], rules: Rule) -> Place:
    """One place out of the texts that `check` and `merged` give."""
    place = Place(rules)
    with deep_recursion():
        for text in texts:
            place.add(load(text, rules))
    return place


def ranks(checked: DataFrame) -> DataFrame:
    """The records that share a key with an earlier one: `_file`, `_position`, `_rank` from 1.

    Records with one key are ordered by content, so that the ranks do not depend on files.
    """
    order = Window.partitionBy("_key").orderBy("_hash", "_file", "_position")
    ranked = checked.select("_file", "_position", "_key", "_hash").withColumn("_rank", F.row_number().over(order) - 1)
    return ranked.where(F.col("_rank") > 0).select("_file", "_position", "_rank")


def with_ranks(checked: DataFrame, found: DataFrame | None = None) -> DataFrame:
    """Adds `_rank` int: 0 but for the records in `found` (what `ranks` gives; None says that there are none)."""
    if found is None:
        return checked.withColumn("_rank", F.lit(0))
    joined = checked.join(found, on=["_file", "_position"], how="left")
    return joined.withColumn("_rank", F.coalesce(F.col("_rank"), F.lit(0)))


def _row_type(table: Table, form: str, lineage: bool) -> str:
    if form != TYPED:
        return "array<string>"
    columns = [f"`{name}`: {spark_type(kind)}" for name, kind in table.all_columns(lineage)]
    return f"array<struct<{', '.join(columns)}>>"


def explode(
    checked: DataFrame,
    tables: Sequence[Table],
    reading: Reading,
    form: str,
    *,
    held: bool = False,
    files: Sequence[str] | None = None,
) -> DataFrame:
    """The rows of all tables, a row a record: `_root_id` and, for table number i, the array column `t<i>`.

    In: `_file`, `_position`, `_raw`, `_key`, `_rank`. `form` csv or jsonl makes finished lines, parquet typed structs.
    `held` says that the plan was not made of these records. `files` adds lineage: the name of each `_file`.
    """
    lineage = files is not None

    def batch_of(walk: Walk, walked: list[tuple[str, Any, int, int]]) -> pa.RecordBatch:
        """The rows of some documents: their root keys, values, files and positions."""
        import pyarrow as pa

        ids, values, numbers, positions = map(list, zip(*walked, strict=True))
        walk.records(ids, values, ([files[number] for number in numbers], positions) if files is not None else ())
        arrays = [pa.array(ids, pa.string()), *(as_lists(rows, form, lineage, len(ids)) for rows in walk.tables)]
        return pa.RecordBatch.from_arrays(arrays, ["_root_id", *(f"t{i}" for i in range(len(tables)))])

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Walks one task's records, a megabyte at a time."""
        parser, walk = Parser(reading.lenient), Walk(tables, reading.rules, held, lineage)
        walked: list[tuple[str, Any, int, int]] = []
        size = 0
        with deep_recursion(), no_collection():
            for batch in batches:
                for file, position, text, key, rank in zip(
                    *(column.to_pylist() for column in batch.columns), strict=True
                ):
                    identity = digest(f"{key}#{rank}") if rank else key
                    walked.append((identity, parser.parse(reading.document(text)), file, position))
                    size += len(text)
                    if size > _CHUNK_BYTES:
                        yield batch_of(walk, walked)
                        walked, size = [], 0
            if walked:
                yield batch_of(walk, walked)

    schema = ", ".join(
        ["_root_id string", *(f"t{i} {_row_type(table, form, lineage)}" for i, table in enumerate(tables))]
    )
    return checked.select("_file", "_position", "_raw", "_key", "_rank").mapInArrow(body, schema)


def table_rows(exploded: DataFrame, number: int, form: str) -> DataFrame:
    """The rows of one table, ordered by root key, then as in the document: lines (`value`), or typed columns."""
    ordered = exploded.select("_root_id", f"t{number}").orderBy("_root_id")
    return ordered.select(F.inline(f"t{number}") if form == TYPED else F.explode(f"t{number}").alias("value"))
