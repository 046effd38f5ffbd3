"""Texts that are numbers, and those that a number would not give back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import explode
from transforms.nested.values.numbers import number_format, text_format


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0", "integer|decimal(38,0)|double"),
        ("-20", "integer|decimal(38,0)|double"),
        ("123456789012345678", "integer|decimal(38,0)"),
        ("9223372036854775807", "integer|decimal(38,0)"),
        ("9223372036854775808", "decimal(38,0)"),
        ("1.50", "decimal(38,2)"),
        ("1.5", "decimal(38,1)|double"),
        ("0.00001", "decimal(38,5)"),
        ("1" * 39, ""),
    ],
)
def test_a_text_has_the_types_that_give_it_back(text: str, kinds: str) -> None:
    assert number_format(text) == kinds


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "007", "-0", "-0.00", "1.", ".5", "1e3", "1,5", "NaN", "٣", "0x1"]
)
def test_any_other_text_is_no_number(text: str) -> None:
    assert number_format(text) == ""


@given(st.lists(st.decimals(-(10**6), 10**6, places=2).map(str) | st.integers(-(10**20), 10**20).map(str), min_size=1))
def test_columns_of_numbers_give_every_text_back(texts: list[str]) -> None:
    found = explode([f'{{"n": "{text}"}}' for text in texts], dates=True, formats=text_format)
    assert [document["n"] for document in found.rebuilt()] == texts


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["20", "-3"], "integer", [20, -3]),
        (["20", "2.5"], "double", [20.0, 2.5]),
        (["1.50", "20.00"], "decimal(38,2)", ["1.50", "20.00"]),
        (["1.50", "2"], "text", ["1.50", "2"]),
        (["20", "many"], "text", ["20", "many"]),
        (["2024-02-29", "20"], "text", ["2024-02-29", "20"]),
    ],
)
def test_a_column_gets_the_best_type_that_all_its_texts_have(texts: list[str], kind: str, values: list[object]) -> None:
    found = explode([f'{{"n": "{text}"}}' for text in texts], dates=True, formats=text_format)
    assert found.types("doc") == {"n": kind}
    shown = [str(row["n"]) if kind.startswith("decimal") else row["n"] for row in found.rows["doc"]]
    assert shown == values


def test_timestamps_with_several_offsets_keep_them_in_a_column() -> None:
    texts = ["2024-05-01T04:00:00+08:00", "2024-05-01T04:00:00Z", "2024-11-01T04:00:00-00:00"]
    found = explode([f'{{"at": "{text}"}}' for text in texts], dates=True, form="csv")
    assert found.types("doc") == {"at": "timestamp(0,*)", "at__offset": "offset"}
    assert [(row["at"], row["at__offset"]) for row in found.rows["doc"]] == [
        ("2024-04-30T20:00:00Z", "+08:00"), ("2024-05-01T04:00:00Z", "Z"), ("2024-11-01T04:00:00Z", "-00:00")
    ]  # fmt: skip
    assert [document["at"] for document in found.rebuilt()] == texts
