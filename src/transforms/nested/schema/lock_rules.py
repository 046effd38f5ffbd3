"""A locked plan as rules for reading: what has a column stays one; and choices that do not go with it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

from transforms.nested.schema.plan import Path, Table
from transforms.nested.schema.rules import CHOICES, ELEMENTS, Rule, parse_choice, parse_path

# The choices that leave a place what it is.
_ALLOWED = {
    "json": ("json",),
    "columns": ("columns", "map", "recursive"),
    "item": ("table", "map", "recursive"),
    "entry": ("map", "recursive"),
    "object": ("table", "recursive"),
    "again": ("map", "recursive"),
}


def lock_rules(rules: Rule, locked: Iterable[Table]) -> Rule:
    """The rules with what locked tables have where nothing else is chosen: columns, which no number of new keys makes a
    map of, maps, tables of objects, JSON text.
    """
    rules = copy.deepcopy(rules)
    tables = {table.name: table for table in locked}
    for table in tables.values():
        base = _absolute(table, tables)
        for column in table.columns:
            keys = [step for step in column.path if isinstance(step, str)]
            for depth, key in enumerate(keys):
                rules.know((*base, *keys[:depth]), key)
        for place in table.places:
            parent = _absolute(tables[place.parent], tables)
            keys = [step for step in place.at if isinstance(step, str)]
            for depth, key in enumerate(keys if place.at and isinstance(place.at[-1], str) else ()):
                rules.know((*parent, *keys[:depth]), key)
    for table in tables.values():
        path = _absolute(table, tables)
        if table.each == "entry":
            _choose(rules, path[:-1], "map")
        elif table.each == "object" and not table.links:
            _choose(rules, path, "table")
        for column in table.columns:
            if column.holds == "any":
                _choose(rules, _chosen(_rows(table, tables), column.path), "json")
    return rules


def _choose(rules: Rule, path: tuple[str, ...], choice: str) -> None:
    """Says what a locked schema has, where a person says nothing."""
    if rules.wants(path):
        rule = rules.at(path)
        rule.choice = rule.choice or choice


def conflicts(choices: Iterable[str], only: Iterable[str], locked: Sequence[Table]) -> list[tuple[str, str]]:
    """The options `PATH=CHOICE` and wanted paths that would make something else of what locked tables have, with that.

    What is skipped stays empty; but all rows of a recursive table are read by one rule.
    """
    kept = [(f"--path {text}", *parse_choice(text)) for text in choices]
    kept += [(f"--only {path}", parse_path(path), "") for path in only]
    places = list(_places(locked))
    named = {path for _, path, _ in kept}
    found = []
    for option, chosen, choice in kept:
        path = _chosen((), chosen)
        for place, allowed, what in places:
            same = len(path) == len(place) and choice in CHOICES and choice not in (*allowed, "skip")
            within = len(path) > len(place) and choice != "recursive" and allowed == _ALLOWED["again"]
            steps = zip(place, path, strict=False)
            matches = all(step == own or (step == "*" != own != ELEMENTS and place not in named) for own, step in steps)
            if (same or within) and matches:
                found.append((option, what))
                break
    return found


def _places(locked: Sequence[Table]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """The places of locked tables and columns, the choices that they allow, and what is there; JSON text first."""
    tables = {table.name: table for table in locked}
    columns = [(table, column) for table in locked for column in table.columns]
    for table, column in columns:
        if column.holds == "any":
            yield _chosen(_rows(table, tables), column.path), _ALLOWED["json"], f"JSON text {table.name}.{column.name}"
    inner = [(table, column.path, f"a column {table.name}.{column.name}") for table, column in columns]
    for table in locked:
        for place in table.places:
            above = tables[place.parent]
            each = "again" if place in table.links else place.each
            yield _chosen(_rows(above, tables), place.at), _ALLOWED[each], f"a table {table.name}"
            inner.append((above, place.at, f"a table {table.name}"))
    for table, path, what in inner:
        # The rows of a table of objects are at the place of the table.
        for length in range(table.each == "object", len(path)):
            yield _chosen(_rows(table, tables), path[:length]), _ALLOWED["columns"], what


def _rows(table: Table, tables: dict[str, Table]) -> tuple[str, ...]:
    """The path of a table's rows, with `[]` for elements and `*` for a map's keys."""
    if table.parent is None:
        return ()
    step = {"item": (ELEMENTS,), "entry": ("*",)}.get(table.each, ())
    return (*_chosen(_rows(tables[table.parent], tables), table.at), *step)


def _chosen(above: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """A path as choices have it: `[]` only where no key follows."""
    steps = [step if isinstance(step, str) else ELEMENTS for step in (*above, *path)]
    last = max((number for number, step in enumerate(steps) if step != ELEMENTS), default=-1)
    return tuple(step for number, step in enumerate(steps) if step != ELEMENTS or number > last)


def has_elements(locked: Sequence[Table]) -> bool:
    """Whether locked tables have the elements of records that are arrays as rows, and no columns for them."""
    rows = [table for table in locked if table.each == "item" and table.parent == locked[0].name and not table.at]
    return bool(rows) and not any(isinstance(step, int) for column in locked[0].columns for step in column.path[:1])


def locked_paths(locked: Iterable[Table]) -> set[tuple[str, ...]]:
    """The places that locked tables know, and those above them."""
    tables = {table.name: table for table in locked}
    found = set()
    for table in tables.values():
        base = _absolute(table, tables)
        for column in [(), *(column.path for column in table.columns)]:
            whole = (*base, *(step for step in column if isinstance(step, str)))
            found |= {whole[:length] for length in range(1, len(whole) + 1)}
    return found


def _absolute(table: Table, tables: dict[str, Table]) -> tuple[str, ...]:
    """The path of a table's values as rules have it: arrays transparent, `*` for a map's keys."""
    own = (*(step for step in table.at if isinstance(step, str)), *(("*",) if table.each == "entry" else ()))
    return own if table.parent is None else (*_absolute(tables[table.parent], tables), *own)
