"""The exact state of JSON text at every split of a big file: ranges are scanned in parallel, then merged."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.readers.json.framing.fast_scanner import unmatched
from pipeline.readers.json.framing.structural_index import structure
from pipeline.readers.splits import LexerState


@dataclass(frozen=True)
class SplitSummary:
    """What a range does to the state, for a range that begins outside (index 0) or inside (1) a string.

    `inside`: whether it ends in a string. `left`: the brackets without partner, closing ones first; None when the
    range holds something that sound text cannot have.
    """

    inside: tuple[bool, bool]
    left: tuple[bytes | None, bytes | None]


def summarize_split(blocks: Iterable[bytes], escaped: bool, following: int) -> SplitSummary:
    """The summary of a range. `escaped`: a lone backslash is before it; `following`: the byte behind (0: none)."""
    inside, left = [False, True], [b"", b""]
    sound = [True, True]
    blocks = iter(blocks)
    block = next(blocks, b"")
    while block:
        after = next(blocks, b"")
        behind = after[0] if after else following
        escapes = escaped
        for begin in (0, 1):
            if sound[begin]:
                found = structure(block, inside=inside[begin], escaped=escapes, following=behind)
                rest = unmatched(left[begin] + found.kinds.tobytes())
                sound[begin] = rest is not None and found.trouble == len(block)
                inside[begin], left[begin], escaped = found.inside, rest or b"", found.escaped
        block = after
    kept = [text if fine else None for text, fine in zip(left, sound, strict=True)]
    return SplitSummary((inside[0], inside[1]), (kept[0], kept[1]))


def _record_range(stack: Sequence[tuple[int, int]], floor: int) -> int | None:
    """The range in which the record around this place starts, None between records."""
    level = floor or int(bool(stack) and stack[0][0] == 0x5B)
    return stack[level][1] if len(stack) > level else None


def merge_states(summaries: Sequence[SplitSummary], begin: LexerState | None = None) -> tuple[list[LexerState], int]:
    """The state at the start of every range, and the number of the first one that must be read on to the file's end.

    That is the one in which the record starts that is damaged, or in which the array that `begin` is in ends;
    without either the number of ranges. States behind it mean nothing.
    """
    begin = begin or LexerState()
    floor = len(begin.stack)
    stack = [(kind, 0) for kind in begin.stack]
    inside, states, safe = begin.inside, [], 0
    for number, split_summary in enumerate(summaries):
        states.append(LexerState(bytes(kind for kind, _ in stack), inside))
        around = _record_range(stack, floor)
        safe = safe if around is None else around
        left = split_summary.left[inside]
        if left is None:
            return states, safe
        for kind in left:
            if kind in b"{[":
                stack.append((kind, number))
            elif floor and len(stack) == floor:
                return states, number if kind == 0x5D else safe
            elif not stack or stack.pop()[0] != kind - 2:
                return states, safe
        inside = split_summary.inside[inside]
    around = _record_range(stack, floor)
    if around is None:
        return states, safe if inside else len(summaries)
    return states, around


def first_record(
    blocks: Iterator[bytes], base: int, state: LexerState, escaped: bool, end: int, floor: int
) -> tuple[int, int, Iterator[bytes]] | None:
    """The first record that starts at or behind `base`: its offset, its level, the bytes from there.

    `blocks` begin at `base`, in `state`. None when no record starts before `end`. With `floor` the array of that depth
    counts, and its end is given like a record's start.
    """

    stack, inside = state.stack, state.inside
    for block in blocks:
        found = structure(block, inside=inside, escaped=escaped)
        opening = (found.kinds & 2) > 0
        depth = len(stack) + np.cumsum(np.where(opening, 1, -1), dtype=np.int64)
        on = depth - opening
        if floor:
            wanted = (on == floor) & opening | (depth < floor)
            levels = np.ones(len(on), np.int64)
        else:
            top = (on == 0) & opening
            levels = np.concatenate(([stack[:1] == b"["], found.kinds[top] == 0x5B))[np.cumsum(top)].astype(np.int64)
            wanted = (on == levels) & opening
        places = np.flatnonzero(wanted)
        if len(places):
            at = int(found.at[places[0]])
            if base + at >= end:
                return None
            return base + at, int(levels[places[0]]), itertools.chain([block[at:]], blocks)
        stack = unmatched(stack + found.kinds.tobytes()) or b""
        inside, escaped, base = found.inside, found.escaped, base + len(block)
        if base >= end:
            return None
    return None
