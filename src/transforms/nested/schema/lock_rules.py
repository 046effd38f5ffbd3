"""A locked plan as rules for reading: what has a column stays one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

from transforms.nested.schema.plan import Table
from transforms.nested.schema.rules import Rule


def lock_rules(rules: Rule, locked: Iterable[Table]) -> Rule:
    """The rules with the columns of locked tables kept columns: no number of new keys makes a map of them."""
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
        path = _absolute(table, tables)[:-1]
        if table.each == "entry" and rules.wants(path):
            rule = rules.at(path)
            rule.choice = rule.choice or "map"
    return rules


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
