"""Names of tables and columns: clean, unique whatever their case, short enough for a database, the same each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

# PostgreSQL cuts longer identifiers, and two of them could become one.
MAX_BYTES = 63
_UNCLEAN = re.compile(r"\W")


@dataclass(frozen=True)
class NameRequest:
    """A request for a name: `parts` are joined; `identity` tells apart what asks for the same one."""

    parts: tuple[str, ...]
    identity: str


def clean(part: str) -> str:
    """A key as a part of a name: letters, digits and underscores stay, everything else becomes an underscore.

    >>> clean("unit price (+1)"), clean("")
    ('unit_price___1_', '_')
    """
    return _UNCLEAN.sub("_", part) or "_"


def _mark(identity: str) -> str:
    return "_" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode("utf-8", "ignore")


def unique_names(requests: Sequence[NameRequest], separator: str, taken: Iterable[str] = ()) -> list[str]:
    """A name for each request, in the order of the requests; `taken` are in use already.

    Of several that ask for one name (capitals and small letters count as equal) the one whose keys need no cleaning
    gets it, then the one whose identity sorts first; the others get `_` and six hex digits of their identity's hash.

    >>> unique_names([NameRequest(("a-b",), "1"), NameRequest(("a_b",), "2"), NameRequest(("A_B",), "3")], "__")
    ['a_b_6b86b2', 'a_b', 'A_B_4e0740']
    """
    used = {name.casefold() for name in taken}
    names: dict[int, str] = {}

    def worth(number: int) -> tuple[bool, str]:
        request = requests[number]
        return any(clean(part) != part for part in request.parts), request.identity

    for number in sorted(range(len(requests)), key=worth):
        request = requests[number]
        names[number] = _free_name(separator.join(clean(part) for part in request.parts), request.identity, used)
        used.add(names[number].casefold())
    return [names[number] for number in range(len(requests))]


def _free_name(name: str, identity: str, used: Collection[str]) -> str:
    if len(name.encode()) <= MAX_BYTES and name.casefold() not in used:
        return name
    mark, attempt = _mark(identity), 0
    while True:
        candidate = _cut(name, MAX_BYTES - len(mark)) + mark
        if candidate.casefold() not in used:
            return candidate
        attempt += 1
        mark = _mark(f"{identity} {attempt}")
