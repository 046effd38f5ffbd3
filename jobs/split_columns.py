"""Splits packed columns of any CSV: several attributes in one column, lists, key=value pairs, values with flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JobOptions, csv_input, named_values, option, separator, words
from pipeline.job.outputs import FileOutput, Outputs, csv, jsonl, parquet
from pipeline.job.runner import Job
from transforms.packed import plan as packed
from transforms.row_errors import valid
from transforms.text import json_cells, json_row

MISFITS = 10


@dataclass
class Options(JobOptions):
    """Splits packed columns of any CSV; what does not split is kept apart with its reason."""

    source: CsvInput = csv_input("CSV files with packed columns")
    delimiter: str = option("what separates the columns (\\t: tab)", ",", parse=separator)
    column: tuple[str, ...] = option(
        "header of a packed column (default: every header that holds the separator)", split=tuple
    )
    separator: str | None = option("what separates the pieces (default: a blank; | in lists, ; between pairs)")
    regex: bool = option("the separator is a regular expression", False)
    elastic: tuple[str, ...] = option(
        "pieces that may hold the separator; a plain column: it was not quoted", split=words
    )
    types: dict[str, str] = option("types of pieces and columns: 'b=int,c=decimal(18,2)'", split=named_values())
    list: dict[str, str] = option(
        "columns that hold lists: 'genres=rows' or 'genres=array'", split=named_values("rows", "array")
    )
    pairs: dict[str, str] = option(
        "columns of key=value;flag;key=value: 'info=map' or 'info=columns'", split=named_values("map", "columns")
    )
    list_separator: str = option("what separates the items of lists", "")
    pairs_separator: str = option("what separates key=value pairs", "")
    keys: tuple[str, ...] = option("the keys that --pairs NAME=columns makes columns of", split=words)
    flag: str = option("names for cells of a value and a flag: 'value flag'", "")
    shape: str = option(
        "cells of value and flag as rows or as columns (default: narrow if a header is 'keys\\name')", "",
        choices=("narrow", "wide"),
    )  # fmt: skip
    format: str = option("format of rows.<format>", "csv", choices=("csv", "jsonl", "parquet"))

    def prepare(self) -> Self:
        """Refuses what cannot be meant."""
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n':
            raise UsageError(f"--delimiter takes one ASCII character, not '{self.delimiter}'")
        if len(self.flag.split()) > 2:
            raise UsageError("--flag takes the name of the value and the name of the flag: 'value flag'")
        if "columns" in self.pairs.values() and not self.keys:
            raise UsageError("--pairs NAME=columns needs --keys: the keys that become columns")
        return self

    def split_options(self) -> packed.SplitOptions:
        """The options as the transform takes them."""
        own = self.separator if self.regex or self.separator is None else separator(self.separator)
        return packed.SplitOptions(
            columns=self.column, separator=own, regex=self.regex, delimiter=self.delimiter, greedy=self.elastic,
            types=self.types, lists=self.list, pairs=self.pairs, keys=self.keys, flag=tuple(self.flag.split()),
            shape=self.shape, list_separator=self.list_separator, pairs_separator=self.pairs_separator,
        )  # fmt: skip


def run(job: JobContext, o: Options) -> Outputs:
    """Plans by the header, splits, writes."""
    try:
        plan = packed.make_plan(job.csv_header(o.source, o.delimiter), o.split_options())
        rows = packed.split_all(read(job, o, plan), plan)
        rows = job.record("source", rows)
        unfolded = packed.unfold(valid(rows), plan)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if o.dry_run:
        job.show("Packed columns", ["column", "pieces"], packed.described(plan))
        job.show("Columns", ["column", "type"], [[f.name, f.dataType.simpleString()] for f in unfolded.schema.fields])
        job.show_rejected("source", MISFITS)
    return Outputs(output(o, unfolded))


def read(job: JobContext, o: Options, plan: packed.Plan) -> DataFrame:
    """The rows as text columns, those named in --types typed; whole lines as one column where rows are packed."""
    if plan.row is not None:
        return packed.split_rows(job.read_csv_text(o.source), plan.row)
    return job.read_csv(o.source, packed.schema_of(plan), delimiter=o.delimiter)


def output(o: Options, rows: DataFrame) -> FileOutput:
    """rows.<format>; in CSV an array or a map is its JSON text."""
    if o.format == "parquet":
        return parquet("rows.parquet", rows)
    return jsonl("rows.jsonl", json_row(rows)) if o.format == "jsonl" else csv("rows.csv", json_cells(rows), absent="")


JOB = Job("split_columns", Options, run)

if __name__ == "__main__":
    JOB.main()
