"""Explodes any nested JSON into typed, keyed tables: NAME.<format>, NAME__child.<format>, tables.json, .sql and .md."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.job.context import JobContext
from pipeline.job.nested.options import NestedOptions
from pipeline.job.nested.steps import (
    check_choices,
    collect_stats,
    descriptions,
    note_plan,
    rank_records,
    table_files,
)
from pipeline.job.options import JsonInput, json_input
from pipeline.job.outputs import Outputs
from pipeline.job.runner import Job
from pipeline.sinks.catalog.athena import Column, TableFile
from pipeline.sinks.catalog.delivery import TableCatalogOptions, glue_catalog
from transforms import nested
from transforms.nested import tables


@dataclass
class Options(NestedOptions, TableCatalogOptions):
    """Any nested JSON to typed, keyed tables: objects become columns, arrays and maps become child tables."""

    source: JsonInput = json_input("JSON: one record per line, arrays, an envelope, one document per file")


def run(job: JobContext, o: Options) -> Outputs:
    """Types in one pass over the records, rows of all tables in another."""
    locked = o.locked(o.root_table)
    parsing = o.parse_options(o.source, locked)
    read = job.read_json_text(o.source, records_path=o.records, around=o.around())
    checked = job.record("source", nested.check(read, parsing))

    stats = collect_stats(job, checked, parsing.rules)
    check_choices(job, o, o.source, stats, locked)
    plan = o.plan(stats, locked)
    note_plan(job, o, o.source, plan)

    ranked = rank_records(job, o, o.source, checked)
    exploded = nested.explode(
        ranked, plan.tables, parsing, o.rows_format, schema_locked=plan.is_locked, files=job.files_of(o.source)
    )
    return Outputs(
        table_files(o, exploded, plan.tables),
        *descriptions(o, plan.tables),
        o.new_lock(o.root_table, plan),
        glue_catalog(o.glue_database, *(catalog_table(table, o.rows_format) for table in plan.tables)),
    )


def catalog_table(table: nested.Table, form: str) -> TableFile:
    """A table for the catalog; a column's comment is its path in the records, or what a key is."""
    notes = {column.name: ".".join(map(str, column.path)) for column in table.columns} | tables.NOTES
    columns = [Column(name, nested.spark_type(kind), notes[name]) for name, kind in table.all_columns()]
    return TableFile(tables.file_of(table, form), tuple(columns))


JOB = Job("explode_json", Options, run, batch_rows=256)  # records can be large: a batch holds few of them

if __name__ == "__main__":
    JOB.main()
