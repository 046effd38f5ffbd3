"""Texts that are numbers, only where the typed value gives the very same text again.

`integer`: 64 bits. `decimal(38,2)`: exactly two digits after the point. `double`: the shortest text of a double, `2` or
`2.5`. None has zeros in front or a plus; -0 and exponents are no such numbers.
"""

from __future__ import annotations

import re

from transforms.nested.values.dates import EITHER, NOT_ONE, date_format

_WRITTEN = re.compile(r"-?(?P<whole>0|[1-9][0-9]*)(?:\.(?P<digits>[0-9]+))?")
_NOT_ZERO = re.compile("[1-9]")
_INT64 = 2**63


def number_format(text: str) -> str:
    """The types that hold the text and give it back exactly, the best first; `NOT_ONE` for any other text.

    >>> number_format("20"), number_format("1.50"), number_format("007")
    ('integer|decimal(38,0)|double', 'decimal(38,2)', '')
    """
    match = _WRITTEN.fullmatch(text)
    if match is None or (text[0] == "-" and not _NOT_ZERO.search(text)):
        return NOT_ONE
    whole, digits = len(match["whole"]), len(match["digits"] or "")
    found = ["integer"] if not digits and whole < 20 and -_INT64 <= int(text) < _INT64 else []
    if whole + digits <= 38:
        found.append(f"decimal(38,{digits})")
    if whole + digits <= 15 and repr(float(text)) == (text if digits else f"{text}.0"):
        found.append("double")
    return EITHER.join(found)


def text_format(text: str) -> str:
    """What `date_format` or `number_format` says."""
    return date_format(text) or number_format(text)


def no_format(text: str) -> str:
    """For texts that stay texts."""
    return NOT_ONE
