"""What is particular about a run that splits packed columns: how they are read, checks, notes, what a dry run shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, Row
from pyspark.sql import types as T

from pipeline.errors import InputError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput
from pipeline.job.packed.options import PackedOptions
from pipeline.job.tables.schema_file import note_drift
from transforms.checks import odd_keys
from transforms.nested import SchemaError, TablePlan, refuse_new
from transforms.packed import lock
from transforms.packed import plan as packed
from transforms.packed.splitting import packed_column, split
from transforms.row_errors import is_valid
from transforms.text import listed, suggest

# A note has so many keys that are left out.
_MOST_KEYS = 20


def read_packed(
    job: JobContext,
    source: CsvInput,
    fields: Sequence[str],
    *,
    columns: Sequence[T.StructField],
    types: Mapping[str, str],
    greedy: Sequence[str] = (),
) -> DataFrame:
    """The rows of a CSV input with one packed column that has these fields, in any order and among others.

    Out: `columns`, the fields of that column, `_source_file`, `_source_offset`, `_error`. `types` and `greedy` may name
    fields of other inputs, too. `InputError` where no header names all fields.
    """
    header = job.csv_header(source)
    found = packed_header(header, fields)
    if found is None:
        have = listed(header) + job.options.header_of(source)[1]
        raise InputError(f"{source.files()[0].path}: missing column '{' '.join(fields)}'; have {have}")
    rows = job.read_csv(source, T.StructType([*columns, T.StructField(found, T.StringType())]))
    return split(rows, packed_column(found, greedy=greedy, types=types))


def packed_header(header: Sequence[str], fields: Sequence[str]) -> str | None:
    """The first column whose header names all these fields.

    >>> packed_header(["id", "status customer_reference"], ["customer_reference", "status"])
    'status customer_reference'
    """
    return next((name for name in header if set(fields) <= set(name.split(" "))), None)


def check_fields(option: str, names: Sequence[str], headers: Sequence[Sequence[str]], known: Sequence[str]) -> None:
    """`UsageError` for a name that is neither in these headers of packed columns nor known otherwise.

    >>> check_fields("--elastic", ["item_nam"], [["id", "item_name quantity"]], ["status"])
    Traceback (most recent call last):
    pipeline.errors.UsageError: --elastic: no column has item_nam; have id, item_name, quantity; near: item_name
    """
    fields = [field for header in headers for column in header for field in column.split(" ")]
    for name in names:
        if name not in (*fields, *known):
            raise UsageError(f"{option}: no column has {name}; have {listed(fields)}{suggest(name, fields)}")


def read_rows(job: JobContext, o: PackedOptions, source: CsvInput, plan: packed.Plan) -> DataFrame:
    """The rows of the input as its header has them; whole lines are split where they are one packed column."""
    job.check_same_header(source, ordered=plan.row is not None)
    if plan.row is not None:
        read = packed.split_rows(job.read_csv_text(source), plan.row)
    else:
        read = job.read_csv(source, packed.schema_of(plan))
    if plan.packed and not o.column:
        job.counts(source.name).hint = f"; packed by their headers: {', '.join(plan.packed)}; --column names others"
    return read


def check_keys(job: JobContext, o: PackedOptions, read: DataFrame, rows: DataFrame, plan: packed.Plan) -> None:
    """`UsageError` for a key of `--keys` that no row has, with the nearest ones of the first rows; else notes on keys
    that are left out.
    """
    counts = job.few_rows(packed.keys_found(rows, plan))[0].asDict()
    if all(counts.values()):
        for column, others in plan.other_keys.items():
            left = job.few_rows(packed.others_found(rows.where(is_valid()), others).limit(_MOST_KEYS + 1))
            if left:
                _note_left_out(job, column, left)
        return
    first = [cell for row in job.few_rows(read.select(*o.pairs).limit(1000)) for cell in row]
    try:
        packed.check_keys(counts, first, plan)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _note_left_out(job: JobContext, column: str, left: Sequence[Row]) -> None:
    keys = ", ".join(f"{row.key} ({row.rows})" for row in left[:_MOST_KEYS])
    more = " and more" if len(left) > _MOST_KEYS else ""
    job.note(
        f"--pairs {column}=columns leaves out keys that --keys does not name, with the rows that have them:"
        f" {keys}{more}; --pairs {column}=map keeps all"
    )


def check_drift(job: JobContext, o: PackedOptions, rows: DataFrame, plan: packed.Plan, schema: TablePlan) -> None:
    """Notes what differs from the locked schema, values with it; `UsageError` on new things with `--on-drift fail`."""
    if schema.drift is None:
        return
    found = job.few_rows(lock.misfits(rows, plan, schema))[0]
    drift = [*schema.drift, *lock.misfit_drift(found, plan, schema)]
    note_drift(job, drift)
    try:
        refuse_new(o.on_drift, drift)
    except SchemaError as error:
        raise UsageError(str(error)) from error


def check_merge_key(job: JobContext, o: PackedOptions, source: CsvInput, rows: DataFrame) -> None:
    """`InputError` where a row has no value in a key column, and where several rows have one key."""
    for found in job.few_rows(odd_keys(rows, o.key)) if o.merge else ():
        file, shown = job.files_of(source)[found["_first"][0]], [f"{name} {found[name]}" for name in o.key]
        if empty := [name for name in o.key if found[name] is None]:
            raise InputError(f"--merge: {file} has a row without {', '.join(empty)}: every row needs its key")
        raise InputError(
            f"--merge: {found['_rows']} rows have {', '.join(shown)}, first in {file}; one of them is expected"
        )


def show_plan(job: JobContext, source: CsvInput, plan: packed.Plan, schema: TablePlan) -> None:
    """What a dry run shows: pieces and columns with their types, and the first rows that do not fit."""
    job.show("Packed columns", ["column", "pieces"], packed.described(plan))
    job.show("Columns", ["column", "type"], [[one.name, one.type] for one in schema.tables[0].columns])
    job.show_rejected(source.name, most=10)
