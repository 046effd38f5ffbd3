"""Rows of recursive tables: the rows of a document come level by level, and are put together when all are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

from transforms.nested.rows.router import At, LinkedRows, RowLink, TableBuilder, Values, route
from transforms.nested.schema.plan import KEY
from transforms.nested.schema.rules import ROW
from transforms.nested.values.parse import is_non_portable


def _joined(parts: Iterable[tuple[Values | None, int]]) -> Values | None:
    """One column of the parts of a column and their sizes."""
    parts = list(parts)
    if all(values is None for values, _ in parts):
        return None
    return list(chain.from_iterable(repeat(None, size) if values is None else values for values, size in parts))


class PartedTable:
    """A table that is filled several times for the same documents: a recursive one, or one below it."""

    def __init__(self, builder: TableBuilder) -> None:
        self.builder = builder
        self._parts: list[tuple[list[Values | None], list[int], dict[int, dict[str, Any]]]] = []

    def store(self) -> None:
        """Takes the builder's rows away."""
        builder = self.builder
        if builder.count:
            self._parts.append((builder.columns, builder.records, builder.rest))
            builder.start([[]] * len(builder.table.key_columns()), [])

    def finish(self) -> None:
        """Gives the builder all rows, those of one document together, its upper levels first."""
        builder, parts = self.builder, self._parts
        self._parts = []
        if not parts:
            return
        records = list(chain.from_iterable(own for _, own, _ in parts))
        order = sorted(range(len(records)), key=records.__getitem__)
        sizes = [len(own) for _, own, _ in parts]
        columns = [
            _joined((columns[number], size) for (columns, _, _), size in zip(parts, sizes, strict=True))
            for number in range(builder.width)
        ]
        rest: dict[int, dict[str, Any]] = {}
        first = 0
        for _, own, kept in parts:
            rest |= {first + row: value for row, value in kept.items()}
            first += len(own)
        builder.start([], [records[row] for row in order])
        builder.columns = [None if values is None else [values[row] for row in order] for values in columns]
        builder.rest = {new: rest[old] for new, old in enumerate(order) if old in rest} if rest else {}


class RecursiveTable:
    """Fills a recursive table: rows that its rows and those of the tables below lead to are its next level."""

    def __init__(self, builder: TableBuilder) -> None:
        self.builder = builder
        self.waiting: list[LinkedRows] = []
        self.below: list[PartedTable] = []  # what is filled once a level, this table included
        self._names = [name for name, _ in builder.table.key_columns()]
        self._added: Sequence[Sequence[Any]] = ()

    def link(self, number: int, tag: str, path: str) -> RowLink:
        """What takes the values of one of its places, in the order of the places."""
        return RowLink(self.waiting, number, tag, path)

    def records(self, ids: Sequence[str], values: Values, added: Sequence[Sequence[Any]]) -> None:
        """Fills the table with records and everything below them."""
        records = list(range(len(ids)))
        nothing: Values = [None] * len(ids)
        self._added = added
        self._level([LinkedRows(0, "", [ids, nothing, ids, nothing], records, None, values)], 0, is_root=True)
        self.levels(1)

    def levels(self, depth: int = 0) -> None:
        """Fills the table with what waits, from this level on, until nothing does."""
        while self.waiting:
            rows = sorted(self.waiting, key=lambda linked: linked.number)
            self.waiting.clear()
            self._level(rows, depth)
            depth += 1

    def _level(self, rows: list[LinkedRows], depth: int, *, is_root: bool = False) -> None:
        builder = self.builder
        records = list(chain.from_iterable(linked.records for linked in rows))
        own: list[Values] = [list(chain.from_iterable(linked.own[number] for linked in rows)) for number in range(4)]
        if KEY in self._names:
            none = [[None] * len(linked.records) if linked.keys is None else linked.keys for linked in rows]
            own.append([None if key is None or is_non_portable(key) else key for key in chain.from_iterable(none)])
        own.append([depth] * len(records))
        own.append([None if is_root else linked.path for linked in rows for _ in linked.records])
        own += [[values[record] for record in records] for values in self._added]
        builder.start(own, records)
        first = 0
        for linked in rows:
            builder.keep_keys(first, linked.keys)
            first += len(linked.records)
        router = builder.router
        if not is_root and router.rule.choice == ROW:  # an array in an array is no record
            router = copy(router)
            router.rule = replace(router.rule, choice=None)
        at: At = range(builder.count)
        route(builder, router, at, list(chain.from_iterable(linked.values for linked in rows)))
        for parted in self.below:
            parted.store()


class FirstLink:
    """The place of a recursive table in the table above: its values are the first level."""

    def __init__(self, table: RecursiveTable, link: RowLink) -> None:
        self._table, self._link = table, link

    def add(
        self, above: TableBuilder, owners: At, index: Sequence[int], keys: Sequence[str] | None, values: Values
    ) -> None:
        """As `TableBuilder.add`."""
        self._link.add(above, owners, index, keys, values)
        self._table.levels()
