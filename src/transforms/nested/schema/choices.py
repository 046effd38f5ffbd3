"""Choices that match nothing in the documents: a typing error must not publish what ought to be skipped."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence

from transforms.nested.schema.rules import ELEMENTS, dotted, parse_choice, parse_path
from transforms.nested.schema.stats import ARRAY, EMPTY_ARRAY, JSON, PathStats
from transforms.nested.values.parse import MAX_DEPTH
from transforms.text import MOST_NAMES, suggest

_OF_NESTED = ("table", "columns", "map", "recursive")


def unmatched(
    stats: PathStats,
    choices: Sequence[str],
    only: Sequence[str],
    locked: Container[tuple[str, ...]] = (),
    depth: int = MAX_DEPTH,
) -> list[str]:
    """One message for each `PATH=CHOICE` and wanted path that no document has and no locked place is, with the nearest
    names. What is more than `depth` levels deep becomes JSON text, in which nothing can be chosen.
    """
    asked = [(f"--path {text}", parse_choice(text)[0]) for text in choices if text != "=dynamodb"]
    asked += [(f"--only {path}", parse_path(path)) for path in only]
    return [
        f"{option}: {_problem(stats, path, depth)}" for option, path in asked if is_missing(stats, path, locked, depth)
    ]


def without_effect(stats: PathStats, choices: Iterable[str], depth: int = MAX_DEPTH) -> list[str]:
    """One message for each choice of what becomes of objects and arrays where the documents have only other values,
    and for each `PATH=parse` where no value is a text that opens.
    """
    found = []
    for text in choices:
        path, choice = parse_choice(text)
        kinds = set[str]().union(*(place.kinds() for place, _ in _at(stats, path, depth)))
        is_idle = choice in _OF_NESTED and not kinds & {"object", "array", "json"}
        if kinds and (is_idle or (choice == "parse" and path not in stats.opened)):
            found.append(f"--path {text} does nothing: what is there is {' or '.join(sorted(kinds))} in all records")
    return found


def is_missing(
    stats: PathStats, path: tuple[str, ...], locked: Container[tuple[str, ...]], depth: int = MAX_DEPTH
) -> bool:
    """Whether no document has the path, and no locked place is there."""
    if not path:
        return not (stats.counts[ARRAY] or stats.counts[EMPTY_ARRAY])
    return path not in locked and not _places(stats, path[:-1], path[-1], depth)


def _problem(stats: PathStats, path: tuple[str, ...], depth: int) -> str:
    if not path:
        return "no record is an array"
    for length in range(1, len(path)):
        if any(place.counts[JSON] or left <= 0 for place, left in _at(stats, path[:length], depth)):
            return f"{dotted(path[:length])} is kept as JSON text, so nothing below it can be chosen"
    names = list(itertools.islice(_names(stats, ()), MOST_NAMES))
    # A right name at a wrong place says more than a similar one.
    same_key = [dotted(name) for name in names if name[-1] == path[-1]][:3]
    near = f"; near: {', '.join(same_key)}" if same_key else suggest(dotted(path), map(dotted, names))
    return f"no record has {dotted(path)}{near}"


def _places(stats: PathStats, above: tuple[str, ...], key: str, depth: int) -> bool:
    """Whether a key is below these others in any document, skipped or not."""
    for place, left in _at(stats, above, depth):
        if left <= 0:
            continue
        if key in place.fields or key in place.skipped:
            return True
        if key == ELEMENTS and _below(place, key):
            return True
        if key == "*" and (place.fields or place.skipped or place.values is not None):
            return True
    return False


def _at(stats: PathStats, path: Iterable[str], depth: int) -> list[tuple[PathStats, int]]:
    """The statistics at a path, and how many levels are left there; arrays on the way are gone through."""
    found = list(_through_arrays(stats, depth))
    for key in path:
        below = [(one, left - 1) for place, left in found if left > 0 for one in _below(place, key)]
        found = [inner for one, left in below for inner in _through_arrays(one, left)]
    return found


def _below(place: PathStats, key: str) -> list[PathStats]:
    if key == ELEMENTS:
        positions = [one for name, one in place.fields.items() if isinstance(name, int)]
        return positions if place.items is None else [place.items, *positions]
    if key != "*":
        return [place.fields[key]] if key in place.fields else []
    entries = [place.values] if place.values is not None else []
    return [*entries, *(one for name, one in place.fields.items() if isinstance(name, str))]


def _through_arrays(stats: PathStats, left: int) -> Iterator[tuple[PathStats, int]]:
    yield stats, left
    inner = [stats.items] if stats.items is not None else []
    for one in [*inner, *(one for name, one in stats.fields.items() if isinstance(name, int))] if left > 0 else ():
        yield from _through_arrays(one, left - 1)


def _names(stats: PathStats, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths that the documents have, nearest to the root first in each object."""
    for place, _ in _through_arrays(stats, MAX_DEPTH):
        yield from ((*above, name) for name in sorted(place.skipped))
        inner = [(name, one) for name, one in place.ordered() if isinstance(name, str)]
        yield from ((*above, name) for name, _ in inner)
        for name, one in [*inner, *([("*", place.values)] if place.values is not None else [])]:
            yield from _names(one, (*above, name))
