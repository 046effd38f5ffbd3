"""The columns of a file with packed columns, held to a locked schema."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.checks import PLACE
from transforms.kernels.batches import add_texts
from transforms.nested.rows.router import pointer
from transforms.nested.schema import plan as nested
from transforms.nested.schema.lock import (
    CHANGED_TYPE,
    NEW_FIELD,
    Drift,
    SchemaError,
    TablePlan,
    apply_drift_mode,
    drift,
)
from transforms.nested.schema.plan import REST, Table
from transforms.packed.model import TOO_FEW, TOO_MANY, WRONG_TYPE
from transforms.packed.plan import OTHER_NAMES, Plan, columns_of
from transforms.render import json_value
from transforms.row_errors import ERROR
from transforms.text import quoted

ROWS = "rows"
CHANGED_PIECES = "changed pieces"
_MADE_BY = {"array<string>": "--list {}=array", "map<string,array<string>>": "--pairs {}=map"}


def held_types(locked: Sequence[Table] | None) -> dict[str, str]:
    """The types of locked columns by name."""
    return {column.name: column.type for table in locked or () for column in table.columns}


def plan_with_lock(plan: Plan, locked: Sequence[Table] | None, mode: str) -> TablePlan:
    """The one table of a plan, compared with the locked one.

    `SchemaError` when the options give a locked column another type, and when `mode` is `fail` and a column is new.
    """
    columns = tuple(nested.Column(name, (name,), kind, kind) for name, kind in columns_of(plan))
    today = Table(ROWS, None, (), "row", columns, rows=1)
    _check_case(columns)
    if locked is None:
        return TablePlan([today])
    held = held_types(locked)
    for column in columns:
        if (was := held.get(column.name, column.type)) != column.type:
            given = f"; it was made by {_MADE_BY[was]}".format(column.name) if was in _MADE_BY else ""
            raise SchemaError(
                f"column {column.name} is {was} in the locked schema, {column.type} by the options{given}"
            )
    new = tuple(column for column in columns if column.name not in held)
    planned = [replace(locked[0], columns=locked[0].columns + new, rows=1)]
    found = drift(locked, planned, [today])
    tables, is_locked = apply_drift_mode(mode, locked, planned, found)
    _check_case(tables[0].columns)
    if tables[0].rest and (taken := [one.name for one in planned[0].columns if one.name.casefold() == REST]):
        raise SchemaError(f"column {', '.join(taken)}: --on-drift report makes a column of this name; there is add")
    return TablePlan(tables, found, is_locked)


def _check_case(columns: Sequence[nested.Column]) -> None:
    """Engines take names that differ in case only for the same."""
    first: dict[str, str] = {}
    for column in columns:
        if (other := first.setdefault(column.name.casefold(), column.name)) != column.name:
            raise SchemaError(f"columns {other} and {column.name} differ in case only{OTHER_NAMES}")


def fit(frame: DataFrame, table: Table, own: Sequence[str] = PLACE) -> DataFrame:
    """The frame's rows with the table's columns in their order, null where the frame has none, and the job's `own`.

    With `table.rest` the values of other columns are the JSON object `_rest`, by JSON Pointer; null without any. Grain:
    unchanged.
    """
    names = [column.name for column in table.columns]
    service = [name for name in frame.columns if name in own]
    others = [name for name in frame.columns if name not in {*names, *own}]
    if table.rest:
        keys = [pointer("", name) for name in others]

        def rest(batch: pa.RecordBatch) -> list[pa.Array]:
            """The other columns of a batch as JSON."""
            rows = zip(*[batch.column(name).to_pylist() for name in others], strict=True)
            found = [{k: one for k, one in zip(keys, row, strict=True) if one is not None} for row in rows]
            return [pa.array([json_value(one) if one else None for one in found], pa.string())]

        frame = add_texts(frame, [REST], rest)
        service.append(REST)
    shown = [
        F.col(quoted(c.name)) if c.name in frame.columns else F.lit(None).cast(c.type).alias(c.name)
        for c in table.columns
    ]
    return frame.select(*shown, *[F.col(quoted(name)) for name in service])


def columns_in(table: Table) -> list[str]:
    """The names of a table's columns, `_rest` with them."""
    return [column.name for column in table.columns] + ([REST] if table.rest else [])


def misfits(rows: DataFrame, plan: Plan, schema: TablePlan) -> DataFrame:
    """One row, for `misfit_drift`: how many rows were rejected for a value not of a locked type, or for another number
    of pieces, a column for each locked type and packed column. In: the tagged rows of `split_all`.
    """
    conditions = _conditions(plan, schema).values()
    return rows.agg(*[F.count(F.when(one, 1)).alias(str(at)) for at, one in enumerate(conditions)])


def misfit_drift(counts: Sequence[int], plan: Plan, schema: TablePlan) -> list[Drift]:
    """What `misfits` counted, as differences from the locked schema."""
    found = zip(_conditions(plan, schema), counts, strict=True)
    return [
        Drift(change, ROWS, name, was, f"something else in {count} row{'s' if count > 1 else ''}")
        for (change, name, was), count in found
        if count
    ]


def _conditions(plan: Plan, schema: TablePlan) -> dict[tuple[str, str, str], Column]:
    """Which rejected rows contradict the schema: by kind of change, column, and what was locked."""
    new = {item.field for item in schema.drift or () if item.change == NEW_FIELD}
    code, detail = F.col(f"{ERROR}.code"), F.col(f"{ERROR}.detail")
    found = {
        (CHANGED_TYPE, name, kind): (code == WRONG_TYPE)
        & functools.reduce(operator.or_, [detail.startswith(f"column {one}: ") for one in _read_from(plan, name)])
        for name, kind in held_types(schema.tables).items()
        if kind != "string" and name not in new
    }
    for packed in plan.packed.values():
        number = f"expected: {len(packed.fields)} ({' '.join(packed.names)})"
        is_other = code.isin(TOO_FEW, TOO_MANY) & detail.contains(number)
        found[CHANGED_PIECES, packed.column, f"{len(packed.fields)} pieces"] = is_other
    return found


def _read_from(plan: Plan, name: str) -> Sequence[str]:
    """The columns of the file that an output column's values are in, as an error names them."""
    if plan.is_narrow and name == plan.cell_names[0]:
        return plan.cells
    return [name.removesuffix(f" {plan.cell_names[0]}") if plan.cells else name]
