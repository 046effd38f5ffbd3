"""Splits packed columns of any CSV: several attributes in one column, lists, key=value pairs, values with flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame

from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, csv_input
from pipeline.job.outputs import Outputs, ParquetOutput, TextOutput, csv, jsonl, parquet
from pipeline.job.packed.options import PackedOptions
from pipeline.job.packed.steps import check_drift, check_keys, check_merge_key, read_rows, show_plan
from pipeline.job.runner import Job
from pipeline.job.tables.options import ICEBERG
from pipeline.sinks.catalog.delivery import TableCatalogOptions, glue_catalog
from transforms.checks import PLACE
from transforms.packed import lock
from transforms.packed import plan as packed
from transforms.row_errors import ERROR, is_valid


@dataclass
class Options(PackedOptions, TableCatalogOptions):
    """Splits packed columns of any CSV; what does not split is kept apart with its reason."""

    source: CsvInput = csv_input("CSV files with packed columns")

    def prepare(self) -> Self:
        """Refuses what cannot be meant, and what does not fit the header."""
        self.check_header(*self.header_of(self.source))
        return super().prepare()


def run(job: JobContext, o: Options) -> Outputs:
    """Plans by the header, splits, writes."""
    plan, schema = o.plan(job.csv_header(o.source))
    read = read_rows(job, o, o.source, plan)
    rows = job.record("source", packed.split_all(read, plan))
    if o.makes_key_columns and job.used("source"):
        check_keys(job, o, read, rows, plan)
    check_drift(job, o, rows, plan, schema)

    unfolded = packed.unfold(rows.where(is_valid()).drop(ERROR), plan)
    fitted = lock.fit(unfolded, schema.tables[0], [*PLACE, *plan.places])
    if o.dry_run:
        show_plan(job, o.source, plan, schema)
    count = None if plan.rows_per_row is None else job.used("source") * plan.rows_per_row
    order = [*PLACE, *[name for name in fitted.columns if name in plan.places]]
    check_merge_key(job, o, o.source, fitted)
    made = output(o, fitted, lock.columns_in(schema.tables[0]), order, count)
    return Outputs(made, o.new_lock(lock.ROWS, schema), glue_catalog(o.glue_database, made))


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
