"""Explodes any nested JSON into typed, keyed tables: NAME.<format>, NAME__child.<format>, tables.json, .sql and .md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pipeline import storage
from pipeline.errors import InputError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import JsonInput, comma_separated, json_input, option
from pipeline.job.outputs import Outputs, data
from pipeline.job.runner import Job
from pipeline.job.tables.nested import folder_values, missing_fields, note_plan, note_repeated, table_files
from pipeline.job.tables.options import ICEBERG
from pipeline.readers.json.framing.around import FIRST, Around
from pipeline.sinks.catalog.athena import Column, TableFile
from pipeline.sinks.catalog.delivery import TableCatalogOptions, glue_catalog
from transforms import nested
from transforms.nested import tables
from transforms.row_errors import is_valid
from transforms.text import suggest


@dataclass
class Options(TableCatalogOptions):
    """Any nested JSON to typed, keyed tables: objects become columns, arrays and maps become child tables."""

    source: JsonInput = json_input("JSON: one record per line, arrays, an envelope, one document per file")
    root: str = option("name of the root table; child tables are NAME__child", "root", metavar="NAME")
    key: tuple[str, ...] = option(
        "value of the root that makes its key; default: its content", split=comma_separated, metavar="PATH"
    )
    records: str = option("path of the records in an envelope, e.g. items.data", "", metavar="PATH")
    path: tuple[str, ...] = option(
        "'a.b=table|columns|json|map|recursive|skip'; parse: opens JSON in a text, dynamodb: an item's values",
        split=comma_separated, metavar="PATH=CHOICE",
    )  # fmt: skip
    keep: tuple[str, ...] = option(
        "fields around --records that each record gets: 'page,meta.id', or PATH=NAME",
        split=comma_separated, metavar="PATH",
    )  # fmt: skip
    names: str = option(
        "names for records that are arrays: their path in the envelope; first: the first record of each file has them",
        "", metavar="PATH|first",
    )  # fmt: skip
    folders: tuple[str, ...] = option(
        "columns from the folders of the files: dt takes 2024-05-01 of dt=2024-05-01/",
        split=comma_separated, metavar="NAME",
    )  # fmt: skip
    only: tuple[str, ...] = option("explode only this path", split=comma_separated, metavar="PATH")
    depth: int = option(
        "levels that become tables; what is deeper stays JSON text", nested.DEPTH, parse=int, metavar="N"
    )
    dates: bool = option("texts that are all ISO dates, or timestamps, of one format become typed columns", False)
    numbers: bool = option("texts that are all numbers, as a type writes them, become columns of that type", False)
    separator: str = option("joins the keys in names", "__", metavar="TEXT")
    lenient: bool = option("also take comments, trailing commas, single quotes, NaN (as text)", False)
    lineage: bool = option("add _source_file and _source_position to the root table", False)
    merge: bool = option("rows replace those with the same --key in tables of Iceberg; the others stay", False)
    ordinal: bool = option("add _ordinal to the root table: the record's place in the input, from 0", False)

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that the root table has on request."""
        return (*((nested.FILE, nested.POSITION) if self.lineage else ()), *((nested.ORDINAL,) if self.ordinal else ()))

    def around(self) -> Around:
        """What records take of the document that they are in."""
        fields: dict[tuple[str, ...], tuple[str, ...]] = {}
        for text in self.keep:
            place, _, name = text.partition("=")
            path = nested.parse_path(place)
            label = (name,) if name else path
            if "=" in name:
                raise UsageError(f"--keep {text} is not PATH or PATH=NAME")
            for other, one in fields.items():
                if other == path or one[: len(label)] == label[: len(one)]:
                    raise UsageError(f"--keep {text}: {nested.dotted(one)} is kept already; PATH=NAME gives a name")
            fields[path] = label
        names = self.names if self.names in ("", FIRST) else nested.parse_path(self.names)
        around = Around(tuple(self.records.split(".")), fields, names)
        if around.in_envelope and not self.records:
            first = suggest(self.names, [FIRST])
            raise UsageError(f"--keep and --names PATH are for what is around --records PATH{first}")
        if on_the_way := around.on_the_way():
            raise UsageError(f"{nested.dotted(on_the_way)} is on the way to --records {self.records}, or in a record")
        return around

    def rules(self) -> nested.Rule:
        """The choices; what is added to records is wanted."""
        added = [nested.dotted(path) for path in (*self.around().fields.values(), *((name,) for name in self.folders))]
        return nested.build_rules(self.path, [*self.only, *added] if self.only else ())

    @property
    def merges(self) -> bool:
        """As the option says."""
        return self.merge

    def prepare(self) -> Self:
        """Refuses what cannot be meant; tables of Iceberg always have a locked schema."""
        if self.format == ICEBERG and self.destination and not self.schema:
            self.schema = storage.join(self.destination, f"{nested.clean(self.root)}.schema.json")
        try:
            self.rules()
            self.around()
        except nested.RuleError as error:
            raise UsageError(f"--path, --only, --keep, --names: {error}") from None
        if self.merge and not (self.key and self.format == ICEBERG):
            raise UsageError("--merge needs --key PATH and --format iceberg")
        if not 1 <= self.depth <= 900:
            raise UsageError(f"--depth {self.depth} is not between 1 and 900")
        return super().prepare()


def run(job: JobContext, o: Options) -> Outputs:
    """Types in one pass over the records, rows of all tables in another."""
    root = nested.clean(o.root)
    locked = o.locked(root)
    for choice, what in nested.conflicts(o.path, o.only, locked or ()):
        raise UsageError(f"{choice}: the locked schema {o.schema} has {what}")
    rules, around = nested.lock_rules(o.rules(), locked or ()), o.around()
    # A schema that has a table for the elements of records keeps it.
    if not nested.has_elements(locked or ()):
        rules.choice = rules.choice or nested.ROW
    folders = folder_values(o.source, o.folders)
    parsing = nested.ParseOptions(
        rules, o.depth, o.lenient, o.key, separated=True, choices=o.path, names=o.names, folders=folders,
        takes=bool(around), formats=nested.text_formats(o.dates, o.numbers, locked or ()),
    )  # fmt: skip
    read = job.read_json_text(o.source, records_path=o.records, around=around)
    checked = job.record("source", nested.check(read, parsing))

    stats = nested.merge_stats([row[0] for row in job.few_rows(nested.partial_stats(checked, rules))], rules)
    if job.used("source"):
        known = nested.locked_paths(locked or ())
        unmatched = nested.unmatched(stats, o.path, o.only, known, o.depth)
        unmatched += missing_fields(job, o.source, stats, around.fields, known)
        if unmatched:
            raise UsageError("; ".join(unmatched))
    for text in nested.without_effect(stats, o.path, o.depth):
        job.note(text)
    try:
        plan = nested.plan_with_lock(
            stats, root, o.separator, locked, o.dates or o.numbers, o.on_drift, o.added, o.depth
        )
    except nested.SchemaError as error:
        raise InputError(f"--schema {o.schema}: {error}") from None
    note_plan(job, o, plan)

    records = checked.where(is_valid())
    repeated = note_repeated(job, o, o.key, records)
    if repeated and o.merge:
        raise InputError(f"--merge: several records have the same {', '.join(o.key)}; one of them is expected")
    ranks = nested.ranks(records) if repeated else None
    ranked = nested.with_ranks(nested.with_ordinals(checked).where(is_valid()) if o.ordinal else records, ranks)
    files, form = job.files_of(o.source), o.rows_format
    exploded = nested.explode(ranked, plan.tables, parsing, form, schema_locked=plan.is_locked, files=files)
    sql = tables.tables_sql(plan.tables, form)
    described = [
        data("tables.json", tables.tables_json(plan.tables, o.format, o.separator), rows=len(plan.tables)),
        data("tables.sql", sql, rows=len(plan.tables)) if o.format != ICEBERG else None,  # it loads files
        data("tables.md", nested.tables_md(plan.tables), rows=len(plan.tables)),
    ]
    registered = glue_catalog(o.glue_database, *(catalog_table(table, form) for table in plan.tables))
    return Outputs(table_files(o, exploded, plan.tables), *described, o.new_lock(root, plan), registered)


def catalog_table(table: nested.Table, form: str) -> TableFile:
    """A table for the catalog; a column's comment is its path in the records, or what a key is."""
    notes = {column.name: ".".join(map(str, column.path)) for column in table.columns} | tables.NOTES
    columns = [Column(name, nested.spark_type(kind), notes[name]) for name, kind in table.all_columns()]
    return TableFile(tables.file_of(table, form), tuple(columns))


JOB = Job("explode_json", Options, run, batch_rows=256)  # records can be large: a batch holds few of them

if __name__ == "__main__":
    JOB.main()
