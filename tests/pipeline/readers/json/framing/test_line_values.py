"""The object at a path of a line, where nothing is in doubt about it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.json.framing.envelope import EnvelopeReader
from pipeline.readers.json.framing.line_values import LineValues
from tests.pipeline.readers.json.framing.test_record_splitter import rows_of


def test_the_object_is_found_at_its_place() -> None:
    line = b'{"before": {"x": 1}, "a": {"b" : {"x": 1}}, "op": "u"}\n'
    found = LineValues(["a", "b"]).find(line)
    assert found == (33, 41)
    assert line[slice(*found)] == b'{"x": 1}'


@pytest.mark.parametrize(
    "line",
    [
        b'{"b":null}',
        b'{"b":[{"x":1}]}',
        b'{"b":7}',
        b'[{"b":{}}]',
        b'{"c":{}}',
        b'{"b":{},"b":{}}',
        b'{"t":"b","b":{}}',
        b'{"\\u0062":{}}',
        b'{"b":{} x',
        b'{"b":{}}{"b":{}}',
        b"",
    ],
)
def test_anything_else_is_left_to_the_careful_way(line: bytes) -> None:
    assert LineValues(["b"]).find(line) is None


VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["a", "b", '"b"', "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.lists(st.sampled_from("abc"), min_size=1, max_size=2))
def test_what_is_found_is_what_the_careful_way_finds(document: object, keys: list[str]) -> None:
    line = json.dumps(document).encode()
    found = LineValues(keys).find(line)
    if found is not None:
        start, end = found
        assert rows_of(EnvelopeReader(iter([line]), 0, keys).records()) == [(start, line[start:end].decode(), None)]
