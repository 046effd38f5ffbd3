"""Texts that are dates and timestamps, only where the typed value gives the very same text again.

The type says how the text is written: `date` is YYYY-MM-DD; `timestamp(3,+08:00)` is YYYY-MM-DDTHH:MM:SS with three
digits after the point and that offset (`timestamp(0,Z)`: no fraction, UTC; `timestamp(0,*)`: each text has an offset of
its own). The value is the moment in UTC. `timestamp_local(0)` has no offset: it is a day and time of day, no moment.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

DATE, TIMESTAMP, LOCAL = "date", "timestamp", "timestamp_local"
# Between types that all hold a text.
EITHER = "|"
# What a path has when its texts are not all written in one of these ways.
NOT_ONE = ""
_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.(?P<digits>[0-9]{1,6}))?(?P<offset>Z|[-+][0-9]{2}:[0-5][0-9])?)?"
)


def moment(text: str) -> datetime:
    """The moment in UTC of a text that `date_format` knows as a timestamp."""
    return datetime.fromisoformat(text).astimezone(UTC)


def date_format(text: str) -> str:
    """The type that holds the text and gives it back exactly; `NOT_ONE` for any other text.

    >>> date_format("2024-02-29"), date_format("2023-02-29"), date_format("2024-05-01T08:00:00.250+08:00")
    ('date', '', 'timestamp(3,+08:00)')
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return NOT_ONE
    try:
        # No 30th of February, no hour 24, nothing outside the years 1 to 9999 of UTC.
        _ = moment(text) if match["offset"] else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return NOT_ONE
    if not match["time"]:
        return DATE
    digits = len(match["digits"] or "")
    return f"{TIMESTAMP}({digits},{match['offset']})" if match["offset"] else f"{LOCAL}({digits})"


def with_any_offset(kind: str) -> str:
    """The type of moments with an offset each; of another type itself."""
    return f"{kind.partition(',')[0]},*)" if kind.startswith(f"{TIMESTAMP}(") else kind


def offset_of(text: str) -> str:
    """The offset of a timestamp's text."""
    return "Z" if text.endswith("Z") else text[-6:]


def merge_formats(one: str | None, other: str | None) -> str | None:
    """The format of two sets of texts together; None is that of no text.

    >>> merge_formats("timestamp(0,Z)", "timestamp(0,+08:00)"), merge_formats("integer|double", "decimal(38,1)|double")
    ('timestamp(0,*)', 'double')
    """
    if one is None or other is None or one == other:
        return one if other is None else other
    others = set(map(with_any_offset, other.split(EITHER)))
    return EITHER.join(kind for kind in map(with_any_offset, one.split(EITHER)) if kind in others)


def holds_format(kind: str, found: str | None) -> bool:
    """Whether a column of the type holds all texts of a format."""
    kinds = (found or "").split(EITHER)
    return kind in kinds or kind in map(with_any_offset, kinds)


def in_utc(text: str) -> str:
    """A timestamp's text with the moment in UTC, the digits after the point as they are.

    >>> in_utc("2024-05-01T04:00:00.250+08:00")
    '2024-04-30T20:00:00.250Z'
    """
    return text if text.endswith("Z") else f"{moment(text).isoformat()[:19]}{text[19:-6]}Z"
