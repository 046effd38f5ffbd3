"""Choices that match nothing in the documents: a typing error must not publish what ought to be skipped."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence

from transforms.nested.schema.rules import dotted, parse_choice, parse_path
from transforms.nested.schema.stats import ARRAY, EMPTY_ARRAY, JSON, PathStats
from transforms.text import MOST_NAMES, suggest


def unmatched(
    stats: PathStats, choices: Sequence[str], only: Sequence[str], locked: Container[tuple[str, ...]] = ()
) -> list[str]:
    """One message for each `PATH=CHOICE` and wanted path that no document has and no locked place is, with the nearest
    names.
    """
    asked = [(f"--path {text}", parse_choice(text)[0]) for text in choices if text != "=dynamodb"]
    asked += [(f"--only {path}", parse_path(path)) for path in only]
    return [f"{option}: {_problem(stats, path)}" for option, path in asked if is_missing(stats, path, locked)]


def is_missing(stats: PathStats, path: tuple[str, ...], locked: Container[tuple[str, ...]]) -> bool:
    """Whether no document has the path, and no locked place is there."""
    if not path:
        return not (stats.counts[ARRAY] or stats.counts[EMPTY_ARRAY])
    return path not in locked and not _places(stats, path[:-1], path[-1])


def _problem(stats: PathStats, path: tuple[str, ...]) -> str:
    if not path:
        return "no record is an array"
    for length in range(1, len(path)):
        if any(place.counts[JSON] for place in _at(stats, path[:length])):
            return f"{dotted(path[:length])} is kept as JSON text, so nothing below it can be chosen"
    names = list(itertools.islice(_names(stats, ()), MOST_NAMES))
    # A right name at a wrong place says more than a similar one.
    same_key = [dotted(name) for name in names if name[-1] == path[-1]][:3]
    near = f"; near: {', '.join(same_key)}" if same_key else suggest(dotted(path), map(dotted, names))
    return f"no record has {dotted(path)}{near}"


def _places(stats: PathStats, above: tuple[str, ...], key: str) -> bool:
    """Whether a key is below these others in any document, skipped or not."""
    for place in _at(stats, above):
        if key in place.fields or key in place.skipped:
            return True
        if key == "*" and (place.fields or place.skipped or place.values is not None):
            return True
    return False


def _at(stats: PathStats, path: Iterable[str]) -> list[PathStats]:
    """The statistics at a path; arrays on the way are gone through."""
    found = list(_through_arrays(stats))
    for key in path:
        below = [one for place in found for one in _below(place, key)]
        found = [inner for one in below for inner in _through_arrays(one)]
    return found


def _below(place: PathStats, key: str) -> list[PathStats]:
    if key != "*":
        return [place.fields[key]] if key in place.fields else []
    entries = [place.values] if place.values is not None else []
    return [*entries, *(one for name, one in place.fields.items() if isinstance(name, str))]


def _through_arrays(stats: PathStats) -> Iterator[PathStats]:
    yield stats
    if stats.items is not None:
        yield from _through_arrays(stats.items)
    for name, one in stats.fields.items():
        if isinstance(name, int):
            yield from _through_arrays(one)


def _names(stats: PathStats, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths that the documents have, nearest to the root first in each object."""
    for place in _through_arrays(stats):
        yield from ((*above, name) for name in sorted(place.skipped))
        inner = [(name, one) for name, one in place.ordered() if isinstance(name, str)]
        yield from ((*above, name) for name, _ in inner)
        for name, one in [*inner, *([("*", place.values)] if place.values is not None else [])]:
            yield from _names(one, (*above, name))
