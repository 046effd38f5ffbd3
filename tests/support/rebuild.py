"""Puts exploded tables together again, from nothing but their rows and tables.json, and compares documents exactly."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from transforms.nested.values.dates import moment

Rows = Sequence[Mapping[str, Any]]
_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,\n]*)')


def loads(text: str) -> Any:
    """A document as it is meant to be compared: numbers as decimals, all their digits kept."""
    return json.loads(text, parse_float=Decimal)


def comparable(value: Any) -> Any:
    """A value that equals another one only where JSON's values are equal: 1 is 1.0, but true is not 1."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    return Decimal(value) if isinstance(value, int | Decimal) else value


def csv_rows(text: str) -> Iterator[dict[str, str | None]]:
    """Rows of a CSV text; an empty field is null, a quoted empty one is the empty text."""
    at, records, fields = 0, [], []
    while at < len(text):
        match = _FIELD.match(text, at)
        assert match is not None
        fields.append(match[1].replace('""', '"') if match[1] is not None else match[2] or None)
        at = match.end()
        if text[at : at + 1] != ",":
            assert text[at] == "\n", text[at : at + 40]
            records.append(fields)
            fields = []
        at += 1
    for record in records[1:]:
        yield dict(zip(records[0], record, strict=True))


def jsonl_rows(text: str) -> Iterator[dict[str, Any]]:
    """Rows of a JSON lines text."""
    return (loads(line) for line in text.split("\n") if line)


def as_written(value: datetime, kind: str) -> str:
    """The text that a moment was written as, by its column's type.

    >>> as_written(moment("2024-05-01T04:00:00.250+08:00"), "timestamp(3,+08:00)")
    '2024-05-01T04:00:00.250+08:00'
    """
    digits, _, offset = kind[len("timestamp(") : -1].partition(",")
    zone = UTC
    if offset != "Z":
        away = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
        zone = timezone(-away if offset[0] == "-" else away)
    text = value.astimezone(zone).isoformat(timespec="microseconds")
    return f"{text[:19]}.{text[20 : 20 + int(digits)]}".rstrip(".") + offset


def _text_cell(value: Any, kind: str, offset: str | None) -> str:
    """The text that a typed value was, by its column's type."""
    if kind == "double":
        return repr(float(value)).removesuffix(".0")
    if kind.startswith("timestamp_local"):
        text = value if isinstance(value, str) else value.isoformat(timespec="microseconds")
        digits = int(kind[len("timestamp_local(") : -1])
        return f"{text[:19]}.{text[20 : 20 + digits]}".rstrip(".")
    if kind.endswith(",*)"):
        assert offset is not None
        kind = kind.replace("*", offset)
    return str(value) if kind.startswith(("integer", "decimal", "text")) else str(_cell(value, kind))


def _cell(value: Any, kind: str) -> Any:
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    if kind == "json":
        return loads(value)
    if kind == "date":
        return value if isinstance(value, str) else value.isoformat()
    if kind.startswith("timestamp"):
        return as_written(moment(value) if isinstance(value, str) else value, kind)
    if kind == "text":
        assert isinstance(value, str)
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _set(holder: list[Any], path: Sequence[str | int], value: Any) -> None:
    """Sets a value below `holder[0]`, making the containers on the way; positions make lists."""
    current: Any = holder
    key: str | int = 0
    for step in path:
        below = current[key] if (isinstance(current, dict) and key in current) or isinstance(current, list) else None
        if below is None:
            below = current[key] = {} if isinstance(step, str) else []
        current, key = below, step
        if isinstance(current, list):
            current.extend([None] * (int(key) + 1 - len(current)))
    current[key] = value


class Rebuild:
    """The documents behind the rows of all tables: `tables` as tables.json has them, `rows` by table name."""

    def __init__(self, tables: Sequence[Mapping[str, Any]], rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        self.tables = {table["name"]: table for table in tables}
        self.root = next(table for table in tables if table["parent"] is None)
        # Where rows of a table are: table above, path in it, kind, and what `_path` says there (None: no such column).
        self.places: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any], str | None]]] = defaultdict(list)
        self.below: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        self.roots = [row for row in rows[self.root["name"]] if not row.get("_parent_id")]
        for table in tables:
            if table["parent"] is not None:
                self.places[table["parent"]].append((table, table, table.get("path")))
            for link in table.get("links", ()):
                self.places[link["parent"]].append((table, link, link["path"]))
            for row in rows.get(table["name"], ()):
                if row.get("_parent_id"):
                    self.below[table["name"], row["_parent_id"]].append(row)

    def documents(self) -> list[Any]:
        """All documents, in the order of the root table's rows."""
        return [self.value(self.root, row) for row in self.roots]

    def value(self, table: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
        holder: list[Any] = [None]
        offsets = {tuple(c["path"]): row[c["name"]] for c in table["columns"] if c["holds"] == "offset"}
        for column in table["columns"]:
            value, kind = row[column["name"]], column["type"]
            if value is not None and column["holds"] == "text":
                _set(holder, column["path"], _text_cell(value, kind, offsets.get(tuple(column["path"]))))
            elif value is not None and column["holds"] != "offset":
                _set(holder, column["path"], _cell(value, kind))
        for child, place, path in self.places[table["name"]]:
            self._child(holder, child, place, path, row["_id"])
        kept = row.get("_rest") if table["rest"] else None
        for place, value in (loads(kept) if kept else {}).items():
            if place != "_key":
                _set(holder, self._path(table, place), value)
        return holder[0]

    def _child(
        self, holder: list[Any], child: Mapping[str, Any], place: Mapping[str, Any], path: str | None, parent: str
    ) -> None:
        rows = [row for row in self.below[child["name"], parent] if path is None or row["_path"] == path]
        found = sorted(rows, key=lambda row: int(row["_index"]))
        values = [self.value(child, row) for row in found]
        if place["each"] == "entry":
            for row, value in zip(found, values, strict=True):
                key = row["_key"] if row["_key"] is not None else loads(row["_rest"])["_key"]
                _set(holder, [*place["at"], key], value)
        elif found:
            _set(holder, place["at"], values if place["each"] == "item" else values[0])

    @staticmethod
    def _path(table: Mapping[str, Any], place: str) -> list[str | int]:
        keys = [key.replace("~1", "/").replace("~0", "~") for key in place.split("/")[1:]]
        path: list[str | int] = []
        for key in keys:
            paths = [c["path"] for c in table["columns"]]
            in_array = any(
                p[: len(path)] == path and len(p) > len(path) and isinstance(p[len(path)], int) for p in paths
            )
            path.append(int(key) if in_array and key.isdigit() else key)
        return path
