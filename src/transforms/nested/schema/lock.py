"""A locked schema: tables and types as the first run found them, and what later records do differently."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from transforms.nested.schema.plan import Column, Table, as_json, folded, from_json, has_dates, plan_folded
from transforms.nested.schema.stats import DEPTH, PathStats
from transforms.nested.values.dates import DATE, LOCAL, TIMESTAMP, date_format
from transforms.nested.values.numbers import no_format, number_format, text_format

ADD, REPORT, FAIL = "add", "report", "fail"
DRIFT_MODES = (ADD, REPORT, FAIL)
NEW_TABLE, NEW_FIELD, CHANGED_TYPE, FIRST_TYPE = "new table", "new field", "changed type", "first type"
LOST_TABLE, LOST_FIELD = "lost table", "lost field"
_FORMAT = 1
_ROWS = "rows"


class SchemaError(ValueError):
    """A lock file that is not one, or records that it does not allow; the message is for a person."""


@dataclass(frozen=True)
class Drift:
    """One difference between the locked schema and the records of a run."""

    change: str
    table: str
    field: str
    was: str
    now: str

    def is_new(self) -> bool:
        """True for what the locked schema has no column or table for; false for what is only absent today."""
        return self.change not in (LOST_TABLE, LOST_FIELD)

    def message(self) -> str:
        """The difference in one line."""
        change = f"{self.was} -> {self.now}" if self.was and self.now else self.now or self.was
        return f"{self.change} {self.table}.{self.field}: {change}" if self.field else f"{self.change} {self.table}"


def parse_lock(content: bytes, path: str, root: str) -> list[Table]:
    """The tables in a lock file's content; `SchemaError`, which names `path`, when it is no lock of this root."""
    try:
        lock = json.loads(content)
        known, tables = lock["root"], [from_json(entry) for entry in lock["tables"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError(f"--schema {path} is not a schema that this job wrote: {error}") from None
    if known != root:
        raise SchemaError(f"--schema {path} is of --root {known}, not of {root}")
    return tables


def lock_bytes(tables: Sequence[Table], root: str) -> bytes:
    """The content of a lock file: the same tables, the same bytes."""
    content = {"format": _FORMAT, "root": root, "tables": [as_json(table) for table in tables]}
    return (json.dumps(content, indent=1) + "\n").encode()


def _field(column: Column) -> str:
    return ".".join(str(step) for step in column.path) or "value"


def _column_drift(before: Table, after: Table) -> list[Drift]:
    found = []
    types = {column.name: column.type for column in before.columns}
    for column in after.columns:
        former = [c for c in before.columns if c.path == column.path and c.holds]
        was = ", ".join(c.type for c in former)
        if types.get(column.name) == "unknown" and column.type != "unknown":
            found.append(Drift(FIRST_TYPE, after.name, _field(column), "only null", column.type))
        elif column.name not in types:
            found.append(Drift(CHANGED_TYPE if former else NEW_FIELD, after.name, _field(column), was, column.type))
    return found


def drift(locked: Sequence[Table], planned: Sequence[Table], fresh: Sequence[Table]) -> list[Drift]:
    """What differs: `planned` is the locked schema with what is new, `fresh` what these records alone would give."""
    before = {table.name: table for table in locked}
    present = {(t.at, t.each, t.parent is None) for t in fresh if t.rows}
    paths = {(t.at, t.each, column.path) for t in fresh for column in t.columns}
    found = []
    for table in planned:
        if table.name not in before:
            found.append(Drift(NEW_TABLE, table.name, "", "", table.each))
            continue
        found += _column_drift(before[table.name], table)
        new = [link for link in table.links if link not in before[table.name].links]
        found += [Drift(NEW_FIELD, link.parent, link.text, "", f"rows of {table.name}") for link in new]
        if (table.at, table.each, table.parent is None) not in present:
            found.append(Drift(LOST_TABLE, table.name, "", table.each, ""))
            continue
        lost = [c for c in before[table.name].columns if (table.at, table.each, c.path) not in paths]
        found += [Drift(LOST_FIELD, table.name, _field(column), column.type, "") for column in lost]
    return found


def refuse_new(mode: str, found: Sequence[Drift]) -> None:
    """`SchemaError` on anything new where `mode` is `fail`."""
    new = [item for item in found if item.is_new()]
    if new and mode == FAIL:
        shown = "; ".join(item.message() for item in new[:5])
        raise SchemaError(f"the records do not match the locked schema: {shown}" + (" ..." if len(new) > 5 else ""))


def _refuse_other_depth(depth: int, locked: Sequence[Table], planned: Sequence[Table]) -> None:
    """`SchemaError` where the locked schema has JSON text and the records rows or columns, or vice versa."""
    known, here = _columns_and_rows(locked), _columns_and_rows([table for table in planned if table.rows])
    for name, columns in here.items():
        before = known[name]
        for text in [column for column in columns if column.holds in ("any", "json")]:
            is_new, size = text not in before, len(text.path)
            for inner in before if is_new else columns:
                is_row = inner.holds == _ROWS
                within = inner.path[:size] == text.path and (is_row or len(inner.path) > size)
                if within and (is_new or is_row or inner not in before):
                    what = f"a table {inner.name}" if is_row else f"a column {name}.{inner.name}"
                    was, now = (what, "JSON text") if is_new else ("JSON text", what)
                    place = f"at {name}.{text.name}"
                    raise SchemaError(f"--depth {depth}: the locked schema has {was} {place}, the records have {now}")


def _columns_and_rows(tables: Sequence[Table]) -> dict[str | None, list[Column]]:
    """By table, its columns, and the places of rows of other tables, as columns."""
    found: dict[str | None, list[Column]] = defaultdict(list)
    for table in tables:
        found[table.name] += table.columns
        for place in table.places:
            found[place.parent].append(Column(table.name, place.at, "", _ROWS))
    return found


def apply_drift_mode(
    mode: str, locked: Sequence[Table], planned: Sequence[Table], found: Sequence[Drift]
) -> tuple[list[Table], bool]:
    """The tables to write, and whether values may not fit them.

    `add` takes what is new into the tables; `report` keeps the locked columns, and what has no column there goes to
    `_rest`; `fail` raises `SchemaError` on anything new.
    """
    refuse_new(mode, found)
    if mode == ADD or not any(item.is_new() for item in found):
        return list(planned), False
    rows = {table.name: table.rows for table in planned}
    added = planned[0].added
    return [replace(t, rest=True, rows=rows[t.name], added=() if t.parent else added) for t in locked], True


@dataclass(frozen=True)
class TablePlan:
    """The tables to write. `drift`: what differs from the locked ones (None without a lock); `is_locked`: the tables
    are the locked ones, and values may not fit them.
    """

    tables: list[Table]
    drift: list[Drift] | None = None
    is_locked: bool = False


def text_formats(dates: bool, numbers: bool, locked: Iterable[Table]) -> Callable[[str], str]:
    """What types texts may get: those that are asked for, and those that locked tables have."""
    known = {c.type.partition("(")[0] for table in locked for c in table.columns if c.holds == "text"}
    numbers = numbers or bool(known & {"integer", "decimal", "double"})
    if dates or known & {DATE, TIMESTAMP, LOCAL}:
        return text_format if numbers else date_format
    return number_format if numbers else no_format


def plan_with_lock(
    stats: PathStats,
    root: str,
    separator: str,
    locked: Sequence[Table] | None,
    dates: bool,
    mode: str,
    added: Sequence[str] = (),
    depth: int = DEPTH,
) -> TablePlan:
    """The tables of the records that `stats` describes, compared with the locked ones; `added`: see `Table`.

    `SchemaError` when `mode` is `fail` and there is anything new. Dates stay on where the locked tables have them.
    """
    dates = dates or any(has_dates(table) for table in locked or ())
    whole, stats = stats, folded(stats, locked or (), depth)
    planned = plan_folded(stats, root, separator, locked or (), dates)
    planned[0] = replace(planned[0], added=tuple(added))
    if locked is None:
        return TablePlan(planned)
    _refuse_other_depth(depth, locked, planned)
    found = drift(locked, planned, plan_folded(stats, root, separator, dates=dates))
    chosen, is_locked = apply_drift_mode(mode, locked, planned, found)
    if is_locked and any(table.links for table in locked):  # rows at new places are no rows of these tables
        held = plan_folded(folded(whole, locked, depth, grows=False), root, separator, locked, dates)
        rows = {table.name: table.rows for table in held}
        chosen = [replace(table, rows=rows[table.name]) for table in chosen]
    return TablePlan(chosen, found, is_locked)
