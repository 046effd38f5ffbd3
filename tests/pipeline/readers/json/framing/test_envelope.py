"""Records at a path of keys inside documents, without Spark."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers.json.framing import envelope
from pipeline.readers.json.framing.envelope import EnvelopeReader
from pipeline.readers.json.framing.split_state import first_record, merge_states, summarize_split
from pipeline.readers.splits import LexerState
from tests.pipeline.readers.json.framing.test_record_splitter import RECORDS, Row, blocks_of, rows_of

KEYS = ["a", "b"]


def read(text: str | bytes, block: int = 1 << 20) -> list[Row]:
    data = text.encode() if isinstance(text, str) else text
    return rows_of(EnvelopeReader(blocks_of(data, block), 0, KEYS).records())


CASES = [
    ("an array at the path", '{"a":{"b":[{"x":1},{"x":2}]}}', [(11, '{"x":1}', None), (19, '{"x":2}', None)]),
    ("arrays on the way", '[{"a":[{"b":[1]},{"b":[2]}]}]', [(13, "1", None), (23, "2", None)]),
    ("an object at the path", '{"a":{"b":{"x":5}}}', [(10, '{"x":5}', None)]),
    ("other keys before and behind", '{"q":[{"b":[0]}],"a":{"c":{"b":[0]},"b":[7]},"z":"}"}', [(41, "7", None)]),
    ("the same key further down does not count", '{"x":{"a":{"b":[1]}},"a":{"b":[2]}}', [(31, "2", None)]),
    ("a key written with an escape", '{"\\u0061":{"b":[7]}}', [(16, "7", None)]),
    ("documents one behind the other", '{"a":{"b":[1]}}\n{"a":{"b":[2]}}', [(11, "1", None), (27, "2", None)]),
    (
        "null and an empty array have no records",
        '{"a":{"b":null}}{"a":{"b":[]}}',
        [(0, '{"a":{"b":null}}', "null_record"), (16, '{"a":{"b":[]}}', "empty_array")],
    ),
    ("an empty array before another one", '{"a":[{"b":[]},{"b":[3]}]}', [(21, "3", None)]),
    ("an empty file", "", []),
    (
        "a document without the path",
        '{"message":"no","code":440}',
        [(0, '{"message":"no","code":440}', "missing_path")],
    ),
    (
        "a document that ends with the file",
        '{"a":{"b":[{"x":1},{"x"',
        [(11, '{"x":1}', None), (19, '{"x"', "truncated")],
    ),
    ("one that ends behind a record", '{"a":{"b":[{"x":1}]', [(11, '{"x":1}', None), (19, "", "truncated")]),
    ("one that ends before any record", '{"a":', [(0, '{"a":', "truncated")]),
    ("a damaged document", '{"a" 1}\n{"a":{"b":[1]}}', [(0, '{"a" 1}', "malformed_json"), (19, "1", None)]),
    (
        "a damaged record",
        '{"a":{"b":[{"x":"1},{"x":2},{"x":3}]}}',
        [(11, '{"x":"1}', "malformed_json"), (20, '{"x":2}', None), (28, '{"x":3}', None)],
    ),
]


@pytest.mark.parametrize("block", [1, 3, 1000])
@pytest.mark.parametrize(("text", "rows"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_records_at_a_path(text: str, rows: list[Row], block: int) -> None:
    assert read(text, block) == rows


def read_cut(data: bytes, cuts: Sequence[int], block: int) -> list[Row]:
    found = EnvelopeReader(blocks_of(data, block), 0, KEYS).array()
    assert found is not None
    stack, at = found
    inner = [cut for cut in cuts if at < cut < len(data)]
    starts, ends = [at, *inner], [*inner, len(data)]

    def escaped(place: int) -> bool:
        return (place - len(data[:place].rstrip(b"\\"))) % 2 == 1

    summaries = [
        summarize_split(blocks_of(data[low:high], block), escaped(low), data[high] if high < len(data) else 0)
        for low, high in zip(starts, ends, strict=True)
    ]
    states, tail = merge_states(summaries, LexerState(stack))
    rows: list[Row] = []
    for number, (low, state) in enumerate(zip(starts, states, strict=False)):
        end = None if number in (tail, len(starts) - 1) else ends[number]
        if number > tail:
            break
        if number == 0:
            rows += rows_of(EnvelopeReader(blocks_of(data, block), 0, KEYS, end).records())
            continue
        begin = first_record(blocks_of(data[low:], block), low, state, escaped(low), end or len(data), len(stack))
        if begin is not None:
            rows += rows_of(EnvelopeReader(begin[2], begin[0], KEYS, end, stack).records())
    return rows


@settings(max_examples=40, deadline=None)
@given(
    st.lists(RECORDS, max_size=5),
    st.lists(RECORDS, max_size=2),
    st.sampled_from([None, 1]),
    st.sets(st.integers(1, 250), max_size=6),
    st.sampled_from([4, 30, 1000]),
)
def test_any_ranges_give_the_records_that_were_written(
    first: list[object], second: list[object], indent: int | None, cuts: set[int], block: int
) -> None:
    document = {"q": ['{"a":'], "a": [{"c": 1, "b": first}, {"b": second, "d": {}}], "z": None}
    data = json.dumps(document, ensure_ascii=False, indent=indent).encode()
    whole = read(data)
    if not first + second:
        assert [(place, error) for place, _, error in whole] == [(0, "empty_array")]
        return
    assert [json.loads(raw) for _, raw, _ in whole] == first + second
    assert all(data.startswith(raw.encode(), place) for place, raw, _ in whole)
    assert read_cut(data, sorted(cuts), block) == whole


@pytest.mark.parametrize("before", [0, 100_000])
def test_a_long_object_comes_whole_out_of_many_blocks(before: int) -> None:
    record = json.dumps({"x": ["y" * 1000] * 1500})
    text = f'{{"q":"{"z" * before}","a":{{"b":{record}}}}}'
    assert read(text, 64 << 10) == [(text.index(record), record, None)]


def test_an_object_longer_than_a_record_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MOST_RECORD", 1 << 20)
    monkeypatch.setattr(envelope, "_SHOWN", 10)
    record = json.dumps({"x": ["y" * 1000] * 1500})
    [(place, _, error), (_, after, _)] = read(f'{{"a":{{"b":{record}}}}}{{"a":{{"b":{{}}}}}}', 64 << 10)
    assert (place, error, after) == (10, "too_long", "{}")
