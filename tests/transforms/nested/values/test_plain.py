"""Plain JSON texts: which they are, and that the fast way reads and writes them as the careful way does."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transforms.nested.values.parse import NotJsonError, Parser, canonical, prepare_process
from transforms.nested.values.plain import are_plain, canonical_plain, decode_plain

PLAIN = [
    '{"a": 1, "b": [2.5, -0.0, null, true]}',
    '{"id": 123456789012345678, "color": "3F7E00"}',
    '"caf\\u00e9 \\n \\/ é 😀"',
    "123456789.012345",
    "[0.0001]",
    "",
]
NOT_PLAIN = [
    "1e5",
    '{"a":1E-7}',
    "[12345678901234567890]",
    "9223372036854775808",
    '{"lat": 48.85837009999999}',
    "0.12345678901234567",
    "[1234567890123456.5]",
    "0.00001",
    '"\\u0000"',
    '"\\ud800"',
    '"\\u007f"',
    '"\x7f"',
]


@pytest.mark.parametrize("text", PLAIN)
def test_short_numbers_and_usual_texts_are_plain(text: str) -> None:
    assert are_plain(pa.array([text])).to_pylist() == [True]


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_libraries_spell_or_read_in_different_ways_is_not_plain(text: str) -> None:
    assert are_plain(pa.array([text])).to_pylist() == [False]


def test_a_null_is_neither() -> None:
    assert are_plain(pa.array([None], pa.string())).to_pylist() == [None]


def test_the_canonical_text_is_ascii_with_sorted_keys_and_no_blanks() -> None:
    value = decode_plain('{"z": "caf\\u00e9 \\/ 😀\\b\\u0001", "a": [1.50, -0.0, 1000000000000000, {}]}')
    assert canonical_plain(value) == '{"a":[1.5,-0.0,1000000000000000,{}],"z":"caf\\u00e9 / \\ud83d\\ude00\\b\\u0001"}'


NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.decimals(-9999, 9999, places=3).map(float) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_a_plain_text_gives_the_value_and_the_canonical_text_of_the_careful_way(
    value: object, ascii_only: bool, separators: tuple[str, str]
) -> None:
    prepare_process()
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    assume(are_plain(pa.array([text]))[0].as_py())
    careful = Parser().parse(text)
    parser = Parser()
    fast = parser.parse(text, plain=True)
    assert repr(fast) == repr(careful)
    assert parser.canonical(fast) == canonical(careful)


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", "01", '{"a":1} x', '"a\tb"', "\ufeff1"])
def test_a_text_that_is_no_json_is_refused_in_the_words_of_the_careful_way(text: str) -> None:
    with pytest.raises(NotJsonError) as careful:
        Parser().parse(text)
    with pytest.raises(NotJsonError) as fast:
        Parser().parse(text, plain=True)
    assert (fast.value.reason, str(fast.value)) == (careful.value.reason, str(careful.value))


def test_duplicate_keys_of_a_plain_text_are_reported() -> None:
    parser = Parser()
    value = parser.parse('{"a":1,"b":{"c":2,"c":3}}', plain=True)
    assert value == {"a": 1, "b": {"c": 3}}
    assert parser.repeated(parser.canonical(value)) == ["c"]
