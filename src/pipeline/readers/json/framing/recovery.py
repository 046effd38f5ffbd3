"""Strict JSON (RFC 8259) on bytes, for the few records that are in doubt: where a value ends, where the next begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

SPACE = rb"[ \t\r\n]*"
STRING = rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
TOKEN = re.compile(SPACE + rb"(?:([{}\[\],:])|(" + STRING + rb")|(" + NUMBER + rb"|true|false|null))")
_KEY = re.compile(rb"\{" + SPACE + rb"(" + STRING + rb")" + SPACE + rb":")
_BLANK = re.compile(SPACE)

# What the grammar lets come next.
_VALUE, _VALUE_OR_CLOSE, _KEY_NEXT, _KEY_OR_CLOSE, _COLON, _COMMA_OR_CLOSE = range(6)

# A record start found behind damage is believed when this many elements, or bytes, behind it are sound as well.
CHAIN_RECORDS, CHAIN_BYTES = 16, 1 << 16
NONE, MORE = -1, -2


@dataclass(frozen=True)
class Verdict:
    """`end` is the offset behind a sound value, or -1; then `trouble` is where the sound part ends.

    `open` is true when nothing is wrong but the text ended.
    """

    end: int
    trouble: int = -1
    open: bool = False


def value_end(data: bytes, at: int, stop: int | None = None) -> Verdict:
    """Reads the one value at `at`, strictly, up to `stop` at most."""
    stop = len(data) if stop is None else stop
    stack: list[int] = []
    expect, last = _VALUE, at
    while True:
        found = TOKEN.match(data, at, stop)
        if not found:
            # The last token may be the culprit: a missing quote makes one long string of what were two.
            return Verdict(-1, last, may_go_on(data, at, stop))
        kind = found.lastindex or 0
        start = found.start(kind)
        expect_next = _step(expect, data[start] if kind == 1 else -kind, stack)
        if expect_next is None:
            return Verdict(-1, last)
        last, at, expect = start, found.end(), expect_next
        if not stack and expect == _COMMA_OR_CLOSE:
            return Verdict(at)


def _step(expect: int, token: int, stack: list[int]) -> int | None:
    """What may come behind `token` (a mark's byte, -2 a string, -3 a number or name); None when it may not stand."""
    if token in (0x7B, 0x5B):
        if expect not in (_VALUE, _VALUE_OR_CLOSE):
            return None
        stack.append(token)
        return _KEY_OR_CLOSE if token == 0x7B else _VALUE_OR_CLOSE
    if token in (0x7D, 0x5D):
        closes = {_COMMA_OR_CLOSE, _KEY_OR_CLOSE if token == 0x7D else _VALUE_OR_CLOSE}
        if expect not in closes or not stack or stack.pop() != token - 2:
            return None
        return _COMMA_OR_CLOSE
    if token == 0x2C:
        return (_KEY_NEXT if stack[-1] == 0x7B else _VALUE) if expect == _COMMA_OR_CLOSE and stack else None
    if token == 0x3A:
        return _VALUE if expect == _COLON else None
    if expect in (_KEY_NEXT, _KEY_OR_CLOSE):
        return _COLON if token == -2 else None
    return _COMMA_OR_CLOSE if expect in (_VALUE, _VALUE_OR_CLOSE) else None


def may_go_on(data: bytes, at: int, stop: int) -> bool:
    """Whether no token matches only because the text ends: nothing is left, or a string or a word is cut off."""
    at = _BLANK.match(data, at, stop).end()  # type: ignore[union-attr]
    rest = data[at : min(stop, at + 16)]
    if not rest:
        return True
    if rest[:1] == b'"':
        cut = re.compile(STRING[:-1] + rb"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
        return cut.match(data[at:stop]) is not None
    return len(data[at:stop]) < 6 and re.fullmatch(rb"-|t|tr|tru|f|fa|fal|fals|n|nu|nul", rest) is not None


def next_record(
    data: bytes, start: int, trouble: int, stop: int, *, final: bool, in_array: bool, nested: bool = False
) -> int:
    """The offset of the next believable record behind the damaged one at `start`: NONE, or MORE bytes must be seen.

    Believable: of the same kind, beginning with the same first key, strictly sound, not the value of a key, and
    what follows it is what follows a record here (`in_array`: comma or end of the array) and not the inside of a bigger
    value. `nested` says that the array itself is part of a bigger value; `final` that nothing comes behind `stop`.
    """
    pattern = rb"\["
    if data[start] == 0x7B:
        key = _KEY.match(data, start, stop)
        pattern = rb"\{" + SPACE + (re.escape(key.group(1)) + SPACE + rb":" if key else rb'"')
    at = max(trouble, start + 1)
    for found in re.compile(pattern).finditer(data, at, stop):
        place = found.start()
        if place < at or data[max(start, place - 64) : place].rstrip(b" \t\r\n")[-1:] == b":":
            continue
        believable, at = _follow(data, place, stop, in_array, nested)
        if at >= stop and not final:
            return MORE
        if believable:
            return place
    return NONE if final else MORE


def _follow(data: bytes, at: int, stop: int, in_array: bool, nested: bool) -> tuple[bool, int]:
    """Whether a run of records begins at `at`, and from where to look on when it does not (`stop`: it saw the end)."""
    begin = at
    for number in range(CHAIN_RECORDS):
        verdict = value_end(data, at, stop)
        if verdict.end < 0:
            return number > 0, stop if verdict.open else begin + 1
        at = _skip(data, verdict.end, stop)
        mark = data[at : min(at + 1, stop)]
        if not in_array:
            return mark in (b"", b"{", b"["), at
        if mark == b"]":
            behind = _skip(data, at + 1, stop)
            return nested or data[behind : min(behind + 1, stop)] in (b"", b"{", b"["), behind
        if mark != b",":
            return mark == b"", at
        if at - begin > CHAIN_BYTES:
            break
        at = _skip(data, at + 1, stop)
    return True, at


def _skip(data: bytes, at: int, stop: int) -> int:
    return _BLANK.match(data, at, stop).end()  # type: ignore[union-attr]
