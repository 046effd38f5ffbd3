"""JSON text to records, without Spark: forms, damage, and the same records whatever the blocks and cuts are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers.json.framing import structural_index
from pipeline.readers.json.framing.record_splitter import JsonReader
from pipeline.readers.json.framing.split_state import first_record, merge_states, summarize_split
from pipeline.readers.spans import RecordSpans

Row = tuple[int, str, str | None]


def rows_of(finds: Iterator[RecordSpans]) -> list[Row]:
    rows = []
    for found in finds:
        texts = [text.decode(errors="backslashreplace") for text in found.texts()]
        rows += [
            (place, text, found.errors.get(i))
            for i, (place, text) in enumerate(zip(found.places().tolist(), texts, strict=True))
        ]
    return rows


def blocks_of(text: bytes, length: int) -> Iterator[bytes]:
    return (text[low : low + length] for low in range(0, len(text), length))


def read(text: str | bytes, *, lines: bool = False, block: int = 1 << 20) -> list[Row]:
    data = text.encode() if isinstance(text, str) else text
    return rows_of(JsonReader(blocks_of(data, block), 0, lines=lines).records())


def read_cut(data: bytes, cuts: Sequence[int], block: int = 7) -> list[Row]:
    """As the tasks do: each range is summarized alone, the states are put together, then each range is read."""
    starts = [0, *cuts]
    ends = [*cuts, len(data)]

    def escaped(at: int) -> bool:
        return (at - len(data[:at].rstrip(b"\\"))) % 2 == 1

    def following(at: int) -> int:
        return data[at] if at < len(data) else 0

    summaries = [
        summarize_split(blocks_of(data[low:high], block), escaped(low), following(high))
        for low, high in zip(starts, ends, strict=True)
    ]
    states, tail = merge_states(summaries)
    rows = []
    for number, (low, state) in enumerate(zip(starts, states, strict=False)):
        if number > tail:
            break
        end = None if number in (tail, len(starts) - 1) else ends[number]
        if low == 0:
            rows += rows_of(JsonReader(blocks_of(data, block), 0, end).records())
            continue
        begin = first_record(blocks_of(data[low:], block), low, state, escaped(low), end or len(data), 0)
        if begin is not None:
            at, level, rest = begin
            rows += rows_of(JsonReader(rest, at, end, level=level).records())
    return rows


FORMS = [
    ("one record a line", '{"a":1}\n{"b":[1,2]}\n', [(0, '{"a":1}', None), (8, '{"b":[1,2]}', None)]),
    ("one array", '[{"a":1},{"b":2}]', [(1, '{"a":1}', None), (9, '{"b":2}', None)]),
    ("records one behind the other", '{"a":1}{"a":2}', [(0, '{"a":1}', None), (7, '{"a":2}', None)]),
    ("two arrays", "[[1],[2]]\n[[3]]", [(1, "[1]", None), (5, "[2]", None), (11, "[3]", None)]),
    (
        "elements that are scalars",
        '[1,"x",null,[3],{}]',
        [(1, "1", None), (3, '"x"', None), (7, "null", None), (12, "[3]", None), (16, "{}", None)],
    ),
    ("a byte order mark", "\ufeff[{}]", [(4, "{}", None)]),
    ("windows line ends", '{"a":1}\r\n{"a":2}\r\n', [(0, '{"a":1}', None), (9, '{"a":2}', None)]),
    ("commas at line ends", '{"a":1},\n{"a":2},\n', [(0, '{"a":1}', None), (9, '{"a":2}', None)]),
    ("brackets in strings", '[{"a":"]}{["},{"b":"\\"}"}]', [(1, '{"a":"]}{["}', None), (14, '{"b":"\\"}"}', None)]),
    ("an empty file", "", []),
    ("only blanks", " \n\n", []),
    ("an empty array", "[]", []),
    (
        "garbage between records",
        '{"a":1} oops\n{"a":2}',
        [(0, '{"a":1}', None), (8, "oops", "garbage"), (13, '{"a":2}', None)],
    ),
    ("not JSON at all", "hello, world\n<html>", [(0, "hello, world", "garbage"), (13, "<html>", "garbage")]),
    ("NaN in an array", "[NaN,1]", [(1, "NaN", "garbage"), (5, "1", None)]),
    ("a comma too many", "[1,,2]", [(1, "1", None), (3, ",", "garbage"), (4, "2", None)]),
    ("a comma before the end", "[1,2,]", [(1, "1", None), (3, "2", None), (4, ",", "garbage")]),
    ("a bracket too many", '{"a":1}}\n{"a":2}', [(0, '{"a":1}', None), (7, "}", "garbage"), (9, '{"a":2}', None)]),
    ("a record that ends with the file", '{"a":1}\n{"a":', [(0, '{"a":1}', None), (8, '{"a":', "truncated")]),
    ("an array that ends with the file", '[{"a":1},', [(1, '{"a":1}', None), (9, "", "truncated")]),
    ("an unknown escape stays the parser's matter", '{"a":"\\x"}', [(0, '{"a":"\\x"}', None)]),
]


@pytest.mark.parametrize("lines", [False, True], ids=["stream", "lines"])
@pytest.mark.parametrize(("text", "rows"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS])
def test_records_of(text: str, rows: list[Row], lines: bool) -> None:
    assert read(text, lines=lines) == rows


@pytest.mark.parametrize("lines", [False, True], ids=["stream", "lines"])
@pytest.mark.parametrize("text", [form[1] for form in FORMS], ids=[form[0] for form in FORMS])
def test_blocks_of_any_length_give_the_same_records(text: str, lines: bool) -> None:
    for block in (1, 2, 3, 5, 8):
        assert read(text, lines=lines, block=block) == read(text, lines=lines)


def test_a_pretty_printed_array_gives_its_elements() -> None:
    text = json.dumps([{"a": [1, {"b": 2}]}, {"a": []}], indent=2)
    assert [json.loads(raw) for _, raw, _ in read(text)] == [{"a": [1, {"b": 2}]}, {"a": []}]


DAMAGE = [
    ("a closing bracket is missing", '[{"a":{"x":1},{"a":2},{"a":3}]', ['{"a":{"x":1}'], ['{"a":2}', '{"a":3}']),
    ("a bracket of the wrong kind", '[{"a":[1,2},{"a":2}]', ['{"a":[1,2}'], ['{"a":2}']),
    ("a quote is missing", '[{"a":"x},{"a":"y"},{"a":"z"}]', ['{"a":"x}'], ['{"a":"y"}', '{"a":"z"}']),
    ("a quote is missing at the end", '[{"a":"x"},{"a":"y},{"a":"z"}]', ['{"a":"y}'], ['{"a":"x"}', '{"a":"z"}']),
    ("a line break in a string", '{"t":"one\ntwo"}\n{"t":"b"}', ['{"t":"one\ntwo"}'], ['{"t":"b"}']),
    ("the line is cut off", '{"a":1,\n{"a":2}\n', ['{"a":1'], ['{"a":2}']),
    (
        "nested records are not taken for records",
        '[{"a":1,"b":[{"a":5},{"a":6}],"c":"x},{"a":2}]',
        ['{"a":1,"b":[{"a":5},{"a":6}],"c":"x}'],
        ['{"a":2}'],
    ),
    (
        "nested records behind the damage are not either",
        '[{"a":"x,"b":[{"a":5},{"a":6}]},{"a":2},{"a":3}]',
        ['{"a":"x,"b":[{"a":5},{"a":6}]}'],
        ['{"a":2}', '{"a":3}'],
    ),
]


@pytest.mark.parametrize(("text", "bad", "good"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_damage_does_not_eat_what_follows(text: str, bad: list[str], good: list[str]) -> None:
    rows = read(text)
    assert [raw for _, raw, error in rows if error] == bad
    assert [raw for _, raw, error in rows if not error] == good


@pytest.mark.parametrize("text", [case[1] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_damage_gives_the_same_records_at_every_cut(text: str) -> None:
    data = (text + "\n" + text).encode()
    whole = read(data)
    for cut in range(1, len(data)):
        assert read_cut(data, [cut]) == whole, cut


@pytest.mark.parametrize("text", ["{'a':1}", '{"a":NaN}', '{"a":1,}', '{"a" 1}'])
def test_what_only_a_parser_refuses_is_left_to_the_parser_wherever_it_is(text: str) -> None:
    sound = [(0, text, None), (len(text) + 1, text, None)]
    for lines in (False, True):
        assert read(f"{text}\n{text}\n", lines=lines) == sound
        assert read(f'{text}\n{text}\n{{"b":"x', lines=lines)[:2] == sound
        assert [row[1:] for row in read(f'{{"b":[1}}\n{text}\n{{"b":2}}\n', lines=lines)][-1] == ('{"b":2}', None)


def test_in_lines_damage_ends_with_its_line() -> None:
    text = '{"a":"x\n{"b":2}\n{"c":[1}\n{"d":4}{"e":5}\n{"f'
    assert read(text, lines=True) == [
        (0, '{"a":"x', "truncated"),
        (8, '{"b":2}', None),
        (16, '{"c":[1}', "truncated"),
        (25, '{"d":4}', None),
        (32, '{"e":5}', None),
        (40, '{"f', "truncated"),
    ]


def test_a_record_written_into_a_cut_off_line_is_saved() -> None:
    assert read('{"id":1,"na{"id":2,"name":"b"}\n', lines=True) == [
        (0, '{"id":1,"na', "truncated"),
        (11, '{"id":2,"name":"b"}', None),
    ]


TEXTS = st.text(alphabet=st.sampled_from('ab"\\{}[],:\n é漢😀\u2028/'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.dictionaries(TEXTS, VALUES, max_size=3) | st.lists(VALUES, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, list[Row]]:
    """Text of records in some form, with the records and their places as they must come out."""
    records = draw(st.lists(RECORDS, min_size=1, max_size=6))
    ascii_only, indent = draw(st.booleans()), draw(st.sampled_from([None, 1]))
    raws = [json.dumps(record, ensure_ascii=ascii_only, indent=indent) for record in records]
    in_array = draw(st.booleans()) or any(raw.startswith("[") for raw in raws)
    separator = draw(st.sampled_from([",", ", ", ",\n  "] if in_array else ["\n", "", "\r\n", " \n\n"]))
    text, rows = "[" if in_array else "", []
    for number, raw in enumerate(raws):
        text += separator if number else ""
        rows.append((len(text.encode()), raw, None))
        text += raw
    return (text + ("]" if in_array else "") + draw(st.sampled_from(["", "\n"]))).encode(), rows


@settings(max_examples=40, deadline=None)
@given(documents(), st.integers(1, 40), st.sampled_from([8, 64]))
def test_any_blocks_give_the_records_that_were_written(
    document: tuple[bytes, list[Row]], block: int, chunk: int
) -> None:
    data, rows = document
    before, structural_index.CHUNK = structural_index.CHUNK, chunk
    try:
        assert read(data, block=block) == rows
    finally:
        structural_index.CHUNK = before


@settings(max_examples=5, deadline=None)
@given(documents(), st.sampled_from([50, 1000]))
def test_every_cut_gives_the_records_that_were_written(document: tuple[bytes, list[Row]], block: int) -> None:
    data, rows = document
    for cut in range(1, len(data)):
        assert read_cut(data, [cut], block) == rows, cut


@settings(max_examples=20, deadline=None)
@given(documents(), st.sets(st.integers(1, 300), max_size=9), st.integers(1, 40))
def test_any_ranges_give_the_records_that_were_written(
    document: tuple[bytes, list[Row]], cuts: set[int], block: int
) -> None:
    data, rows = document
    assert read_cut(data, sorted(cut for cut in cuts if cut < len(data)), block) == rows


@settings(max_examples=40, deadline=None)
@given(documents(), st.data())
def test_damaged_text_gives_the_same_records_at_any_cut(document: tuple[bytes, list[Row]], data: st.DataObject) -> None:
    text = bytearray(document[0])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        if data.draw(st.booleans()):
            del text[place]
        else:
            text[place] = data.draw(st.sampled_from(b'"{}[],x\n\\'))
        if not text:
            return
    whole = read(bytes(text))
    cuts = data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=5))
    assert read_cut(bytes(text), sorted(cut for cut in cuts if cut < len(text)), data.draw(st.integers(1, 40))) == whole
