"""Recursive documents are one table with `_parent_id` into itself and `_depth`, and come back from it exactly."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import Exploded, explode, observe
from tests.support.rebuild import comparable, loads
from transforms.nested.rows.render import rows_of
from transforms.nested.rows.shredder import Shredder
from transforms.nested.schema.lock import plan_with_lock
from transforms.nested.schema.lock_rules import has_elements, lock_rules
from transforms.nested.schema.plan import Table, plan_tables
from transforms.nested.schema.rules import ROW, Rule, build_rules
from transforms.nested.values.parse import Parser

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "\x00", "\ud800", 2.5])
LEAVES = SCALARS | st.lists(st.integers(1, 2), min_size=1, max_size=2)
TREE_KEYS = st.sampled_from(["children", "replies", "left", "right"])
OWN_KEYS = st.sampled_from(["name", "id", "_depth", "_parent_id", "_path", "_index", "children[]", "a.b", ""])


def _nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    node = st.builds(
        lambda own, below: own | below,
        st.dictionaries(OWN_KEYS, LEAVES | inner, max_size=2),
        st.dictionaries(TREE_KEYS, inner | st.lists(inner, max_size=3), max_size=2),
    )
    return node | st.lists(inner, max_size=2)


TREES = st.recursive(LEAVES | st.builds(dict) | st.just([]), _nodes, max_leaves=25)


@st.composite
def deep(draw: st.DrawFn) -> Any:
    """A tree that is at least so deep that it is recursive."""
    tree = draw(TREES)
    for _ in range(draw(st.integers(3, 6))):
        key, own = draw(TREE_KEYS), draw(st.dictionaries(OWN_KEYS, LEAVES, max_size=2))
        below = draw(st.sampled_from(["object", "array", "pair", "map", "nested"]))
        wrapped = {
            "object": tree,
            "array": [tree],
            "pair": [tree, draw(TREES)],
            "map": {f"k{number}": tree for number in range(draw(st.integers(1, 3)))},
            "nested": [[tree, None], [1, "x"]],
        }
        tree = {"name": "x"} | own | {key: wrapped[below]}
    return tree


DOCUMENTS = st.lists(deep() | TREES, min_size=1, max_size=3)
FORMS = st.sampled_from(["csv", "jsonl", "parquet"])
CHOICES = st.lists(
    st.sampled_from(
        ["children=recursive", "left=recursive", "children=table", "children=columns", "children.children=json",
         "replies=map", "children.name=json", "left=table", "left.right.left=columns", "children.replies=map"]
    ),
    max_size=2,
    unique_by=lambda choice: choice.rpartition("=")[0],
)  # fmt: skip


def assert_rebuilt(texts: list[str], found: Exploded) -> None:
    for text, document in zip(texts, found.rebuilt(), strict=True):
        assert comparable(document) == comparable(loads(text))
    for table in found.tables:
        assert len({row["_id"] for row in found.rows[table.name]}) == len(found.rows[table.name])


def assert_counts(found: Exploded) -> None:
    assert [len(found.rows[table.name]) for table in found.tables] == [table.rows for table in found.tables]


def rules_of_a_job(locked: list[Table]) -> Rule:
    """As explode_json makes them: a record that is an array of scalars is a row."""
    rules = lock_rules(build_rules(), locked)
    rules.choice = None if has_elements(locked) else ROW
    return rules


def assert_comes_back(texts: list[str], **how: Any) -> Exploded:
    found = explode(texts, **how)
    assert_rebuilt(texts, found)
    assert_counts(found)
    return found


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, FORMS, CHOICES, st.integers(1, 12) | st.just(100))
def test_trees_of_any_shape_come_back_from_their_tables(
    documents: list[Any], form: str, choices: list[str], depth: int
) -> None:
    assert_comes_back([json.dumps(d) for d in documents], form=form, choices=choices, depth=depth)


@settings(max_examples=100, deadline=None)
@given(st.lists(deep() | TREES, min_size=2, max_size=5), st.randoms(use_true_random=False), st.integers(2, 3))
def test_the_tables_do_not_depend_on_the_order_and_the_split_of_the_records(
    documents: list[Any], order: Any, parts: int
) -> None:
    texts = [json.dumps(document) for document in documents]
    plan = plan_tables(observe(texts), "doc")
    again = plan_tables(observe(order.sample(texts, len(texts)), parts=parts), "doc")
    assert (again, [table.rows for table in again]) == (plan, [table.rows for table in plan])


@settings(max_examples=150, deadline=None)
@given(st.lists(deep() | TREES, min_size=1, max_size=4), FORMS)
def test_trees_shredded_together_have_the_rows_that_they_have_alone(documents: list[Any], form: str) -> None:
    texts = [json.dumps(document) for document in documents]
    tables = plan_tables(observe(texts), "doc")
    values = [Parser().parse(text) for text in texts]
    ids = [f"record {number}" for number in range(len(texts))]
    shredder = Shredder(tables, build_rules())
    shredder.shred(ids, values)
    together = [rows_of(builder, form).to_pylist() for builder in shredder.tables]
    records = [list(builder.records) for builder in shredder.tables]
    assert all(own == sorted(own) for own in records)
    for number, (identity, value) in enumerate(zip(ids, values, strict=True)):
        shredder.shred([identity], [value])
        for builder, rows, owners in zip(shredder.tables, together, records, strict=True):
            own = [row for row, owner in zip(rows, owners, strict=True) if owner == number]
            assert repr(rows_of(builder, form).to_pylist()) == repr(own)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS, FORMS)
def test_a_locked_plan_keeps_its_columns_and_loses_nothing(first: list[Any], second: list[Any], form: str) -> None:
    locked = plan_tables(observe([json.dumps(d) for d in first]), "doc")
    texts = [json.dumps(document) for document in second]
    stats = observe(texts, lock_rules(build_rules(), locked))
    grown = plan_with_lock(stats, "doc", "__", locked, dates=False, mode="add").tables
    by_name = {table.name: table for table in grown}
    for table in locked:
        now = by_name[table.name]
        assert now.key_columns() == table.key_columns()
        assert [c.name for c in now.columns[: len(table.columns)]] == [c.name for c in table.columns]
        assert now.links[: len(table.links)] == table.links
    assert_rebuilt(texts, explode(texts, tables=grown, form=form))
    kept = plan_with_lock(stats, "doc", "__", locked, dates=False, mode="report").tables
    assert_rebuilt(texts, explode(texts, tables=kept, form=form))


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, DOCUMENTS, FORMS)
def test_arrays_in_arrays_are_counted_as_they_are_written_with_records_that_may_be_rows(
    first: list[Any], second: list[Any], form: str
) -> None:
    texts = [json.dumps(document) for document in first]
    locked = assert_comes_back(texts, form=form, rules=rules_of_a_job([])).tables
    texts, rules = [json.dumps(document) for document in second], rules_of_a_job(locked)
    added = plan_with_lock(observe(texts, rules), "doc", "__", locked, dates=False, mode="add").tables
    found = explode(texts, tables=added, form=form, rules=rules)
    assert_rebuilt(texts, found)
    assert_counts(found)


def test_an_array_in_an_array_of_a_recursive_record_is_no_record() -> None:
    def expression(op: str, *args: Any) -> dict[str, Any]:
        return {"op": op, "args": [*args]}

    text = json.dumps(expression("and", expression("or", expression("in", {"op": "x"}, [1, 2])), {"op": "y"}))
    found = assert_comes_back([text, '["z", 3]'], rules=rules_of_a_job([]))
    rows = [(r["_depth"], r["_path"], r["op"], r["value"], r["value_0"], r["value_1"]) for r in found.rows["doc"]]
    assert sorted(rows, key=repr) == [
        (0, None, "and", None, None, None),
        (0, None, None, None, "z", 3),
        (1, "args[]", "or", None, None, None),
        (1, "args[]", "y", None, None, None),
        (2, "args[]", "in", None, None, None),
        (3, "args[]", "x", None, None, None),
        (3, "args[]", None, None, None, None),
        (4, "[]", None, 1, None, None),
        (4, "[]", None, 2, None, None),
    ]


def test_a_record_that_is_a_row_stays_one_where_a_locked_schema_has_arrays_in_arrays() -> None:
    texts = ['["x", 1]', '{"m": [[5]]}']
    locked = explode(texts, rules=rules_of_a_job([])).tables
    assert plan_with_lock(observe(texts, rules_of_a_job(locked)), "doc", "__", locked, False, "fail").tables == locked
    assert has_elements(explode(["[1, 2]"]).tables)


def tree(levels: int) -> dict[str, Any]:
    """`levels` objects within each other under `children`, as in a file of folders."""
    below = [tree(levels - 1)] if levels > 1 else []
    return {"name": f"n{levels}", "children": below}


def shapes(found: Exploded) -> list[tuple[str, int, list[str], list[str]]]:
    """Name, rows, places and columns of each table."""
    return [(t.name, t.rows, [p.text for p in t.places], [c.name for c in t.columns]) for t in found.tables]


def test_thirty_levels_are_one_table_into_itself() -> None:
    found = assert_comes_back([json.dumps(tree(30))])
    assert shapes(found) == [("doc", 30, ["children[]"], ["name"])]
    rows = found.rows["doc"]
    assert [(row["_depth"], row["name"]) for row in rows[:3]] == [(0, "n30"), (1, "n29"), (2, "n28")]
    assert [row["_parent_id"] for row in rows] == [None, *(row["_id"] for row in rows[:-1])]
    assert {row["_root_id"] for row in rows} == {rows[0]["_id"]}
    assert [row["_path"] for row in rows] == [None, *["children[]"] * 29]
    assert [row["_rest"] for row in rows] == [*[None] * 29, '{"/children":[]}']


def test_three_levels_under_one_key_are_recursive_and_two_are_not() -> None:
    assert [table.name for table in explode([json.dumps(tree(3))]).tables] == [
        "doc",
        "doc__children",
        "doc__children__children",
    ]
    assert [table.name for table in explode([json.dumps(tree(4))]).tables] == ["doc"]


def test_objects_within_each_other_that_share_no_key_are_not_recursive() -> None:
    job = {"spec": {"schedule": "@daily", "job": {"spec": {"template": {"spec": {"containers": ["c"]}}}}}}
    assert shapes(explode([json.dumps(job)])) == [
        ("doc", 1, [], ["spec__schedule"]),
        (
            "doc__spec__job__spec__template__spec__containers",
            1,
            ["spec.job.spec.template.spec.containers[]"],
            ["value"],
        ),
    ]


def test_comments_are_a_table_of_their_own_when_the_record_is_no_comment() -> None:
    reply: dict[str, Any] = {"text": "last", "tags": ["a"]}
    for number in range(4):
        reply = {"text": f"t{number}", "tags": [], "replies": [reply]}
    found = assert_comes_back([json.dumps({"title": "post", "url": "u", "comments": [reply, reply]})])
    assert shapes(found) == [
        ("doc", 1, [], ["title", "url"]),
        ("doc__comments", 10, ["comments[]", "replies[]"], ["text"]),
        ("doc__comments__tags", 2, ["tags[]"], ["value"]),
    ]
    assert [(r["_depth"], r["_index"], r["_path"]) for r in found.rows["doc__comments"]] == [
        (0, 0, "comments[]"), (0, 1, "comments[]"), *[(depth, 0, "replies[]") for depth in (1, 2, 3, 4) for _ in "12"],
    ]  # fmt: skip


def test_two_recursive_keys_say_where_a_row_is() -> None:
    def sum_of(left: Any, right: Any) -> dict[str, Any]:
        return {"op": "+", "left": left, "right": right}

    deepest = sum_of({"op": "y", "left": sum_of(4, 5)}, 3)
    found = assert_comes_back([json.dumps(sum_of(sum_of(deepest, {"op": "x"}), sum_of(1, 2)))])
    assert shapes(found) == [("doc", 7, ["left", "right"], ["op", "left", "right"])]
    assert [(row["_depth"], row["_path"], row["op"], row["left"], row["right"]) for row in found.rows["doc"]] == [
        (0, None, "+", None, None),
        (1, "left", "+", None, None),
        (1, "right", "+", 1, 2),
        (2, "left", "+", None, 3),
        (2, "right", "x", None, None),
        (3, "left", "y", None, None),
        (4, "left", "+", 4, 5),
    ]


def test_maps_in_maps_are_recursive_too() -> None:
    package: dict[str, Any] = {"version": "1"}
    for number in range(4):
        package = {"version": "2", "dependencies": {f"d{number}": package}}
    lock = {"name": "app", "version": "3", "dependencies": {f"p{number}": package for number in range(60)}}
    found = assert_comes_back([json.dumps(lock)])
    assert shapes(found) == [("doc", 301, ["dependencies{}"], ["name", "version"])]
    assert [row["_key"] for row in found.rows["doc"]][:2] == [None, "p0"]


def test_a_choice_turns_the_rule_on_and_off() -> None:
    two, four = json.dumps(tree(2)), json.dumps(tree(4))
    assert shapes(explode([two], ["children=recursive"])) == [("doc", 2, ["children[]"], ["name"])]
    assert shapes(explode(['{"a": 1, "t": [{"v": 1}]}'], ["t=recursive"])) == [
        ("doc", 1, [], ["a"]),
        ("doc__t", 1, ["t[]", "t[]"], ["v"]),
    ]
    off = assert_comes_back([four], choices=["children=table"])
    assert [(table.name, table.links) for table in off.tables] == [
        ("doc", ()), ("doc__children", ()), ("doc__children__children", ()), ("doc__children__children__children", ()),
    ]  # fmt: skip


def test_a_choice_in_a_recursive_place_holds_at_every_level_but_not_above_it() -> None:
    found = explode([json.dumps(tree(5))], ["children.name=skip"])
    assert shapes(found) == [
        ("doc", 1, [], ["name"]),
        ("doc__children", 4, ["children[]", "children[]"], []),
    ]
    assert shapes(explode([json.dumps(tree(5))], ["name=skip"])) == [
        ("doc", 1, [], []),
        ("doc__children", 4, ["children[]", "children[]"], ["name"]),
    ]


def test_a_choice_that_goes_through_it_again_turns_the_rule_off() -> None:
    found = explode([json.dumps(tree(4))], ["children.children.name=skip"])
    assert [(table.name[3:], [c.name for c in table.columns]) for table in found.tables] == [
        ("", ["name"]),
        ("__children", ["name"]),
        ("__children__children", []),
        ("__children__children__children", ["name"]),
    ]  # fmt: skip


def test_a_deep_document_is_one_table_at_the_usual_depth_and_its_json_ends_the_rule() -> None:
    assert shapes(explode([json.dumps(tree(400))])) == [("doc", 400, ["children[]"], ["name"])]
    cut = assert_comes_back([json.dumps(tree(9))], depth=3)
    assert [(t.name, [c.type for c in t.columns]) for t in cut.tables] == [
        ("doc", ["text"]), ("doc__children", ["text", "json"]),
    ]  # fmt: skip


def test_names_of_key_columns_are_kept_from_keys_of_the_documents() -> None:
    odd = {"_depth": "x", "_path": 1, "_parent_id": None}
    [table] = assert_comes_back([json.dumps({"name": "a", "children": [tree(4) | odd]})]).tables
    assert [(c.name, c.path[0]) for c in table.columns] == [
        ("name", "name"), ("_depth_3ae0e1", "_depth"), ("_path_2ee177", "_path"), ("_parent_id_548422", "_parent_id"),
    ]  # fmt: skip
    assert explode(['{"_depth": 1}']).names() == {"doc": ["_depth"]}


def test_a_locked_recursive_table_takes_shallow_records_and_reports_new_places() -> None:
    locked = explode([json.dumps(tree(5))]).tables
    shallow = json.dumps({"name": "a", "children": [{"name": "b", "more": [{"name": "c"}]}]})
    stats = observe([shallow], lock_rules(build_rules(), locked))
    same = plan_with_lock(
        observe([json.dumps(tree(2))], lock_rules(build_rules(), locked)), "doc", "__", locked, False, "fail"
    )
    assert (same.tables, same.drift) == (locked, [])
    added = plan_with_lock(stats, "doc", "__", locked, False, "add")
    assert [drift.message() for drift in added.drift or ()] == ["new table doc__more"]
    assert_rebuilt([shallow], explode([shallow], tables=added.tables))
    deep_again = json.dumps({"name": "a", "kids": tree(5) | {"kids": tree(5)}})
    found = plan_with_lock(observe([deep_again], lock_rules(build_rules(), locked)), "doc", "__", locked, False, "add")
    assert_rebuilt([deep_again], explode([deep_again], tables=found.tables))


def test_a_locked_table_a_level_does_not_become_recursive() -> None:
    locked = explode([json.dumps(tree(2))]).tables
    text = json.dumps(tree(6))
    found = plan_with_lock(observe([text], lock_rules(build_rules(), locked)), "doc", "__", locked, False, "add")
    assert [(table.name, len(table.links)) for table in found.tables] == [
        ("doc", 0), ("doc__children", 0), ("doc__children__children", 1),
    ]  # fmt: skip
    assert_rebuilt([text], explode([text], tables=found.tables))
