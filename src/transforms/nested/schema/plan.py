"""The tables that documents become: planned from statistics, on top of the tables that are locked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from transforms.nested.schema import stats as seen
from transforms.nested.schema.names import NameRequest, unique_names
from transforms.nested.schema.recursion import LockedPlaces, fold
from transforms.nested.schema.rules import Rule
from transforms.nested.schema.stats import DEPTH, PathStats
from transforms.nested.values.dates import EITHER, holds_format
from transforms.nested.values.parse import prepare_process

ID, PARENT, ROOT, INDEX, KEY, REST = "_id", "_parent_id", "_root_id", "_index", "_key", "_rest"
LEVEL, PATH = "_depth", "_path"
FILE, POSITION, ORDINAL = "_source_file", "_source_position", "_ordinal"
# What the root table also has on request, with types.
ADDED = {FILE: "text", POSITION: "integer", ORDINAL: "integer"}
RESERVED = (ID, PARENT, ROOT, INDEX, KEY, REST, *ADDED)
EXACT_IN_DOUBLE = 2**53
OFFSET = "offset"

_WITHOUT_COLUMN = (seen.NULL, seen.NON_PORTABLE, seen.EMPTY_OBJECT, seen.EMPTY_ARRAY)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Column:
    """A column made of the values at `path` (keys from the row's own value; numbers are positions in an array).

    `type`: boolean, integer (64 bits), double, decimal(38,s), number (digits as text), text, date, timestamp(digits,
    offset), timestamp_local(digits), offset (of the timestamp(digits,*) at the same path), json (a value as JSON text),
    unknown (only null so far). `holds`: boolean, number, text, offset, json, or any (chosen as json), or nothing.
    """

    name: str
    path: Path
    type: str
    holds: str


@dataclass(frozen=True)
class Link:
    """A place whose values are rows of a table: `at` in the rows of `parent`; `each` as in `Table`."""

    parent: str
    at: Path
    each: str

    @property
    def text(self) -> str:
        """The place as the column `_path` has it: keys joined by dots, `[]` after an array, `{}` after a map.

        >>> Link("doc", ("a.b", "c"), "item").text
        '"a.b".c[]'
        """
        steps = [str(step) if re.fullmatch(r'[^."\[\]{}]+', str(step)) else json.dumps(step) for step in self.at]
        return ".".join(steps) + {"item": "[]", "entry": "{}"}.get(self.each, "")


@dataclass(frozen=True)
class Table:
    """A table: rows are the records, or the values at `at` in the parent's rows.

    A recursive table also has the values at `links`, in its own rows or in those of tables below it as rows.

    `each`: record, item (of an array), entry (of a map; column `_key`), object. `rest`: whether it has the column
    `_rest`, the JSON object of the values that no column holds (null, {}, [], strings with NUL ...) by JSON Pointer.
    `added`: which of `ADDED` the root has.
    """

    name: str
    parent: str | None
    at: Path
    each: str
    columns: tuple[Column, ...] = ()
    rest: bool = False
    rows: int = field(default=0, compare=False)
    added: tuple[str, ...] = field(default=(), compare=False)
    links: tuple[Link, ...] = ()

    @property
    def is_plain_root(self) -> bool:
        """True when every row is a record."""
        return self.parent is None and not self.links

    @property
    def places(self) -> tuple[Link, ...]:
        """Where the rows are that are no records."""
        return self.links if self.parent is None else (Link(self.parent, self.at, self.each), *self.links)

    def key_columns(self) -> list[tuple[str, str]]:
        """The key columns and their types."""
        added = [(name, ADDED[name]) for name in self.added]
        if self.is_plain_root:
            return [(ID, "text"), *added]
        own = [(ID, "text"), (PARENT, "text"), (ROOT, "text"), (INDEX, "integer")]
        own += [(KEY, "text")] if any(place.each == "entry" for place in self.places) else []
        return [*own, *([(LEVEL, "integer"), (PATH, "text")] if self.links else []), *added]

    def all_columns(self) -> list[tuple[str, str]]:
        """Every column's name and type, in the order of the files."""
        own = [(column.name, column.type) for column in self.columns]
        return [*self.key_columns(), *own, *([(REST, "json")] if self.rest else [])]


def number_type(stats: PathStats) -> str:
    """The narrowest type that holds all numbers of a path exactly."""
    counts = stats.counts
    whole = max(stats.whole, len(str(max(stats.high, -stats.low))))
    if not counts[seen.DOUBLE] and not counts[seen.BIG]:
        if not counts[seen.BIG_INTEGER]:
            return "integer"
        return "decimal(38,0)" if whole <= 38 else "number"
    if not counts[seen.BIG_INTEGER] and not counts[seen.BIG] and max(stats.high, -stats.low) <= EXACT_IN_DOUBLE:
        return "double"
    return f"decimal(38,{stats.scale})" if whole + stats.scale <= 38 else "number"


def fits(stats: PathStats, kind: str) -> bool:
    """True when a column of the type holds all numbers of the path exactly."""
    own = number_type(stats)
    if own == kind or kind in ("number", "json"):
        return True
    if kind == "double":
        return own == "integer" and max(stats.high, -stats.low) <= EXACT_IN_DOUBLE
    if kind.startswith("decimal"):
        scale = int(kind[11:-1])
        whole = max(stats.whole, len(str(max(stats.high, -stats.low))))
        return stats.scale <= scale and whole <= 38 - scale
    return False


def has_dates(table: Table) -> bool:
    """True when texts of the table are dates or timestamps: they were asked for."""
    return any(column.holds == "text" and column.type != "text" for column in table.columns)


def text_type(stats: PathStats, dates: bool) -> str:
    """The type of a path's texts: a date, timestamp or number when that is asked for and all are written in one way."""
    return (stats.date_format or "text").partition(EITHER)[0] if dates else "text"


def scalar_kinds(stats: PathStats, dates: bool = False) -> list[tuple[str, str]]:
    """The columns that a path needs: pairs of `holds` and type."""
    counts = stats.counts
    if stats.rule.choice == "json":
        return [("any", "json")]
    found = [("boolean", "boolean")] if counts[seen.BOOLEAN] else []
    if stats.numbers:
        found.append(("number", number_type(stats)))
    if counts[seen.TEXT] or counts[seen.NON_PORTABLE]:
        found.append(("text", text_type(stats, dates)))
    if counts[seen.JSON]:
        found.append(("json", "json"))
    if not found and stats.total == counts[seen.NULL] and not stats.homes and stats.object is None:
        found.append(("", "unknown"))
    return found


def plain_parts(path: Path) -> tuple[str, ...]:
    """What a name is made of: the keys, and positions of a row's own array as `value_0`."""
    parts = tuple(map(str, path)) or ("value",)
    return (f"value_{parts[0]}", *parts[1:]) if path and isinstance(path[0], int) else parts


def _request(path: Path, suffix: str = "") -> NameRequest:
    parts = plain_parts(path)
    return NameRequest((*parts, suffix) if suffix else parts, json.dumps([*path, suffix]))


@dataclass
class _Draft:
    """A table while it is being planned."""

    table: Table
    stats: PathStats
    wanted: list[tuple[Path, str, str, str]] = field(default_factory=list)
    rest: bool = False

    def link(self, link: Link) -> None:
        """Takes the values of one more place as rows."""
        if link not in self.table.links:
            self.table = replace(self.table, links=(*self.table.links, link))


class _Planner:
    def __init__(self, name: str, separator: str, locked: Sequence[Table], dates: bool) -> None:
        self.name, self.separator, self.dates = name, separator, dates
        self.locked = {(t.parent, t.at, t.each): t for t in locked}
        self.drafts: dict[int, _Draft] = {}
        self.names: list[str] = [t.name for t in locked]

    def table(self, parent: str | None, at: Path, each: str, stats: PathStats, rest: bool = False) -> None:
        """Plans a table and everything below it; a locked one keeps its name and columns."""
        known = self.locked.get((parent, at, each))
        if known is None:
            base = (self.name,) if parent is None else (parent, *_request(at).parts)
            request = NameRequest(base, json.dumps([parent, at, each]))
            known = Table(unique_names([request], self.separator, self.names)[0], parent, at, each)
            self.names.append(known.name)
        draft = self.drafts[id(stats)] = _Draft(replace(known, rows=stats.total), stats, rest=rest or known.rest)
        stats.fold()
        self.value(draft, (), stats)

    def value(self, draft: _Draft, path: Path, stats: PathStats) -> None:
        """Plans the columns and child tables of the value at `path` of the draft's rows."""
        counts = stats.counts
        kinds = scalar_kinds(stats, self.dates)
        if stats.rule.choice != "json" and any(counts[kind] for kind in _WITHOUT_COLUMN):
            draft.rest = True
        for holds, kind in kinds:
            self._want(draft, path, holds, kind, stats, mixed=len(kinds) > 1)
        if any(kind.endswith(",*)") for _, kind in kinds):
            self._want(draft, path, OFFSET, OFFSET, stats, mixed=True)
        if stats.rule.choice == "table" and counts[seen.OBJECT]:
            self.as_object(draft, path, stats)
        else:
            self.fields(draft, path, stats)
        if stats.items is not None:
            self.table(draft.table.name, path, "item", stats.items)
        if stats.object is not None:
            self.table(draft.table.name, path, "object", stats.object)
        for each, home in sorted(stats.homes.items()):
            above = self.drafts[id(home)]
            above.link(Link(draft.table.name, path, each))
            above.rest = above.rest or (each == "entry" and bool(counts[seen.NON_PORTABLE_KEY]))
        if stats.rule.choice == "recursive":
            self.recursive(path, stats)

    def recursive(self, path: Path, stats: PathStats) -> None:
        """Makes the tables of a place that was chosen to be recursive so, also where no value holds its like."""
        for each, inner in (("item", stats.items), ("entry", stats.values), ("object", stats.object)):
            draft = self.drafts.get(id(inner))
            if inner is not None and draft is not None and not inner.is_deeper(path[-1]):
                draft.link(Link(draft.table.name, path[-1:], each))

    def as_object(self, draft: _Draft, path: Path, stats: PathStats) -> None:
        """Plans the child table of an object that was chosen to be one."""
        inner = PathStats(Rule(None, stats.rule.below, stats.rule.wanted, stats.rule.known))
        inner.fields, inner.values = stats.fields, stats.values
        inner.counts[seen.OBJECT] = stats.counts[seen.OBJECT]
        self.table(draft.table.name, path, "object", inner)

    def fields(self, draft: _Draft, path: Path, stats: PathStats) -> None:
        """Plans what is below an object's keys, and the table of its map."""
        for key, child in stats.ordered():
            self.value(draft, (*path, key), child)
        if stats.values is not None and stats.values.total:
            self.table(draft.table.name, path, "entry", stats.values, bool(stats.counts[seen.NON_PORTABLE_KEY]))

    def _want(self, draft: _Draft, path: Path, holds: str, kind: str, stats: PathStats, mixed: bool) -> None:
        there = [c for c in draft.table.columns if c.path == path]
        same = [c for c in there if c.holds == holds or c.holds == "any"]
        if (there and not holds) or any(self._fits(stats, holds, c.type) for c in same):
            return
        unknown = [c for c in there if c.holds == ""]
        if unknown:  # only null until now: the column takes its first type
            columns = tuple(replace(c, holds=holds, type=kind) if c is unknown[0] else c for c in draft.table.columns)
            draft.table = replace(draft.table, columns=columns)
            return
        suffix = (kind.partition("(")[0] if same or holds == "text" else holds) if mixed or there else ""
        draft.wanted.append((path, holds, kind, suffix))

    def _fits(self, stats: PathStats, holds: str, kind: str) -> bool:
        if holds == "number":
            return fits(stats, kind)
        return holds != "text" or kind in ("text", "json") or holds_format(kind, stats.date_format)

    def finish(self) -> list[Table]:
        """The tables with their names given."""
        tables = []
        for draft in self.drafts.values():
            requests = [_request(path, suffix) for path, _, _, suffix in draft.wanted]
            reserved = (*RESERVED, LEVEL, PATH) if draft.table.links else RESERVED
            taken = [*reserved, *(c.name for c in draft.table.columns)]
            names = unique_names(requests, self.separator, taken)
            new = [Column(n, path, kind, holds) for n, (path, holds, kind, _) in zip(names, draft.wanted, strict=True)]
            tables.append(replace(draft.table, columns=(*draft.table.columns, *new), rest=draft.rest))
        there = {t.name for t in tables}
        return [*tables, *(replace(t, rows=0) for t in self.locked.values() if t.name not in there)]


def _locked_places(locked: Sequence[Table]) -> LockedPlaces:
    places = [(table.name, column.path) for table in locked for column in table.columns]
    places += [(place.parent, place.at) for table in locked for place in table.places]
    return LockedPlaces(
        {(table.parent, table.at, table.each): table.name for table in locked},
        {(link.parent, link.at, link.each): table.name for table in locked for link in table.links},
        {table.name: KEY in dict(table.key_columns()) for table in locked if table.links},
        frozenset((name, path[:length]) for name, path in places for length in range(len(path) + 1)),
    )


def folded(stats: PathStats, locked: Sequence[Table] = (), depth: int = DEPTH, grows: bool = True) -> PathStats:
    """The statistics with recursive places folded, what is deeper than `depth` levels being JSON: for `plan_folded`."""
    prepare_process()
    found = fold(stats, _locked_places(locked), depth, grows)
    found.cut(depth)
    return found


def plan_folded(
    stats: PathStats, name: str, separator: str = "__", locked: Sequence[Table] = (), dates: bool = False
) -> list[Table]:
    """As `plan_tables`, of what `folded` gives."""
    planner = _Planner(name, separator, locked, dates)
    prepare_process()
    planner.table(None, (), "record", stats)
    return planner.finish()


def plan_tables(
    stats: PathStats,
    name: str,
    separator: str = "__",
    locked: Sequence[Table] = (),
    dates: bool = False,
    depth: int = DEPTH,
) -> list[Table]:
    """The tables of the documents that `stats` describes, parents before children.

    Tables and columns of `locked` stay as they are, in their order; what is new comes after them. With `dates` texts
    become dates and timestamps where all of a path are written in one way. What is more than `depth` levels deep
    becomes JSON text.
    """
    return plan_folded(folded(stats, locked, depth), name, separator, locked, dates)


def as_json(table: Table) -> dict[str, Any]:
    """The table as tables.json and a schema lock have it (row counts apart)."""
    return {
        "name": table.name,
        "parent": table.parent,
        "at": list(table.at),
        "each": table.each,
        "columns": [{"name": c.name, "path": list(c.path), "type": c.type, "holds": c.holds} for c in table.columns],
        "rest": table.rest,
    } | (_links_json(table) if table.links else {})


def _links_json(table: Table) -> dict[str, Any]:
    """The places of a recursive table's rows: `path` is what the column `_path` has for them."""
    links = [{"parent": link.parent, "at": list(link.at), "each": link.each, "path": link.text} for link in table.links]
    return {"path": None if table.parent is None else table.places[0].text, "links": links}


def from_json(entry: dict[str, Any]) -> Table:
    """The table that `as_json` described; `KeyError` or `TypeError` for anything else."""
    columns = tuple(Column(c["name"], tuple(c["path"]), c["type"], c["holds"]) for c in entry["columns"])
    links = tuple(Link(link["parent"], tuple(link["at"]), link["each"]) for link in entry.get("links", ()))
    return Table(entry["name"], entry["parent"], tuple(entry["at"]), entry["each"], columns, entry["rest"], links=links)
