"""What was seen, as text and back: a task sends it to the driver."""

from __future__ import annotations

import json
from typing import Any

from transforms.nested_rules import Rule
from transforms.nested_seen import PathStats


def dump(place: PathStats) -> str:
    """A place and everything below it, as text."""
    out: list[list[Any]] = []
    _entries(place, -1, None, out)
    return json.dumps(out, separators=(",", ":"))


def load(text: str, rule: Rule) -> PathStats:
    """The place that `dump` wrote, under the same rules."""
    places: list[PathStats] = []
    for parent, step, counts, *sizes in json.loads(text):
        place = _child(places[parent], step) if places else PathStats(rule)
        place.counts = counts
        place.turn, place.low, place.high, place.whole, place.scale, place.date_format = sizes
        places.append(place)
    return places[0]


def _entries(place: PathStats, parent: int, step: Any, out: list[list[Any]]) -> None:
    sizes = (place.turn, place.low, place.high, place.whole, place.scale, place.date_format)
    out.append([parent, step, place.counts, *sizes])
    number = len(out) - 1
    for key, child in place.fields.items():
        _entries(child, number, [key], out)
    if place.values is not None:
        _entries(place.values, number, "values", out)
    if place.items is not None:
        _entries(place.items, number, "items", out)


def _child(place: PathStats, step: Any) -> PathStats:
    if step == "items":
        place.items = PathStats(place.rule.items())
        return place.items
    if step == "values":
        place.values = PathStats(place.rule.step("*") or Rule("skip"))
        return place.values
    child = place.fields[step[0]] = PathStats(place.rule_of(step[0]))
    return child
