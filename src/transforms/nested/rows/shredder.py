"""Rows of all tables in one pass over some documents: the plan is turned into routers that know where values go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transforms.nested.rows.levels import FirstLink, PartedTable, RecursiveTable
from transforms.nested.rows.router import (
    At,
    ColumnRouter,
    Route,
    RowGoal,
    TableBuilder,
    Values,
    pointer,
    route,
    scalar_fits,
)
from transforms.nested.schema.plan import OFFSET, Column, Path, Table
from transforms.nested.schema.rules import Rule
from transforms.nested.values.dates import offset_of
from transforms.nested.values.parse import BigNumber, NonPortableString, canonical, readable

_SCALARS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "number": (int, float, BigNumber),
    "text": (str,),
    "json": (),
    OFFSET: (),
    "": (),
}
# The rule of what is skipped.
_NOTHING = Rule(wanted=False)
_NUMBERS: dict[str, Callable[[str], Any]] = {"integer": int, "decimal": BigNumber, "double": float}


def _as_json(cell: int, rule: Rule) -> Route:
    def place(builder: TableBuilder, at: At, values: Values) -> None:
        builder.set(cell, at, list(map(readable, map(rule.kept, values))))

    return place


def _unless_empty(cell: int, path: str, rule: Rule) -> Route:
    def place(builder: TableBuilder, at: At, values: Values) -> None:
        """An empty object or array is no JSON text here: it is kept as itself."""
        for row, value in zip(at, values, strict=True):
            if kept := rule.kept(value):
                builder.set(cell, (row,), (readable(kept),))
            elif not value:
                builder.keep(row, path, value)

    return place


def _as_numbers(cell: int, number: Callable[[str], Any]) -> Route:
    def place(builder: TableBuilder, at: At, values: Values) -> None:
        """Texts as the numbers that they are."""
        builder.set(cell, at, list(map(number, values)))

    return place


def _with_offsets(cell: int, offsets: int) -> Route:
    def place(builder: TableBuilder, at: At, values: Values) -> None:
        """Moments, and the offset that each is written with."""
        builder.set(cell, at, values)
        builder.set(offsets, at, list(map(offset_of, values)))

    return place


def _first_that_fits(cells: Sequence[tuple[int | Route, str]], path: str) -> Route:
    def place(builder: TableBuilder, at: At, values: Values) -> None:
        """Each value goes to the first column whose type holds it exactly."""
        for row, value in zip(at, values, strict=True):
            cell = next((cell for cell, kind in cells if scalar_fits(value, kind)), None)
            if cell is None:
                builder.keep(row, path, value)
            elif isinstance(cell, int):
                builder.set(cell, (row,), (value,))
            else:
                cell(builder, (row,), (value,))

    return place


def _tag(at: Path, each: str) -> str:
    return canonical(list(at)) + each[0]


def _attach(router: ColumnRouter, each: str, goal: RowGoal) -> None:
    if each == "item":
        router.items = goal
    elif each == "entry":
        router.entries = goal
    else:
        router.whole = goal


class Shredder:
    """Makes rows of documents by a plan; `schema_locked`: it is of other records than these, values may not fit."""

    def __init__(self, tables: Sequence[Table], rules: Rule, schema_locked: bool = False) -> None:
        self.tables = [self._builder(table) for table in tables]
        self._schema_locked = schema_locked
        by_name = {builder.table.name: builder for builder in self.tables}
        self._recursive = {b.table.name: RecursiveTable(b) for b in self.tables if b.table.links}
        self._parted = self._part(by_name)
        for builder in self.tables:
            parent = by_name.get(builder.table.parent or "")
            builder.router.rule = rules if parent is None else self._rule(parent, builder.table)
            if parent is not None:
                self._attach(parent, builder)
            first = len(builder.table.key_columns())
            for number, column in enumerate(builder.table.columns):
                self._add_column(builder, first + number, column)
        for name, recursive in self._recursive.items():
            for number, link in enumerate(by_name[name].table.links, 1):
                row_link = recursive.link(number, _tag(link.at, link.each), link.text)
                _attach(self._router(by_name[link.parent].router, link.at), link.each, row_link)

    @staticmethod
    def _builder(table: Table) -> TableBuilder:
        width = len(table.key_columns()) + len(table.columns)
        return TableBuilder(table, width, _tag(table.at, table.each), ColumnRouter("", _NOTHING))

    def _part(self, by_name: dict[str, TableBuilder]) -> list[PartedTable]:
        """The recursive tables and those below them, which are filled level by level."""
        parted = []
        for builder in self.tables:
            above: TableBuilder | None = builder
            while above is not None and not above.table.links:
                above = by_name.get(above.table.parent or "")
            if above is not None:
                parted.append(PartedTable(builder))
                self._recursive[above.table.name].below.append(parted[-1])
        return parted

    def _router(self, router: ColumnRouter, path: Path) -> ColumnRouter:
        for step in path:
            if step not in router.fields:
                rule = router.rule.items() if isinstance(step, int) else router.rule.step(step)
                if rule is None:  # a locked schema has it, and it is skipped now: nothing leads here
                    return ColumnRouter("", _NOTHING)
                router.fields[step] = ColumnRouter(pointer(router.pointer, step), rule)
            router = router.fields[step]
        return router

    def _rule(self, parent: TableBuilder, table: Table) -> Rule:
        rule = self._router(parent.router, table.at).rule
        if table.each == "object":
            return Rule(None, rule.below, rule.wanted, rule.known)
        return (rule.step("*") or _NOTHING) if table.each == "entry" else rule.items()

    def _attach(self, parent: TableBuilder, builder: TableBuilder) -> None:
        table = builder.table
        goal: RowGoal = builder
        if table.links:
            recursive = self._recursive[table.name]
            goal = FirstLink(recursive, recursive.link(0, builder.tag, table.places[0].text))
        _attach(self._router(parent.router, table.at), table.each, goal)

    def _add_column(self, builder: TableBuilder, cell: int, column: Column) -> None:
        router = self._router(builder.router, column.path)
        if column.holds == "any":
            router.on = {
                kind: _as_json(cell, router.rule)
                for kind in (str, int, float, bool, type(None), BigNumber, NonPortableString, dict, list)
            }
        elif column.holds == "json":
            router.on |= {kind: _unless_empty(cell, router.pointer, router.rule) for kind in (dict, list)}
        elif self._may_miss(column, router):
            same = [c for c in builder.table.columns if c.path == column.path and c.holds == column.holds]
            first = cell - builder.table.columns.index(column)
            cells = [(self._goal(builder.table, first, c), c.type) for c in same]
            router.on |= {kind: _first_that_fits(cells, router.pointer) for kind in _SCALARS[column.holds]}
        else:
            goal = self._goal(builder.table, cell - builder.table.columns.index(column), column)
            router.on |= dict.fromkeys(_SCALARS[column.holds], goal)

    @staticmethod
    def _goal(table: Table, first: int, column: Column) -> int | Route:
        """Where the values of a column go; `first` is the cell of the table's first column."""
        cell = first + table.columns.index(column)
        if column.holds != "text":
            return cell
        if number := _NUMBERS.get(column.type.partition("(")[0]):
            return _as_numbers(cell, number)
        offsets = [n for n, c in enumerate(table.columns) if c.path == column.path and c.holds == OFFSET]
        return _with_offsets(cell, first + offsets[0]) if column.type.endswith(",*)") and offsets else cell

    def _may_miss(self, column: Column, router: ColumnRouter) -> bool:
        """True when the column's type does not hold every value of its kind that may come."""
        several = any(kind in router.on for kind in _SCALARS[column.holds])
        return several or (self._schema_locked and column.holds in ("number", "text") and column.type != "text")

    def shred(self, ids: Sequence[str], values: Sequence[Any], added: Sequence[Sequence[Any]] = ()) -> None:
        """Makes the rows of documents with these root keys, forgets those before; `added`: the root's added columns."""
        for builder in self.tables:
            builder.start([[]] * len(builder.table.key_columns()), [])
        root = self.tables[0]
        if root.table.links:
            self._recursive[root.table.name].records(ids, values, added)
        else:
            root.start([ids, *added], list(range(len(ids))))
            route(root, root.router, root.records, values)
        for parted in self._parted:
            parted.finish()
