"""Documents are accepted or refused as RFC 8259 says; what is accepted keeps every digit and every character."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rebuild import comparable, loads
from transforms.nested.values.lenient import strict_text
from transforms.nested.values.parse import (
    MAX_DEPTH,
    BigNumber,
    NonPortableString,
    NotJsonError,
    Parser,
    canonical,
    decimal_size,
    prepare_process,
    readable,
)

# By category: documents that RFC 8259 refuses.
REFUSED = {
    "nothing": ["", " ", "\n\t\r ", "\ufeff", '\ufeff{"a":1}', "\u00a0", "\x00", "\u2028"],
    "constants": [
        "NaN",
        "Infinity",
        "-Infinity",
        "[NaN]",
        '{"a":NaN}',
        "nan",
        "undefined",
        "True",
        "NULL",
        "nul",
        "tru",
        "truetrue",
    ],
    "numbers": [
        "01",
        "-01",
        "+1",
        "1.",
        ".5",
        "-.5",
        "1.e3",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "1,5",
        "--1",
        "-",
        "٣",
        "1 2",
        "0b1",
        "1e5.5",
    ],
    "strings": [
        "'a'",
        '"a',
        'a"',
        '"a\nb"',
        '"\t"',
        '"\x00"',
        '"\x1f"',
        '"\\x41"',
        '"\\u12"',
        '"\\u12G4"',
        '"\\"',
        '"\\a"',
        "\u201ca\u201d",
        "`a`",
    ],
    "arrays": ["[1,]", "[,1]", "[1,,2]", "[1 2]", "[", "]", "[1", "1]", "[1}", "[[]", "[]]", "[1;2]", "[...]"],
    "objects": [
        '{"a":1,}',
        "{,}",
        '{"a"}',
        '{"a":}',
        "{:1}",
        "{1:2}",
        "{a:1}",
        "{'a':1}",
        '{"a" 1}',
        '{"a":1 "b":2}',
        '{"a":1',
        '"a":1',
        "{null:1}",
        '{"a"::1}',
        "{[]:1}",
    ],
    "comments": ["// c\n1", "1 // c", "/* c */1", "[1/*c*/]", "# c\n1", "<!-- -->1"],
    "more than one": ["1 1", "{} {}", "[] []", '{"a":1}x', "1,2", "null null"],
}

# By category: documents that RFC 8259 accepts, with the value they have.
ACCEPTED: dict[str, list[tuple[str, Any]]] = {
    "scalars": [("null", None), ("true", True), (" 1 ", 1), ('""', ""), ("\r\n\t[] ", []), ("-0", 0), ("0", 0)],
    "numbers": [
        ("1e5", Decimal("1e5")),
        ("1E+2", Decimal(100)),
        ("1.10", Decimal("1.1")),
        ("-0.0", Decimal(0)),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", 2**63),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("1e400", Decimal("1e400")),
        ("1e-400", Decimal("1e-400")),
        ("100000000000000000000000.5", Decimal("100000000000000000000000.5")),
        ("3.0000000000000001", Decimal("3.0000000000000001")),
    ],
    "strings": [
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\"', 'A/\b\f\n\r\t"\\'),
        ('"\x7f"', "\x7f"),
        ('"\u2028"', "\u2028"),
        ('"\\ud800"', "\ud800"),
        ('"\\udc00\\ud800"', "\udc00\ud800"),
        ('"\\u0000"', "\x00"),
        ('"a\\u0000b"', "a\x00b"),
        ('"\\ufffe"', "\ufffe"),
        ('"\ufeff"', "\ufeff"),
        ('"\\\\u0000"', "\\u0000"),
    ],
    "objects": [
        ("{}", {}),
        ('{"":1}', {"": 1}),
        ('{"\\u0000":1}', {"\x00": 1}),
        ('{"\\ud800":1}', {"\ud800": 1}),
        ('{"a":{"a":{"a":[]}}}', {"a": {"a": {"a": []}}}),
        ('{"a":1,"a":2}', {"a": 2}),
        ('{"a":1,"\\u0061":{"b":1}}', {"a": {"b": 1}}),
        ('{"__proto__":1,"a.b":2," ":3}', {"__proto__": 1, "a.b": 2, " ": 3}),
    ],
}


def parse(text: str, lenient: bool = False) -> Any:
    prepare_process()
    return Parser(lenient).parse(text)


def repeated(text: str) -> tuple[Any, list[str]]:
    """A document, strict or lenient, and the duplicate keys of its objects."""
    parser = Parser(lenient=True)
    value = parser.parse(text)
    return value, parser.repeated(canonical(value))


def mapped(value: Any, number: Callable[[float | BigNumber], Any]) -> Any:
    """A parsed value with odd strings as Python has them, and `number` of every double and every wide number."""
    if isinstance(value, dict):
        return {key: mapped(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, number) for item in value]
    if isinstance(value, float | BigNumber):
        return number(value)
    return value.value if isinstance(value, NonPortableString) else value


def plain(value: Any) -> Any:
    """The value with all digits of its numbers."""
    return mapped(value, lambda number: Decimal(number.text if isinstance(number, BigNumber) else repr(number)))


def test_there_are_more_than_a_hundred_hostile_documents() -> None:
    assert sum(map(len, REFUSED.values())) + sum(map(len, ACCEPTED.values())) > 120


@pytest.mark.parametrize("category", REFUSED)
def test_what_the_rfc_refuses_is_refused_with_a_reason_and_a_place(category: str) -> None:
    for text in REFUSED[category]:
        with pytest.raises(NotJsonError, match=r"not JSON|empty") as refused:
            parse(text)
        assert refused.value.reason == "malformed_json", text


@pytest.mark.parametrize("category", ACCEPTED)
def test_what_the_rfc_accepts_is_accepted_with_its_exact_value(category: str) -> None:
    for text, value in ACCEPTED[category]:
        assert comparable(plain(parse(text))) == comparable(value), text


def test_a_refusal_names_the_character_and_the_text_there() -> None:
    with pytest.raises(NotJsonError, match=r"not JSON from character 8: \"'b': 2}\""):
        parse("{\"a\":1,'b': 2}")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_documents_may_be_a_thousand_levels_deep_and_no_more(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    assert parse(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(NotJsonError, match="nested deeper than 1000 levels") as refused:
            parse(opening * depth + "1" + closing * depth)
        assert refused.value.reason == "too_deep"


def test_many_brackets_side_by_side_are_not_depth() -> None:
    assert len(parse("[" + ",".join(["[]"] * 5000) + "]")) == 5000


def test_repeated_keys_are_named_and_the_last_one_counts() -> None:
    assert repeated('{"a":1,"b":{"c":1,"c":2,"c":3},"a":4}') == ({"a": 4, "b": {"c": 3}}, ["c", "a"])
    assert repeated('{"a":1}') == ({"a": 1}, [])


@pytest.mark.parametrize(
    "text",
    [
        '{"a" : 1, "a"\n:\t2}',
        '{"a":1,"\\u0061":2}',
        '{"a":1,"a":"\\u003a"}',  # the colon that the key loses is the one that the text wins
        '{"a":1,"a":["\\u003A"]}',
        "{'a':1,'a':2} // a:b",
    ],
)
def test_no_writing_hides_a_repeated_key(text: str) -> None:
    assert repeated(text)[1] == ["a"]


@pytest.mark.parametrize("text", ['{"a:":":","b":"\\u003a"}', '{"\\":":1}', '{"a": {"a": [{"a": ": :"}]}}'])
def test_colons_in_strings_are_no_keys(text: str) -> None:
    assert repeated(text)[1] == []


def slow_number(text: str) -> Any:
    value = Decimal(text)
    there = Decimal(repr(float(text))) if abs(float(text)) != float("inf") else None
    return ("double", float(text)) if there == value else ("wide", text)


def slow_integer(text: str) -> Any:
    return int(text) if -(2**63) <= int(text) < 2**63 else ("wide", text)


def slow_parse(text: str) -> tuple[Any, list[str]]:
    """A document and its repeated keys, every number and every object looked at."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        found.extend(key for key in dict(pairs) if keys.count(key) > 1)
        return dict(pairs)

    value = json.loads(text, object_pairs_hook=look, parse_float=slow_number, parse_int=slow_integer)
    return value, found


def simplified(value: Any) -> Any:
    """A parsed value in the form that `slow_parse` gives."""
    return mapped(value, lambda number: ("wide", number.text) if isinstance(number, BigNumber) else ("double", number))


BLANKS = st.sampled_from(["", "", " ", "\n", "\t ", "\r\n"])
STRINGS = st.sampled_from(
    ['"a"', '"\\u0061"', '"b"', '":"', '"\\u003a"', '"\\u003A"', '"a\\":"', '" : "', '"\\u0000"', '"\\ud800:"', '"é:"']
) | st.text(max_size=3).map(json.dumps)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?", fullmatch=True, alphabet="0123456789-+.eE"
)


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(inner, max_size=3))
    return "[" + ",".join(f"{draw(BLANKS)}{item}{draw(BLANKS)}" for item in items) + "]"


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(st.tuples(STRINGS, inner), max_size=4))
    return "{" + ",".join(f"{draw(BLANKS)}{key}{draw(BLANKS)}:{draw(BLANKS)}{item}" for key, item in items) + "}"


@settings(max_examples=400, deadline=None)
@given(
    st.recursive(
        STRINGS | NUMBERS | st.sampled_from(["null", "true", "false"]),
        lambda inner: arrays(inner) | objects(inner),
        max_leaves=12,
    )
)
def test_the_parser_agrees_with_one_that_looks_at_everything(text: str) -> None:
    value, keys = repeated(text)
    expected, expected_keys = slow_parse(text)
    assert repr(simplified(value)) == repr(expected)
    assert keys == expected_keys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'it\\'s': \"b\", /* c */ 'say \"x\"': [1, 2, ], } // end", {"it's": "b", 'say "x"': [1, 2]}),
        ("[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        ("['// no comment', \"/* nor here */\"]", ["// no comment", "/* nor here */"]),
    ],
)
def test_lenient_takes_comments_trailing_commas_single_quotes_and_nan_as_text(text: str, value: Any) -> None:
    assert parse(text, lenient=True) == value


@pytest.mark.parametrize("text", ["[1,,]", "[,]", "{,}", "[1 2]", "tru e", "1/**/2", "{a:1}", "'a", "/* open", "+1"])
def test_lenient_is_no_guessing(text: str) -> None:
    with pytest.raises(NotJsonError):
        parse(text, lenient=True)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_lenient_changes_nothing_in_strict_json(value: Any) -> None:
    assert json.loads(strict_text(json.dumps(value)) or "") == value


@given(
    st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_every_number_comes_back_digit_by_digit(number: Any) -> None:
    text = f"[{number!r}]" if not isinstance(number, Decimal) else f"[{number}]"
    assert comparable(loads(canonical(parse(text)))) == comparable(loads(text))


@given(st.text(alphabet=st.characters() | st.sampled_from('\x00\ud800\udfff"\\'), max_size=8))
def test_every_string_comes_back_character_by_character(text: str) -> None:
    document = json.dumps({"a": text, text: [text]})
    for written in (canonical(parse(document)), readable(parse(document))):
        assert json.loads(written) == {"a": text, text: [text]}
        written.encode()


@pytest.mark.parametrize("key", ["\0\0abc", "\x001", "\0\0", '\0\0"', "\0\0\\"])
def test_a_key_that_begins_with_nul_stays_as_it_is(key: str) -> None:
    document = json.dumps({key: [key, 1, 10**30]})
    for written in (canonical(parse(document)), readable(parse(document))):
        assert json.loads(written) == {key: [key, 1, 10**30]}


def test_canonical_text_is_the_same_for_any_key_order_and_layout() -> None:
    one, two = '{"b": [1.50, true], "a": "\\u00e9"}', '{"a":"é","b":[1.5,\n true]}'
    assert canonical(parse(one)) == canonical(parse(two)) == '{"a":"\\u00e9","b":[1.5,true]}'


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", (1, 0)),
        ("-12.50", (2, 1)),
        ("1e3", (4, 0)),
        ("0.001", (1, 3)),
        ("100", (3, 0)),
        ("1e400", None),
        ("1e999999999999999999999", None),
        ("0.000", (1, 0)),
    ],
)
def test_digits_before_and_after_the_point(text: str, size: tuple[int, int] | None) -> None:
    assert decimal_size(text) == size
