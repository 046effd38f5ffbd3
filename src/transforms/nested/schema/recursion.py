"""Recursive documents: objects that hold their own shape again become rows of one table, not a table for each level.

A key is recursive where an object under it is within two others under the same key, and all three share a key; arrays
and maps between them do not matter. Recursive keys that hold each other belong together, and so do objects that are
alike: those that hold them, as the record itself, and those in them that have such a key. `fold` moves what is at such
a key into the statistics of the outermost place under these keys that is alike. It goes through statistics of all
records, so the order and the split of records do not matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from transforms.nested.schema.rules import ROW, Rule
from transforms.nested.schema.stats import JSON, NON_PORTABLE_KEY, OBJECT, PathStats
from transforms.nested.values.parse import is_non_portable

Path = tuple[str | int, ...]
Place = tuple[str | None, Path, str]
# The key that values are under, whatever arrays and maps are between; None is the record.
Label = str | None

# So many objects within each other make a recursion.
_LEVELS = 3


@dataclass(frozen=True)
class LockedPlaces:
    """What a locked schema says of places (table, path in its rows, item, entry or object).

    `tables` and `links` have the names of the tables whose rows are there; `recursive` the recursive tables and whether
    they have map keys; `paths` all places of columns and tables, and those above them, as table and path.
    """

    tables: Mapping[Place, str] = field(default_factory=dict)
    links: Mapping[Place, str] = field(default_factory=dict)
    recursive: Mapping[str, bool] = field(default_factory=dict)
    paths: frozenset[tuple[str | None, Path]] = frozenset()


def _is_named(rule: Rule) -> bool:
    """True when a person decided anything here or below, other than that this is recursive."""
    chosen = rule.choice not in (None, ROW, "recursive") or not rule.wanted
    return chosen or any(_is_named(below) or below.choice is not None for below in rule.below.values())


def _has_columns(rule: Rule) -> bool:
    return rule.choice == "columns" or any(map(_has_columns, rule.below.values()))


def _keys(stats: PathStats) -> list[str]:
    return [key for key in stats.fields if isinstance(key, str)]


class _Labels:
    """What all places show of the keys that they are under."""

    def __init__(self, stats: PathStats) -> None:
        self.keys: dict[Label, set[str]] = defaultdict(set)
        self.above: dict[Label, set[Label]] = defaultdict(set)
        self.holders: dict[Label, set[Label]] = defaultdict(set)
        self.recursive: set[Label] = set()
        self.named: dict[Label, set[Label]] = defaultdict(set)  # by key: the keys above a place that a choice names
        self.chosen: dict[Label, set[str]] = defaultdict(set)  # by key: the keys below that choices name
        self.maps: set[Label] = set()
        self.off: set[Label] = set()  # a choice, or a limit, says how they are to be
        self._seen: dict[Label, Counter[str]] = defaultdict(Counter)
        self._visit(stats, None, (), frozenset(), is_row=True)

    def _visit(
        self, stats: PathStats, label: Label, path: tuple[Label, ...], maps: frozenset[Label], *, is_row: bool
    ) -> None:
        rule = stats.rule
        if rule.choice == "json":
            return
        chosen = rule.choice in ("table", "columns") or not rule.wanted or (rule.below and _has_columns(rule))
        if stats.counts[JSON] or chosen:
            self.off |= {label, *path} if stats.counts[JSON] else {label}
        if rule.choice == "recursive":
            self.recursive.add(label)
        if (rule.choice or rule.below or not rule.wanted) and _is_named(rule):
            self.named[label] |= set(path)
        is_map = (label in maps and not is_row) or stats.looks_like_map()
        keys = [key for key in _keys(stats) if not is_map or rule.names(key)]
        within = (*path, label) if keys else path
        if keys:
            self.keys[label].update(keys)
            self.above[label].update(path)
            self.holders[label] |= {path[-1]} if path else set()
            self.chosen[label] |= {key for key, below in rule.below.items() if _is_named(below)}
            self._seen[label].update(keys)
            if max(self._seen[label][key] for key in keys) >= _LEVELS:
                self.recursive.add(label)
        if is_map or stats.values is not None:
            self.maps.add(label)
            maps = maps | {label}
        named = set(keys)
        for key, child in stats.fields.items():
            is_key = isinstance(key, str) and key in named
            self._visit(child, str(key) if is_key else label, within, maps, is_row=not is_key)
        for inner in (stats.values, stats.items):
            if inner is not None:
                self._visit(inner, label, within, maps, is_row=True)
        self._seen[label].subtract(keys)

    def groups(self) -> list[set[Label]]:
        """The keys that belong together."""
        groups: list[set[Label]] = [{label} for label in self.recursive]
        for label in [*self.above]:
            both = {
                other
                for other in self.above[label]
                if label in self.above[other] and (label in self.recursive or other in self.recursive)
            }
            if both:
                joined = {label}.union(both, *(group for group in groups if group & {label, *both}))
                groups = [group for group in groups if not group & joined] + [joined]
        wanted = [g for g in groups if not g & self.off and not any(self.named[label] & g for label in g)]
        return self._with_others(sorted(wanted, key=_order))

    def _with_others(self, groups: list[set[Label]]) -> list[set[Label]]:
        """The groups with objects that are like theirs, each in one group: those that hold them, and those in them."""
        taken = set().union(*groups)
        for group in groups:
            theirs: set[str] = set().union(*(self.keys[label] for label in group)) - group
            inner = {
                label
                for label in self.holders
                if self.holders[label] & group and self.keys[label] & group and not self.named[label] & group
            }
            # A choice for the holder's keys is none for those of the objects that it holds.
            holders = set().union(*(self.holders[label] for label in group))
            outer = {holder for holder in holders if not self.chosen[holder] & (theirs | group)}
            for label in sorted((inner | outer) - taken - self.off, key=lambda label: _order([label])):
                own = self.keys[label] - group
                if 2 * len(own & theirs) >= len(own) if own else not theirs:
                    group.add(label)
                    taken.add(label)
        return groups

    def alike(self, label: Label, other: Label) -> bool:
        """Whether objects under these keys are rows of one table: they share a key."""
        return label == other or not self.keys[label].isdisjoint(self.keys[other])


def _order(labels: Iterable[Label]) -> list[tuple[bool, str]]:
    return sorted((label is not None, label or "") for label in labels)


@dataclass
class _Row:
    """A place whose values are, or may become, the rows of a table.

    `above`: those around it that belong to a recursion, the outermost first, itself included; `inside`: its path in a
    locked table's rows, when it is no table of its own there; `left`: levels that may become tables.
    """

    stats: PathStats
    label: Label
    each: str
    where: tuple[str | int, ...]
    left: int
    above: tuple[_Row, ...] = ()
    table: str | None = None
    inside: Path = ()


@dataclass
class _Added:
    """What is to be added to a place: `path` is its path in the row, `is_row` says that it is the row itself."""

    row: _Row
    target: PathStats
    source: PathStats
    label: Label
    path: Path
    left: int
    is_row: bool = False


class _Fold:
    """One attempt: `maps` are places that must be maps, `off` keys that are not folded; both grow when it fails."""

    def __init__(
        self, labels: _Labels, groups: list[set[Label]], locked: LockedPlaces, maps: set[Path], off: set[Label]
    ) -> None:
        self._labels, self._locked, self._maps, self._off = labels, locked, maps, off
        self._group = {label: number for number, group in enumerate(groups) for label in group if not group & off}
        self._groups = groups
        self._rows: dict[int, _Row] = {}
        self._tables: dict[str, _Row] = {}
        self._heads: set[int] = set()
        self._todo: list[_Added] = []

    def record(self, source: PathStats, depth: int) -> PathStats:
        """The statistics of all records, folded."""
        stats = PathStats(source.rule)
        row = self._row(_Row(stats, None, "record", (), depth, (), self._locked.tables.get((None, (), "record"))))
        self._todo.append(_Added(row, stats, source, None, (), depth, is_row=True))
        while self._todo:  # no calls within calls: documents may be deep
            self._add(self._todo.pop())
        self._finish(stats)
        return stats

    def _row(self, row: _Row) -> _Row:
        if row.label in self._group:
            row.above = (*row.above, row)
        if row.table is not None and not row.inside:
            self._tables[row.table] = row
        self._rows[id(row.stats)] = row
        return row

    def _below(self, row: _Row, stats: PathStats, label: Label, path: Path, each: str, left: int) -> _Row:
        """The row that a place in this row is, or may become."""
        known = self._rows.get(id(stats))
        if known is not None:
            return known
        table = self._locked.tables.get((row.table, (*row.inside, *path), each)) if row.table is not None else None
        inside: Path = ()
        if table is None and each == "object" and row.table is not None:
            table, inside = row.table, (*row.inside, *path)
        return self._row(_Row(stats, label, each, (*row.where, *path, each), left, row.above, table, inside))

    def _home(self, row: _Row, label: Label, path: Path, each: str, left: int) -> _Row | None:
        """The row above whose table gets what is here; None when it is a table, or columns, of its own."""
        if row.table is not None:
            place = (row.table, (*row.inside, *path), each)
            if place in self._locked.links and left > 0:
                return self._tables.get(self._locked.links[place])
            if place in self._locked.tables:
                return None
        group = self._group.get(label)
        for other in row.above if group is not None else ():
            same = self._group[other.label] == group and self._labels.alike(label, other.label)
            if same and self._may_grow(other, each):
                if left <= 0:  # deeper than tables may be: all of it stays as it is
                    self._off |= self._groups[self._group[label]]
                return other
        return None

    def _may_grow(self, row: _Row, each: str) -> bool:
        """A locked table stays what it is: one that is not recursive does not become it."""
        if row.table is None:
            return True
        if row.inside:
            return (row.table, row.inside) not in self._locked.paths
        return row.table in self._locked.recursive and (each != "entry" or self._locked.recursive[row.table])

    def _into(self, home: _Row, target: PathStats, each: str, source: PathStats) -> None:
        target.homes = {**target.homes, each: home.stats}
        self._heads.add(id(home.stats))
        self._todo.append(_Added(home, home.stats, source, home.label, (), home.left, is_row=True))

    def _add(self, added: _Added) -> None:
        row, target, source, label = added.row, added.target, added.source, added.label
        path, left, is_row = added.path, added.left, added.is_row
        if target.rule.choice == "json":
            target.counts[JSON] += source.total
            target.turn += source.turn
            return
        target.add_own(source)
        is_object = bool(_keys(source)) and label in self._group
        if self._is_map(row, source, label, path, is_row=is_row):
            self._make_map(row, target, path)
            self._fields(row, target, source, label, path, left)
        elif not is_row and (is_object or (source.counts[OBJECT] and self._is_linked(row, path, "object"))):
            self._objects(row, target, source, label, path, left)
        elif target.rule.choice == "table":
            inner = self._below(row, target, label, path, "object", left)
            self._fields(inner, target, source, label, (), left)
        else:
            self._fields(row, target, source, label, path, left)
        if source.items is not None:
            self._inner(row, target, source.items, label, path, "item", left)

    def _is_map(self, row: _Row, source: PathStats, label: Label, path: Path, *, is_row: bool) -> bool:
        """Whether objects are a map: as they look, as others under the key are, or as a locked schema says."""
        if not _keys(source):
            return False
        if label in self._group and (source.looks_like_map() or (not is_row and label in self._labels.maps)):
            return True
        return self._is_linked(row, path, "entry")

    def _is_linked(self, row: _Row, path: Path, each: str) -> bool:
        """Whether a locked schema has rows of a recursive table here."""
        place = (row.table, (*row.inside, *path), each)
        return row.table is not None and (
            place in self._locked.links or self._locked.tables.get(place) in self._locked.recursive
        )

    def _make_map(self, row: _Row, target: PathStats, path: Path) -> None:
        where = (*row.where, *path)
        if target.values is None:
            if _keys(target):
                self._maps.add(where)
            target.values = PathStats(target.rule.entries())

    def _objects(self, row: _Row, target: PathStats, source: PathStats, label: Label, path: Path, left: int) -> None:
        """Adds objects that are, or may become, rows of a table."""
        rule = source.rule
        inner = PathStats(Rule(None, rule.below, rule.wanted, rule.known))
        inner.fields, inner.values = source.fields, source.values
        for kind in (OBJECT, NON_PORTABLE_KEY):
            inner.counts[kind] = source.counts[kind]
            target.counts[kind] -= source.counts[kind]
        home = self._home(row, label, path, "object", left)
        if home is not None:
            self._into(home, target, "object", inner)
            return
        if target.object is None:
            own = target.rule
            target.object = PathStats(Rule(None, own.below, own.wanted, own.known))
        below = self._below(row, target.object, label, path, "object", left)
        self._todo.append(_Added(below, target.object, inner, label, (), left, is_row=True))

    def _fields(self, row: _Row, target: PathStats, source: PathStats, label: Label, path: Path, left: int) -> None:
        if (*row.where, *path) in self._maps and target.values is None:
            target.values = PathStats(target.rule.entries())
        for key, child in source.fields.items():
            if isinstance(key, str) and target.rule.step(key) is None:
                target.skipped |= {key}
            elif isinstance(key, str) and target.values is not None and not target.rule.names(key):
                target.counts[NON_PORTABLE_KEY] += is_non_portable(key) * child.total
                self._inner(row, target, child, label, path, "entry", left)
            else:
                mine = target.fields.get(key)
                if mine is None:
                    mine = target.fields[key] = PathStats(target.rule_of(key))
                below = key if isinstance(key, str) else label
                self._todo.append(_Added(row, mine, child, below, (*path, key), left - 1))
        if source.values is not None and source.values.total:
            self._make_map(row, target, path)
            self._inner(row, target, source.values, label, path, "entry", left)

    def _inner(
        self, row: _Row, target: PathStats, source: PathStats, label: Label, path: Path, each: str, left: int
    ) -> None:
        """Adds elements of arrays or entries of maps."""
        home = self._home(row, label, path, each, left)
        if home is not None:
            self._into(home, target, each, source)
            return
        if each == "item":
            inner = target.items = target.items or PathStats(target.rule.items())
        else:
            inner = target.values = target.values or PathStats(target.rule.entries())
            inner.turn = 0
        below = self._below(row, inner, label, path, each, left - 1)
        self._todo.append(_Added(below, inner, source, label, (), left - 1, is_row=True))

    def _finish(self, stats: PathStats) -> bool:
        """Makes columns of objects that nothing was folded into; keys on the way to a recursive table stay keys."""
        if stats.object is not None and stats.rule.choice != "recursive" and not self._is_table(stats.object):
            inner, stats.object = stats.object, None
            stats.fields, stats.values = inner.fields, inner.values
            stats.homes = {**stats.homes, **inner.homes}
            stats.skipped |= inner.skipped
            for kind in (OBJECT, NON_PORTABLE_KEY):
                stats.counts[kind] += inner.counts[kind]
        below = [*stats.fields.values(), *filter(None, (stats.values, stats.items, stats.object))]
        fixed = [self._finish(one) for one in below]
        stats.fixed = any(fixed) or bool(stats.homes) or id(stats) in self._heads
        return stats.fixed

    def _is_table(self, stats: PathStats) -> bool:
        row = self._rows[id(stats)]
        return id(stats) in self._heads or (row.table is not None and not row.inside)


def fold(stats: PathStats, locked: LockedPlaces, depth: int, grows: bool = True) -> PathStats:
    """The statistics with recursive places folded, as `schema.plan` makes tables of them; those given without any.

    Only those of the locked schema without `grows`.

    A recursion that is deeper than `depth` levels after folding is left alone.
    """
    labels = _Labels(stats)
    groups = labels.groups() if grows else []
    if not groups and not locked.links:
        return stats
    maps: set[Path] = set()
    off: set[Label] = set()
    while True:
        before = len(maps), len(off)
        folded = _Fold(labels, groups, locked, maps, off).record(stats, depth)
        if (len(maps), len(off)) == before:
            return folded
