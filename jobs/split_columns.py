"""Splits packed columns of any CSV: several attributes in one column, lists, key=value pairs, values with flags."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pipeline.errors import UsageError  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from transforms.packed.plan import Choices, Plan

MISFITS = 10


def words(texts: Iterable[str]) -> list[str]:
    """Items of a repeated or comma-separated option; a comma in parentheses does not separate."""
    return [item.strip() for text in texts for item in re.split(r",(?![^()]*\))", text) if item.strip()]


def pairs(texts: Iterable[str], option: str, allowed: tuple[str, ...] = ()) -> dict[str, str]:
    """Items `name=value` of an option."""
    found = {}
    for item in words(texts):
        name, equals, value = item.rpartition("=")
        if not equals or (allowed and value not in allowed):
            raise UsageError(f"--{option} {item}: expected NAME={'|'.join(allowed) or 'TYPE'}")
        found[name.strip()] = value.strip()
    return found


def plain(text: str) -> str:
    """A separator as it was typed: `\\t` is a tab."""
    return text.replace("\\t", "\t")


def check(options: argparse.Namespace) -> None:
    """Reads the options that have a form of their own, before Spark starts."""
    options.types = pairs(options.types, "types")
    options.list = pairs(options.list, "list", ("rows", "array"))
    options.pairs = pairs(options.pairs, "pairs", ("map", "columns"))
    options.elastic, options.keys = words(options.elastic), words(options.keys)
    options.delimiter = plain(options.delimiter)
    if len(options.delimiter) != 1 or not options.delimiter.isascii() or options.delimiter in '"\r\n':
        raise UsageError(f"--delimiter takes one ASCII character, not '{options.delimiter}'")
    options.separator = options.separator if options.regex or options.separator is None else plain(options.separator)
    options.flag = options.flag.split() if options.flag else []
    if len(options.flag) > 2:
        raise UsageError("--flag takes the name of the value and the name of the flag: 'value flag'")
    if "columns" in options.pairs.values() and not options.keys:
        raise UsageError("--pairs NAME=columns needs --keys: the keys that become columns")


JOB = Job(
    name="split_columns",
    summary="Splits packed columns of any CSV; what does not split is kept apart with its reason.",
    inputs=[Input("source", "CSV files with packed columns")],
    options=[
        Option("delimiter", str, ",", "what separates the columns (\\t: tab)"),
        Option(
            "column",
            str,
            [],
            "header of a packed column (default: every header that holds the separator)",
            repeated=True,
        ),
        Option("separator", str, None, "what separates the pieces (default: a blank; | in lists, ; between pairs)"),
        Option("regex", bool, False, "the separator is a regular expression"),
        Option(
            "elastic",
            str,
            [],
            "pieces that may hold the separator; a plain column: it was not quoted",
            repeated=True,
        ),
        Option("types", str, [], "types of pieces and columns: 'b=int,c=decimal(18,2)'", repeated=True),
        Option("list", str, [], "columns that hold lists: 'genres=rows' or 'genres=array'", repeated=True),
        Option("pairs", str, [], "columns of key=value;flag;key=value: 'info=map' or 'info=columns'", repeated=True),
        Option("list-separator", str, "", "what separates the items of lists"),
        Option("pairs-separator", str, "", "what separates key=value pairs"),
        Option("keys", str, [], "the keys that --pairs NAME=columns makes columns of", repeated=True),
        Option("flag", str, "", "names for cells of a value and a flag beside a packed header: 'value flag'"),
        Option(
            "shape",
            str,
            "",
            "cells beside a packed header: a row each or columns (default: narrow if it says 'keys\\name')",
            choices=("narrow", "wide"),
        ),
        Option("format", str, "csv", "format of rows.<format>", choices=("csv", "jsonl", "parquet")),
    ],
    check=check,
)


def choices(options: argparse.Namespace) -> Choices:
    """The options as the transform takes them."""
    from transforms.packed.plan import Choices

    return Choices(
        columns=tuple(options.column), separator=options.separator, regex=options.regex, delimiter=options.delimiter,
        elastic=tuple(options.elastic), types=options.types, lists=options.list, pairs=options.pairs,
        keys=tuple(options.keys), flag=tuple(options.flag), shape=options.shape,
        list_separator=options.list_separator, pairs_separator=options.pairs_separator,
    )  # fmt: skip


def read(run: Run, plan: Plan) -> DataFrame:
    """The rows as a tagged frame of text columns, those named in --types typed."""
    from transforms.packed.splitting import split
    from transforms.packed.types import known_type
    from transforms.text import quoted

    if plan.row is not None:
        return split(run.scan_csv("source").withColumnRenamed("_raw", plan.row.column), plan.row)
    kinds = [f"{quoted(name)} {known_type(run.options.types.get(name, 'string'))}" for name in plan.header]
    schema = run.spark.createDataFrame([], ", ".join(kinds)).schema
    return run.read_csv("source", schema, delimiter=run.options.delimiter)


def write(run: Run, frame: DataFrame) -> None:
    """Writes rows.<format>; in CSV an array or a map is its JSON text."""
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    from transforms.text import quoted

    file = f"rows.{run.options.format}"
    if run.options.format == "parquet":
        run.write_parquet(file, frame)
    elif run.options.format == "jsonl":
        document = F.to_json(F.struct(*[F.col(quoted(name)) for name in frame.columns]), {"ignoreNullFields": "false"})
        run.write_jsonl(file, frame.select(document.alias("value")))
    else:
        nested = [f.name for f in frame.schema.fields if isinstance(f.dataType, (T.ArrayType, T.MapType))]
        run.write_csv(file, frame.withColumns({name: F.to_json(F.col(quoted(name))) for name in nested}), absent="")


def show(run: Run, plan: Plan, frame: DataFrame) -> None:
    """For a dry run: the columns found, and the first rows that do not fit."""
    from transforms.row_errors import is_valid

    found = [
        [packed.column, ", ".join(f"{p.name} {p.type}" for p in packed.pieces)]
        for packed in [*plan.packed.values(), plan.row]
        if packed
    ]
    found += [[name, "cells"] for name in plan.cells]
    run.show("Packed columns", ["column", "pieces"], found)
    run.show("Columns", ["column", "type"], [[f.name, f.dataType.simpleString()] for f in frame.schema.fields])
    misfits = run.kept("source").where(~is_valid()).select("_source_file", "_source_offset", "_error").limit(MISFITS).collect()
    if misfits:
        places = run.spark.createDataFrame(
            [(row["_source_file"], row["_source_offset"]) for row in misfits], "_source_file int, _source_offset bigint"
        )
        texts = {(row["_source_file"], row["_source_offset"]): row for row in run.scan_of("source").look_again(places).collect()}
        rows = []
        for row in misfits:
            text = texts[row["_source_file"], row["_source_offset"]]
            rows.append(
                [
                    f"{pathlib.PurePosixPath(text['file']).name}, line {text['position']}",
                    row["_error"]["code"],
                    row["_error"]["detail"],
                    text["raw"],
                ]
            )
        run.show("First misfits", ["place", "reason", "detail", "row"], rows)


def body(run: Run) -> None:
    """Plans by the header, splits, writes."""
    from transforms.packed.plan import make_plan, split_all, unfold

    try:
        plan = make_plan(run.csv_header("source", run.options.delimiter), choices(run.options))
        tagged = split_all(read(run, plan), plan)
        rows = unfold(run.settle("source", tagged), plan)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if run.dry_run:
        show(run, plan, rows)
    write(run, rows)


if __name__ == "__main__":
    JOB.main(body)
