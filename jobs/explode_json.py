"""Explodes any nested JSON into typed, keyed tables: NAME.<format>, NAME__child.<format>, tables.json, tables.sql."""

from __future__ import annotations

import argparse
import functools
import pathlib
import sys

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pyspark import StorageLevel  # noqa: E402
from pyspark.sql import DataFrame  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402
from rich.console import Console  # noqa: E402

from pipeline import storage  # noqa: E402
from pipeline.errors import AccountingError, InputError, UsageError  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from pipeline.job.options import split_list  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from transforms.nested import explode as nested  # noqa: E402
from transforms.nested.schema import lock as schema_lock  # noqa: E402
from transforms.nested.schema import tables  # noqa: E402
from transforms.nested.schema.lock import ADD, MODES, SchemaError  # noqa: E402
from transforms.nested.schema.lock_rules import lock_rules  # noqa: E402
from transforms.nested.schema.plan import Table, has_dates, plan_tables  # noqa: E402
from transforms.nested.schema.rules import Rule, RuleError, build_rules  # noqa: E402
from transforms.text import csv_header  # noqa: E402

# Tables of up to so many bytes together are written by the driver: a job for each would cost more.
SMALL_BYTES = 8 << 20
# Any day of the years 1 to 9999 as it is, and moments as other readers of parquet know them.
PARQUET_TIMES = {
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


def check(options: argparse.Namespace) -> None:
    """Refuses what cannot be meant, before Spark starts."""
    try:
        build_rules(split_list(options.path), split_list(options.only))
    except RuleError as error:
        raise UsageError(f"--path, --only: {error}") from None
    if options.depth < 1 or options.depth > 900:
        raise UsageError(f"--depth {options.depth} is not between 1 and 900")
    if options.on_drift != ADD and not options.schema:
        raise UsageError(f"--on-drift {options.on_drift} needs --schema FILE")


JOB = Job(
    name="explode_json",
    summary="Any nested JSON to typed, keyed tables: objects become columns, arrays and maps become child tables.",
    inputs=[Input("source", "JSON: records one a line, arrays, an envelope, one document a file", kind="json")],
    options=[
        Option("root", str, "root", "name of the root table; child tables are NAME__child", metavar="NAME"),
        Option("format", str, "csv", "format of the tables", choices=("csv", "jsonl", "parquet")),
        Option(
            "key", str, (), "value of the root that makes its key; default: its content", repeated=True, metavar="PATH"
        ),
        Option("records", str, "", "path of the records in an envelope, e.g. items.data", metavar="PATH"),
        Option("path", str, (), "'a.b=table|columns|json|map|skip'", repeated=True, metavar="PATH=CHOICE"),
        Option("only", str, (), "explode only this path", repeated=True, metavar="PATH"),
        Option("depth", int, nested.DEPTH, "levels that become tables; what is deeper stays JSON text", metavar="N"),
        Option("dates", bool, False, "texts that are all ISO dates, or timestamps, of one format become typed columns"),
        Option("separator", str, "__", "joins the keys in names", metavar="TEXT"),
        Option("schema", str, "", "locked schema: written by the first run, kept by later ones", metavar="FILE"),
        Option("on-drift", str, "add", "what the locked schema lacks: add, keep in _rest, fail", choices=MODES),
        Option("lenient", bool, False, "also take comments, trailing commas, single quotes, NaN (as text)"),
        Option("lineage", bool, False, "add _source_file and _source_position to the root table"),
    ],
    check=check,
)


def read_lock(path: str, root: str) -> list[Table] | None:
    """The locked tables; None without `path` or when there is no such file yet; `UsageError` for any other file."""
    if not path or not storage.exists(path):
        return None
    try:
        return schema_lock.parse_lock(storage.read_bytes(path), path, root)
    except SchemaError as error:
        raise UsageError(str(error)) from None


def plan(run: Run, kept: DataFrame, rules: Rule, locked: list[Table] | None) -> tuple[list[Table], bool]:
    """The tables of these records: planned, and compared with the locked ones."""
    options = run.options
    root = tables.root_name(options.root)
    with run.stage("plan tables"):
        stats = nested.merge_stats([row[0] for row in nested.partial_stats(kept, rules).collect()], rules)
        dates = options.dates or any(has_dates(table) for table in locked or ())
        planned = plan_tables(stats, root, options.separator, locked or (), dates)
    schema_locked = False
    if locked is not None:
        found = schema_lock.drift(locked, planned, plan_tables(stats, root, options.separator, dates=dates))
        for item in found:
            run.note(f"schema: {item.message()}")
        run.figure("schema differences", len(found))
        try:
            planned, schema_locked = schema_lock.apply_drift_mode(options.on_drift, locked, planned, found)
        except SchemaError as error:
            raise InputError(str(error)) from None
    if options.schema and (locked is None or not schema_locked):
        content = schema_lock.lock_bytes(planned, root)
        run.after_publish(lambda _: storage.write_bytes(options.schema, content))
    for table in planned:
        if table.each == "entry":
            run.note(f"{'.'.join(map(str, table.at)) or 'the record'} is a map: its keys are rows of {table.name}")
    return planned, schema_locked


def note_repeated(run: Run, used: DataFrame) -> bool:
    """Notes duplicate keys in objects; returns whether several records share a root key."""
    first = F.min(F.when(F.col("_repeated").isNotNull(), F.struct("_source_file", "_source_offset", "_repeated")))
    row = used.agg(F.count("_key"), F.countDistinct("_key"), F.count("_repeated"), first).collect()[0]
    if row[2]:
        where = f"{run.scan_of('source').files[row[3][0]]} at byte {row[3][1]}: {row[3][2]}"
        run.note(f"{row[2]} records have a duplicate key in one object, the last one counts; first {where}")
        run.figure("records with repeated keys", row[2])
    return bool(row[0] != row[1])


def small_tables(run: Run, exploded: DataFrame, planned: list[Table]) -> dict[int, list[str]]:
    """The lines of the tables that are small, by number, from two passes over the kept rows: no job for each."""
    if run.options.format == "parquet" or run.options.files == "parts":
        return {}
    with run.stage("explode"):
        total = "aggregate(t{}, 0L, (bytes, line) -> bytes + octet_length(line))"
        sizes = exploded.agg(*[F.sum(F.expr(total.format(number))) for number in range(len(planned))]).collect()[0]
        small: list[int] = []
        for number in sorted(range(len(planned)), key=lambda n: sizes[n] or 0):
            if sum(sizes[n] or 0 for n in (*small, number)) <= SMALL_BYTES:
                small.append(number)
        if not small:
            return {}
        records = sorted(exploded.select("_root_id", *[f"t{number}" for number in small]).collect(), key=lambda r: r[0])
    return {number: [line for record in records for line in record[at]] for at, number in enumerate(small, 1)}


def write_table(run: Run, exploded: DataFrame, number: int, table: Table, lines: list[str] | None) -> int:
    """Writes one table and returns its number of rows; `lines` are its rows when the driver has them."""
    form, file = run.options.format, tables.file_of(table, run.options.format)
    names = [name for name, _ in table.all_columns(run.options.lineage)]
    header = csv_header(names) if form == "csv" else ""
    if lines is not None:
        run.write_bytes(file, (header + "".join(f"{line}\n" for line in lines)).encode(), len(lines))
        return len(lines)
    rows = nested.table_rows(exploded, number, form)
    return run.write_parquet(file, rows) if form == "parquet" else run.write_lines(file, rows, header=header)


def write(run: Run, exploded: DataFrame, planned: list[Table]) -> None:
    """Writes every table, and tables.json and tables.sql, which describe them all."""
    form, lineage = run.options.format, run.options.lineage
    small = {} if run.dry_run else small_tables(run, exploded, planned)

    def write_one(number: int, table: Table) -> None:
        """Writes a table; `AccountingError` when its rows are not those the records had."""
        if run.dry_run:
            run.write_bytes(tables.file_of(table, form), b"", table.rows)
            return
        written = write_table(run, exploded, number, table, small.get(number))
        if written != table.rows:
            raise AccountingError(f"{table.name}: {written} rows written, {table.rows} expected from the records")

    # The first one fills the cache that the others are read from.
    write_one(0, planned[0])
    run.together(*[functools.partial(write_one, number, table) for number, table in enumerate(planned) if number])
    run.write_bytes("tables.json", tables.tables_json(planned, form, lineage, run.options.separator), len(planned))
    run.write_bytes("tables.sql", tables.tables_sql(planned, form, lineage), len(planned))


def body(run: Run) -> None:
    """Types in one pass over the records, rows of all tables in another."""
    options = run.options
    locked = read_lock(options.schema, tables.root_name(options.root))
    rules = lock_rules(build_rules(split_list(options.path), split_list(options.only)), locked or ())
    parsing = nested.ParseOptions(rules, options.depth, options.lenient, tuple(split_list(options.key)), separated=True)
    # Records can be large: a batch holds few of them.
    run.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "256")
    for name, value in PARQUET_TIMES.items():
        run.spark.conf.set(name, value)
    checked = nested.check(run.scan_json("source", records_path=options.records), parsing)
    used = run.settle("source", checked, keep=True)
    planned, schema_locked = plan(run, run.kept("source"), rules, locked)
    shared = note_repeated(run, used)
    if run.dry_run and not options.quiet:
        tree = tables.tree(planned, options.format, f"Tables of {', '.join(options.source)}")
        Console(highlight=False, width=None if sys.stdout.isatty() else 140).print(tree)
    files = run.scan_of("source").files if options.lineage else None
    ranked = nested.with_ranks(used, nested.ranks(used) if shared else None)
    exploded = nested.explode(ranked, planned, parsing, options.format, schema_locked=schema_locked, files=files)
    kept = exploded if run.dry_run else exploded.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        write(run, kept, planned)
    finally:
        kept.unpersist()


if __name__ == "__main__":
    JOB.main(body)
