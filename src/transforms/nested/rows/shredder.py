"""Rows of all tables in one walk over some documents: the plan is turned into spots that know where values go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transforms.nested.rows.router import At, Put, Rows, Spot, Values, pointer, put, scalar_fits
from transforms.nested.schema.plan import Column, Path, Table
from transforms.nested.schema.rules import Rule
from transforms.nested.values.parse import Odd, Wide, canonical, readable

_SCALARS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "number": (int, float, Wide),
    "text": (str,),
    "json": (),
    "": (),
}


def _as_json(cell: int) -> Put:
    def keep(rows: Rows, at: At, values: Values) -> None:
        rows.set(cell, at, list(map(readable, values)))

    return keep


def _unless_empty(cell: int, place: str) -> Put:
    def keep(rows: Rows, at: At, values: Values) -> None:
        """An empty object or array is no JSON text here: it is kept as itself."""
        for row, value in zip(at, values, strict=True):
            if value:
                rows.set(cell, (row,), (readable(value),))
            else:
                rows.keep(row, place, value)

    return keep


def _first_that_fits(cells: Sequence[tuple[int, str]], place: str) -> Put:
    def keep(rows: Rows, at: At, values: Values) -> None:
        """Puts every value into the first column whose type holds it exactly."""
        for row, value in zip(at, values, strict=True):
            cell = next((cell for cell, kind in cells if scalar_fits(value, kind)), None)
            if cell is None:
                rows.keep(row, place, value)
            else:
                rows.set(cell, (row,), (value,))

    return keep


class Walk:
    """Walks documents by a plan. `held` is True when values may not fit: the plan is of other records than these."""

    def __init__(self, tables: Sequence[Table], rules: Rule, held: bool = False, lineage: bool = False) -> None:
        self.tables = [self._rows(table, lineage) for table in tables]
        self._held = held
        by_name = {rows.table.name: rows for rows in self.tables}
        for rows in self.tables:
            parent = by_name.get(rows.table.parent or "")
            rows.spot.rule = rules if parent is None else self._rule(parent, rows.table)
            if parent is not None:
                self._hang(parent, rows)
            first = len(rows.table.keys(lineage))
            for number, column in enumerate(rows.table.columns):
                self._place(rows, first + number, column)

    @staticmethod
    def _rows(table: Table, lineage: bool) -> Rows:
        tag = canonical(list(table.at)) + table.each[0]
        return Rows(table, len(table.keys(lineage)) + len(table.columns), tag, Spot("", None))

    def _spot(self, spot: Spot, path: Path) -> Spot:
        for step in path:
            if step not in spot.fields:
                above = spot.rule or Rule()
                rule = above.items() if isinstance(step, int) else above.step(step)
                spot.fields[step] = Spot(pointer(spot.pointer, step), rule)
            spot = spot.fields[step]
        return spot

    def _rule(self, parent: Rows, table: Table) -> Rule | None:
        rule = self._spot(parent.spot, table.at).rule
        if rule is None or table.each == "object":
            return rule and Rule(None, rule.below, rule.wanted, rule.known)
        return rule.step("*") if table.each == "entry" else rule.items()

    def _hang(self, parent: Rows, rows: Rows) -> None:
        spot = self._spot(parent.spot, rows.table.at)
        if rows.table.each == "item":
            spot.items = rows
        elif rows.table.each == "entry":
            spot.entries = rows
        else:
            spot.whole = rows

    def _place(self, rows: Rows, cell: int, column: Column) -> None:
        spot = self._spot(rows.spot, column.path)
        if column.holds == "any":
            spot.on = {kind: _as_json(cell) for kind in (str, int, float, bool, type(None), Wide, Odd, dict, list)}
        elif column.holds == "json":
            spot.on |= {kind: _unless_empty(cell, spot.pointer) for kind in (dict, list)}
        elif self._may_miss(column, spot):
            same = [c for c in rows.table.columns if c.path == column.path and c.holds == column.holds]
            first = cell - rows.table.columns.index(column)
            cells = [(first + rows.table.columns.index(c), c.type) for c in same]
            spot.on |= {kind: _first_that_fits(cells, spot.pointer) for kind in _SCALARS[column.holds]}
        else:
            spot.on |= dict.fromkeys(_SCALARS[column.holds], cell)

    def _may_miss(self, column: Column, spot: Spot) -> bool:
        """True when the column's type does not hold every value of its kind that may come."""
        several = any(kind in spot.on for kind in _SCALARS[column.holds])
        return several or (self._held and column.holds in ("number", "text") and column.type != "text")

    def records(self, ids: Sequence[str], values: Sequence[Any], lineage: Sequence[Sequence[Any]] = ()) -> None:
        """Walks documents with these root keys, and forgets those before; `lineage` is their files and positions."""
        for rows in self.tables:
            rows.start([[]] * len(rows.table.keys()), [])
        root = self.tables[0]
        root.start([ids, *lineage], list(range(len(ids))))
        put(root, root.spot, root.records, values)
