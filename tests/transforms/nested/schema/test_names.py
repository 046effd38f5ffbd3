"""Names are clean, never equal, short enough for a database, and the same whatever the order of asking."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import explode
from transforms.nested.schema.names import MAX_BYTES, NameRequest, clean, unique_names


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a.b", "a_b"),
        ("unit price", "unit_price"),
        ('say "x"', "say__x_"),
        ("+1", "_1"),
        ("", "_"),
        ("\ufeffid", "_id"),
        ("größe", "größe"),
    ],
)
def test_what_is_no_letter_digit_or_underscore_becomes_an_underscore(key: str, name: str) -> None:
    assert clean(key) == name


def test_of_several_that_want_a_name_the_one_that_needs_no_cleaning_gets_it() -> None:
    requests = [NameRequest(("a.b",), "1"), NameRequest(("a_b",), "2"), NameRequest(("a b",), "3")]
    assert unique_names(requests, "__") == ["a_b_6b86b2", "a_b", "a_b_4e0740"]


def test_capitals_and_small_letters_are_one_name() -> None:
    requests = [NameRequest(("Id",), "1"), NameRequest(("ID",), "2")]
    assert unique_names(requests, "__", taken=["id"]) == [
        "Id_6b86b2",
        "ID_d4735e",
    ]


def test_a_long_name_is_cut_and_marked() -> None:
    names = unique_names([NameRequest(("é" * 40, "x"), "1"), NameRequest(("é" * 40, "y"), "2")], "__")
    assert names == ["é" * 28 + "_6b86b2", "é" * 28 + "_d4735e"]
    assert all(len(name.encode()) == MAX_BYTES for name in names)


@given(
    st.lists(
        st.sampled_from(["a", "A", "a.b", "a_b", "A.B", "", " ", "_"]) | st.text(max_size=3),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_names_do_not_depend_on_the_order_of_asking(keys: list[str]) -> None:
    requests = [NameRequest((key,), key) for key in keys]
    names = dict(zip(keys, unique_names(requests, "__"), strict=True))
    assert len({name.casefold() for name in names.values()}) == len(keys)
    for order in itertools.permutations(requests):
        assert dict(zip([w.identity for w in order], unique_names(order, "__"), strict=True)) == names


def test_names_of_documents_that_collide_are_distinguished_in_every_table() -> None:
    document = '{"a.b": 1, "a_b": 2, "A_B": 3, "a": {"b": 4}, "": 5, "+1": 6, "_id": 7, "_rest": 8, "\\ufeffx": 9}'
    found = explode([document])
    assert found.names() == {
        "doc": ["a_b_1d33ea", "a_b_0ae1f6", "A_B", "a__b", "_", "_1", "_id_149686", "_rest_264b51", "_x"]
    }
    assert found.plain("doc")[0]["_1"] == 6
    assert found.rebuilt() == [
        {"a.b": 1, "a_b": 2, "A_B": 3, "a": {"b": 4}, "": 5, "+1": 6, "_id": 7, "_rest": 8, "\ufeffx": 9}
    ]
