"""Descriptions of exploded tables: tables.json, SQL that makes and loads them, and a tree for a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from transforms.nested.schema.plan import ID, PARENT, REST, Table, as_json, plain_parts

_SQL = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "double": "DOUBLE PRECISION",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_local": "TIMESTAMP",
}
NOTES = {
    "_id": "32 hex digits of SHA-256: the same for the same record, however the input is split",
    "_parent_id": "_id of the parent row",
    "_root_id": "_id of the record",
    "_index": "position in the array, or among the map's sorted keys, from 0",
    "_key": "the map's key",
    "_depth": "levels of this table's rows above the row, from 0",
    "_path": "where the row is in its parent's: keys joined by dots, [] after an array, {} after a map",
    "_source_file": "the record's file",
    "_source_position": "byte offset of the record in the decompressed file",
    "_ordinal": "place of the record among all that were read, from 0, in the order of files and records in them",
    "_rest": "values without a column (null, {}, [], text with NUL or lone surrogates) by JSON Pointer",
}


def file_of(table: Table, form: str) -> str:
    """The output's name."""
    return table.name if form == "iceberg" else f"{table.name}.{form}"


def _renamed(table: Table, separator: str) -> list[dict[str, Any]]:
    """Columns whose name is not simply their keys joined."""
    found = []
    for column in table.columns:
        plain = separator.join(plain_parts(column.path))
        if column.name not in (
            plain,
            f"{plain}{separator}{column.holds}",
            f"{plain}{separator}{column.type.partition('(')[0]}",
        ):
            found.append({"column": column.name, "path": list(column.path), "plain": plain})
    return found


def tables_json(tables: Sequence[Table], form: str, separator: str) -> bytes:
    """tables.json: for each table its file, keys, columns with path and type, renamed columns and number of rows."""
    entries = []
    for table in tables:
        keys = [{"name": name, "type": kind, "is": NOTES[name]} for name, kind in table.key_columns()]
        entry = as_json(table) | {"file": file_of(table, form), "rows": table.rows, "keys": keys}
        entry["renamed"] = _renamed(table, separator)
        if table.rest:
            entry["rest_is"] = NOTES[REST]
        entries.append(entry)
    return (json.dumps({"format": 1, "tables": entries}, indent=1) + "\n").encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql_type(kind: str) -> str:
    """A column type that DuckDB and PostgreSQL both know."""
    return kind.upper() if kind.startswith("decimal") else _SQL.get(kind.partition("(")[0], "TEXT")


def _create(table: Table) -> str:
    lines = [f"  {_quoted(name)} {sql_type(kind)}" for name, kind in table.all_columns()]
    lines[0] += " PRIMARY KEY"
    if table.parent is not None and not table.links:  # parents of a recursive table's rows are of several tables
        lines[1] += f" NOT NULL REFERENCES {_quoted(table.parent)} ({_quoted(ID)})"
    return f"CREATE TABLE {_quoted(table.name)} (\n" + ",\n".join(lines) + "\n);\n"


def _load(table: Table, form: str) -> list[str]:
    """Statements that load the table's file, each after the name of the program that runs it."""
    name, file = _quoted(table.name), file_of(table, form)
    if form == "csv":
        options = "FORMAT csv, HEADER true, AUTO_DETECT false, DELIM ',', QUOTE '\"', ESCAPE '\"', "
        options += "NULLSTR '', ALLOW_QUOTED_NULLS false"
        return [
            f"duckdb: COPY {name} FROM '{file}' ({options});",
            f"psql: \\copy {name} FROM '{file}' WITH (FORMAT csv, HEADER true)",
        ]
    if form == "parquet":
        return [f"duckdb: COPY {name} FROM '{file}/*.parquet' (FORMAT parquet);"]
    lines = "WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"
    return [
        f"duckdb: COPY {name} FROM '{file}' (FORMAT json);",
        "psql: CREATE TEMPORARY TABLE IF NOT EXISTS json_lines (line text); TRUNCATE json_lines;",
        f"psql: \\copy json_lines FROM '{file}' {lines}",
        f"psql: INSERT INTO {name} SELECT made.* FROM json_lines,"
        f" json_populate_record(NULL::{name}, line::json) AS made;",
    ]


def tables_sql(tables: Sequence[Table], form: str) -> bytes:
    """tables.sql: CREATE TABLE statements for DuckDB and PostgreSQL, parents first, and how each loads the files."""
    head = [
        "-- Makes the tables in DuckDB and in PostgreSQL.",
        f"-- {PARENT} refers to the parent's {ID}: load them in this order. In the folder of the files:",
        "--   sed -n 's/^-- duckdb: //p' tables.sql | duckdb my.db      sed -n 's/^-- psql: //p' tables.sql | psql",
        "",
    ]
    parts = [_create(table) + "".join(f"-- {line}\n" for line in _load(table, form)) for table in tables]
    return ("\n".join(head) + "\n" + "\n".join(parts)).encode()


_MOST_SHOWN = 40  # columns of a table in the tree
_MOST_PLACES = 10  # of a recursive table's rows
_COLOURS = {
    "boolean": "magenta",
    "integer": "cyan",
    "double": "cyan",
    "number": "cyan",
    "json": "yellow",
    "date": "green",
    "timestamp": "green",
    "timestamp_local": "green",
    "unknown": "dim",
}
_EACH = {
    "record": "one row per record",
    "item": "one row per element",
    "entry": "one row per key of the map",
    "object": "one row per object",
}


def _label(table: Table, form: str) -> str:
    place = escape(".".join(map(str, table.at)) or "value")
    shown = (
        ""
        if table.parent is None
        else f"[dim]{place}{'{*}' if table.each == 'entry' else '[]' if table.each == 'item' else ''} →[/] "
    )
    count = f"[bold green]{table.rows:,}[/] row{'' if table.rows == 1 else 's'}"
    places = sorted({link.text for link in table.links})
    again = f", again at {', '.join(places[:_MOST_PLACES])}{' ...' if len(places) > _MOST_PLACES else ''}"
    each = escape(_EACH[table.each] + (again if places else ""))
    return f"{shown}[bold]{escape(file_of(table, form))}[/]  {count}  [dim]{each}[/]"


def tree(tables: Sequence[Table], form: str, title: str) -> Tree:
    """The tables as a tree for the terminal: rows, columns with their types, which fields have mixed types."""
    nodes: dict[str, Tree] = {}
    top = Tree(escape(title))
    for table in tables:
        node = nodes[table.name] = (top if table.parent is None else nodes[table.parent]).add(_label(table, form))
        shown = []
        for column in table.columns:
            mixed = sum(other.path == column.path for other in table.columns) > 1
            colour = _COLOURS.get(column.type.partition("(")[0], "white")
            shown.append(f"{column.name} [{colour}]{column.type}[/]" + (" [red]mixed[/]" if mixed else ""))
        if len(shown) > _MOST_SHOWN:
            shown = [*shown[:_MOST_SHOWN], f"[dim]and {len(shown) - _MOST_SHOWN} more[/]"]
        node.add(" · ".join(shown) if shown else "[dim]keys only[/]", style="not bold")
    return top
