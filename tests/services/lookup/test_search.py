"""Finding car parks by number and by part of an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lookup.search import (
    address_matches,
    close_numbers,
    close_queries,
    find_addresses,
    long_enough,
    same_number,
    words,
)

ADDRESSES = {
    "A10": "BLK 101 ANG MO KIO AVENUE 3",
    "A11": "BLK 5 ANG MO KIO STREET 61",
    "ACB": "BLK 270/271 ALBERT CENTRE BASEMENT CAR PARK",
    "B5": "BLK 5A BEDOK NORTH AVENUE 3",
    "B51": "BLK 51 BEDOK SOUTH ROAD",
    "HE12": None,
}


@pytest.mark.parametrize("query", ["A10", " a10 ", "a10"])
def test_a_number_is_found_in_any_case_with_blanks_around(query: str) -> None:
    assert same_number(query, "A10")
    assert not same_number(query, "A1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ang mo kio", ["A10", "A11"]),
        ("KIO ang", ["A10", "A11"]),
        ("ang mo kio 3", ["A10"]),
        ("avenue 3", ["A10", "B5"]),
        ("bedok 5", ["B5"]),
        ("ven", ["A10", "B5"]),
        ("271 albert", ["ACB"]),
        ("270/271", ["ACB"]),
        ("bas car", ["ACB"]),
        ("orchard", []),
        ("ang bedok", []),
        ("5a", []),
        ("//////", []),
    ],
)
def test_every_word_of_the_query_occurs_in_the_address(query: str, found: list[str]) -> None:
    assert find_addresses(query, ADDRESSES) == found


def test_addresses_with_more_whole_words_come_first() -> None:
    addresses = {"A": "BLK 1011 SOUTHBRIDGE", "B": "BLK 1010 BRIDGE", "C": "BLK 101 BRIDGE ROAD"}
    assert find_addresses("101 bridge", addresses) == ["C", "B", "A"]


@pytest.mark.parametrize(
    ("query", "expected"), [("ab", False), (" ab ", False), ("abc", True), ("a b", True), ("...", False)]
)
def test_an_address_takes_three_characters(query: str, expected: bool) -> None:
    assert long_enough(query) is expected


@given(st.permutations(words("blk 270 271 albert centre")), st.booleans())
def test_order_and_case_never_matter(order: list[str], upper: bool) -> None:
    query = " ".join(order)
    assert address_matches(query.upper() if upper else query, ADDRESSES["ACB"])


@given(st.text(max_size=40))
def test_any_text_is_an_answerable_question(query: str) -> None:
    for number in find_addresses(query, ADDRESSES):
        assert address_matches(query, ADDRESSES[number])
    for suggestion in close_queries(query, ADDRESSES):
        assert find_addresses(suggestion, ADDRESSES)
    assert set(close_numbers(query, ADDRESSES)) <= set(ADDRESSES)


@given(st.sampled_from([number for number, address in ADDRESSES.items() if address]), st.data())
def test_any_part_of_an_address_of_three_letters_finds_it(number: str, data: st.DataObject) -> None:
    long_words = [word for word in words(ADDRESSES[number] or "") if len(word) >= 3]
    word = data.draw(st.sampled_from(long_words))
    start = data.draw(st.integers(0, len(word) - 3))
    end = data.draw(st.integers(start + 3, len(word)))
    assert number in find_addresses(word[start:end], ADDRESSES)


def test_a_near_miss_gets_suggestions() -> None:
    assert close_numbers("a100", ADDRESSES) == ["A10"]
    assert close_numbers("zzz", ADDRESSES) == []
    assert close_queries("angg mo kio", ADDRESSES) == ["ang mo kio"]
    assert close_queries("bedok albert", ADDRESSES) == ["bedok", "albert"]
    assert close_queries("xyzzy", ADDRESSES) == []
