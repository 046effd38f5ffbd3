"""Statistics add up in any order and any split; objects used as maps are recognised by one rule."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import explode, observe
from tests.support.rebuild import comparable, loads
from transforms.nested.schema.plan import plan_tables
from transforms.nested.schema.rules import Rule, build_rules
from transforms.nested.schema.stats import PathStats
from transforms.nested.values.parse import Parser, decimal_size

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**66), 2**66)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdefg"), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_and_the_split_of_the_records(
    values: list[Any], order: random.Random
) -> None:
    texts = [json.dumps(value) for value in values]
    plan = plan_tables(observe(texts), "doc")
    shuffled = order.sample(texts, len(texts))
    assert plan_tables(observe(shuffled, parts=3), "doc") == plan
    assert [t.rows for t in plan_tables(observe(shuffled, parts=2), "doc")] == [t.rows for t in plan]


def test_columns_come_in_the_usual_order_of_the_keys() -> None:
    found = explode(['{"z": 1, "m": 2, "a": 3}', '{"z": 1, "m": 2, "a": 3}', '{"z": 3, "a": 1, "m": 2}'])
    assert found.names() == {"doc": ["z", "m", "a"]}


def documents_with_keys(count: int, each: int, records: int, value: Any = 1) -> list[str]:
    """Records whose object `m` has `each` of `count` keys, in turn."""
    keys = [f"k{number}" for number in range(count)]
    return [json.dumps({"m": {keys[(i * each + j) % count]: value for j in range(each)}}) for i in range(records)]


def test_an_object_with_more_than_200_rare_keys_is_a_map() -> None:
    found = explode(documents_with_keys(201, 10, 201))
    assert found.names() == {"doc": [], "doc__m": ["value"]}
    assert found.plain("doc__m")[0] == {"_index": 0, "_key": "k0", "value": 1}
    assert len(found.rows["doc__m"]) == 2010


def test_200_keys_are_no_map() -> None:
    assert len(explode(documents_with_keys(200, 10, 200)).names()["doc"]) == 200


def test_keys_in_a_tenth_of_the_records_are_no_map() -> None:
    assert len(explode(documents_with_keys(250, 25, 250)).names()["doc"]) == 250
    assert explode(documents_with_keys(250, 24, 250)).names()["doc"] == []


def test_keys_with_values_of_different_kinds_are_no_map() -> None:
    texts = documents_with_keys(250, 10, 250)
    texts[0] = '{"m": {"k1": "one"}}'
    assert len(explode(texts).names()["doc"]) == 251 - 0


def test_more_than_1000_keys_are_a_map_however_often_they_come() -> None:
    one_document = json.dumps({"m": {f"k{number}": number % 7 or "none" for number in range(1001)}})
    found = explode([one_document])
    assert found.names() == {"doc": [], "doc__m": ["value__number", "value__text"]}
    assert comparable(found.rebuilt()[0]) == comparable(loads(one_document))


def packages(count: int, value: object) -> str:
    """One document with an object of so many keys."""
    return json.dumps({"name": "x", "packages": {f"p{number}": value for number in range(count)}})


def test_more_than_50_keys_with_objects_alike_are_a_map_in_a_single_document() -> None:
    found = explode([packages(51, {"version": "1", "deps": {"x": "1"}})])
    assert found.names() == {"doc": ["name"], "doc__packages": ["version", "deps__x"]}
    assert len(explode([packages(50, {"version": "1"})]).names()["doc"]) == 51
    assert len(explode([packages(51, {"version": "1"})], ["packages=columns"]).names()["doc"]) == 52


def test_more_than_50_keys_with_arrays_are_one_map_and_no_table_for_each() -> None:
    assert explode([packages(51, [1])]).names() == {
        "doc": ["name"], "doc__packages": [], "doc__packages__value": ["value"],
    }  # fmt: skip


def test_objects_that_share_no_key_and_plain_values_are_no_map_below_200_keys() -> None:
    different = json.dumps({"m": {f"k{number}": {f"f{number}": 1} for number in range(60)}})
    assert len(explode([different]).names()["doc"]) == 60
    assert len(explode([packages(150, 1)]).names()["doc"]) == 151


def test_a_row_wider_than_postgresql_takes_has_its_largest_objects_folded() -> None:
    groups = {f"g{group:02d}": {f"k{group}_{key}": key for key in range(40 + group)} for group in range(30)}
    text = json.dumps(groups)  # 1,635 columns
    found = explode([text])
    assert {name: len(columns) for name, columns in found.names().items()} == {"doc": 1566, "doc__g29": 1}
    assert comparable(found.rebuilt()[0]) == comparable(loads(text))
    chosen = explode([text], [f"g{group:02d}=columns" for group in range(30)])
    assert {name: len(columns) for name, columns in chosen.names().items()} == {"doc": 1635}


def test_a_choice_overrules_the_rule_for_maps() -> None:
    texts = documents_with_keys(1200, 10, 120)
    assert len(explode(texts, ["m=columns"], form="csv").names()["doc"]) == 1200
    assert explode(['{"m": {"a": 1}}'], ["m=map"]).names() == {"doc": [], "doc__m": ["value"]}


def test_maps_of_objects_get_the_objects_columns_and_child_tables() -> None:
    value = {"n": 1, "tags": ["x"]}
    texts = documents_with_keys(300, 5, 300, value)
    found = explode(texts)
    assert found.names() == {"doc": [], "doc__m": ["n"], "doc__m__tags": ["value"]}
    assert [comparable(document) for document in found.rebuilt()] == [comparable(loads(text)) for text in texts]


def test_20000_distinct_keys_take_seconds_and_a_handful_of_columns() -> None:
    texts = documents_with_keys(20_000, 10, 2_000, {"price": 1.5})
    began = time.process_time()
    found = explode(texts, parts=8, form="csv")
    assert found.names() == {"doc": [], "doc__m": ["price"]}
    assert len(found.rows["doc__m"]) == 20_000
    assert time.process_time() - began < 10


@given(st.integers(2, 5), st.randoms(use_true_random=False))
@settings(max_examples=5, deadline=None)
def test_a_map_is_recognised_in_any_split(parts: int, order: random.Random) -> None:
    texts = documents_with_keys(1100, 7, 400, {"n": [1]})
    plan = plan_tables(observe(texts), "doc")
    assert plan_tables(observe(order.sample(texts, len(texts)), parts=parts), "doc") == plan
    assert [table.name for table in plan] == ["doc", "doc__m", "doc__m__n"]


def test_an_odd_key_that_makes_a_map_of_its_object_keeps_its_text() -> None:
    text = json.dumps({**{f"k{number}": 1 for number in range(1000)}, "odd\0": 1})
    assert comparable(explode([text]).rebuilt()[0]) == comparable(loads(text))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-9, 9), min_size=1))
def test_doubles_observed_together_need_the_digits_of_the_longest(values: list[float]) -> None:
    stats = observe([json.dumps(values)]).items
    sizes = [decimal_size(repr(value)) or (10**6, 0) for value in values]
    assert stats is not None
    assert (stats.whole, stats.scale) == (max(size[0] for size in sizes), max(size[1] for size in sizes))


def content(stats: PathStats | None) -> Any:
    """Everything that statistics hold, as values that compare."""
    if stats is None:
        return None
    sizes = (stats.turn, stats.low, stats.high, stats.whole, stats.scale, stats.date_format)
    fields = {key: content(below) for key, below in stats.fields.items()}
    return stats.counts, sizes, fields, content(stats.values), content(stats.items)


@given(st.lists(VALUES, min_size=1, max_size=8), st.integers(1, 3))
def test_records_observed_together_count_as_one_by_one(values: list[Any], depth: int) -> None:
    together, alone = PathStats(Rule()), PathStats(Rule())
    parsed = [Parser().parse(json.dumps(value)) for value in values]
    together.observe(parsed, depth)
    for value in parsed:
        alone.observe([value], depth)
    assert plan_tables(together, "doc") == plan_tables(alone, "doc")
    assert content(together) == content(alone)


def test_what_is_skipped_is_not_even_looked_at() -> None:
    stats = observe(['{"a": {"b": 1}, "c": 2}'], build_rules(["a=skip"]))
    assert list(stats.fields) == ["c"]
