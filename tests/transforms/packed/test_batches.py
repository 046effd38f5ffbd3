"""Kernels over batches: what they give does not depend on how rows came to be in a batch."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from transforms.kernels.csv_typed import CsvColumn, typed_batch
from transforms.packed.lists import keys_step, list_step, pairs_step
from transforms.packed.plan import SplitOptions, make_plan, split_all
from transforms.packed.splitting import packed_column, split_step
from transforms.packed.tables import Cells, cells_step

CELLS = ["Blue Widget 2 20.50", "x", None, "", "a 1 2", "a b 3.5", "Blue 2", " 1 2 3 ", "a,b 7 0.10", "9 8 7"]
Batch = pa.RecordBatch
KINDS = ["string", "int", "decimal(9,2)", "double", "boolean", "date", "timestamp"]
TEXT = T.StructType([T.StructField("cell", T.StringType())])
TYPES = {"q": "int", "p": "decimal(9,2)"}


def texts(*values: str | None) -> Batch:
    return Batch.from_pydict({"cell": pa.array(values, pa.string())})


def split_kernel(header: str, **options: object) -> Callable[[Batch], Batch]:
    packed = packed_column(header, **options)  # type: ignore[arg-type]
    run = split_step(T.StructType([T.StructField(header, T.StringType())]), packed).run
    return lambda batch: run(batch.rename_columns([header]))


def csv_kernel(kind: str) -> Callable[[Batch], Batch]:
    def run(batch: Batch) -> Batch:
        rows = pa.nulls(batch.num_rows, pa.string())
        names = ["_source_file", "_source_offset", "_read_error", "_read_detail", "c0"]
        columns = [rows.cast(pa.int32()), rows.cast(pa.int64()), rows, rows, batch.column(0)]
        return typed_batch(Batch.from_arrays(columns, names=names), [CsvColumn("a", kind, False)], ["x", "9 8 7"])

    return run


PAIRS = texts("DP=14;AF=1;DB;AF=2", "a=b=c", None, "", ";;x=1;x;x=2", "=1;b", "DP=x")
KERNELS = {
    "greedy first": (split_kernel("n q p", types=TYPES), texts(*CELLS)),
    "greedy middle": (split_kernel("n q p", greedy=["q"]), texts(*CELLS)),
    "greedy last": (split_kernel("n q p", greedy=["p"]), texts(*CELLS)),
    "no greedy": (split_kernel("n q p", types={"q": "int"}), texts(*CELLS)),
    "expression": (split_kernel("n q p", separator=r"[ ,]+", regex=True), texts(*CELLS)),
    "list": (list_step(TEXT, "cell", " ").run, texts(*CELLS)),
    "pairs": (pairs_step(TEXT, "cell", ";").run, PAIRS),
    "keys": (
        keys_step(
            pairs_step(TEXT, "cell", ";").schema, "cell", {"DP": "int", "AF": "string", "DB": "boolean"}, ";"
        ).run,
        pairs_step(TEXT, "cell", ";").run(PAIRS),
    ),
    "cells": (cells_step(TEXT, ["cell"], Cells()).run, texts("79.8 e", ":", None, " 1 e p", "", "x", ": c", "5")),
    **{
        f"csv {kind}": (
            csv_kernel(kind),
            texts(
                "1", None, " 2.50 ", "x", "X ", "true", "2024-02-29", "2024-02-30", "2024-01-01 10:00", "9 8 7", "+7"
            ),
        )
        for kind in KINDS
    },
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_slice_of_a_batch_gives_the_same_rows(name: str) -> None:
    run, batch = KERNELS[name]
    rows = run(batch).to_pylist()
    for low in range(batch.num_rows):
        for high in (low + 1, batch.num_rows):
            part = run(batch.slice(low, high - low))
            part.validate(full=True)
            assert part.to_pylist() == rows[low:high]


@pytest.mark.parametrize("name", KERNELS)
def test_a_batch_without_rows_and_one_of_nulls_have_the_same_types(name: str) -> None:
    run, batch = KERNELS[name]
    types = run(batch).schema.types
    assert run(batch.slice(0, 0)).schema.types == types
    nulls = Batch.from_arrays([pa.nulls(3, column.type) for column in batch.columns], names=batch.schema.names)
    assert run(nulls).schema.types == types


def test_names_may_hold_dots_and_backticks(spark: SparkSession) -> None:
    header = ["a.b", "n.x q`y", "tags.t"]
    plan = make_plan(header, SplitOptions(types={"q`y": "int"}, lists={"tags.t": "array"}))
    quoted = ", ".join(f"`{name.replace('`', '``')}` string" for name in header)
    frame = split_all(spark.createDataFrame([("1", "Widget XL 2", "x|y")], quoted), plan)
    assert frame.columns == ["a.b", "n.x", "q`y", "tags.t", "_error"]
    assert [tuple(row) for row in frame.collect()] == [("1", "Widget XL", 2, ["x", "y"], None)]
