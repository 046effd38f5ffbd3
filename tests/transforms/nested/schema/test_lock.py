"""A locked schema stays: what later records do differently is reported, added, kept aside or refused, never lost."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import explode, observe
from tests.support.rebuild import comparable, loads
from transforms.nested.schema.lock import (
    Drift,
    SchemaError,
    TablePlan,
    apply_drift_mode,
    drift,
    lock_bytes,
    parse_lock,
    plan_with_lock,
)
from transforms.nested.schema.lock_rules import conflicts, lock_rules
from transforms.nested.schema.plan import Table, plan_tables
from transforms.nested.schema.rules import build_rules

MONDAY = ['{"id": 1, "price": 5, "name": "pen", "tags": ["x"], "note": null}']
TUESDAY = ['{"id": 2, "price": 5.5, "colour": "red", "note": "new", "sizes": [1]}', '{"id": "3a"}']


def plan_against(locked: list[Table], texts: list[str]) -> tuple[list[Table], list[Drift]]:
    rules = lock_rules(build_rules(), locked)
    stats = observe(texts, rules)
    planned = plan_tables(stats, "doc", locked=locked)
    return planned, drift(locked, planned, plan_tables(stats, "doc"))


def test_dates_stay_dates_and_other_texts_get_a_column_of_their_own() -> None:
    locked = explode(['{"day": "2024-01-31"}'], dates=True).tables
    texts = ['{"day": "2024-02-01"}', '{"day": "soon"}']
    planned = plan_tables(observe(texts), "doc", locked=locked, dates=True)
    found = drift(locked, planned, plan_tables(observe(texts), "doc", dates=True))
    assert [item.message() for item in found] == ["changed type doc.day: date -> text"]
    added = explode(texts, tables=apply_drift_mode("add", locked, planned, found)[0], form="csv")
    assert [(row["day"], row["day__text"]) for row in added.rows["doc"]] == [("2024-02-01", None), (None, "soon")]
    kept = explode(texts, tables=apply_drift_mode("report", locked, planned, found)[0], form="csv")
    assert [(row["day"], row["_rest"]) for row in kept.rows["doc"]] == [("2024-02-01", None), (None, '{"/day":"soon"}')]
    assert added.rebuilt() == kept.rebuilt() == [{"day": "2024-02-01"}, {"day": "soon"}]


def test_text_stays_text_when_dates_are_asked_for_later() -> None:
    locked = explode(['{"day": "2024-01-31"}']).tables
    later = plan_tables(observe(['{"day": "2024-02-01", "due": "2024-03-01"}']), "doc", locked=locked, dates=True)
    assert [(column.name, column.type) for column in later[0].columns] == [("day", "text"), ("due", "date")]


def test_the_same_records_show_no_drift() -> None:
    locked = explode(MONDAY).tables
    planned, found = plan_against(locked, MONDAY)
    assert (planned, found) == (locked, [])


def test_every_difference_is_reported() -> None:
    _, found = plan_against(explode(MONDAY).tables, TUESDAY)
    assert [item.message() for item in found] == [
        "first type doc.note: only null -> text",
        "changed type doc.id: integer -> text",
        "changed type doc.price: integer -> double",
        "new field doc.colour: text",
        "lost field doc.name: text",
        "new table doc__sizes",
        "lost table doc__tags",
    ]


def test_add_keeps_every_column_and_puts_new_ones_behind() -> None:
    locked = explode(MONDAY).tables
    planned, found = plan_against(locked, TUESDAY)
    tables, loose = apply_drift_mode("add", locked, planned, found)
    assert not loose
    result = explode(TUESDAY, tables=tables)
    assert result.types("doc") == {
        "id": "integer",
        "price": "integer",
        "name": "text",
        "note": "text",
        "id__text": "text",
        "price__double": "double",
        "colour": "text",
    }
    assert result.plain("doc") == [
        {"id": 2, "note": "new", "price__double": 5.5, "colour": "red"},
        {"id__text": "3a"},
    ]


def test_report_holds_the_columns_and_keeps_the_rest_as_json() -> None:
    locked = explode(MONDAY).tables
    tables, loose = apply_drift_mode("report", locked, *plan_against(locked, TUESDAY))
    assert loose
    result = explode(TUESDAY, tables=tables)
    assert result.types("doc") == explode(MONDAY).types("doc")
    assert [row["_rest"] for row in result.rows["doc"]] == [
        '{"/colour":"red","/note":"new","/price":5.5,"/sizes":[1]}',
        '{"/id":"3a"}',
    ]
    assert [comparable(document) for document in result.rebuilt()] == [comparable(loads(text)) for text in TUESDAY]


def test_fail_stops_on_anything_new_and_names_it() -> None:
    locked = explode(MONDAY).tables
    with pytest.raises(
        SchemaError, match=r"do not match the locked schema: first type doc\.note: only null -> text; changed"
    ):
        apply_drift_mode("fail", locked, *plan_against(locked, TUESDAY))


def test_a_field_that_is_only_absent_today_does_not_fail() -> None:
    locked = explode(MONDAY).tables
    planned, found = plan_against(locked, ['{"id": 4}'])
    assert {item.change for item in found} == {"lost field", "lost table"}
    assert apply_drift_mode("fail", locked, planned, found) == (planned, False)


def test_columns_stay_columns_when_a_thousand_new_keys_come() -> None:
    locked = explode(['{"m": {"a": 1, "b": 2}}']).tables
    many = '{"m": {"a": 3, ' + ", ".join(f'"k{number}": {number}' for number in range(1100)) + "}}"
    planned, found = plan_against(locked, [many])
    assert [item.message() for item in found] == ["lost field doc.m.b: integer", "new table doc__m"]
    result = explode([many], tables=planned)
    assert result.names() == {"doc": ["m__a", "m__b"], "doc__m": ["value"]}
    assert comparable(result.rebuilt()[0]) == comparable(loads(many))


def test_a_lock_file_comes_back_and_is_of_one_root() -> None:
    tables = explode(MONDAY).tables
    content = lock_bytes(tables, "doc")
    assert parse_lock(content, "s.json", "doc") == tables
    with pytest.raises(SchemaError, match=r"--schema s\.json is of --root doc, not of orders"):
        parse_lock(content, "s.json", "orders")


@pytest.mark.parametrize("content", [b'{"tables": 1}', b"", b"\xff", b"[]", b'{"root": "doc", "tables": [{}]}'])
def test_what_is_no_lock_file_is_refused(content: bytes) -> None:
    with pytest.raises(SchemaError, match=r"--schema s\.json is not a schema that this job wrote"):
        parse_lock(content, "s.json", "doc")


def test_locking_rules_leaves_the_rules_it_is_given() -> None:
    rules = build_rules(["m.a=json"])
    locked = lock_rules(rules, explode(['{"m": {"a": 1, "b": 2}}']).tables)
    assert rules == build_rules(["m.a=json"])
    assert locked.below["m"].known == {"a", "b"}


def plan(texts: list[str], locked: list[Table] | None, *, dates: bool = False, mode: str = "add") -> TablePlan:
    stats = observe(texts, lock_rules(build_rules(), locked or ()))
    return plan_with_lock(stats, "doc", "__", locked, dates, mode)


def columns(found: TablePlan) -> dict[str, dict[str, str]]:
    return {table.name: {column.name: column.type for column in table.columns} for table in found.tables}


LOCKED_COLUMNS = {
    "doc": {"id": "integer", "price": "integer", "name": "text", "note": "unknown"},
    "doc__tags": {"value": "text"},
}
GROWN_COLUMNS = {
    "doc": {
        "id": "integer",
        "price": "integer",
        "name": "text",
        "note": "text",
        "id__text": "text",
        "price__double": "double",
        "colour": "text",
    },
    "doc__sizes": {"value": "integer"},
    "doc__tags": {"value": "text"},
}


def test_a_plan_without_a_lock_has_nothing_to_differ_from() -> None:
    found = plan(MONDAY, None)
    assert (columns(found), found.drift, found.is_locked) == (LOCKED_COLUMNS, None, False)


def test_a_plan_of_records_that_fit_the_lock_is_the_lock() -> None:
    for mode in ("add", "report", "fail"):
        found = plan(MONDAY, plan(MONDAY, None).tables, mode=mode)
        assert (columns(found), found.drift, found.is_locked) == (LOCKED_COLUMNS, [], False)


def test_a_plan_against_a_lock_grows_or_stays_locked_and_lists_the_differences() -> None:
    locked = plan(MONDAY, None).tables
    grown, kept = plan(TUESDAY, locked), plan(TUESDAY, locked, mode="report")
    assert (columns(grown), grown.is_locked) == (GROWN_COLUMNS, False)
    assert (columns(kept), kept.is_locked) == (LOCKED_COLUMNS, True)
    assert [(table.name, table.rest, table.rows) for table in kept.tables] == [("doc", True, 2), ("doc__tags", True, 0)]
    assert grown.drift == kept.drift
    assert [item.message() for item in grown.drift or ()] == [
        "first type doc.note: only null -> text",
        "changed type doc.id: integer -> text",
        "changed type doc.price: integer -> double",
        "new field doc.colour: text",
        "lost field doc.name: text",
        "new table doc__sizes",
        "lost table doc__tags",
    ]


def test_a_plan_that_may_not_differ_from_its_lock_is_refused() -> None:
    with pytest.raises(SchemaError, match="do not match the locked schema: first type"):
        plan(TUESDAY, plan(MONDAY, None).tables, mode="fail")


def test_a_plan_keeps_the_dates_of_its_lock_without_being_asked_for_dates() -> None:
    locked = plan(['{"day": "2024-01-31"}'], None, dates=True).tables
    found = plan(['{"day": "2024-02-01", "due": "2024-03-01"}'], locked)
    assert columns(found) == {"doc": {"day": "date", "due": "date"}}
    assert [item.message() for item in found.drift or ()] == ["new field doc.due: date"]


NESTED = '{"id": 1, "p": {"x": [1, 2], "y": 5}, "m": {"k": {"z": 1}}}'
TREE = '{"n": "a", "children": [{"n": "b", "children": [{"n": "c", "children": [{"n": "d"}]}]}]}'


@pytest.mark.parametrize(
    ("text", "first", "options", "what"),
    [
        (NESTED, [], ["p=json"], "a column doc.p__y"),
        (NESTED, [], ["p.x=json"], "a table doc__p__x"),
        (NESTED, [], ["p.x=columns"], "a table doc__p__x"),
        (NESTED, [], ["*=table"], "a column doc.p__y"),
        (NESTED, ["p=json"], ["p=table"], "JSON text doc.p"),
        (NESTED, ["p=table"], ["p=columns"], "a table doc__p"),
        (NESTED, ["m=map"], ["m=columns"], "a table doc__m"),
        ('{"l": [[1]]}', [], ["l.[]=json"], "a table doc__l__value"),
        (TREE, [], ["children=columns"], "a table doc"),
        (TREE, [], ["children.n=skip"], "a table doc"),
        (TREE, [], ["children.children.n=json"], "a table doc"),
    ],
)
def test_a_choice_that_would_change_what_is_locked_is_named_with_it(
    text: str, first: list[str], options: list[str], what: str
) -> None:
    locked = explode([text], first).tables
    assert conflicts(options, (), locked) == [(f"--path {options[0]}", what)]
    assert conflicts(first, (), locked) == []


def test_what_is_below_a_recursive_place_is_not_wanted_alone() -> None:
    locked = explode([TREE]).tables
    assert conflicts((), ["children.n"], locked) == [("--only children.n", "a table doc")]
    assert conflicts(["children=skip", "n=skip", "children=recursive"], ["n", "children"], locked) == []


@pytest.mark.parametrize("first", [["p=json"], ["p.x=json"], ["p=table"], ["m=map"], ["p.x=skip"]])
def test_a_choice_of_the_first_run_holds_for_a_later_one_that_has_none(first: list[str]) -> None:
    locked = explode([NESTED], first).tables
    again = plan_with_lock(observe([NESTED], lock_rules(build_rules(), locked)), "doc", "__", locked, False, "add")
    new = ["new table doc__p__x"] if first == ["p.x=skip"] else []
    assert [drift.message() for drift in again.drift or ()] == new


@pytest.mark.parametrize(
    ("text", "first", "now", "message"),
    [
        (NESTED, 1, 100, "--depth 100: the locked schema has JSON text at doc.p, the records have a column doc.p__y"),
        (NESTED, 100, 1, "--depth 1: the locked schema has a column doc.p__y at doc.p, the records have JSON text"),
        (TREE, 1, 100, "--depth 100: the locked schema has JSON text at doc.children, the records have a table doc__"),
    ],
)
@pytest.mark.parametrize("mode", ["add", "report"])
def test_another_depth_than_that_of_the_locked_schema_is_refused(
    text: str, first: int, now: int, message: str, mode: str
) -> None:
    locked = explode([text], depth=first).tables
    stats = observe([text], lock_rules(build_rules(), locked), depth=now)
    with pytest.raises(SchemaError) as refused:
        plan_with_lock(stats, "doc", "__", locked, False, mode, depth=now)
    assert str(refused.value).startswith(message)


KEYS = st.sampled_from(["a", "b"])
DOCUMENTS = st.lists(
    st.recursive(
        st.none() | st.integers(1, 3) | st.just("x"),
        lambda inner: st.dictionaries(KEYS, inner, max_size=2) | st.lists(inner, max_size=2),
        max_leaves=12,
    ).map(json.dumps),
    min_size=1,
    max_size=3,
)
CHOICES = st.lists(
    st.sampled_from(["a=json", "a.b=json", "a=table", "a=columns", "a=skip", "a.b=skip", "b=columns", "b.a=table"]),
    max_size=1,
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, DOCUMENTS, CHOICES, CHOICES, st.sampled_from([1, 2, 100]), st.sampled_from([1, 2, 100]))
def test_whatever_was_chosen_before_rows_are_counted_as_they_are_written_or_refused(
    first: list[str], second: list[str], before: list[str], now: list[str], depth: int, new_depth: int
) -> None:
    locked = explode(first, before, depth=depth).tables
    assert conflicts(before, (), locked) == []

    def run(texts: list[str], choices: list[str], depth: int, mode: str) -> None:
        rules = lock_rules(build_rules(choices), locked)
        tables = plan_with_lock(observe(texts, rules, depth), "doc", "__", locked, False, mode, depth=depth).tables
        found = explode(texts, tables=tables, rules=rules)
        assert [len(found.rows[table.name]) for table in tables] == [table.rows for table in tables]

    run(first, before, depth, "fail")
    for mode in ("add", "report"):
        if not conflicts(now, (), locked):
            with contextlib.suppress(SchemaError):  # another depth
                run(second, now, new_depth, mode)
