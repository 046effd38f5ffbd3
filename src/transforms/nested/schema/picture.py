"""tables.md: the tables and how they hang together, as GitHub and most editors show it (Markdown, Mermaid)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from transforms.nested.schema.plan import ID, LEVEL, PARENT, PATH, ROOT, Table

# A diagram with more than these cannot be read, and Mermaid refuses 500 lines between tables.
_MOST_TABLES, _MOST_COLUMNS = 60, 30


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


def _word(text: str) -> str:
    """A column's name as Mermaid takes one."""
    word = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return word if re.match("[A-Za-z_]", word) else f"_{word}"


def _entity(table: Table) -> Iterator[str]:
    columns = table.all_columns()
    yield f"    {_quoted(table.name)} {{"
    for name, kind in columns[:_MOST_COLUMNS]:
        role = "PK" if name == ID else "FK" if name in (PARENT, ROOT) else ""
        # A name that Mermaid does not take follows the one that it gets.
        own = "" if _word(name) == name else _quoted(name)
        yield "        " + " ".join(part for part in (kind.partition("(")[0], _word(name), role, own) if part)
    if len(columns) > _MOST_COLUMNS:
        yield f'        text _more "{len(columns) - _MOST_COLUMNS} more columns"'
    yield "    }"


def _diagram(tables: Sequence[Table]) -> Iterator[str]:
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        labels: dict[str, set[str]] = {}
        for place in table.places:
            labels.setdefault(place.parent, set()).add(".".join(map(str, place.at)) or "value")
        for parent, places in labels.items():
            yield f"    {_quoted(parent)} ||--o{{ {_quoted(table.name)} : {_quoted(', '.join(sorted(places)))}"
    for table in tables:
        yield from _entity(table)
    yield "```"


def tables_md(tables: Sequence[Table]) -> bytes:
    """tables.md: an entity diagram (of up to 60 tables, 30 columns each) and a line for each table."""
    lines = [f"# Tables of {tables[0].name}", ""]
    if len(tables) <= _MOST_TABLES:
        lines += [*_diagram(tables), ""]
    lines += ["| table | a row is | rows | columns | in |", "|---|---|---|---|---|"]
    rows = {"record": "a record", "item": "an element of", "entry": "a key of the map", "object": "the object"}
    for table in tables:
        where = ".".join(map(str, table.at)).replace("|", "\\|")
        kind = rows[table.each] + ("" if table.each == "record" else f" `{where or 'value'}`")
        again = ", ".join(sorted({f"`{link.text}`" for link in table.links})).replace("|", "\\|")
        kind += f", again at {again}" if again else ""
        width = len(table.all_columns())
        above = ", ".join(dict.fromkeys(place.parent for place in table.places))
        lines.append(f"| {table.name} | {kind} | {table.rows:,} | {width} | {above} |")
    lines += ["", f"`{PARENT}` is the `{ID}` of the row in the table named under *in*, `{ROOT}` that of the record."]
    if any(table.links for table in tables):
        lines += [
            "",
            f"A table that is in itself is recursive: `{LEVEL}` counts its rows above one, `{PATH}` is its place.",
        ]
    return ("\n".join(lines) + "\n").encode()
