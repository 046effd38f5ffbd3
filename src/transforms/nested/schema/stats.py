"""What was seen at every place of the documents: counts by kind, sizes of numbers, keys. Two of them add up to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from transforms.nested.schema.rules import Rule
from transforms.nested.values.columns import columns_of
from transforms.nested.values.dates import NOT_ONE, both, spelling
from transforms.nested.values.parse import Odd, Wide, decimal_size, is_odd

# Kinds of values, as positions in `Place.counts`.
NULL, BOOLEAN, INTEGER, DOUBLE, WIDE_INTEGER, WIDE, TEXT, ODD, JSON = range(9)
OBJECT, EMPTY_OBJECT, ARRAY, EMPTY_ARRAY, ODD_KEY = range(9, 14)
_NUMBERS = (INTEGER, DOUBLE, WIDE_INTEGER, WIDE)
# An object with more keys than this is a map wherever it stands: no table has as many columns.
MANY_KEYS = 1000
MAP_KEYS = 200
_BEYOND = 10**6
_MISSING = object()


class Place:
    """One place: `fields` by key (None below a skipped one), `values` of a map, `items` of an array.

    `turn` adds up the positions of this key in its objects, so that columns come in the documents' usual order;
    `spelling` is the way in which all texts are written, as dates or timestamps are, None when there is no text.
    """

    __slots__ = ("counts", "fields", "high", "items", "low", "rule", "scale", "spelling", "turn", "values", "whole")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.counts = [0] * 14
        self.turn = self.low = self.high = self.whole = self.scale = 0
        self.spelling: str | None = None
        self.fields: dict[str | int, Place] = {}
        self.values: Place | None = Place(rule.step("*") or Rule("skip")) if rule.choice == "map" else None
        self.items: Place | None = None

    @property
    def total(self) -> int:
        """How often there was a value."""
        return sum(self.counts[:ODD_KEY])

    @property
    def numbers(self) -> int:
        """How many of the values were numbers."""
        return sum(self.counts[kind] for kind in _NUMBERS)

    def see(self, values: Sequence[Any], left: int) -> None:
        """Counts values of this place and what is below them, `left` levels deep at most.

        Many at a time: a column of values is counted without a call for each.
        """
        if self.rule.choice == "json":
            self.counts[JSON] += len(values)
            return
        kinds = set(map(type, values))
        for kind in kinds:
            own: Sequence[Any] = values if len(kinds) == 1 else [value for value in values if type(value) is kind]
            if kind is dict:
                self._see_objects(own, left)
            elif kind is list:
                self._see_arrays(own, left)
            else:
                self._see_scalars(kind, own)

    def _see_scalars(self, kind: type, values: Sequence[Any]) -> None:
        counts = self.counts
        if kind is str:
            counts[TEXT] += len(values)
            self._spell(values)
        elif kind is int:
            counts[INTEGER] += len(values)
            self.low, self.high = min(self.low, *values), max(self.high, *values)
        elif kind is float:
            counts[DOUBLE] += len(values)
            self._measure_doubles(set(values))
        elif kind is Wide:
            integers = sum(value.is_integer() for value in values)
            counts[WIDE_INTEGER] += integers
            counts[WIDE] += len(values) - integers
            self._measure(value.text for value in values)
        elif kind is Odd:
            counts[ODD] += len(values)
            self.spelling = NOT_ONE
        else:
            counts[BOOLEAN if kind is bool else NULL] += len(values)

    def _spell(self, texts: Sequence[str]) -> None:
        for text in texts:
            if self.spelling == NOT_ONE:
                return
            self.spelling = both(self.spelling, spelling(text))

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

    def _see_objects(self, values: Sequence[dict[str, Any]], left: int) -> None:
        objects = [value for value in values if value]
        self.counts[EMPTY_OBJECT] += len(values) - len(objects)
        self.counts[OBJECT if left else JSON] += len(objects)
        if not left:
            return
        loose: list[Any] = []
        for key, (turn, column) in columns_of(objects).items():
            place = self.fields.get(key) or self._new_field(key)
            if place is not None and place is self.values:
                self.counts[ODD_KEY] += is_odd(key) * len(column)
                loose += column
            elif place is not None:
                place.turn += turn
                place.see(column, left - 1)
        if loose and self.values is not None:
            self.values.see(loose, left - 1)

    def _see_arrays(self, values: Sequence[list[Any]], left: int) -> None:
        arrays = [value for value in values if value]
        self.counts[EMPTY_ARRAY] += len(values) - len(arrays)
        self.counts[ARRAY if left else JSON] += len(arrays)
        if not left or not arrays:
            return
        if self.rule.choice == "columns":
            for turn, column in enumerate(zip_longest(*arrays, fillvalue=_MISSING)):
                place = self.fields.setdefault(turn, Place(self.rule.items()))
                there = [item for item in column if item is not _MISSING]
                place.turn += turn * len(there)
                place.see(there, left - 1)
        else:
            self.items = self.items or Place(self.rule.items())
            self.items.see(list(chain.from_iterable(arrays)), left - 1)

    def _new_field(self, key: str) -> Place | None:
        if self.values is not None and key not in self.rule.known:
            return None if self.values.rule.choice == "skip" else self.values
        rule = self.rule.step(key)
        if rule is None:
            return None
        place = self.fields[key] = Place(rule)
        self._collapse_many()
        return place if self.values is None or key in self.rule.known else self.values

    def _free_keys(self) -> list[str | int]:
        return [key for key in self.fields if key not in self.rule.known and not isinstance(key, int)]

    def _collapse_many(self) -> None:
        if len(self.fields) <= MANY_KEYS or self.values is not None or self.rule.choice == "columns":
            return
        if len(self._free_keys()) > MANY_KEYS:
            self.collapse()

    def collapse(self) -> None:
        """Makes the keys that are not `known` the entries of one map."""
        values = self.values = self.values or Place(self.rule.step("*") or Rule("skip"))
        for key in self._free_keys():
            place = self.fields.pop(key)
            self.counts[ODD_KEY] += is_odd(str(key)) * place.total
            values.add(place)
        values.turn = 0

    def looks_like_map(self) -> bool:
        """More than 200 keys, each in under 10 % of the objects here, values of one kind."""
        keys = self._free_keys()
        if len(keys) <= MAP_KEYS or self.rule.choice in ("columns", "table"):
            return False
        objects = self.counts[OBJECT] + self.counts[EMPTY_OBJECT]
        kinds = {kind for key in keys for kind in self.fields[key].kinds()}
        return len(kinds) <= 1 and all(10 * self.fields[key].total < objects for key in keys)

    def kinds(self) -> set[str]:
        """The kinds of values here, null apart: boolean, number, text, object, array."""
        counts = self.counts
        found = {
            "boolean": counts[BOOLEAN],
            "number": self.numbers,
            "text": counts[TEXT] + counts[ODD],
            "object": counts[OBJECT] + counts[EMPTY_OBJECT],
            "array": counts[ARRAY] + counts[EMPTY_ARRAY],
            "json": counts[JSON],
        }
        return {kind for kind, count in found.items() if count}

    def add(self, other: Place) -> None:
        """Adds what another part of the records showed; the order of adding does not matter."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.turn += other.turn
        self.spelling = both(self.spelling, other.spelling)
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.whole, self.scale = max(self.whole, other.whole), max(self.scale, other.scale)
        if other.values is not None and self.values is None:
            self.collapse()
        for key, place in other.fields.items():
            mine = self.fields.get(key)
            if mine is None and self.values is not None and key not in self.rule.known and isinstance(key, str):
                self.counts[ODD_KEY] += is_odd(key) * place.total
                mine = self.values
            if mine is None:
                mine = self.fields[key] = Place(self.rule_of(key))
            mine.add(place)
        if other.values is not None and self.values is not None:
            self.values.add(other.values)
        if other.items is not None:
            self.items = self.items or Place(self.rule.items())
            self.items.add(other.items)
        self._collapse_many()
        if self.values is not None:
            self.values.turn = 0

    def rule_of(self, key: str | int) -> Rule:
        """The rule of what stands at a key of an object or a position of an array."""
        return (self.rule.items() if isinstance(key, int) else self.rule.step(key)) or Rule("skip")

    def ordered(self) -> Iterator[tuple[str | int, Place]]:
        """The fields in their usual order in the documents: by average position, then by name."""

        def turn(entry: tuple[str | int, Place]) -> tuple[int, int, str]:
            key, place = entry
            return (place.turn * 1_000_000 // max(place.total, 1), isinstance(key, int), str(key))

        return iter(sorted(self.fields.items(), key=turn))
