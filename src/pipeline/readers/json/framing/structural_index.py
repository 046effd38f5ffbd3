"""The brackets of JSON text outside strings: bit by bit in numpy, at memory speed, exact wherever it is split.

Valid JSON never has a line break inside a string nor a letter right behind a closing quote. Either one means that
a quote is missing somewhere: the first such place is reported as trouble; all that is reported of bytes before it
is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Bytes = NDArray[np.uint8]

CHUNK = 1 << 19
NEWLINE, QUOTE, BACKSLASH = 10, 34, 92


@dataclass(frozen=True)
class Structure:
    """Brackets (and line breaks, when asked for) outside strings.

    `at` are their offsets, `kinds` the bytes that stand there; `inside` and `escaped` tell how the text ends: in a
    string, behind a backslash that is not itself escaped. `trouble` is the offset of the first thing that valid JSON
    does not have, or the length of the text.
    """

    at: Offsets
    kinds: Bytes
    inside: bool
    escaped: bool
    trouble: int


def _pack(mask: Any) -> Bits:

    packed = np.packbits(mask, bitorder="little")
    if len(packed) % 8 == 0:
        return packed.view("<u8")
    return np.concatenate((packed, np.zeros(-len(packed) % 8, np.uint8))).view("<u8")


def _unpack(bits: Bits) -> Offsets:

    # Most bytes have no bit that is set.
    octets = bits.view(np.uint8)
    some = np.flatnonzero(octets != 0)
    at = np.flatnonzero(np.unpackbits(octets[some], bitorder="little").view(np.bool_))
    found: Offsets = some[at >> 3] * 8 + (at & 7)
    return found


def _first(bits: Bits) -> int:
    """The offset of the first bit that is set, -1 when there is none."""

    words = np.flatnonzero(bits)
    if not len(words):
        return -1
    word = int(bits[words[0]])
    return int(words[0]) * 64 + ((word & -word).bit_length() - 1)


def _inside(quotes: Bits, inside: bool) -> Bits:
    """From each opening quote up to the byte before the closing one: the running parity of the quotes."""

    within = quotes.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        within ^= within << np.uint64(shift)
    odd = (within >> np.uint64(63)).astype(np.uint8)
    before = np.bitwise_xor.accumulate(np.concatenate(([np.uint8(inside)], odd[:-1])))
    within ^= np.uint64(0) - before.astype(np.uint64)
    return within


def escaped_offsets(text: Bytes, escaped: bool) -> tuple[Offsets, bool]:
    """Offsets of the bytes behind an odd number of backslashes, and whether the text ends behind one."""

    slashes = _unpack(_pack(text == BACKSLASH))
    if not len(slashes):
        return (np.zeros(1, np.int64) if escaped else slashes), False
    new_run = np.ones(len(slashes), np.bool_)
    new_run[1:] = np.diff(slashes) != 1
    first = np.maximum.accumulate(np.where(new_run, np.arange(len(slashes)), 0))
    rank = np.arange(len(slashes)) - first
    if escaped and slashes[0] == 0:
        # The first backslash of the text is itself escaped: its run starts one later.
        rank = np.where(first == 0, rank + 1, rank)
    active = slashes[rank % 2 == 0] + 1
    if escaped:
        active = np.concatenate(([0], active))
    ends_escaped = bool(len(active) and active[-1] == len(text))
    return (active[:-1] if ends_escaped else active), ends_escaped


def _chunk(text: Bytes, following: int, inside: bool, escaped: bool, newlines: bool) -> Structure:

    count = len(text)
    is_quote = text == QUOTE
    hit, escaped_after = escaped_offsets(text, escaped)
    if len(hit):
        is_quote[hit] = False
    quotes = _pack(is_quote)
    within = _inside(quotes, inside)
    # One bit apart, [ and { look alike, and so do ] and }.
    folded = text | 0x20
    is_bracket = folded == 0x7B
    is_bracket |= folded == 0x7D
    brackets = _pack(is_bracket)
    breaks = _pack(text == NEWLINE)
    words = _pack(folded > 0x60) & ~brackets
    behind = words >> np.uint64(1)
    behind[:-1] |= words[1:] << np.uint64(63)
    if following | 0x20 > 0x60 and following | 0x20 not in (0x7B, 0x7D):
        behind[(count - 1) // 64] |= np.uint64(1 << ((count - 1) % 64))
    # Bits beyond the text are never set in `quotes` and `breaks`, so that this has none either.
    trouble = _first((breaks & within) | (quotes & ~within & behind))
    wanted = (brackets | breaks if newlines else brackets) & ~within
    at = _unpack(wanted)
    ends_inside = bool((int(within[-1]) >> ((count - 1) % 64)) & 1)
    return Structure(at, text[at], ends_inside, escaped_after, count if trouble < 0 else trouble)


def structure(
    data: Any, *, inside: bool = False, escaped: bool = False, newlines: bool = False, following: int = 0
) -> Structure:
    """The structure of `data` (bytes), read from a state: in a string or not, behind a lone backslash or not.

    `following` is the byte behind the text, when it is known. Nothing is reported about bytes behind the first trouble.
    """

    text = np.frombuffer(data, np.uint8)
    total = len(text)
    ats, kinds = [], []
    for start in range(0, total, CHUNK):
        stop = min(start + CHUNK, total)
        part = _chunk(text[start:stop], int(text[stop]) if stop < total else following, inside, escaped, newlines)
        inside, escaped = part.inside, part.escaped
        ats.append(part.at + start)
        kinds.append(part.kinds)
        if part.trouble < stop - start:
            trouble = start + part.trouble
            at, kind = np.concatenate(ats), np.concatenate(kinds)
            kept = int(np.searchsorted(at, trouble))
            return Structure(at[:kept], kind[:kept], inside, escaped, trouble)
    if not ats:
        return Structure(np.zeros(0, np.int64), np.zeros(0, np.uint8), inside, escaped, 0)
    if len(ats) == 1:
        return Structure(ats[0], kinds[0], inside, escaped, total)
    return Structure(np.concatenate(ats), np.concatenate(kinds), inside, escaped, total)
