"""Splits packed columns of any CSV: several attributes in one column, lists, key=value pairs, values with flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame

from pipeline.errors import InputError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, comma_separated, csv_input, named_values, option, separator, words
from pipeline.job.outputs import Outputs, ParquetOutput, TextOutput, csv, jsonl, parquet
from pipeline.job.runner import Job
from pipeline.job.tables.options import ICEBERG
from pipeline.job.tables.schema_file import note_drift
from pipeline.sinks.catalog.delivery import TableCatalogOptions, glue_catalog
from transforms.checks import PLACE, odd_keys
from transforms.nested import TablePlan, refuse_new
from transforms.packed import lock
from transforms.packed import plan as packed
from transforms.row_errors import ERROR, is_valid
from transforms.text import suggest

_NO_KEYS = ("array", "map", "double", "float")


@dataclass
class Options(TableCatalogOptions):
    """Splits packed columns of any CSV; what does not split is kept apart with its reason."""

    source: CsvInput = csv_input("CSV files with packed columns")
    column: tuple[str, ...] = option(
        "packed column, or its header and the names of its pieces: 'Ticket=prefix number' (default: each column whose"
        " header holds the separator)", split=tuple, metavar="NAME[=PIECES]",
    )  # fmt: skip
    separator: str | None = option("what separates the pieces (default: a blank; | in lists, ; between pairs)")
    regex: bool = option("the separator is a regular expression", False)
    elastic: tuple[str, ...] = option("pieces, or unquoted columns, that may hold the separator", split=words)
    types: dict[str, str] = option("types of pieces and columns: 'b=int,c=decimal(18,2)'", split=named_values())
    list: dict[str, str] = option(
        "columns of lists: 'genres=rows', 'genres=array'", split=named_values("rows", "array")
    )
    pairs: dict[str, str] = option(
        "columns of key=value;flag: 'info=map', 'info=columns'", split=named_values("map", "columns")
    )
    list_separator: str = option("what separates the items of lists", "")
    pairs_separator: str = option("what separates key=value pairs", "")
    keys: tuple[str, ...] = option("the keys that --pairs NAME=columns makes columns of", split=words)
    flag: str = option("names for cells of a value and a flag: 'value flag'", "")
    shape: str = option(
        "cells of value and flag as rows or as columns (default: narrow if a header is 'keys\\name')", "",
        choices=("narrow", "wide"),
    )  # fmt: skip
    table: str = option("name of the table in the catalog", "rows", metavar="NAME")
    key: tuple[str, ...] = option("columns that tell rows apart, for --merge", split=comma_separated, metavar="COLUMN")
    merge: bool = option("rows replace those with the same --key in the table of Iceberg; the others stay", False)

    @property
    def merges(self) -> bool:
        """As the option says."""
        return self.merge

    def prepare(self) -> Self:
        """Refuses what cannot be meant."""
        if len(self.flag.split()) > 2:
            raise UsageError("--flag takes the name of the value and the name of the flag: 'value flag'")
        if self.table != "rows" and self.format != ICEBERG:
            raise UsageError("--table goes with --format iceberg")
        if "columns" in self.pairs.values() and not self.keys:
            raise UsageError("--pairs NAME=columns needs --keys: the keys that become columns")
        if self.merge != bool(self.key) or (self.merge and self.format != ICEBERG):
            raise UsageError("--merge needs --key COLUMN and --format iceberg, and --key goes with --merge")
        _, schema = self.plan(*self.header_of(self.source))
        types = {column.name: column.type for column in schema.tables[0].columns}
        if unknown := [f"{name}{suggest(name, types)}" for name in self.key if name not in types]:
            raise UsageError(f"--key: there is no column {', '.join(unknown)}")
        if odd := [f"{name} is {types[name]}" for name in self.key if types[name].startswith(_NO_KEYS)]:
            raise UsageError(f"--key: {', '.join(odd)}; such values cannot tell rows apart")
        return super().prepare()

    def plan(self, header: Sequence[str], hint: str = "") -> tuple[packed.Plan, TablePlan]:
        """What becomes of the columns; `UsageError` where the options or a locked schema do not fit the header."""
        locked = self.locked(lock.ROWS)
        try:
            plan = packed.make_plan(list(header), self.split_options(lock.held_types(locked)))
            return plan, lock.plan_with_lock(plan, locked, self.on_drift)
        except ValueError as error:
            raise UsageError(f"{error}{hint}") from error

    def split_options(self, held: dict[str, str]) -> packed.SplitOptions:
        """The options as the transform takes them."""
        own = self.separator if self.regex or self.separator is None else separator(self.separator)
        return packed.SplitOptions(
            columns=self.column, separator=own, regex=self.regex, delimiter=self.delimiter, quote=self.quote,
            greedy=self.elastic, types=self.types, lists=self.list, pairs=self.pairs, keys=self.keys,
            flag=tuple(self.flag.split()), shape=self.shape, list_separator=self.list_separator,
            pairs_separator=self.pairs_separator, held=held, marks=(self.decimal, self.thousands),
        )  # fmt: skip


def run(job: JobContext, o: Options) -> Outputs:
    """Plans by the header, splits, writes."""
    plan, schema = o.plan(job.csv_header(o.source))
    job.check_same_header(o.source, ordered=plan.row is not None)
    try:
        if plan.row is not None:  # whole lines are one packed column
            read = packed.split_rows(job.read_csv_text(o.source), plan.row)
        else:
            read = job.read_csv(o.source, packed.schema_of(plan))
        if plan.packed and not o.column:
            job.counts("source").hint = f"; packed by their headers: {', '.join(plan.packed)}; --column names others"
        rows = job.record("source", packed.split_all(read, plan))
        if "columns" in o.pairs.values() and job.used("source"):
            counts = job.few_rows(packed.keys_found(rows, plan))[0].asDict()
            if not all(counts.values()):
                first = [cell for row in job.few_rows(read.select(*o.pairs).limit(1000)) for cell in row]
                packed.check_keys(counts, first, plan)
        if schema.drift is not None:
            found = job.few_rows(lock.misfits(rows, plan, schema))[0]
            drift = [*schema.drift, *lock.misfit_drift(found, plan, schema)]
            note_drift(job, drift)
            refuse_new(o.on_drift, drift)
        own = [*PLACE, *plan.places]
        unfolded = lock.fit(packed.unfold(rows.where(is_valid()).drop(ERROR), plan), schema.tables[0], own)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if o.dry_run:
        job.show("Packed columns", ["column", "pieces"], packed.described(plan))
        job.show("Columns", ["column", "type"], [[one.name, one.type] for one in schema.tables[0].columns])
        job.show_rejected("source", most=10)
    count = None if plan.rows_per_row is None else job.used("source") * plan.rows_per_row
    order = [*PLACE, *[name for name in unfolded.columns if name in plan.places]]
    if o.merge:
        check_key(job, o, unfolded)
    made = output(o, unfolded, lock.columns_in(schema.tables[0]), order, count)
    return Outputs(made, o.new_lock(lock.ROWS, schema), glue_catalog(o.glue_database, made))


def check_key(job: JobContext, o: Options, rows: DataFrame) -> None:
    """`InputError` where a row has no value in a key column, and where several rows have one key."""
    for found in job.few_rows(odd_keys(rows, o.key)):
        file, shown = job.files_of(o.source)[found["_first"][0]], [f"{name} {found[name]}" for name in o.key]
        if empty := [name for name in o.key if found[name] is None]:
            raise InputError(f"--merge: {file} has a row without {', '.join(empty)}: every row needs its key")
        raise InputError(
            f"--merge: {found['_rows']} rows have {', '.join(shown)}, first in {file}; one of them is expected"
        )


def output(
    o: Options, rows: DataFrame, columns: Sequence[str], order: Sequence[str], count: int | None
) -> TextOutput | ParquetOutput:
    """rows.<format>, in the order of the files; in CSV an array or a map is its JSON text."""
    if o.format == "csv":
        return csv("rows.csv", rows, columns=columns, absent="", order=order, row_count=count)
    if o.format == ICEBERG:
        return parquet(o.table, rows, columns=columns, order=order, row_count=count, into=o.target(o.table, o.key))
    return (jsonl if o.format == "jsonl" else parquet)(
        f"rows.{o.format}", rows, columns=columns, order=order, row_count=count
    )


JOB = Job("split_columns", Options, run)

if __name__ == "__main__":
    JOB.main()
