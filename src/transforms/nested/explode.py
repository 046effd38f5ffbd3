"""Explodes any nested JSON into typed, keyed tables: check the records, plan the tables, then make all rows.

    checked = check(records, options)                   # one pass: strict parsing, keys, and statistics
    stats = merge_stats(rows of partial_stats(checked, ...), rules)   # on the driver: one small tree
    tables = plan_tables(stats, "orders")
    exploded = explode(with_ranks(checked), tables, options, "parquet")   # one pass: rows of all tables
    table_rows(exploded, tables, 0, "parquet")     # one frame per table

`records` has `_source_file` int, `_source_offset` long (which record it is), `_raw` string (its JSON) and `_error`.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from transforms.kernels.blocks import BLOCKS, from_blocks, to_blocks
from transforms.nested.record_check import Check, ParseOptions
from transforms.nested.rows.render import LINE, TYPED, block_table, rows_of, spark_type
from transforms.nested.rows.router import digest
from transforms.nested.rows.shredder import Shredder
from transforms.nested.schema.plan import FILE, ORDINAL, POSITION, ROOT, Table
from transforms.nested.schema.rules import Rule
from transforms.nested.schema.stats import DEPTH, PathStats
from transforms.nested.values.parse import Parser, prepare_process
from transforms.nested.values.plain import are_plain
from transforms.row_errors import ERROR, ERROR_TYPE, reject

__all__ = [
    "DEPTH",
    "ParseOptions",
    "check",
    "explode",
    "merge_stats",
    "partial_stats",
    "ranks",
    "table_rows",
    "with_ordinals",
    "with_ranks",
]

# Documents at once: more leave the processor's cache, less make many small batches. Rows at once: less are many blocks.
_CHUNK_BYTES, _ROWS_BYTES = 1 << 20, 8 << 20
_RECORD = f"_source_file int, _source_offset long, _raw string, {ERROR} {ERROR_TYPE}"
_CHECKED = "_plain boolean, _reason string, _detail string, _key string, _hash string, _repeated string, _stats binary"


def check(records: DataFrame, options: ParseOptions) -> DataFrame:
    """Parses every record strictly and counts what is in it, in one pass.

    Out: the record's columns; `_error` also for refused documents (`malformed_json`, `too_deep`, `missing_key`, and
    those of `unpack`); `_key` string, the root key before its rank; `_hash` string of the content; `_repeated` string,
    the duplicate keys of its objects (the last one counts), null without any; `_stats` binary, on one row per task: the
    task's statistics; `_plain` boolean, whether the text is plain (`values.plain`), for `explode`.
    """

    around = ["_around"] if "_around" in records.columns else []

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Checks one task's records; its last batch has the task's statistics."""
        prepare_process()
        checking, pending = Check(options), None
        for batch in batches:
            if pending is not None:
                yield _checked(pending, None)
            plain = are_plain(batch.column("_raw"))
            rows = [
                checking.record(text, is_plain, file, taken) if fine else (None,) * 5
                for text, is_plain, fine, file, taken in zip(
                    batch.column("_raw").to_pylist(),
                    plain.to_pylist(),
                    batch.column(ERROR).is_null().to_pylist(),
                    batch.column("_source_file").to_pylist() if options.folders else repeat(0, batch.num_rows),
                    batch.column("_around").to_pylist() if around else repeat(None, batch.num_rows),
                    strict=True,
                )
            ]
            pending = (batch.append_column("_plain", plain), rows) if rows else pending
        if pending is not None:
            yield _checked(pending, pickle.dumps(checking.stats()))

    schema = ", ".join((_RECORD, *(f"{name} string" for name in around), _CHECKED))
    chosen = records.select("_source_file", "_source_offset", "_raw", ERROR, *around).mapInArrow(body, schema)
    refused = reject(chosen, F.col("_reason").isNotNull(), F.col("_reason"), F.col("_detail"))
    return refused.drop("_reason", "_detail")


def _checked(pending: tuple[pa.RecordBatch, list[tuple[Any, ...]]], stats: bytes | None) -> pa.RecordBatch:
    batch, rows = pending
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    last = pa.array([None] * (len(rows) - 1) + [stats], pa.binary())
    names = [*batch.schema.names, "_reason", "_detail", "_key", "_hash", "_repeated", "_stats"]
    return pa.RecordBatch.from_arrays([*batch.columns, *columns, last], names)


def partial_stats(checked: DataFrame, rules: Rule, parts: int = 8) -> DataFrame:
    """The statistics of all tasks, added up to `parts` rows of `_stats`: bounded by the paths, not by the tasks."""

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Adds up the statistics of some tasks."""
        dumps = [dump for batch in batches for dump in batch.column(0).to_pylist()]
        if dumps:
            total = pickle.dumps(merge_stats(dumps, rules))
            yield pa.RecordBatch.from_arrays([pa.array([total], pa.binary())], ["_stats"])

    dumped = checked.where(F.col("_stats").isNotNull()).select("_stats")
    return dumped.coalesce(parts).mapInArrow(body, "_stats binary")


def merge_stats(dumps: Iterable[bytes], rules: Rule) -> PathStats:
    """One tree out of what `check` and `partial_stats` have in `_stats`, none of them null; empty without any."""
    prepare_process()
    total = PathStats(rules)
    for dump in dumps:
        total.add(pickle.loads(dump))
    return total


def ranks(checked: DataFrame) -> DataFrame:
    """The records that share a key with an earlier one: `_source_file`, `_source_offset`, `_rank` from 1.

    Records with one key are ordered by content, so that the ranks do not depend on files.
    """
    order = Window.partitionBy("_key").orderBy("_hash", "_source_file", "_source_offset")
    ranked = checked.select("_source_file", "_source_offset", "_key", "_hash").withColumn(
        "_rank", F.row_number().over(order) - 1
    )
    return ranked.where(F.col("_rank") > 0).select("_source_file", "_source_offset", "_rank")


def with_ranks(checked: DataFrame, found: DataFrame | None = None) -> DataFrame:
    """Adds `_rank` int: 0 but for the records in `found` (what `ranks` gives; None says that there are none)."""
    if found is None:
        return checked.withColumn("_rank", F.lit(0))
    joined = checked.join(found, on=["_source_file", "_source_offset"], how="left")
    return joined.withColumn("_rank", F.coalesce(F.col("_rank"), F.lit(0)))


def with_ordinals(checked: DataFrame, part_bytes: int = 64 << 20) -> DataFrame:
    """Adds `_ordinal` long: the place of each record, from 0, by file and then by offset.

    Records with an error have a place too, so that it is the one that a person counts in the files. The records of
    `part_bytes` of a file are numbered by one task.
    """
    part = F.expr(f"_source_offset div {part_bytes}")
    placed = checked.withColumn("_part", part)
    counts = placed.groupBy("_source_file", "_part").agg(F.count(F.lit(1)).alias("_count"))
    earlier = Window.partitionBy(F.lit(0)).orderBy("_source_file", "_part").rowsBetween(Window.unboundedPreceding, -1)
    before = counts.withColumn("_before", F.coalesce(F.sum("_count").over(earlier), F.lit(0))).drop("_count")
    within = F.row_number().over(Window.partitionBy("_source_file", "_part").orderBy("_source_offset"))
    numbered = placed.withColumn("_within", within).join(before, on=["_source_file", "_part"])
    return numbered.withColumn(ORDINAL, F.col("_before") + F.col("_within") - 1).drop("_part", "_before", "_within")


def explode(
    checked: DataFrame,
    tables: Sequence[Table],
    options: ParseOptions,
    form: str,
    *,
    schema_locked: bool = False,
    files: Sequence[str] = (),
) -> DataFrame:
    """The rows of all tables as blocks: `group` int, the table's number; `part`, `piece` int; `block` binary (see
    `kernels.blocks`).

    In: `_source_file`, `_source_offset`, `_raw`, `_plain`, `_key`, `_rank`, `_ordinal` where the root table has it,
    `_around`. Records without `_key`, which have an error, have no rows.
    `form` csv or jsonl makes finished lines, parquet typed columns. `schema_locked` says that the plan was not made of
    these records. `files` has the name of each `_source_file`, for a root table that shows it.
    """
    described = [block_table(table, form) for table in tables]
    added = tables[0].added

    def rows_made(
        shredder: Shredder, parsed: list[tuple[str, Any, int, int, int]]
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows of some documents, by table: their root keys, values, files, positions and ordinals."""
        ids, values, numbers, positions, ordinals = map(list, zip(*parsed, strict=True))
        names = [files[number] for number in numbers] if FILE in added else []
        columns = {FILE: names, POSITION: positions, ORDINAL: ordinals}
        shredder.shred(ids, values, [columns[name] for name in added])
        for group, builder in enumerate(shredder.tables):
            if builder.count:
                yield group, rows_of(builder, form)

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The blocks of one task's records, some of them at a time."""
        held: dict[int, list[pa.RecordBatch]] = {}
        size = 0
        for group, rows in shredded(batches):
            held.setdefault(group, []).append(rows)
            size += rows.nbytes
            if size > _ROWS_BYTES:
                yield from blocks_of(held)
                held, size = {}, 0
        yield from blocks_of(held)

    def blocks_of(held: dict[int, list[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        """The blocks of some rows of each table."""
        for group, rows in held.items():
            found = [(group, *block) for block in to_blocks(rows, described[group])]
            *numbers, blocks = zip(*found, strict=True)
            arrays = [*(pa.array(column, pa.int32()) for column in numbers), pa.array(blocks, pa.binary())]
            yield pa.RecordBatch.from_arrays(arrays, ["group", "part", "piece", "block"])

    def shredded(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows of one task's records, some of them at a time."""
        prepare_process()
        parser, unpacker = Parser(options.lenient), options.unpacker()
        shredder = Shredder(tables, options.rules, schema_locked)
        parsed: list[tuple[str, Any, int, int, int]] = []
        size = 0
        for batch in batches:
            columns = [column.to_pylist() for column in batch.columns]
            for file, position, text, plain, key, rank, ordinal, taken in zip(*columns, strict=True):
                if key is None:
                    continue
                identity = digest(f"{key}#{rank}") if rank else key
                value = parser.parse(options.document(text), plain)
                value = unpacker.unpack(value, file, taken) if unpacker else value
                parsed.append((identity, value, file, position, ordinal))
                size += len(text)
                if size > _CHUNK_BYTES:
                    yield from rows_made(shredder, parsed)
                    parsed, size = [], 0
        if parsed:
            yield from rows_made(shredder, parsed)

    ordinal = F.col(ORDINAL) if ORDINAL in added else F.lit(0).alias(ORDINAL)
    around = F.col("_around") if "_around" in checked.columns else F.lit(None).cast("string").alias("_around")
    chosen = checked.select("_source_file", "_source_offset", "_raw", "_plain", "_key", "_rank", ordinal, around)
    return chosen.mapInArrow(body, BLOCKS)


def table_rows(exploded: DataFrame, tables: Sequence[Table], number: int, form: str) -> DataFrame:
    """The rows of one table: typed columns for parquet, else `_root_id` and `line`, those of one record in order."""
    described = block_table(tables[number], form)
    columns = tables[number].all_columns() if form == TYPED else [(ROOT, "text"), (LINE, "text")]

    def body(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Opens the blocks, one at a time."""
        for batch in batches:
            for block in batch.column("block"):
                yield from from_blocks([block.as_buffer()], described)

    schema = ", ".join(f"`{name.replace('`', '``')}` {spark_type(kind)}" for name, kind in columns)
    return exploded.where(F.col("group") == number).mapInArrow(body, schema)


def repeated_keys(records: DataFrame) -> DataFrame:
    """One row: `records`, `keys` (different root keys), `repeated` (records with a duplicate key in an object),
    `first`.

    `first`: file number, offset and keys of the first such record, null when there is none.
    """
    place = F.struct("_source_file", "_source_offset", "_repeated")
    return records.agg(
        F.count("_key").alias("records"),
        F.countDistinct("_key").alias("keys"),
        F.count("_repeated").alias("repeated"),
        F.min(F.when(F.col("_repeated").isNotNull(), place)).alias("first"),
    )
