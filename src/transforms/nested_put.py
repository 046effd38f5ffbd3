"""Puts values into the rows of their tables: a spot knows for every type of value where it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transforms.nested_dates import spelling
from transforms.nested_parse import Odd, Wide, canonical, decimal_size, is_odd
from transforms.nested_plan import EXACT_IN_DOUBLE, KEY, Table
from transforms.nested_rules import Rule

Row = list[Any]
Put = Callable[[Row, Any], None]


def digest(text: str) -> str:
    """32 hex digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def scalar_fits(value: Any, kind: str) -> bool:
    """True when a column of the type holds the number or the text exactly."""
    if kind in ("number", "text"):
        return True
    if type(value) is str:
        return spelling(value) == kind
    if kind == "integer":
        return type(value) is int
    if kind == "double":
        return type(value) is float or (type(value) is int and -EXACT_IN_DOUBLE <= value <= EXACT_IN_DOUBLE)
    size = decimal_size(number_text(value))
    scale = int(kind[11:-1])
    return size is not None and size[0] <= 38 - scale and size[1] <= scale


def number_text(value: Any) -> str:
    """A number's digits."""
    return value.text if type(value) is Wide else repr(value)


def pointer(base: str, key: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a key below `base`."""
    return f"{base}/{str(key).replace('~', '~0').replace('/', '~1')}"


class Spot:
    """Where the values of one place go: `on` has a column number or a function for every type of value."""

    __slots__ = ("entries", "fields", "items", "on", "pointer", "rule", "whole")

    def __init__(self, at: str, rule: Rule | None) -> None:
        self.pointer, self.rule = at, rule
        self.on: dict[type, int | Put] = {}
        self.fields: dict[str | int, Spot] = {}
        self.items: Rows | None = None
        self.entries: Rows | None = None
        self.whole: Rows | None = None


@dataclass
class Rows:
    """A table being filled: `rows` of the documents walked so far, their `ends` by document."""

    table: Table
    width: int
    tag: str
    spot: Spot
    rows: list[Row] = field(default_factory=list)
    ends: list[int] = field(default_factory=lambda: [0])

    def add(self, parent: Row, root: str, index: int, key: str | None, value: Any) -> None:
        """Adds the row of one element, entry or object, and everything below it."""
        row: Row = [None] * self.width
        row[0] = digest(f"{parent[0]}{self.tag}{index if key is None else canonical(key)}")
        row[1], row[2], row[3] = parent[0], root, index
        if key is not None:
            if is_odd(key):
                rest(row, KEY, Odd(key))
            else:
                row[4] = key
        self.rows.append(row)
        put(self.spot, row, root, value)


def rest(row: Row, at: str, value: Any) -> None:
    """Keeps a value that has no column in the row's last cell."""
    if row[-1] is None:
        row[-1] = {}
    row[-1][at] = value


def put(spot: Spot, row: Row, root: str, value: Any) -> None:
    """Puts a value where its spot says."""
    goal = spot.on.get(type(value))
    if isinstance(goal, int):
        row[goal] = value
    elif goal is not None:
        goal(row, value)
    elif type(value) is dict and value:
        put_object(spot, row, root, value)
    elif type(value) is list and value:
        put_array(spot, row, root, value)
    else:
        rest(row, spot.pointer, value)


def put_object(spot: Spot, row: Row, root: str, value: dict[str, Any]) -> None:
    """Spreads an object over its columns; keys without a column become entries of its map, or rest."""
    if spot.whole is not None:
        spot.whole.add(row, root, 0, None, value)
        return
    fields, loose = spot.fields, []
    for key, item in value.items():
        below = fields.get(key)
        if below is None:
            loose.append(key)
        else:
            goal = below.on.get(type(item))
            if isinstance(goal, int):
                row[goal] = item
            else:
                put(below, row, root, item)
    if loose:
        put_loose(spot, row, root, value, sorted(loose))


def put_loose(spot: Spot, row: Row, root: str, value: dict[str, Any], keys: list[str]) -> None:
    """The keys of an object that have no column of their own."""
    rule = spot.rule
    for index, key in enumerate(keys):
        below = rule.step(key) if rule is not None else None
        if below is None:
            continue  # skipped by choice
        if spot.entries is not None:
            spot.entries.add(row, root, index, key, value[key])
        else:
            rest(row, pointer(spot.pointer, key), value[key])


def put_array(spot: Spot, row: Row, root: str, value: list[Any]) -> None:
    """Spreads an array over the rows of its table, or over columns by position where that was chosen."""
    if spot.items is not None:
        add = spot.items.add
        for index, item in enumerate(value):
            add(row, root, index, None, item)
    elif spot.fields and spot.rule is not None and spot.rule.choice == "columns":
        for index, item in enumerate(value):
            below = spot.fields.get(index)
            if below is None:
                rest(row, pointer(spot.pointer, index), item)
            else:
                put(below, row, root, item)
    else:
        rest(row, spot.pointer, value)
