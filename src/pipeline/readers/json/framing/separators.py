"""What is between two records: separators, the brackets of the array around them, scalars, garbage."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipeline.readers.json.framing.recovery import NUMBER, STRING, may_go_on

GARBAGE = "garbage"
# Longer garbage becomes several records, so that a file of zero bytes needs no memory.
MOST_GARBAGE = 1 << 20

Item = tuple[int, int, str | None]

_SKIP = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)+")
_SCALAR = re.compile(rb"(?:" + STRING + rb"|(?:" + NUMBER + rb"|true|false|null)(?=[ \t\r\n,\[\]{}]|\Z))")
# Garbage goes on to the line's end, in an array also to a comma; brackets in strings do not count.
_QUOTED = rb"\\[\"\\]?|\"(?:[^\"\\\r\n]|\\[^\r\n])*\""
_TOP_GARBAGE = re.compile(rb"(?:[^\r\n\[{\"\\]|%b){1,%d}" % (_QUOTED, MOST_GARBAGE))
_ARRAY_GARBAGE = re.compile(rb"(?:[^\r\n\[{\"\\,\]]|%b){1,%d}" % (_QUOTED, MOST_GARBAGE))


@dataclass
class Gap:
    """The state while a gap is read, and what was found in it.

    `level` is 0 between top-level values and 1 inside the array whose elements are the records. `value`: the
    last thing was a value, `comma` the offset of a comma that no value followed yet (-1: none). `items` are (start,
    end, error): scalars have no error. `closed` is the offset behind the array's end, when that ends the reading.
    """

    level: int
    value: bool = True
    comma: int = -1
    closed: int = -1
    items: list[Item] = field(default_factory=list)


def read_gap(
    data: bytes,
    at: int,
    stop: int,
    gap: Gap,
    *,
    to_record: bool = False,
    final: bool = True,
    ends_with_array: bool = False,
) -> int:
    """Reads the bytes from `at` to `stop` into `gap` and returns where it stopped.

    The bytes hold no record that is an object or an array, or, with `to_record`, it stops before the first one. Without
    `final` more text comes behind `stop`: what is found in a text that reaches `stop` may then be wrong.
    """
    while at < stop and gap.closed < 0:
        blank = _SKIP.match(data, at, stop)
        if blank:
            at = blank.end()
            continue
        mark = data[at]
        if to_record and (mark == 0x7B or (mark == 0x5B and gap.level == 1)):
            return at
        if mark == 0x2C:
            _comma(gap, at)
            at += 1
        elif mark == 0x5B and gap.level == 0:
            gap.level, gap.value, gap.comma = 1, False, -1
            at += 1
        elif mark == 0x5D and gap.level == 1:
            _close(gap)
            at += 1
            if ends_with_array:
                gap.closed = at
        else:
            at = _text(data, at, stop, gap, final)
    return at


def _comma(gap: Gap, at: int) -> None:
    # Between top-level values a comma is a harmless habit; in an array each one must follow a value.
    if gap.level == 1 and not gap.value:
        gap.items.append((at, at + 1, GARBAGE))
    elif gap.level == 1:
        gap.value, gap.comma = False, at


def _close(gap: Gap) -> None:
    if gap.comma >= 0:
        gap.items.append((gap.comma, gap.comma + 1, GARBAGE))
    gap.level, gap.value, gap.comma = 0, True, -1


def _text(data: bytes, at: int, stop: int, gap: Gap, final: bool) -> int:
    gap.value, gap.comma = True, -1
    scalar = _SCALAR.match(data, at, stop)
    if scalar:
        gap.items.append((at, scalar.end(), None))
        return scalar.end()
    if not final and data[at] == 0x22 and may_go_on(data, at, stop):
        return stop
    found = (_ARRAY_GARBAGE if gap.level else _TOP_GARBAGE).match(data, at, stop)
    end = found.end() if found else at + 1
    shown = len(data[at:end].rstrip(b" \t,")) or 1
    gap.items.append((at, at + shown, GARBAGE))
    return end
