"""What was seen at every place of the documents: counts by kind, sizes of numbers, keys. Two of them add up to one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from transforms.nested_dates import NOT_ONE, both, spelling
from transforms.nested_parse import Wide, decimal_size, is_odd
from transforms.nested_rules import Rule

# Kinds of values, as positions in `Place.counts`.
NULL, BOOLEAN, INTEGER, DOUBLE, WIDE_INTEGER, WIDE, TEXT, ODD, JSON = range(9)
OBJECT, EMPTY_OBJECT, ARRAY, EMPTY_ARRAY, ODD_KEY = range(9, 14)
_NUMBERS = (INTEGER, DOUBLE, WIDE_INTEGER, WIDE)
# An object with more keys than this is a map wherever it stands: no table has as many columns.
MANY_KEYS = 1000
MAP_KEYS = 200
_BEYOND = 10**6


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

    def see(self, value: Any, left: int) -> None:
        """Counts a value and what is below it, `left` levels deep at most."""
        kind, counts = type(value), self.counts
        if self.rule.choice == "json":
            counts[JSON] += 1
        elif kind is str:
            counts[TEXT] += 1
            if self.spelling != NOT_ONE:
                self.spelling = both(self.spelling, spelling(value))
        elif kind is dict:
            self._see_object(value, left)
        elif kind is int:
            counts[INTEGER] += 1
            if value > self.high:
                self.high = value
            elif value < self.low:
                self.low = value
        elif value is None:
            counts[NULL] += 1
        elif kind is list:
            self._see_array(value, left)
        elif kind is bool:
            counts[BOOLEAN] += 1
        elif kind is float:
            counts[DOUBLE] += 1
            self._measure(repr(value))
        elif kind is Wide:
            counts[WIDE_INTEGER if value.is_integer() else WIDE] += 1
            self._measure(value.text)
        else:  # Odd
            counts[ODD] += 1
            self.spelling = NOT_ONE

    def _measure(self, text: str) -> None:
        whole, scale = decimal_size(text) or (_BEYOND, 0)
        self.whole, self.scale = max(self.whole, whole), max(self.scale, scale)

    def _see_object(self, value: dict[str, Any], left: int) -> None:
        if not value:
            self.counts[EMPTY_OBJECT] += 1
        elif not left:
            self.counts[JSON] += 1
        else:
            self.counts[OBJECT] += 1
            fields = self.fields
            for turn, (key, item) in enumerate(value.items()):
                place = fields.get(key) or self._new_field(key)
                if place is not None:
                    place.turn += turn
                    place.see(item, left - 1)

    def _see_array(self, value: list[Any], left: int) -> None:
        if not value:
            self.counts[EMPTY_ARRAY] += 1
        elif not left:
            self.counts[JSON] += 1
        elif self.rule.choice == "columns":
            self.counts[ARRAY] += 1
            for turn, item in enumerate(value):
                if turn not in self.fields:
                    self.fields[turn] = Place(self.rule.items())
                self.fields[turn].turn += turn
                self.fields[turn].see(item, left - 1)
        else:
            self.counts[ARRAY] += 1
            if self.items is None:
                self.items = Place(self.rule.items())
            see = self.items.see
            for item in value:
                see(item, left - 1)

    def _new_field(self, key: str) -> Place | None:
        if self.values is not None and key not in self.rule.known:
            if self.values.rule.choice == "skip":
                return None
            self.counts[ODD_KEY] += is_odd(key)
            return self.values
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
                mine = self.fields[key] = Place(self._rule_of(key))
            mine.add(place)
        if other.values is not None and self.values is not None:
            self.values.add(other.values)
        if other.items is not None:
            self.items = self.items or Place(self.rule.items())
            self.items.add(other.items)
        self._collapse_many()
        if self.values is not None:
            self.values.turn = 0

    def _rule_of(self, key: str | int) -> Rule:
        return (self.rule.items() if isinstance(key, int) else self.rule.step(key)) or Rule("skip")

    def _entries(self, parent: int, step: Any, out: list[list[Any]]) -> None:
        sizes = (self.turn, self.low, self.high, self.whole, self.scale, self.spelling)
        out.append([parent, step, self.counts, *sizes])
        number = len(out) - 1
        for key, place in self.fields.items():
            place._entries(number, [key], out)
        if self.values is not None:
            self.values._entries(number, "values", out)
        if self.items is not None:
            self.items._entries(number, "items", out)

    def dump(self) -> str:
        """As text, to be sent from a task."""
        out: list[list[Any]] = []
        self._entries(-1, None, out)
        return json.dumps(out, separators=(",", ":"))

    @staticmethod
    def load(text: str, rule: Rule) -> Place:
        """The place that `dump` wrote, under the same rules."""
        places: list[Place] = []
        for parent, step, counts, *sizes in json.loads(text):
            place = places[parent]._child(step) if places else Place(rule)
            place.counts = counts
            place.turn, place.low, place.high, place.whole, place.scale, place.spelling = sizes
            places.append(place)
        return places[0]

    def _child(self, step: Any) -> Place:
        if step == "items":
            self.items = Place(self.rule.items())
            return self.items
        if step == "values":
            self.values = Place(self.rule.step("*") or Rule("skip"))
            return self.values
        place = self.fields[step[0]] = Place(self._rule_of(step[0]))
        return place

    def ordered(self) -> Iterator[tuple[str | int, Place]]:
        """The fields in their usual order in the documents: by average position, then by name."""

        def turn(entry: tuple[str | int, Place]) -> tuple[int, int, str]:
            key, place = entry
            return (place.turn * 1_000_000 // max(place.total, 1), isinstance(key, int), str(key))

        return iter(sorted(self.fields.items(), key=turn))
