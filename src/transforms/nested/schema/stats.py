"""Statistics of every path of the documents: counts by kind, sizes of numbers, keys. Two of them add up to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from transforms.nested.schema.rules import ROW, Rule
from transforms.nested.values.columns import columns_of
from transforms.nested.values.dates import NOT_ONE, date_format, merge_formats
from transforms.nested.values.parse import BigNumber, NonPortableString, decimal_size, is_non_portable

# Kinds of values, as positions in `PathStats.counts`.
NULL, BOOLEAN, INTEGER, DOUBLE, BIG_INTEGER, BIG, TEXT, NON_PORTABLE, JSON = range(9)
OBJECT, EMPTY_OBJECT, ARRAY, EMPTY_ARRAY, UNWANTED, NON_PORTABLE_KEY = range(9, 15)
_NUMBERS = (INTEGER, DOUBLE, BIG_INTEGER, BIG)
# An object with more keys than this is a map wherever it is: no table has as many columns.
MANY_KEYS = 1000
MAP_KEYS = 200
# An object with more keys than this is a map when its values are alike: no person gives as many names to one thing.
ALIKE_KEYS = 50
# What PostgreSQL takes in a table, less the columns of keys.
MAX_COLUMNS = 1590
# Levels that become tables and columns, unless another number is asked for.
DEPTH = 100
_BEYOND = 10**6
# Most places have neither: an empty set and an empty dictionary for each would take 280 bytes.
_NO_KEYS: frozenset[str] = frozenset()
_NO_PATHS: frozenset[tuple[str, ...]] = frozenset()
_NO_HOMES: Mapping[str, PathStats] = {}
_MISSING = object()


def is_row(array: Sequence[Any]) -> bool:
    """Whether an array of a record can be columns: scalars, and no more than a table takes."""
    return len(array) <= MANY_KEYS and not any(isinstance(one, dict | list) for one in array)


class PathStats:
    """One path: `fields` by key, `values` of a map, `items` of an array, `skipped` keys that are not wanted.

    `turn` adds up the positions of this key in its objects, so that columns come in the documents' usual order;
    `date_format` is the way in which all texts are written, of those that `formats` knows (as dates or timestamps are),
    None when there is no text.

    Where a document is recursive (`schema.recursion`), `homes` has the place above whose table gets what is here, by
    `item`, `entry` or `object`; `object` are objects that are rows of a table; `fixed` keys become no map's.

    The statistics of whole records have in `opened` the paths where a text was opened as JSON.
    """

    __slots__ = (
        "counts", "date_format", "fields", "fixed", "formats", "high", "homes", "items", "low", "object", "opened",
        "rule", "scale", "skipped", "turn", "values", "whole",
    )  # fmt: skip

    def __init__(self, rule: Rule, formats: Callable[[str], str] = date_format) -> None:
        self.rule, self.formats = rule, formats
        self.counts = [0] * 15
        self.turn = self.low = self.high = self.whole = self.scale = 0
        self.date_format: str | None = None
        self.fields: dict[str | int, PathStats] = {}
        self.values: PathStats | None = PathStats(rule.entries(), formats) if rule.choice == "map" else None
        self.items: PathStats | None = None
        self.object: PathStats | None = None
        self.homes = _NO_HOMES
        self.fixed = False
        self.skipped = _NO_KEYS
        self.opened = _NO_PATHS

    def __getstate__(self) -> tuple[Any, ...]:
        # One tuple: the usual state of slots takes more of the recursion limit for each level.
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            setattr(self, name, value)

    @property
    def total(self) -> int:
        """How often there was a value."""
        return sum(self.counts[:NON_PORTABLE_KEY])

    @property
    def numbers(self) -> int:
        """How many of the values were numbers."""
        return sum(self.counts[kind] for kind in _NUMBERS)

    def observe(self, values: Sequence[Any], left: int) -> None:
        """Counts values of this path and what is below them, `left` levels deep at most.

        Many at a time: a column of values is counted without a call for each.
        """
        if self.rule.choice == "json":
            self.counts[JSON] += len(values)
            return
        kinds = set(map(type, values))
        for kind in kinds:
            own: Sequence[Any] = values if len(kinds) == 1 else [value for value in values if type(value) is kind]
            if kind is dict:
                self._observe_objects(own, left)
            elif kind is list:
                self._observe_arrays(own, left)
            elif not self.rule.wanted:
                self.counts[UNWANTED] += len(own)
            else:
                self._observe_scalars(kind, own)

    def _observe_scalars(self, kind: type, values: Sequence[Any]) -> None:
        counts = self.counts
        if kind is str:
            counts[TEXT] += len(values)
            self._observe_formats(values)
        elif kind is int:
            counts[INTEGER] += len(values)
            self.low, self.high = min(self.low, *values), max(self.high, *values)
        elif kind is float:
            counts[DOUBLE] += len(values)
            self._measure_doubles(set(values))
        elif kind is BigNumber:
            integers = sum(value.is_integer() for value in values)
            counts[BIG_INTEGER] += integers
            counts[BIG] += len(values) - integers
            self._measure(value.text for value in values)
        elif kind is NonPortableString:
            counts[NON_PORTABLE] += len(values)
            self.date_format = NOT_ONE
        else:
            counts[BOOLEAN if kind is bool else NULL] += len(values)

    def _observe_formats(self, texts: Sequence[str]) -> None:
        for text in texts:
            if self.date_format == NOT_ONE:
                return
            self.date_format = merge_formats(self.date_format, self.formats(text))

    def _measure(self, numbers: Iterable[str]) -> None:
        for text in numbers:
            whole, scale = decimal_size(text) or (_BEYOND, 0)
            self.whole, self.scale = max(self.whole, whole), max(self.scale, scale)

    def _measure_doubles(self, values: set[float]) -> None:
        text = ".".join(map(repr, values)).replace("-", "")
        if "e" in text:
            self._measure(map(repr, values))
        else:
            digits = text.split(".")
            self.whole = max(self.whole, *map(len, digits[::2]))
            self.scale = max(self.scale, 0, *map(len, {*digits[1::2]} - {"0"}))

    def _observe_objects(self, values: Sequence[dict[str, Any]], left: int) -> None:
        objects = [value for value in values if value]
        self.counts[EMPTY_OBJECT] += len(values) - len(objects)
        self.counts[OBJECT if left else JSON] += len(objects)
        if not left:
            return
        loose: list[Any] = []
        for key, (turn, column) in columns_of(objects).items():
            stats = self.fields.get(key) or self._new_field(key)
            if stats is not None and stats is self.values:
                self.counts[NON_PORTABLE_KEY] += is_non_portable(key) * len(column)
                loose += column
            elif stats is not None:
                stats.turn += turn
                stats.observe(column, left - 1)
        if loose and self.values is not None:
            self.values.observe(loose, left - 1)

    def _observe_arrays(self, values: Sequence[list[Any]], left: int) -> None:
        arrays = [value for value in values if value]
        self.counts[EMPTY_ARRAY] += len(values) - len(arrays)
        self.counts[ARRAY if left else JSON] += len(arrays)
        if not left or not arrays:
            return
        rows = arrays if self.rule.choice == "columns" else []
        if self.rule.choice == ROW:
            rows, arrays = [one for one in arrays if is_row(one)], [one for one in arrays if not is_row(one)]
        if rows:
            for turn, column in enumerate(zip_longest(*rows, fillvalue=_MISSING)):
                stats = self.fields.setdefault(turn, PathStats(self.rule.items(), self.formats))
                there = [item for item in column if item is not _MISSING]
                stats.turn += turn * len(there)
                stats.observe(there, left - 1)
        if arrays and rows is not arrays:
            self.items = self.items or PathStats(self.rule.items(), self.formats)
            self.items.observe(list(chain.from_iterable(arrays)), left - 1)

    def _new_field(self, key: str) -> PathStats | None:
        rule = self.rule.step(key)
        if rule is None:
            # Names that nobody asked for serve as suggestions: some are enough.
            if len(self.skipped) < MAP_KEYS or key in self.rule.below:
                self.skipped |= {key}
            return None
        if self.values is not None and not self.rule.names(key):
            return self.values
        stats = self.fields[key] = PathStats(rule, self.formats)
        self._collapse_many()
        return stats if self.values is None or self.rule.names(key) else self.values

    def _free_keys(self) -> list[str | int]:
        return [
            key
            for key, below in self.fields.items()
            if not isinstance(key, int) and not below.fixed and not self.rule.names(key)
        ]

    def _collapse_many(self) -> None:
        if len(self.fields) <= MANY_KEYS or self.values is not None or self.rule.choice == "columns":
            return
        if len(self._free_keys()) > MANY_KEYS:
            self.collapse()

    def collapse(self) -> None:
        """Makes the keys that no rule names the entries of one map."""
        values = self.values = self.values or PathStats(self.rule.entries(), self.formats)
        for key in self._free_keys():
            stats = self.fields.pop(key)
            self.counts[NON_PORTABLE_KEY] += is_non_portable(str(key)) * stats.total
            values.add(stats)
        values.turn = 0

    def looks_like_map(self) -> bool:
        """More than 200 keys, each in under 10 % of the objects here, values of one kind; or more than 50, alike."""
        keys = self._free_keys()
        if self.rule.choice in ("columns", "table"):
            return False
        if len(keys) > ALIKE_KEYS and self._are_alike([self.fields[key] for key in keys]):
            return True
        if len(keys) <= MAP_KEYS:
            return False
        objects = self.counts[OBJECT] + self.counts[EMPTY_OBJECT]
        kinds = {kind for key in keys for kind in self.fields[key].kinds()}
        return len(kinds) <= 1 and all(10 * self.fields[key].total < objects for key in keys)

    @staticmethod
    def _are_alike(values: list[PathStats]) -> bool:
        """All are arrays, or all are objects and nine of ten of them share a key."""
        kinds = {kind for value in values for kind in value.kinds()}
        shared = Counter(key for value in values for key in value.fields)
        return kinds == {"array"} or (kinds == {"object"} and 10 * max(shared.values(), default=0) >= 9 * len(values))

    def fold(self) -> None:
        """Makes maps of what looks like one in a row with this value; then, until no more than `MAX_COLUMNS` are
        needed, of the object with most keys. A choice or a locked schema keeps keys as they are.
        """

        def keys(stats: PathStats) -> int:
            """How many keys may become a map's."""
            return 0 if stats.rule.choice == "columns" else len(stats._free_keys())

        for stats in self._row():
            if stats.looks_like_map():
                stats.collapse()
        while sum(stats.columns for stats in self._row()) > MAX_COLUMNS:
            widest = max(self._row(), key=keys)
            if not keys(widest):
                return
            widest.collapse()

    def _row(self) -> Iterator[PathStats]:
        """This path and all below it in the same row, a path before what is below it."""
        paths = [self]
        for stats in paths:
            yield stats
            paths += [below for below in stats.fields.values() if below.rule.choice != "table"]

    @property
    def columns(self) -> int:
        """How many columns the values of this path need, those of objects and arrays apart."""
        kinds = self.kinds()
        return len(kinds - {"object", "array"}) or not kinds

    def kinds(self) -> set[str]:
        """The kinds of values here, null apart: boolean, number, text, object, array."""
        counts = self.counts
        found = {
            "boolean": counts[BOOLEAN],
            "number": self.numbers,
            "text": counts[TEXT] + counts[NON_PORTABLE],
            "object": counts[OBJECT] + counts[EMPTY_OBJECT],
            "array": counts[ARRAY] + counts[EMPTY_ARRAY],
            "json": counts[JSON],
        }
        return {kind for kind, count in found.items() if count}

    def is_deeper(self, key: str | int) -> bool:
        """Whether any objects or arrays are under a key."""
        below = self.fields.get(key)
        return below is not None and bool({"object", "array", "json"} & below.kinds() or below.homes or below.object)

    def add_own(self, other: PathStats) -> None:
        """Adds another place's values, without what is below them."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.skipped |= other.skipped
        self.opened |= other.opened
        self.turn += other.turn
        self.date_format = merge_formats(self.date_format, other.date_format)
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.whole, self.scale = max(self.whole, other.whole), max(self.scale, other.scale)

    def cut(self, left: int) -> None:
        """Makes JSON of objects and arrays that are more than `left` levels deep."""
        if left <= 0:
            self.counts[JSON] += self.counts[OBJECT] + self.counts[ARRAY]
            self.counts[OBJECT] = self.counts[ARRAY] = self.counts[NON_PORTABLE_KEY] = 0
            self.fields, self.values, self.items, self.object = {}, None, None, None
        elif self.object is not None:
            self.object.cut(left)
        for below in (*self.fields.values(), self.values, self.items):
            if below is not None:
                below.cut(left - 1)

    def add(self, other: PathStats) -> None:
        """Adds what another part of the records showed; the order of adding does not matter."""
        self.add_own(other)
        if other.values is not None and self.values is None:
            self.collapse()
        for key, stats in other.fields.items():
            mine = self.fields.get(key)
            if mine is None and self.values is not None and isinstance(key, str) and not self.rule.names(key):
                self.counts[NON_PORTABLE_KEY] += is_non_portable(key) * stats.total
                mine = self.values
            if mine is None:
                mine = self.fields[key] = PathStats(self.rule_of(key))
            mine.add(stats)
        if other.values is not None and self.values is not None:
            self.values.add(other.values)
        if other.items is not None:
            self.items = self.items or PathStats(self.rule.items(), self.formats)
            self.items.add(other.items)
        self._collapse_many()
        if self.values is not None:
            self.values.turn = 0

    def rule_of(self, key: str | int) -> Rule:
        """The rule of the value at a key of an object or a position of an array."""
        return (self.rule.items() if isinstance(key, int) else self.rule.step(key)) or Rule("skip")

    def ordered(self) -> Iterator[tuple[str | int, PathStats]]:
        """The fields in their usual order in the documents: by average position, then by name."""

        def turn(entry: tuple[str | int, PathStats]) -> tuple[int, int, str]:
            key, stats = entry
            return (stats.turn * 1_000_000 // max(stats.total, 1), isinstance(key, int), str(key))

        return iter(sorted(self.fields.items(), key=turn))
