"""Choices that match nothing in the documents are named, with the names that are near."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.support.documents import observe
from transforms.nested.explode import merge_stats
from transforms.nested.record_check import Check, ParseOptions
from transforms.nested.schema.choices import unmatched, without_effect
from transforms.nested.schema.rules import build_rules
from transforms.nested.schema.stats import PathStats

DOCUMENT = {
    "id": 1,
    "email": "a@x",
    "user": {"name": "Ann", "phones": [{"home": "1"}, {"work": "2"}]},
    "x.y": {"z": 1},
}


def found(choices: list[str], only: list[str], *documents: Any, depth: int = 100) -> list[str]:
    stats = PathStats(build_rules(choices, only))
    stats.observe(list(documents or [DOCUMENT]), depth)
    return unmatched(stats, choices, only)


@pytest.mark.parametrize(
    "path", ["email", "user", "user.name", "user.phones", "user.phones.work", '"x.y".z', "user.*", "*"]
)
def test_a_choice_or_wanted_path_that_some_document_has_is_no_problem(path: str) -> None:
    assert found([f"{path}=skip"], []) == []
    assert found([f"{path}=json"], []) == []
    assert found([], [path]) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("e-mail", "no record has e-mail; near: email"),
        ("EMAIL", "no record has EMAIL; near: email"),
        ("user.nmae", "no record has user.nmae; near: user.name"),
        ("user.phones.wrok", "no record has user.phones.wrok; near: user.phones.work"),
        ("x.y", 'no record has x.y; near: "x.y"'),
        ("email.domain", "no record has email.domain"),
    ],
)
def test_a_path_that_no_document_has_is_named_with_the_nearest(path: str, message: str) -> None:
    [of_path] = found([f"{path}=skip"], [])
    [of_only] = found([], [path])
    assert of_path.startswith(f"--path {path}=skip: {message}")
    assert of_only.startswith(f"--only {path}: {message}")


def test_a_right_name_at_a_wrong_place_is_shown_with_its_place() -> None:
    assert found(["name=skip"], []) == ["--path name=skip: no record has name; near: user.name"]


def test_a_path_below_json_text_is_refused_since_it_would_be_published_in_the_text() -> None:
    message = "user is kept as JSON text, so nothing below it can be chosen"
    assert found(["user=json", "user.name=skip"], []) == [f"--path user.name=skip: {message}"]
    assert found(["user.name=skip"], [], depth=1) == [f"--path user.name=skip: {message}"]


def test_a_path_that_is_deeper_than_tables_may_be_is_refused_too() -> None:
    stats = observe(['{"a": [[{"b": 1}]]}'])
    assert unmatched(stats, ["a.b=skip"], [], depth=4) == []
    assert unmatched(stats, ["a.b=skip"], [], depth=3) == [
        "--path a.b=skip: a is kept as JSON text, so nothing below it can be chosen"
    ]


def test_a_path_that_only_a_few_documents_have_matches() -> None:
    assert found(["note=skip"], [], {"id": 1}, {"id": 2, "note": "x"}, {"id": 3}) == []


def test_what_one_part_skipped_counts_for_the_whole() -> None:
    rules = build_rules(["note=skip"])
    first, second = PathStats(rules), PathStats(rules)
    first.observe([{"id": 1}], 9)
    second.observe([{"note": 1}], 9)
    first.add(second)
    assert unmatched(first, ["note=skip"], []) == []


def test_a_locked_place_that_is_absent_today_is_no_problem() -> None:
    stats = PathStats(build_rules(["note=json"]))
    stats.observe([{"id": 1}], 9)
    assert unmatched(stats, ["note=json"], [], {("note",)}) == []


def test_a_key_that_is_named_stays_apart_from_the_map_around_it() -> None:
    documents = [{"m": {f"k{number}": {"a": 1, "b": 2}}} for number in range(300)]
    stats = PathStats(build_rules(["m.k7.b=skip"]))
    stats.observe(documents, 9)
    entry = stats.fields["m"]
    assert entry.looks_like_map()
    entry.collapse()
    assert list(entry.fields) == ["k7"]
    assert list(entry.fields["k7"].fields) == ["a"]
    assert unmatched(stats, ["m.k7.b=skip"], []) == []


def test_the_record_itself_can_be_columns_where_a_record_is_an_array() -> None:
    rules = build_rules(["=columns"])
    assert unmatched(observe(["[1, 2]"], rules), ["=columns"], ()) == []
    assert unmatched(observe(['{"a": 1}'], rules), ["=columns"], ()) == ["--path =columns: no record is an array"]


def test_elements_of_arrays_are_found_where_there_are_arrays_of_arrays() -> None:
    texts = ['{"a": [[1, 2]], "b": [1]}']
    for choice in ("a.[]=columns", "a.[].[]=json", "b.[]=json"):
        assert unmatched(observe(texts, build_rules([choice])), [choice], ()) == []
    assert unmatched(observe(texts), ["b.[].[]=json"], ()) == ["--path b.[].[]=json: no record has b.[].[]"]
    assert unmatched(observe(texts), ["x.[]=json"], ()) == ["--path x.[]=json: no record has x.[]"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("n=recursive", ["--path n=recursive does nothing: what is there is number or text in all records"]),
        ("t.[]=columns", ["--path t.[]=columns does nothing: what is there is number in all records"]),
        ("o.n=table", ["--path o.n=table does nothing: what is there is boolean in all records"]),
        ("n=json", []),
        ("n=skip", []),
        ("t=columns", []),
        ("o=map", []),
        ("e=table", []),
        ("null=table", []),
        ("absent=table", []),
    ],
)
def test_a_choice_for_objects_or_arrays_where_there_are_none_is_noted(choice: str, expected: list[str]) -> None:
    texts = ['{"n": 1, "t": [1], "o": {"n": true}, "e": [], "null": null}', '{"n": "x"}']
    assert without_effect(observe(texts, build_rules([choice])), [choice]) == expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (['{"id": 7}'], ["--path id=parse does nothing: what is there is number in all records"]),
        (['{"id": 7}', '{"id": "x"}'], ["--path id=parse does nothing: what is there is number in all records"]),
        (['{"id": [true]}'], ["--path id=parse does nothing: what is there is array or boolean in all records"]),
        (['{"id": 7}', '{"id": "8"}'], []),
        (['{"id": null}'], []),
        (['{"x": 1}'], []),
    ],
)
def test_parse_where_no_text_opens_is_noted(records: list[str], expected: list[str]) -> None:
    parts = [Check(ParseOptions(choices=("id=parse",))) for _ in range(2)]
    for number, record in enumerate(records):
        parts[number % 2].record(record)
    stats = merge_stats([pickle.dumps(one.stats()) for one in parts], build_rules())
    assert without_effect(stats, ["id=parse"]) == expected
