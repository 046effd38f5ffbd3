"""tables.sql makes the tables in DuckDB and PostgreSQL and loads the files; nothing changes on the way."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import duckdb
import pytest
from rich.console import Console

from tests.support.documents import observe
from tests.support.postgres import PrivatePostgres
from tests.support.rebuild import Rebuild, comparable, loads
from transforms.nested.rows.render import CSV, LINE, rows_of
from transforms.nested.rows.shredder import Shredder
from transforms.nested.schema.plan import Table, plan_tables
from transforms.nested.schema.rules import build_rules
from transforms.nested.schema.tables import tables_json, tables_sql, tree
from transforms.nested.values.parse import Parser

DOCUMENTS = [
    '{"id": 1, "name": "a, \\"b\\"\\nc", "price": 1.5, "big": 12345678901234567890, "ok": true,'
    ' "tags": ["", "NA", null, "x"]}',
    '{"id": "2b", "name": "", "price": 3, "odd": "\\u0000", "big": 1, "m": {"k 1": {"n": [1, 2]}, "é": {"n": []}}}',
    '{"day": "2024-02-29", "at": "2021-05-23T17:40:26.250+08:00", "huge": 1e400,'
    ' "wide": 0.12345678901234567890, "name": " \\\\. ", "a_b": 1, "a.b": 2, "A_B": {"x": null}}',
]

RECURSIVE = [
    '{"text": "a", "replies": [{"text": "b", "replies": [{"text": "c", "tags": ["x", null], "replies": [{"text": "d",'
    ' "replies": []}, null, "deleted"]}]}, {"text": "e"}]}',
    '{"title": "t", "tree": {"v": 1, "left": {"v": 2, "left": {"v": 3, "left": {"v": 4, "right": {"v": 5}}}}}}',
]
BOTH = pytest.mark.parametrize("documents", [DOCUMENTS, RECURSIVE], ids=["mixed", "recursive"])


def made(folder: pathlib.Path, form: str, documents: list[str] = DOCUMENTS) -> list[Table]:
    """Explodes the documents into files of the format, with their tables.json and tables.sql."""
    rules = build_rules(["m=map"])
    tables = plan_tables(observe(documents, rules), "doc", dates=True)
    shredder = Shredder(tables, rules)
    ids = [f"{number:032d}" for number in range(len(documents))]
    shredder.shred(ids, [Parser().parse(text) for text in documents])
    for builder in shredder.tables:
        lines = rows_of(builder, form).column(LINE).to_pylist()
        head = [",".join(name for name, _ in builder.table.all_columns())] if form == CSV else []
        (folder / f"{builder.table.name}.{form}").write_text(
            "".join(f"{line}\n" for line in head + lines), encoding="utf-8"
        )
    (folder / "tables.sql").write_bytes(tables_sql(tables, form))
    return tables


def statements(folder: pathlib.Path, who: str) -> list[str]:
    """The loading statements for one of the databases, files by their full path."""
    lines = (folder / "tables.sql").read_text(encoding="utf-8").split("\n")
    found = [line.removeprefix(f"-- {who}: ") for line in lines if line.startswith(f"-- {who}: ")]
    return [line.replace("FROM 'doc", f"FROM '{folder}/doc") for line in found]


def assert_same_documents(tables: list[Table], rows: dict[str, list[dict[str, Any]]], documents: list[str]) -> None:
    described = json.loads(tables_json(tables, "csv", "__"))["tables"]
    found = Rebuild(described, rows).documents()
    assert [comparable(document) for document in found] == [comparable(loads(text)) for text in documents]


@BOTH
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_duckdb_loads_what_was_written(form: str, documents: list[str], tmp_path: pathlib.Path) -> None:
    tables = made(tmp_path, form, documents)
    with duckdb.connect() as database:
        database.execute((tmp_path / "tables.sql").read_text(encoding="utf-8"))
        for statement in statements(tmp_path, "duckdb"):
            database.execute(statement)
        rows = {}
        for table in tables:
            found = database.execute(f'SELECT * FROM "{table.name}" ORDER BY _id')
            names = [column[0] for column in found.description]
            rows[table.name] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert_same_documents(tables, rows, documents)


@pytest.mark.postgres
@BOTH
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_postgresql_loads_what_was_written(
    form: str, documents: list[str], tmp_path: pathlib.Path, postgres: PrivatePostgres
) -> None:
    tables = made(tmp_path, form, documents)
    rows = {}
    with postgres.connect() as session, session.cursor() as cursor:
        cursor.execute((tmp_path / "tables.sql").read_text(encoding="utf-8"))
        for statement in statements(tmp_path, "psql"):
            copy = re.fullmatch(r"\\copy (\S+) FROM '([^']+)' (WITH .*)", statement)
            if copy is None:
                cursor.execute(statement)
            else:  # what psql does with a file of its own machine
                with cursor.copy(f"COPY {copy[1]} FROM STDIN {copy[3]}") as target:
                    target.write(pathlib.Path(copy[2]).read_bytes())
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table.name}" ORDER BY _id')
            names = [column.name for column in cursor.description or ()]
            rows[table.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for table in reversed(tables):
            cursor.execute(f'DROP TABLE "{table.name}"')
    assert_same_documents(tables, rows, documents)


def test_tables_json_lists_names_that_are_not_the_keys(tmp_path: pathlib.Path) -> None:
    described = json.loads(tables_json(made(tmp_path, "csv"), "csv", "__"))["tables"]
    assert [(r["column"], r["path"]) for r in described[0]["renamed"]] == [("a_b_1d33ea", ["a.b"])]
    assert [(t["name"], t["file"], t["rows"]) for t in described] == [
        ("doc", "doc.csv", 3),
        ("doc__m", "doc__m.csv", 2),
        ("doc__m__n", "doc__m__n.csv", 2),
        ("doc__tags", "doc__tags.csv", 4),
    ]


def test_the_tree_shows_tables_rows_and_types(tmp_path: pathlib.Path) -> None:
    console = Console(highlight=False, width=140)
    with console.capture() as captured:
        console.print(tree(made(tmp_path, "csv"), "csv", "Tables of orders.json"))
    shown = captured.get()
    for part in (
        "doc.csv  3 rows",
        "id__number integer mixed",
        "tags[] → doc__tags.csv  4 rows",
        "m{*} → doc__m.csv  2 rows",
    ):
        assert part in shown


def test_a_recursive_table_has_no_foreign_key_and_says_where_its_rows_are(tmp_path: pathlib.Path) -> None:
    tables = made(tmp_path, "csv", RECURSIVE)
    sql = tables_sql(tables, "csv").decode()
    assert '  "_parent_id" TEXT,\n  "_root_id" TEXT,\n  "_index" BIGINT,\n  "_depth" BIGINT,\n  "_path" TEXT,\n' in sql
    described = json.loads(tables_json(tables, "csv", "__"))["tables"]
    assert [(t["name"], t.get("path"), [link["path"] for link in t.get("links", [])]) for t in described] == [
        ("doc", None, []),
        ("doc__replies", "replies[]", ["replies[]"]),
        ("doc__replies__tags", None, []),
        ("doc__tree", "tree", ["left"]),
    ]
    console = Console(highlight=False, width=140)
    with console.capture() as captured:
        console.print(tree(tables, "csv", "Tables of a.json"))
    assert "one row per element, again at replies[]" in captured.get()
