"""Finds car parks by number or by part of an address; used by the lookup and by the read API.

Rules: a number is compared without blanks around it and in any case. An address query has three characters or more;
its words may stand in any order and any case, and every one of them must occur in the address: words of three
characters or more anywhere, shorter letters at the start of a word, shorter numbers as a whole word (`5` finds
BLK 5 and BLK 5A, not BLK 51). Addresses that hold more of the words whole come first, then by number.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

SHORTEST = 3

_WORD = re.compile(r"[^\W_]+")
_NUMBER_WITH_LETTER = re.compile(r"(\d+)[^\W\d_]+")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, without case and punctuation: `BLK 270/271 Albert` gives blk, 270, 271, albert."""
    return tuple(_WORD.findall(text.casefold()))


def same_number(query: str, number: str) -> bool:
    """True when both are the same car park number, blanks around them and case aside."""
    return query.strip().casefold() == number.strip().casefold()


def long_enough(query: str) -> bool:
    """True when an address query has three characters or more and a word in it."""
    return len(query.strip()) >= SHORTEST and bool(words(query))


def _fits(wanted: str, word: str) -> bool:
    if len(wanted) >= SHORTEST:
        return wanted in word
    if wanted.isdigit():
        suffixed = _NUMBER_WITH_LETTER.fullmatch(word)
        return wanted == word or (suffixed is not None and suffixed[1] == wanted)
    return word.startswith(wanted)


def address_matches(query: str, address: str | None) -> bool:
    """True when every word of the query occurs in the address, in any order and case."""
    wanted, present = words(query), words(address or "")
    return bool(wanted) and all(any(_fits(want, word) for word in present) for want in wanted)


def _closeness(query: str, address: str) -> tuple[int, int]:
    wanted, present = words(query), words(address)
    whole = sum(want in present for want in wanted)
    phrase = " ".join(wanted) in " ".join(present)
    return -whole, -int(phrase)


def find_addresses(query: str, addresses: Mapping[str, str | None]) -> list[str]:
    """The numbers of the car parks whose address fits, best first. `addresses`: address by number."""
    if not long_enough(query):
        return []
    fitting = {number: address for number, address in addresses.items() if address and address_matches(query, address)}
    return sorted(fitting, key=lambda number: (*_closeness(query, fitting[number]), number))


def close_numbers(query: str, numbers: Iterable[str], count: int = 5) -> list[str]:
    """Car park numbers that look like the query, closest first."""
    by_key = {number.casefold(): number for number in numbers}
    return [by_key[key] for key in difflib.get_close_matches(query.strip().casefold(), sorted(by_key), count, 0.6)]


def close_queries(query: str, addresses: Mapping[str, str | None]) -> list[str]:
    """Similar address queries that do find something: misspelt words replaced, else each word by itself."""
    present = sorted({word for address in addresses.values() for word in words(address or "")})
    repaired = [_repair(word, present) for word in words(query)]
    whole = " ".join(word for word in repaired if word)
    if all(repaired) and find_addresses(whole, addresses):
        return [whole]
    single = dict.fromkeys(word for word in repaired if word and len(word) >= SHORTEST and not word.isdigit())
    return [word for word in single if find_addresses(word, addresses)][:5]


def _repair(word: str, present: Sequence[str]) -> str | None:
    if any(_fits(word, other) for other in present):
        return word
    return next(iter(difflib.get_close_matches(word, present, 1, 0.6)), None)
