"""Explodes documents without Spark, by the same functions that the Spark passes call."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.rebuild import Rebuild, csv_rows, jsonl_rows
from transforms.nested.explode import merge_stats
from transforms.nested.rows.render import CSV, LINE, TYPED, rows_of
from transforms.nested.rows.shredder import Shredder
from transforms.nested.schema.plan import Table, as_json, plan_tables
from transforms.nested.schema.rules import Rule, build_rules
from transforms.nested.schema.stats import DEPTH, PathStats
from transforms.nested.values.dates import date_format
from transforms.nested.values.parse import MAX_DEPTH, Parser, prepare_process


def observe(
    texts: Sequence[str],
    rules: Rule | None = None,
    depth: int = 100,
    parts: int = 1,
    formats: Callable[[str], str] = date_format,
) -> PathStats:
    """The statistics of the documents, made in so many parts that are sent as bytes and added up."""
    rules = rules or Rule()
    parser = Parser()
    prepare_process()
    partial = [PathStats(rules, formats) for _ in range(parts)]
    for number, text in enumerate(texts):
        partial[number % parts].observe([parser.parse(text)], depth if depth < DEPTH else MAX_DEPTH)
    return merge_stats([pickle.dumps(stats) for stats in partial], rules)


@dataclass
class Exploded:
    """The tables of some documents, and their rows by table name."""

    tables: list[Table]
    rows: dict[str, list[dict[str, Any]]]

    def rebuilt(self) -> list[Any]:
        """The documents, put together from the rows."""
        described = json.loads(json.dumps([as_json(table) for table in self.tables]))
        return Rebuild(described, self.rows).documents()

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
    rules: Rule | None = None,
    formats: Callable[[str], str] = date_format,
) -> Exploded:
    """Explodes documents; with `tables` by that plan, whatever they hold."""
    rules = rules or build_rules(choices, only)
    planned = tables or plan_tables(observe(texts, rules, depth, parts, formats), "doc", dates=dates, depth=depth)
    shredder = Shredder(planned, rules, schema_locked=tables is not None)
    parser = Parser()
    prepare_process()
    shredder.shred([str(number) for number in range(len(texts))], [parser.parse(text) for text in texts])
    found = {}
    for builder in shredder.tables:
        rows = rows_of(builder, form)
        header = ",".join(name for name, _ in builder.table.all_columns()) + "\n"
        if form == TYPED:
            found[builder.table.name] = rows.to_pylist()
        else:
            text = "".join(f"{line}\n" for line in rows.column(LINE).to_pylist())
            found[builder.table.name] = list(csv_rows(header + text) if form == CSV else jsonl_rows(text))
    return Exploded(planned, found)
