"""Where the pieces of packed cells begin and end: kernels over Arrow columns.

A plain separator is split by Arrow from one end, or from both where the greedy field is in the middle. Separators that
are regular expressions (Python's, with the classes of ASCII), that quotes hide, or that overlap themselves are looked
at cell by cell, as are cells that only the types of the fields can split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.row_steps import Mask
from transforms.kernels.types import can_hold, pattern
from transforms.packed.model import Packed


@dataclass(frozen=True)
class Pieces:
    """The texts of a batch's cells, field by field, null where a cell is not placed.

    `enough`: there are as many pieces as fields, or more. `placed`: there is exactly one way to place them.
    """

    enough: Mask
    placed: Mask
    texts: Sequence[pa.Array]


def place_pieces(cells: pa.Array, packed: Packed) -> Pieces:
    """Which text each field has in each cell; a null cell has no pieces."""
    if packed.regex or packed.quote or _overlaps_itself(packed.separator):
        return _one_by_one(cells, packed)
    greedy = greedy_field(packed)
    if greedy is None:
        return _all_fields(cells, packed)
    return _around(cells, packed, packed.names.index(greedy))


def number_found(cell: str | None, packed: Packed) -> int:
    """The number of pieces in a cell, 0 in a null one."""
    return 0 if cell is None else len(_spans(cell, packed)) + 1


def able_to_be_greedy(packed: Packed) -> list[str]:
    """The fields whose types may hold the separator."""
    separator, regex, marks = packed.separator, packed.regex, packed.marks
    return [piece.name for piece in packed.fields if can_hold(piece.type, separator, regex=regex, marks=marks)]


def greedy_field(packed: Packed) -> str | None:
    """The field that may hold the separator: the declared one, or the only one whose type allows it."""
    if packed.greedy:
        return packed.greedy
    able = able_to_be_greedy(packed)
    return able[0] if len(able) == 1 else None


def nth(lists: pa.Array, index: int, chosen: Mask) -> pa.Array:
    """The item at `index` of each chosen list, which must have one; null for the others."""
    places = lists.offsets.to_numpy()[:-1] + index
    return lists.values.take(pa.array(places, mask=None if chosen.all() else ~chosen))


def lengths(lists: pa.Array) -> Any:
    """How many items each list has, as a numpy array; 0 for null."""
    return np.diff(lists.offsets.to_numpy())


def _overlaps_itself(separator: str) -> bool:
    return any(separator.startswith(separator[i:]) for i in range(1, len(separator)))


def _around(cells: pa.Array, packed: Packed, before: int) -> Pieces:
    """The field behind the first `before` takes what the others leave."""
    after = len(packed.fields) - 1 - before
    rest, heads, enough = cells, [], pc.is_valid(cells).to_numpy(zero_copy_only=False)
    if before:
        parts = pc.split_pattern(cells, packed.separator, max_splits=before)
        enough = enough & (lengths(parts) == before + 1)
        heads = [(parts, i) for i in range(before)]
        rest = nth(parts, before, enough)
    if after == 0:
        return Pieces(enough, enough, [*[nth(parts, i, enough) for parts, i in heads], rest])
    tails = pc.split_pattern(rest, packed.separator, max_splits=after, reverse=True)
    enough = enough & (lengths(tails) == after + 1)
    chosen = [*heads, *[(tails, i) for i in range(after + 1)]]
    return Pieces(enough, enough, [nth(parts, i, enough) for parts, i in chosen])


def _all_fields(cells: pa.Array, packed: Packed) -> Pieces:
    """As many pieces as fields, or the one way that the types leave to split a cell with more."""
    wanted = len(packed.fields)
    parts = pc.split_pattern(cells, packed.separator, max_splits=wanted)
    counts = lengths(parts)
    placed = counts == wanted
    texts = [nth(parts, i, placed) for i in range(wanted)]
    more = np.flatnonzero(counts > wanted)
    if not len(more):
        return Pieces(placed, placed, texts)
    ways = [_only_way(cell, packed) for cell in cells.take(pa.array(more)).to_pylist()]
    found = [way or (None,) * wanted for way in ways]
    places = pa.array(counts > wanted)
    texts = [
        pc.replace_with_mask(text, places, pa.array([way[i] for way in found], pa.string()))
        for i, text in enumerate(texts)
    ]
    enough = placed.copy()
    enough[more] = True
    placed[more] = [way is not None for way in ways]
    return Pieces(enough, placed, texts)


def _only_way(cell: str, packed: Packed) -> tuple[str, ...] | None:
    """The texts of a cell with more pieces than fields, None unless the types leave exactly one way to split it.

    The shortest-first and the longest-first match are the two ends of all possible splits in one order: equal ends
    mean that there is no other.
    """
    shortest, longest = (_whole(packed, text).fullmatch(cell) for text in ("(.*?)", "(.*)"))
    return shortest.groups() if shortest and longest and shortest.groups() == longest.groups() else None


def _whole(packed: Packed, any_text: str) -> re.Pattern[str]:
    groups = [
        any_text if piece.type == "string" else f"({pattern(piece.type, packed.marks)})" for piece in packed.fields
    ]
    return re.compile(f"(?:{re.escape(packed.separator)})".join(groups), re.DOTALL | re.ASCII)


def _one_by_one(cells: pa.Array, packed: Packed) -> Pieces:
    """Cell by cell."""
    wanted = len(packed.fields)
    nothing: tuple[str | None, ...] = (None,) * wanted
    enough, placed, rows = [], [], []
    for cell in cells.to_pylist():
        spans = [] if cell is None else _spans(cell, packed)
        found = None if cell is None or len(spans) + 1 < wanted else _place(cell, spans, packed)
        enough.append(cell is not None and len(spans) + 1 >= wanted)
        placed.append(found is not None)
        rows.append(nothing if found is None else [_unquote(text, packed.quote) for text in found])
    texts = [pa.array([row[i] for row in rows], pa.string()) for i in range(wanted)]
    return Pieces(np.array(enough, bool), np.array(placed, bool), texts)


Span = tuple[int, int]


def _pattern(packed: Packed) -> str:
    return packed.separator if packed.regex else re.escape(packed.separator)


def _spans(cell: str, packed: Packed) -> list[Span]:
    """Where the separators of a cell are; the empty text before the first character is none."""
    if packed.quote:
        return _unquoted_spans(cell, packed)
    found = [match.span() for match in re.finditer(_pattern(packed), cell, re.ASCII)]
    return found[1:] if found[:1] == [(0, 0)] else found


def _unquoted_spans(cell: str, packed: Packed) -> list[Span]:
    """Where the separators are that are not in a quoted piece; a quote opens one only where the piece begins."""
    q, found, at = re.escape(packed.quote), list[Span](), 0
    separator = re.compile(_pattern(packed))
    quoted = re.compile(f"(?s){q}(?:[^{q}]|{q}{q})*+{q}(?={separator.pattern}|\\Z)")
    while True:
        opened = quoted.match(cell, at)
        match = separator.search(cell, opened.end() if opened else at)
        if not match:
            return found
        found.append(match.span())
        at = match.end()


def _between(cell: str, spans: Sequence[Span]) -> list[str]:
    starts, ends = [0, *[end for _, end in spans]], [*[start for start, _ in spans], len(cell)]
    return [cell[start:end] for start, end in zip(starts, ends, strict=True)]


def _place(cell: str, spans: list[Span], packed: Packed) -> list[str] | None:
    """The texts of the fields, None when the cell does not have them; there are enough pieces."""
    wanted, greedy = len(packed.fields), greedy_field(packed)
    if len(spans) + 1 == wanted:
        return _between(cell, spans) if _same_from_both_ends(cell, spans, packed) else None
    if greedy is None or not _nothing_overlaps(cell, spans, packed):
        return None
    before = packed.names.index(greedy)
    after = wanted - 1 - before
    return _between(cell, [*spans[:before], *spans[len(spans) - after :]])


def _same_from_both_ends(cell: str, spans: Sequence[Span], packed: Packed) -> bool:
    # A separator that overlaps itself (`||` in `a|||b`) may be found at two places: both ends must agree.
    if packed.regex or not _overlaps_itself(packed.separator):
        return True
    backwards = re.finditer(re.escape(packed.separator[::-1]), cell[::-1])
    length = len(cell)
    return [(length - match.end(), length - match.start()) for match in backwards][::-1] == list(spans)


def _nothing_overlaps(cell: str, spans: Sequence[Span], packed: Packed) -> bool:
    # With a greedy field any of the places may be the one that separates: there must be no more than were split.
    if packed.regex or not _overlaps_itself(packed.separator):
        return True
    return sum(1 for _ in re.finditer(f"(?={_pattern(packed)})", cell)) == len(spans)


def _unquote(text: str, quote: str) -> str:
    if quote and len(text) > 1 and text.startswith(quote) and text.endswith(quote):
        return text[1:-1].replace(quote * 2, quote)
    return text
