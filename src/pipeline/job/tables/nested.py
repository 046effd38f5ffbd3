"""What is particular about a run that makes tables of nested JSON: notes, a file for each table."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Protocol
from urllib.parse import unquote

from pyspark.sql import DataFrame

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import JsonInput
from pipeline.job.outputs import TablesOutput
from pipeline.job.tables.schema_file import note_drift
from pipeline.publish.table_target import TableTarget
from transforms import nested
from transforms.nested import Table, tables
from transforms.text import csv_header, suggest

_MOST_COLUMNS = 1600
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class TableOptions(Protocol):
    """The options that these functions need."""

    source: JsonInput
    format: str
    dry_run: bool

    @property
    def rows_format(self) -> str: ...
    def target(self, root: str) -> TableTarget | None: ...


def folder_values(source: JsonInput, names: Sequence[str]) -> tuple[dict[str, str | None], ...]:
    """What the folders `NAME=value` of each file say, as Hive writes them; `UsageError` for a name that no file has."""
    found, known = [], set[str]()
    for file in source.files() if names else ():
        steps = [step.partition("=") for step in file.path.split("/")[:-1]]
        values = {unquote(name): None if value == _NO_VALUE else unquote(value) for name, mark, value in steps if mark}
        known |= values.keys()
        found.append({name: values[name] for name in names if name in values})
    missing = [f"--folders {name}: no file is in a folder {name}=...{suggest(name, sorted(known))}" for name in names]
    if problems := [text for name, text in zip(names, missing, strict=True) if name not in known]:
        raise UsageError("; ".join(problems))
    return tuple(found)


def missing_fields(
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


def table_files(o: TableOptions, exploded: DataFrame, planned: list[Table]) -> TablesOutput:
    """A file or an Iceberg table for each table, all of them in one pass."""
    into, form = o.target(planned[0].name), o.rows_format

    def header(table: Table) -> str:
        names = [name for name, _ in table.all_columns()]
        return csv_header(names) if form == "csv" else ""

    files = [(tables.file_of(table, o.format), header(table), nested.block_table(table, form)) for table in planned]
    return TablesOutput(tuple(files), exploded, into)


def note_plan(job: JobContext, o: TableOptions, plan: nested.TablePlan) -> None:
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
        job.print(tables.tree(plan.tables, o.format, f"Tables of {', '.join(o.source.paths)}"))


def note_repeated(job: JobContext, o: TableOptions, key: Sequence[str], records: DataFrame) -> bool:
    """Notes duplicate keys in objects and root keys that are no keys; returns whether several records share one."""
    [found] = job.few_rows(nested.repeated_keys(records))
    if found.repeated:
        where = f"{job.files_of(o.source)[found.first[0]]} at byte {found.first[1]}: {found.first[2]}"
        number = f"{found.repeated} record{'s have' if found.repeated > 1 else ' has'}"
        job.note(f"{number} a duplicate key in one object, the last one counts; first {where}")
        job.metric("records with repeated keys", found.repeated)
    if key and found.records != found.keys:
        job.note(
            f"{found.keys} values of --key {','.join(key)} for {found.records} records: those that share one are"
            " counted, and their _id may be another when such records come or go"
        )
    return bool(found.records != found.keys)
