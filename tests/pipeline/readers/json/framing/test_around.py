"""What records take of the document that they are in, without Spark."""

from __future__ import annotations

import json

import pytest

from pipeline.readers.json.framing.around import Around, with_names
from pipeline.readers.json.framing.envelope import EnvelopeReader

Found = list[tuple[bytes, str | None]]


def taken(text: str, around: Around, block: int = 1 << 20) -> Found:
    """The records and what they take, from two readings as a task makes them."""

    def reader(members: dict[int, dict[str, bytes]] | None) -> EnvelopeReader:
        data = text.encode()
        blocks = iter([data[low : low + block] for low in range(0, len(data), block)])
        return EnvelopeReader(blocks, 0, around.records, around=around, members=members)

    first = reader(None)
    for _ in first.records():
        pass
    return [(record, found.around) for found in reader(first.members).records() for record in found.texts()]


@pytest.mark.parametrize("block", [1 << 20, 3])
def test_fields_before_and_behind_the_records_come_with_each(block: int) -> None:
    around = Around(("items",), {("page",): ("page",), ("meta", "id"): ("number",), ("next",): ("next",)})
    text = (
        '{"page": 3.50, "items": [{"a":1}, {"a":2}], "meta": {"x": [1], "id": "é"}}\n{"items": {"a":3}, "page": null}'
    )
    assert taken(text, around, block) == [
        (b'{"a":1}', '{"keep":{"page":3.50,"number":"é"}}'),
        (b'{"a":2}', '{"keep":{"page":3.50,"number":"é"}}'),
        (b'{"a":3}', '{"keep":{"page":null}}'),
    ]


def test_fields_are_those_of_the_object_that_holds_the_records() -> None:
    around = Around(
        ("resourceSpans", "scopeSpans", "spans"),
        {("resourceSpans", "resource"): ("resource",), ("resourceSpans", "scopeSpans", "scope"): ("s", "scope")},
    )
    text = json.dumps(
        {
            "resource": "not this one",
            "resourceSpans": [
                {"scopeSpans": [{"spans": [1], "scope": "x"}, {"scope": "y", "spans": [2]}], "resource": "A"},
                {"resource": "B", "scopeSpans": [{"spans": [{"resource": "nor this"}]}]},
            ],
        }
    )
    assert taken(text, around) == [
        (b"1", '{"keep":{"resource":"A","s":{"scope":"x"}}}'),
        (b"2", '{"keep":{"resource":"A","s":{"scope":"y"}}}'),
        (b'{"resource": "nor this"}', '{"keep":{"resource":"B"}}'),
    ]


@pytest.mark.parametrize(
    ("document", "path", "names"),
    [
        ('{"columns":["a","b"],"data":[[1,2]]}', ("columns",), '["a","b"]'),
        ('{"data":[[1,2]],"meta":{"view":{"columns":[{"name":"a"},{"x":1,"name":"b"}]}}}',
         ("meta", "view", "columns", "name"), '["a","b"]'),
        ('{"data":[[1,2]],"cols":["a"]}', ("columns",), "[]"),
    ],
)  # fmt: skip
def test_names_come_from_an_array_or_from_the_elements_of_one(document: str, path: tuple[str, ...], names: str) -> None:
    assert taken(document, Around(("data",), names=path)) == [(b"[1,2]", f'{{"names":{names}}}')]


def test_the_first_record_is_names_with_whatever_else_is_taken() -> None:
    assert with_names(None, b'["a"]') == '{"names":["a"]}'
    assert with_names("{}", b'["a"]') == '{"names":["a"]}'
    assert with_names('{"keep":{"p":1}}', b'["a"]') == '{"names":["a"],"keep":{"p":1}}'


@pytest.mark.parametrize("path", [("items",), ("items", "data"), ("items", "data", "x")])
def test_the_records_themselves_and_what_is_in_them_cannot_be_around_them(path: tuple[str, ...]) -> None:
    assert Around(("items", "data"), {path: path}).on_the_way() == path


def test_a_field_of_an_object_too_deep_to_look_into_comes_as_that_object() -> None:
    page = '{"deep":' + "[" * 20_000 + "]" * 20_000 + ',"n":1}'
    around = Around(("items",), {("page", "n"): ("n",)})
    assert taken(f'{{"page":{page},"items":[{{"a":1}}]}}', around) == [(b'{"a":1}', f'{{"keep":{{"n":{page}}}}}')]
