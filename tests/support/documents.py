"""Explodes documents without Spark, by the same functions that the Spark passes call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.rebuild import Rebuild, csv_rows, jsonl_rows
from transforms.nested.rows.render import CSV, TYPED, as_lists
from transforms.nested.rows.shredder import Walk
from transforms.nested.schema.dump import dump, load
from transforms.nested.schema.plan import Table, as_json, plan_tables
from transforms.nested.schema.rules import Rule, build_rules
from transforms.nested.schema.stats import Place
from transforms.nested.values.parse import Parser, deep_recursion


def see(texts: Sequence[str], rules: Rule | None = None, depth: int = 100, parts: int = 1) -> Place:
    """What the documents show, seen in so many parts that are sent as text and added up."""
    rules = rules or Rule()
    parser = Parser()
    with deep_recursion():
        places = [Place(rules) for _ in range(parts)]
        for number, text in enumerate(texts):
            places[number % parts].see([parser.parse(text)], depth)
        total = Place(rules)
        for place in places:
            total.add(load(dump(place), rules))
    return total


@dataclass
class Exploded:
    """The tables of some documents, and their rows by table name."""

    tables: list[Table]
    rows: dict[str, list[dict[str, Any]]]

    def rebuilt(self) -> list[Any]:
        """The documents, put together from the rows."""
        told = json.loads(json.dumps([as_json(table) for table in self.tables]))
        return Rebuild(told, self.rows).documents()

    def names(self) -> dict[str, list[str]]:
        """The data columns of each table."""
        return {table.name: [column.name for column in table.columns] for table in self.tables}

    def types(self, table: str) -> dict[str, str]:
        """The types of a table's data columns."""
        return {c.name: c.type for t in self.tables if t.name == table for c in t.columns}

    def plain(self, table: str) -> list[dict[str, Any]]:
        """A table's rows without key columns and nulls."""
        hidden = ("_id", "_parent_id", "_root_id")
        return [{k: v for k, v in row.items() if k not in hidden and v is not None} for row in self.rows[table]]


def explode(
    texts: Sequence[str],
    choices: Sequence[str] = (),
    only: Sequence[str] = (),
    depth: int = 100,
    form: str = TYPED,
    tables: list[Table] | None = None,
    parts: int = 1,
    dates: bool = False,
) -> Exploded:
    """Explodes documents; with `tables` by that plan, whatever they hold."""
    rules = build_rules(choices, only)
    planned = tables or plan_tables(see(texts, rules, depth, parts), "doc", dates=dates)
    walk = Walk(planned, rules, held=tables is not None)
    parser = Parser()
    with deep_recursion():
        walk.records([str(number) for number in range(len(texts))], [parser.parse(text) for text in texts])
        found = {}
        for rows in walk.tables:
            lists = as_lists(rows, form, False, len(texts)).to_pylist()
            header = ",".join(name for name, _ in rows.table.all_columns()) + "\n"
            if form == TYPED:
                found[rows.table.name] = [row for rows_of_one in lists for row in rows_of_one]
            else:
                text = "".join(f"{line}\n" for lines in lists for line in lines)
                found[rows.table.name] = list(csv_rows(header + text) if form == CSV else jsonl_rows(text))
    return Exploded(planned, found)
