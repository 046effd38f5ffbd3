"""Many objects at once: their values by key, without a call for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any


def columns_of(objects: Iterable[dict[str, Any]]) -> dict[str, tuple[int, list[Any]]]:
    """The values of every key of some objects, and the sum of the key's positions in them."""
    # Objects of the same keys in the same order are a table: its columns come out of one call.
    shapes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for value in objects:
        shapes.setdefault(tuple(value), []).append(value)
    turns: dict[str, int] = {}
    columns: dict[str, list[Any]] = {}
    for keys, same in shapes.items():
        for turn, (key, column) in enumerate(zip(keys, zip(*map(dict.values, same), strict=True), strict=True)):
            turns[key] = turns.get(key, 0) + turn * len(same)
            columns.setdefault(key, []).extend(column)
    return {key: (turns[key], column) for key, column in columns.items()}


def by_key(at: Sequence[int], objects: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Sequence[int], Sequence[Any]]]:
    """Every key of some objects, the rows of those that have it, and its values there."""
    shapes = list(map(tuple, objects))
    different = set(shapes)
    if len(different) == 1:
        for key, column in zip(shapes[0], zip(*map(dict.values, objects), strict=True), strict=True):
            yield key, at, column
        return
    common = set(shapes[0]).intersection(*different)
    for key in common:
        yield key, at, [value[key] for value in objects]
    others = {shape: [key for key in shape if key not in common] for shape in different}
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for row, value, shape in zip(at, objects, shapes, strict=True):
        for key in others[shape]:
            rows, values = found.setdefault(key, ([], []))
            rows.append(row)
            values.append(value[key])
    for key, (rows, values) in found.items():
        yield key, rows, values
