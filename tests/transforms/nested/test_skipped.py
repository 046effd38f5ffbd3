"""What is skipped is nowhere: not in a locked column, not in `_rest`, not in JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import explode, observe
from transforms.nested.rows.render import CSV, TYPED
from transforms.nested.schema.lock import plan_with_lock
from transforms.nested.schema.lock_rules import lock_rules
from transforms.nested.schema.plan import plan_tables
from transforms.nested.schema.rules import build_rules

KEYS = st.sampled_from(["a", "b", "c"])
DOCUMENTS = st.lists(
    st.recursive(
        st.none() | st.integers(1, 3) | st.just("x"),
        lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2),
        max_leaves=12,
    ),
    min_size=1,
    max_size=3,
)
PATHS = st.lists(KEYS | st.just("*"), min_size=1, max_size=3)


def with_secrets(value: Any, path: list[str]) -> Any:
    """The document with the text SECRET for every scalar at a path and below it."""
    if isinstance(value, list):
        return [with_secrets(item, path) for item in value]
    if isinstance(value, dict):
        inner = path[1:]
        nowhere = ["-"] * bool(path)
        return {key: with_secrets(v, inner if path and path[0] in (key, "*") else nowhere) for key, v in value.items()}
    return value if path else "SECRET"


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, DOCUMENTS, PATHS, st.sampled_from(["", "a=table", "b.a=json", "a=map", "c=columns"]))
def test_a_skipped_value_is_in_no_table_whatever_schema_is_locked(
    first: list[Any], second: list[Any], path: list[str], other: str
) -> None:
    texts = [json.dumps(with_secrets(document, path)) for document in second]
    # A key that is named is out of the choice for any key.
    skipped = ".".join(path)
    is_apart = "*" not in path and other.partition("=")[0] not in ("", skipped)
    choices = [*([other] if is_apart else []), f"{skipped}=skip"]
    assert "SECRET" not in repr(explode(texts, choices).rows)
    for locked in ([], ["a=map"]):
        before = plan_tables(observe([json.dumps(d) for d in first], build_rules(locked)), "doc")
        rules = lock_rules(build_rules(choices), before)
        for mode in ("add", "report"):
            plan = plan_with_lock(observe(texts, rules), "doc", "__", before, False, mode)
            assert "SECRET" not in repr(explode(texts, tables=plan.tables, rules=rules).rows)


@pytest.mark.parametrize(
    ("text", "choices", "rest"),
    [
        ('{"id":1,"v":null,"p":{"card":"4111"}}', ["p.card=skip"], '{"/v":null}'),
        ('{"id":1,"v":null,"p":{"q":{"card":"4111"}}}', ["p.q.card=skip"], '{"/v":null}'),
        ('{"id":1,"v":null,"p":{"card":"4111","q":{}}}', ["p.card=skip"], '{"/p":{"q":{}},"/v":null}'),
    ],
)
def test_the_rest_has_nothing_of_an_object_whose_keys_are_all_skipped(text: str, choices: list[str], rest: str) -> None:
    [row] = explode([text], choices).rows["doc"]
    assert (row["id"], row["_rest"]) == (1, rest)


def test_a_skipped_locked_column_stays_and_is_empty() -> None:
    text = '{"id": 1, "card": "4111", "p": {"x": 5, "y": [1]}}'
    locked = explode([text]).tables
    rules = lock_rules(build_rules(["card=skip", "p.x=skip", "p.y=skip"]), locked)
    plan = plan_with_lock(observe([text], rules), "doc", "__", locked, False, "add")
    found = explode([text], tables=plan.tables, rules=rules)
    assert found.names() == {"doc": ["id", "card", "p__x"], "doc__p__y": ["value"]}
    assert (found.plain("doc"), found.plain("doc__p__y")) == ([{"id": 1}], [])


def test_only_the_wanted_columns_of_a_locked_schema_are_filled() -> None:
    text = '{"id": 1, "m": {"a": 5}, "n": 3}'
    locked = explode([text], ["m=map"]).tables
    rules = lock_rules(build_rules(only=["n"]), locked)
    plan = plan_with_lock(observe([text], rules), "doc", "__", locked, False, "add")
    found = explode([text, '{"m": 7}'], tables=plan.tables, rules=rules)
    assert (found.plain("doc"), found.plain("doc__m")) == ([{"n": 3}, {}], [])


def test_what_is_skipped_under_any_key_is_skipped_under_those_that_others_name() -> None:
    text = '{"m": {"k": {"card": "4111", "n": {"x": 1}}, "l": {"card": "4112"}}}'
    for choices in (["m.*.card=skip", "m.k.n=json"], ["m.k.n=json", "m.*.card=skip"]):
        assert explode([text], choices).plain("doc") == [{"m__k__n": '{"x":1}'}]
    locked = explode([text]).tables
    rules = lock_rules(build_rules(["m.*.card=skip"]), locked)
    assert explode([text], tables=locked, rules=rules).plain("doc") == [{"m__k__n__x": 1}]


def test_a_choice_below_a_key_leaves_it_out_of_the_choice_for_any_key() -> None:
    text = '{"m": {"k": {"x": 1, "y": 2}, "l": {"x": 3}}}'
    assert explode([text], ["m.*=json", "m.k.x=skip"]).plain("doc") == [{"m__k__y": 2, "m__l": '{"x":3}'}]


@pytest.mark.parametrize("form", [TYPED, CSV])
def test_a_scalar_on_the_way_to_a_wanted_path_is_in_no_column_rest_or_text(form: str) -> None:
    texts = ['{"id": 1, "a": 4111}', '{"a": {"b": 2, "c": "4112"}}', '{"a": [4113, {"b": 3}]}', '{"a": null}']
    found = explode(texts, only=["a.b"], form=form)
    assert found.names() == {"doc": ["a__b"], "doc__a": ["b"]}
    assert [row["a__b"] for row in found.rows["doc"]] == [None, 2 if form == TYPED else "2", None, None]
    assert not any(text in repr(found.rows) for text in ("4111", "4112", "4113"))
    assert explode(texts, ["a=json"], ["a.b"]).plain("doc") == [{}, {"a": '{"b":2}'}, {"a": '[{"b":3}]'}, {}]


def test_a_scalar_on_the_way_to_a_wanted_path_leaves_a_locked_column_empty() -> None:
    locked = explode(['{"a": 1}', '{"a": {"b": 2}}']).tables
    assert [column.name for column in locked[0].columns] == ["a", "a__b"]
    rules = lock_rules(build_rules(only=["a.b"]), locked)
    assert explode(['{"a": 4111}', '{"a": {"b": 3}}'], tables=locked, rules=rules).plain("doc") == [{}, {"a__b": 3}]
