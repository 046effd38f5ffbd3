"""What is particular about a run that makes tables of nested JSON: its notes and refusals, a file for each table."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from pyspark.sql import DataFrame

from pipeline.errors import InputError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.nested.options import NestedOptions
from pipeline.job.options import JsonInput
from pipeline.job.outputs import DataOutput, TablesOutput, data
from pipeline.job.tables.options import ICEBERG
from pipeline.job.tables.schema_file import note_drift
from transforms import nested
from transforms.nested import Table, tables
from transforms.row_errors import is_valid
from transforms.text import csv_header, suggest

_MOST_COLUMNS = 1600


def collect_stats(job: JobContext, checked: DataFrame, rules: nested.Rule) -> nested.PathStats:
    """What is in all records: one small tree, added up by the tasks."""
    return nested.merge_stats([row[0] for row in job.few_rows(nested.partial_stats(checked, rules))], rules)


def check_choices(
    job: JobContext,
    o: NestedOptions,
    source: JsonInput,
    stats: nested.PathStats,
    locked: Sequence[Table] | None,
) -> None:
    """`UsageError` for choices and kept fields that no record has; notes those that change nothing."""
    if job.used(source.name):
        known = nested.locked_paths(locked or ())
        unmatched = nested.unmatched(stats, o.path, o.only, known, o.depth)
        unmatched += _missing_fields(job, source, stats, o.around().fields, known)
        if unmatched:
            raise UsageError("; ".join(unmatched))
    elif o.records:
        keys = job.keys_at_start(source)
        for step in [step for step in o.records.split(".") if step not in keys][:1]:
            job.counts(source.name).hint = f"; --records: no key {step} where the input begins{suggest(step, keys)}"
    for text in nested.without_effect(stats, o.path, o.depth):
        job.note(text)


def _missing_fields(
    job: JobContext,
    source: JsonInput,
    stats: nested.PathStats,
    fields: Mapping[tuple[str, ...], tuple[str, ...]],
    known: Container[tuple[str, ...]],
) -> list[str]:
    """A message for each field that no record got, with the nearest keys at the beginning of the input."""
    return [
        f"--keep {nested.dotted(path)}: no document has it{' outside of arrays' if len(path) > 1 else ''}"
        f"{suggest(path[-1], job.keys_at_start(source))}"
        for path, label in fields.items()
        if nested.is_missing(stats, label, known)
    ]


def note_plan(job: JobContext, o: NestedOptions, source: JsonInput, plan: nested.TablePlan) -> None:
    """Notes differences from the locked schema and maps; a dry run shows the tables."""
    note_drift(job, plan.drift)
    for table in plan.tables:
        if table.each == "entry":
            job.note(f"{'.'.join(map(str, table.at)) or 'the record'} is a map: its keys are rows of {table.name}")
        if table.links:
            places = ", ".join(sorted({link.text for link in table.links})[:5])
            job.note(
                f"{table.name} is recursive: its rows hold rows of it at {places};"
                " --path PATH=table keeps levels apart, unless a locked schema has it so"
            )
        if (width := len(table.all_columns())) > _MOST_COLUMNS:
            job.note(
                f"{table.name} has {width} columns, PostgreSQL takes {_MOST_COLUMNS}: --path PATH=map, json or skip"
            )
    if o.dry_run:
        job.print(tables.tree(plan.tables, o.format, f"Tables of {', '.join(source.paths)}"))


def rank_records(job: JobContext, o: NestedOptions, source: JsonInput, checked: DataFrame) -> DataFrame:
    """The records with `_rank` among those that share a key, and with `_ordinal` where it is asked for.

    Notes duplicate keys in objects, and root keys that several records have; `InputError` where rows are merged by a
    key that several records have.
    """
    records = checked.where(is_valid())
    [found] = job.few_rows(nested.repeated_keys(records))
    if found.repeated:
        where = f"{job.files_of(source)[found.first[0]]} at byte {found.first[1]}: {found.first[2]}"
        number = f"{found.repeated} record{'s have' if found.repeated > 1 else ' has'}"
        job.note(f"{number} a duplicate key in one object, the last one counts; first {where}")
        job.metric("records with repeated keys", found.repeated)
    is_shared = found.records != found.keys
    if is_shared and o.key:
        job.note(
            f"{found.keys} values of --key {','.join(o.key)} for {found.records} records: those that share one are"
            " counted, and their _id may be another when such records come or go"
        )
    if is_shared and o.merge:
        raise InputError(f"--merge: several records have the same {', '.join(o.key)}; one of them is expected")
    ranks = nested.ranks(records) if is_shared else None
    # Nothing is filtered here: engines put what is left of large records together again, thousands at a time.
    return nested.with_ranks(nested.with_ordinals(checked) if o.ordinal else checked, ranks)


def table_files(o: NestedOptions, exploded: DataFrame, planned: list[Table]) -> TablesOutput:
    """A file or an Iceberg table for each table, all of them in one pass."""
    into, form = o.target(planned[0].name), o.rows_format

    def header(table: Table) -> str:
        names = [name for name, _ in table.all_columns()]
        return csv_header(names) if form == "csv" else ""

    files = [(tables.file_of(table, o.format), header(table), nested.block_table(table, form)) for table in planned]
    return TablesOutput(tuple(files), exploded, into)


def descriptions(o: NestedOptions, planned: list[Table]) -> list[DataOutput]:
    """tables.json, tables.sql (which loads files: not for Iceberg) and tables.md."""
    found = [data("tables.json", tables.tables_json(planned, o.format, o.separator), rows=len(planned))]
    if o.format != ICEBERG:
        found.append(data("tables.sql", tables.tables_sql(planned, o.rows_format), rows=len(planned)))
    return [*found, data("tables.md", nested.tables_md(planned), rows=len(planned))]
