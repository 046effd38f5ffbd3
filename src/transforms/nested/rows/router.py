"""Routes values to the columns of their tables: a router knows for every type of value where it goes.

All values of one path come together, `at` says of which rows they are, in ascending order: calling a
function and testing the type for each value would take most of the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, repeat
from operator import not_
from typing import Any, Protocol

from transforms.nested.schema.plan import EXACT_IN_DOUBLE, KEY, Table
from transforms.nested.schema.rules import ROW, Rule
from transforms.nested.schema.stats import is_row
from transforms.nested.values.columns import by_key
from transforms.nested.values.dates import holds_format
from transforms.nested.values.numbers import text_format
from transforms.nested.values.parse import BigNumber, NonPortableString, canonical, decimal_size, is_non_portable

Values = Sequence[Any]
At = Sequence[int]


def digest(text: str) -> str:
    """32 hex digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def scalar_fits(value: Any, kind: str) -> bool:
    """True when a column of the type holds the number or the text exactly."""
    if kind in ("number", "text"):
        return True
    if type(value) is str:
        return holds_format(kind, text_format(value))
    if kind == "integer":
        return type(value) is int
    if kind == "double":
        return type(value) is float or (type(value) is int and -EXACT_IN_DOUBLE <= value <= EXACT_IN_DOUBLE)
    size = decimal_size(number_text(value))
    scale = int(kind[11:-1])
    return size is not None and size[0] <= 38 - scale and size[1] <= scale


def number_text(value: Any) -> str:
    """A number's digits."""
    return value.text if type(value) is BigNumber else repr(value)


def pointer(base: str, key: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a key below `base`."""
    return f"{base}/{str(key).replace('~', '~0').replace('/', '~1')}"


class RowGoal(Protocol):
    """What takes values as rows of a table."""

    def add(
        self, above: TableBuilder, owners: At, index: Sequence[int], keys: Sequence[str] | None, values: Values
    ) -> None:
        """Adds the rows of all elements, entries or objects of the table above, and everything below them."""


class ColumnRouter:
    """Where the values of one path go: `on` has a column number or a function for every type of value."""

    __slots__ = ("entries", "fields", "items", "on", "pointer", "rule", "whole")

    def __init__(self, at: str, rule: Rule) -> None:
        self.pointer, self.rule = at, rule
        self.on: dict[type, int | Route] = {}
        self.fields: dict[str | int, ColumnRouter] = {}
        self.items: RowGoal | None = None
        self.entries: RowGoal | None = None
        self.whole: RowGoal | None = None


@dataclass
class TableBuilder:
    """A table being filled, by column; None is a column without values. `records` has the record of every row.

    `rest` has what no column holds, by row.
    """

    table: Table
    width: int
    tag: str
    router: ColumnRouter
    count: int = 0
    columns: list[Values | None] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    rest: dict[int, dict[str, Any]] = field(default_factory=dict)

    def start(self, keys: Sequence[Values], records: list[int]) -> None:
        """Forgets the rows, for those that have these key columns."""
        self.count, self.records, self.rest = len(records), records, {}
        self.columns = [*keys, *repeat(None, self.width - len(keys))]

    def add(
        self, above: TableBuilder, owners: At, index: Sequence[int], keys: Sequence[str] | None, values: Values
    ) -> None:
        """Adds the rows of all elements, entries or objects of the table above, and everything below them."""
        own = child_keys(above, owners, self.tag, index, keys)
        if keys is not None:
            own.append([None if is_non_portable(key) else key for key in keys])
        self.start(own, list(map(above.records.__getitem__, owners)))
        self.keep_keys(0, keys)
        route(self, self.router, range(self.count), values)

    def keep_keys(self, first: int, keys: Sequence[str] | None) -> None:
        """Keeps the keys of a map's entries, from row `first` on, that no text holds."""
        for row, key in enumerate(keys or (), first):
            if is_non_portable(key):
                self.keep(row, KEY, NonPortableString(key))

    def set(self, cell: int, at: At, values: Values) -> None:
        """Fills a column, or the part of it that these rows are."""
        if len(at) == self.count:
            self.columns[cell] = values
            return
        column: Any = self.columns[cell]
        if column is None:
            column = self.columns[cell] = [None] * self.count
        for row, value in zip(at, values, strict=True):
            column[row] = value

    def keep(self, row: int, at: str, value: Any) -> None:
        """Keeps a value that has no column."""
        self.rest.setdefault(row, {})[at] = value


def child_keys(
    above: TableBuilder, owners: At, tag: str, index: Sequence[int], keys: Sequence[str] | None
) -> list[Values]:
    """The columns _id, _parent_id, _root_id and _index of rows below those of another table."""
    columns: list[Any] = above.columns
    parents = list(map(columns[0].__getitem__, owners))
    roots = parents if above.table.is_plain_root else list(map(columns[2].__getitem__, owners))
    steps: Iterable[Any] = index if keys is None else map(canonical, keys)
    # `digest` without a call for each row, which took a quarter of the time of this line.
    sha = hashlib.sha256
    ids = [sha(f"{p}{tag}{s}".encode()).hexdigest()[:32] for p, s in zip(parents, steps, strict=True)]
    return [ids, parents, roots, index]


@dataclass
class LinkedRows:
    """Rows that one place of a recursive table's rows gives to the next level."""

    number: int
    path: str
    own: list[Values]
    records: list[int]
    keys: Sequence[str] | None
    values: Values


@dataclass
class RowLink:
    """A place whose values are rows of a recursive table: they wait there for their level."""

    waiting: list[LinkedRows]
    number: int
    tag: str
    path: str

    def add(
        self, above: TableBuilder, owners: At, index: Sequence[int], keys: Sequence[str] | None, values: Values
    ) -> None:
        """As `TableBuilder.add`."""
        own = child_keys(above, owners, self.tag, index, keys)
        records = list(map(above.records.__getitem__, owners))
        self.waiting.append(LinkedRows(self.number, self.path, own, records, keys, values))


Route = Callable[[TableBuilder, At, Values], None]


def route_rest(builder: TableBuilder, path: str, at: At, values: Values, rule: Rule) -> None:
    """Keeps values that have no column, without what is skipped in them."""
    for row, value in zip(at, values, strict=True):
        kept = value and rule.kept(value)
        if (kept or not value) and rule.wants_value(value):
            builder.keep(row, path, kept)


def route(builder: TableBuilder, router: ColumnRouter, at: At, values: Values) -> None:
    """Sends all values of a path where its router says."""
    kinds = set(map(type, values))
    for kind in kinds:
        if len(kinds) > 1:
            chosen = [type(value) is kind for value in values]
            _route_kind(builder, router, kind, list(compress(at, chosen)), list(compress(values, chosen)))
        else:
            _route_kind(builder, router, kind, at, values)


def _route_kind(builder: TableBuilder, router: ColumnRouter, kind: type, at: At, values: Values) -> None:
    goal = router.on.get(kind)
    if not router.rule.wanted and kind is not dict and kind is not list:
        return  # only paths below are wanted
    if isinstance(goal, int):
        builder.set(goal, at, values)
    elif goal is not None:
        goal(builder, at, values)
    elif kind is not dict and kind is not list:
        route_rest(builder, router.pointer, at, values, router.rule)
    else:
        if not all(values):
            empty = list(compress(at, map(not_, values)))
            route_rest(builder, router.pointer, empty, [kind()] * len(empty), router.rule)
            at, values = list(compress(at, values)), list(filter(None, values))
        if values:
            (_route_objects if kind is dict else _route_arrays)(builder, router, at, values)


def _route_objects(builder: TableBuilder, router: ColumnRouter, at: At, values: Values) -> None:
    """Spreads objects over their columns; keys without a column become entries of their map, or rest."""
    if router.whole is not None:
        router.whole.add(builder, at, [0] * len(at), None, values)
        return
    loose = False
    for key, there, column in by_key(at, values):
        below = router.fields.get(key)
        if below is not None:
            route(builder, below, there, column)
        elif router.entries is not None and not router.rule.names(key):
            loose = True
        elif (rule := router.rule.step(key)) is not None:  # else skipped by choice
            route_rest(builder, pointer(router.pointer, key), there, column, rule)
    if loose and router.entries is not None:
        _route_entries(builder, router, router.entries, at, values)


def _route_entries(builder: TableBuilder, router: ColumnRouter, entries: RowGoal, at: At, values: Values) -> None:
    """The keys of objects that have no column of their own, sorted, as rows of their map."""
    named = router.rule.below.keys() | router.rule.known
    found = [
        (row, index, key, value[key])
        for row, value in zip(at, values, strict=True)
        for index, key in enumerate(sorted(value.keys() - router.fields.keys()))
        if key not in named and router.rule.step(key) is not None  # None: skipped by choice
    ]
    if found:
        owners, indexes, keys, items = zip(*found, strict=True)
        entries.add(builder, owners, indexes, keys, items)


def _route_arrays(builder: TableBuilder, router: ColumnRouter, at: At, values: Values) -> None:
    """Spreads arrays over the rows of their table, or over columns by position where that was chosen."""
    has_positions = any(isinstance(key, int) for key in router.fields)
    if router.rule.choice == ROW:
        rows = list(map(is_row, values))
        own, arrays = list(compress(at, rows)), list(compress(values, rows))
        if has_positions:
            _route_positions(builder, router, own, arrays)
        else:
            route_rest(builder, router.pointer, own, arrays, router.rule)
        others = list(map(not_, rows))
        at, values = list(compress(at, others)), list(compress(values, others))
    if router.items is not None:
        sizes = list(map(len, values))
        owners = list(chain.from_iterable(map(repeat, at, sizes)))
        index = list(chain.from_iterable(map(range, sizes)))
        router.items.add(builder, owners, index, None, list(chain.from_iterable(values)))
    elif has_positions and router.rule.choice == "columns":
        _route_positions(builder, router, at, values)
    else:
        route_rest(builder, router.pointer, at, values, router.rule)


def _route_positions(builder: TableBuilder, router: ColumnRouter, at: At, values: Values) -> None:
    for position in range(max(map(len, values), default=0)):
        there = [(row, value[position]) for row, value in zip(at, values, strict=True) if position < len(value)]
        below = router.fields.get(position)
        own, items = [row for row, _ in there], [item for _, item in there]
        if below is None:
            route_rest(builder, pointer(router.pointer, position), own, items, router.rule.items())
        else:
            route(builder, below, own, items)
