"""Tables of documents: types, keys, choices; and joined together again they are the original documents, exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import explode, observe
from tests.support.rebuild import comparable, loads
from transforms.nested.rows.render import rows_of
from transforms.nested.rows.shredder import Shredder
from transforms.nested.schema.lock_rules import lock_rules
from transforms.nested.schema.plan import as_json, from_json, plan_tables
from transforms.nested.schema.rules import CHOICES, ROW, RuleError, build_rules, parse_path
from transforms.nested.values.parse import Parser, prepare_process

KEYS = st.sampled_from(["a", "b", "A", "a_b", "a.b", "", "_id", "value", "_rest", "a__b", "0", "~/"]) | st.text(
    max_size=2
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["\x00", '"a,b"', "\ud800", "NA", "\n", "", " ", "null"])
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
PATHS = st.sampled_from(["a", "b", "a.a", "a.b", "A", "0.a", 'a."a.b"', '""'])
FORMS = st.sampled_from(["csv", "jsonl", "parquet"])


def assert_comes_back(texts: list[str], **how: Any) -> None:
    found = explode(texts, **how)
    for text, document in zip(texts, found.rebuilt(), strict=True):
        assert comparable(document) == comparable(loads(text))
    for table in found.tables:
        assert len(found.rows[table.name]) == table.rows
        identities = [row["_id"] for row in found.rows[table.name]]
        assert len(set(identities)) == len(identities)


@settings(max_examples=150, deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=4), FORMS)
def test_joined_by_their_keys_the_tables_are_the_documents_again(documents: list[Any], form: str) -> None:
    assert_comes_back([json.dumps(document) for document in documents], form=form)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(DOCUMENTS, min_size=1, max_size=4),
    st.dictionaries(PATHS, st.sampled_from([c for c in CHOICES if c != "skip"]), max_size=3),
    st.integers(1, 4),
    FORMS,
)
def test_whatever_is_chosen_the_documents_come_back(
    documents: list[Any], choices: dict[str, str], depth: int, form: str
) -> None:
    texts = [json.dumps(document) for document in documents]
    assert_comes_back(texts, choices=[f"{path}={choice}" for path, choice in choices.items()], depth=depth, form=form)


@settings(max_examples=100, deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=3), st.lists(DOCUMENTS, min_size=1, max_size=3), FORMS)
def test_a_plan_of_other_documents_loses_nothing(planned: list[Any], documents: list[Any], form: str) -> None:
    tables = [replace(table, rest=True) for table in plan_tables(observe([json.dumps(d) for d in planned]), "doc")]
    texts = [json.dumps(document) for document in documents]
    found = explode(texts, tables=tables, form=form)
    for text, document in zip(texts, found.rebuilt(), strict=True):
        assert comparable(document) == comparable(loads(text))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(DOCUMENTS, min_size=1, max_size=5),
    st.dictionaries(PATHS, st.sampled_from(CHOICES), max_size=2),
    FORMS,
)
def test_documents_shredded_together_have_the_rows_they_have_alone(
    documents: list[Any], choices: dict[str, str], form: str
) -> None:
    rules = build_rules([f"{path}={choice}" for path, choice in choices.items()])
    texts = [json.dumps(document) for document in documents]
    shredder = Shredder(plan_tables(observe(texts, rules), "doc"), rules)
    values = [Parser().parse(text) for text in texts]
    ids = [f"record {number}" for number in range(len(texts))]
    shredder.shred(ids, values)
    together = [rows_of(builder, form).to_pylist() for builder in shredder.tables]
    records = [list(builder.records) for builder in shredder.tables]
    for number, (identity, value) in enumerate(zip(ids, values, strict=True)):
        shredder.shred([identity], [value])
        for builder, rows, owners in zip(shredder.tables, together, records, strict=True):
            own = [row for row, owner in zip(rows, owners, strict=True) if owner == number]
            assert repr(rows_of(builder, form).to_pylist()) == repr(own)


@settings(max_examples=60, deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=3), st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_a_locked_plan_keeps_its_columns_and_grows_only_at_the_end(first: list[Any], second: list[Any]) -> None:
    locked = plan_tables(observe([json.dumps(d) for d in first]), "doc")
    rules = lock_rules(build_rules(), locked)
    texts = [json.dumps(document) for document in second]
    grown = plan_tables(observe(texts, rules), "doc", locked=locked)
    by_name = {table.name: table for table in grown}
    for table in locked:
        kept = by_name[table.name].columns[: len(table.columns)]
        assert [c.name for c in kept] == [c.name for c in table.columns]
        assert all(now.type == was.type or was.type == "unknown" for was, now in zip(table.columns, kept, strict=True))
    found = explode(texts, tables=grown)
    for text, document in zip(texts, found.rebuilt(), strict=True):
        assert comparable(document) == comparable(loads(text))


def test_500_levels_come_back_as_columns_as_tables_or_as_json() -> None:
    objects = '{"a":' * 500 + "1" + "}" * 500
    arrays = "[" * 500 + "1" + "]" * 500
    prepare_process()
    for text in (objects, arrays):
        assert_comes_back([text])
    assert explode([objects]).names() == {"doc": ["a"]}
    assert explode([objects], ["a=columns"], depth=600).names() == {"doc": ["a__" * 18 + "a__049fcb"]}
    assert len(explode([arrays], depth=600).tables) == 501
    assert len(explode([arrays]).tables) == 101


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_statistics_of_the_greatest_depth_can_be_sent(opening: str) -> None:
    levels = 900 // (opening.count("[") + opening.count("{"))
    closing = opening.replace('"a":', "").translate(str.maketrans("[{", "]}"))[::-1]
    assert observe([opening * levels + "1" + closing * levels], depth=900).total == 1


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (["1", "-9223372036854775808"], {"v": "integer"}),
        (["1", "9223372036854775808"], {"v": "decimal(38,0)"}),
        (["1", "1" + "0" * 38], {"v": "number"}),
        (["1", "2.5"], {"v": "double"}),
        (["1.10", "1e300"], {"v": "double"}),
        (["9007199254740993", "0.5"], {"v": "decimal(38,1)"}),
        (["0.12345678901234567890", "12"], {"v": "decimal(38,19)"}),
        (["1e400", "1"], {"v": "number"}),
        (["true", "null"], {"v": "boolean"}),
        (["null", "null"], {"v": "unknown"}),
        (['"a"', "1", "true"], {"v__boolean": "boolean", "v__number": "integer", "v__text": "text"}),
        (['{"x": 1}', "2.5"], {"v": "double", "v__x": "integer"}),
        (["[1]", '"a"', '{"text": 1}'], {"v": "text", "v__text": "integer"}),
    ],
)
def test_a_column_has_the_narrowest_type_that_keeps_every_value(values: list[str], types: dict[str, str]) -> None:
    texts = [f'{{"v": {value}}}' for value in values]
    assert explode(texts).types("doc") == types
    for form in ("csv", "jsonl", "parquet"):
        assert_comes_back(texts, form=form)


def test_arrays_become_child_tables_with_position_and_keys() -> None:
    found = explode(['{"n": 1, "items": [{"s": "x", "sizes": [[7], [8, 9]]}, {"s": "y"}]}'])
    assert [(t.name, t.parent, t.each, t.rows) for t in found.tables] == [
        ("doc", None, "record", 1),
        ("doc__items", "doc", "item", 2),
        ("doc__items__sizes", "doc__items", "item", 2),
        ("doc__items__sizes__value", "doc__items__sizes", "item", 3),
    ]
    root, items, sizes, inner = (found.rows[table.name] for table in found.tables)
    assert [(row["_index"], row["s"]) for row in items] == [(0, "x"), (1, "y")]
    assert {row["_parent_id"] for row in items} == {row["_root_id"] for row in inner} == {root[0]["_id"]}
    assert [row["_parent_id"] for row in inner] == [sizes[0]["_id"], sizes[1]["_id"], sizes[1]["_id"]]
    assert [row["value"] for row in inner] == [7, 8, 9]


def test_absent_null_and_empty_are_distinguished() -> None:
    found = explode(['{"a": null}', "{}", '{"a": {}}', '{"a": []}', '{"a": ""}', '{"a": [null]}'])
    assert [row["_rest"] for row in found.rows["doc"]] == [
        '{"/a":null}',
        '{"":{}}',
        '{"/a":{}}',
        '{"/a":[]}',
        None,
        None,
    ]
    assert [row["a"] for row in found.rows["doc"]] == [None, None, None, None, "", None]


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        ([], {"doc": ["a__b", "a__c", "n"], "doc__t": ["value"]}),
        (["a=json"], {"doc": ["a", "n"], "doc__t": ["value"]}),
        (["a=skip", "t=skip"], {"doc": ["n"]}),
        (["a=table"], {"doc": ["n"], "doc__t": ["value"], "doc__a": ["b", "c"]}),
        (["a=map"], {"doc": ["n"], "doc__t": ["value"], "doc__a": ["value"]}),
        (["t=columns"], {"doc": ["a__b", "a__c", "t__0", "t__1", "n"]}),
        (["a.b=skip", "t=json"], {"doc": ["a__c", "t", "n"]}),
    ],
)
def test_each_choice_for_a_path(choices: list[str], names: dict[str, list[str]]) -> None:
    found = explode(['{"a": {"b": 1, "c": 2}, "t": [5, 6], "n": 3}'], choices)
    assert found.names() == names


def test_only_wanted_paths_are_exploded() -> None:
    text = '{"a": {"b": 1, "c": 2}, "items": [{"s": 1, "q": 2}], "n": 3}'
    assert explode([text], only=["a.b", "items.s"]).names() == {"doc": ["a__b"], "doc__items": ["s"]}


def test_keys_of_maps_that_no_text_holds_are_kept() -> None:
    assert_comes_back(['{"m": {"\\ud800": 1, "\\u0000": 2, "ok": 3}}'], choices=["m=map"], form="csv")


@pytest.mark.parametrize("text", ["a", "a=tables", "=json", "a..b=json", 'a"b=json', ".a=map", "=recursive"])
def test_choices_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(RuleError):
        build_rules([text])


@pytest.mark.parametrize("second", ["table", "json"])
def test_a_path_has_one_choice(second: str) -> None:
    with pytest.raises(RuleError, match=f'^a."b.c" is both skip and {second}$'):
        build_rules(['a."b.c"=skip', f'a."b.c"={second}'])
    build_rules(['a."b.c"=skip', 'a."b.c"=skip'])


def test_a_path_has_one_form_but_that_a_text_may_hold_an_item() -> None:
    with pytest.raises(RuleError, match="a is both dynamodb and parse"):
        build_rules(["a=dynamodb", "a=parse"])
    build_rules(["a=parse", "a=dynamodb", "a=json"])


def test_a_key_with_a_dot_goes_in_quotes() -> None:
    assert parse_path('a."x.y"."".*') == ("a", "x.y", "", "*")


def test_a_named_key_of_a_map_is_no_entry_where_it_is_null_or_empty() -> None:
    for value in ("null", "{}", "[]"):
        text = f'{{"m": {{"k": {value}, "l": 1}}}}'
        assert_comes_back([text], choices=["m=map", "m.k.x=json"])
        found = explode([text], ["m=map", "m.k.x=json"])
        assert [(row["_key"], row["value"]) for row in found.rows["doc__m"]] == [("l", 1)]
        assert found.rows["doc"][0]["_rest"] == f'{{"/m/k":{value}}}'


def test_a_table_comes_back_from_its_json() -> None:
    tables = explode(['{"a": [1, "x"], "m": {"k": 1}}'], ["m=map", "a=columns"]).tables
    assert [from_json(json.loads(json.dumps(as_json(table)))) for table in tables] == tables


def test_records_that_are_arrays_of_scalars_are_rows_where_that_is_chosen() -> None:
    rules = build_rules()
    rules.choice = ROW
    texts = ['["x", 1, null]', '["y", 2.5, true, "more"]', '[{"a": 1}, 2]', "[]", "[[1], [2]]", '{"a": 5}']
    found = explode(texts, rules=rules)
    assert found.names() == {
        "doc": ["a", "value_0", "value_1", "value_2", "value_3"],
        "doc__value": ["value", "a"],
        "doc__value__value": ["value"],
    }
    assert [comparable(document) for document in found.rebuilt()] == [comparable(loads(text)) for text in texts]


def test_elements_of_arrays_in_arrays_are_reached_by_a_path() -> None:
    line = '{"g": {"c": [[1.5, 2.5], [3.5, 4.5, 9]]}, "t": [[{"a": 1, "b": 2}]]}'
    found = explode([line], ["g.c.[]=columns", "t.[].[]=json"])
    assert found.names() == {
        "doc": [], "doc__g__c": ["value_0", "value_1", "value_2"], "doc__t": [], "doc__t__value": ["value"]
    }  # fmt: skip
    assert [(row["value_0"], row["value_1"], row["value_2"]) for row in found.rows["doc__g__c"]] == [
        (1.5, 2.5, None), (3.5, 4.5, 9)
    ]  # fmt: skip
    assert found.rows["doc__t__value"][0]["value"] == '{"a":1,"b":2}'
    assert comparable(found.rebuilt()[0]) == comparable(loads(line))


@pytest.mark.parametrize("choice", ["a.[]=skip", "a.[]=table"])
def test_what_elements_cannot_be_is_refused(choice: str) -> None:
    with pytest.raises(RuleError, match="the elements of an array are rows"):
        build_rules([choice])
