"""Many objects at once: their values by key, without a call for each."""

from __future__ import annotations

from collections.abc import Iterable
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
