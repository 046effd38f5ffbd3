"""Dates and timestamps where they are asked for: typed only where the same text comes back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import explode, observe
from tests.support.rebuild import as_written, comparable, loads
from transforms.nested.schema.plan import plan_tables
from transforms.nested.values.dates import date_format, in_utc, merge_formats, moment

TEXTS = st.sampled_from(
    [
        "2024-02-29",
        "0001-01-01",
        "9999-12-31",
        "2023-02-29",
        "2024-01-31T23:59:59Z",
        "2024-01-31T23:59:59+08:00",
        "2024-01-31T23:59:59.120-03:30",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+08:00",
        "2024-01-31 23:59:59",
        "",
        "today",
    ]
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-02-29", "date"),
        ("0001-01-01", "date"),
        ("9999-12-31", "date"),
        ("2021-05-23T17:40:26+08:00", "timestamp(0,+08:00)"),
        ("2021-05-23T17:40:26Z", "timestamp(0,Z)"),
        ("2021-05-23T17:40:26.5Z", "timestamp(1,Z)"),
        ("2021-05-23T17:40:26.123000-00:30", "timestamp(6,-00:30)"),
        ("2024-01-31T10:00:00", "timestamp_local(0)"),
        ("2024-01-31T10:00:00.250", "timestamp_local(3)"),
    ],
)
def test_canonical_texts_have_a_type_that_gives_them_back(text: str, kind: str) -> None:
    assert date_format(text) == kind
    if kind.startswith("timestamp("):
        assert as_written(moment(text), kind) == text


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2023-13-01",
        "0000-01-01",
        "10000-01-01",
        "2024-1-31",
        "20240131",
        "2024-W05-3",
        " 2024-01-31",
        "2024-01-31\n",
        "２０24-01-31",
        "2024-01-31T24:00:00",
        "2024-02-30T10:00:00",
        "2024-01-31T10:00",
        "2024-01-31 10:00:00Z",
        "2024-01-31T10:00Z",
        "2024-01-31T10:00:60Z",
        "2024-01-31T24:00:00Z",
        "2024-01-31T10:00:00z",
        "2024-01-31T10:00:00+0800",
        "2024-01-31T10:00:00+24:00",
        "2024-01-31T10:00:00.Z",
        "2024-01-31T10:00:00.1234567Z",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "",
    ],
)
def test_any_other_text_stays_text(text: str) -> None:
    assert date_format(text) == ""


@given(st.datetimes(timezones=st.timezones()), st.integers(0, 6), st.integers(-14 * 60, 14 * 60))
def test_every_moment_comes_back_as_it_was_written(value: datetime, digits: int, minutes: int) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds")
    text = text[:19] + (f".{text[20 : 20 + digits]}" if digits else "") + offset
    kind = date_format(text)
    if kind:
        assert kind == f"timestamp({digits},{offset})"
        assert as_written(moment(text), kind) == text
        assert moment(in_utc(text)) == moment(text)


@given(
    st.lists(
        st.sampled_from(
            [None, "date", "timestamp(0,Z)", "timestamp(0,+08:00)", "timestamp(3,Z)", "integer|double", "double", ""]
        ),
        min_size=1,
    )
)
def test_formats_add_up_in_any_order(kinds: list[str | None]) -> None:
    forth: str | None = None
    back: str | None = None
    for kind in kinds:
        forth = merge_formats(forth, kind)
    for kind in reversed(kinds):
        back = merge_formats(kind, back)
    assert forth == back


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (["2024-01-31", "2024-02-01"], {"v": "date"}),
        (["2024-01-31", None], {"v": "date"}),
        (["2024-01-31", 5], {"v__number": "integer", "v__date": "date"}),
        (["2024-01-31T10:00:00Z", {"x": True}], {"v": "timestamp(0,Z)", "v__x": "boolean"}),
        (["2024-01-31", "31.1.2024"], {"v": "text"}),
        (["2024-01-31", "2024-01-31T00:00:00Z"], {"v": "text"}),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00.5Z"], {"v": "text"}),
        (["2024-01-31T10:00:00+01:00", "2024-07-31T10:00:00+02:00"], {"v": "timestamp(0,*)", "v__offset": "offset"}),
        (["2024-01-31", "\x00"], {"v": "text"}),
    ],
)
def test_one_text_of_another_format_keeps_the_column_text(values: list[object], types: dict[str, str]) -> None:
    texts = [json.dumps({"v": value}) for value in values]
    assert explode(texts, dates=True).types("doc") == types
    assert "date" not in explode(texts).types("doc").values()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_format_has_the_same_values(form: str) -> None:
    found = explode(
        ['{"day": "2024-02-29", "at": "2021-05-23T07:40:26.250+08:00"}', '{"day": null}'], dates=True, form=form
    )
    typed = (date(2024, 2, 29), datetime(2021, 5, 22, 23, 40, 26, 250000, UTC))
    lines = ("2024-02-29", "2021-05-22T23:40:26.250Z")
    rows = [(row["day"], row["at"]) for row in found.rows["doc"]]
    assert rows == [typed if form == "parquet" else lines, (None, None)]
    assert found.rebuilt() == [{"day": "2024-02-29", "at": "2021-05-23T07:40:26.250+08:00"}, {"day": None}]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"v": TEXTS, "w": st.lists(TEXTS, max_size=3)}), min_size=1, max_size=4
    ),
    st.lists(st.fixed_dictionaries({"v": TEXTS}), max_size=3),
    st.sampled_from(["csv", "jsonl", "parquet"]),
)
def test_the_documents_come_back_exactly_by_their_own_plan_and_by_another(
    documents: list[dict[str, object]], planned: list[dict[str, object]], form: str
) -> None:
    texts = [json.dumps(document) for document in documents]
    before = plan_tables(observe([json.dumps(document) for document in planned]), "doc", dates=True)
    grown = plan_tables(observe(texts), "doc", locked=before, dates=True)
    for found in (explode(texts, dates=True, form=form), explode(texts, tables=grown, form=form)):
        assert [comparable(document) for document in found.rebuilt()] == [comparable(loads(text)) for text in texts]


def test_the_plan_does_not_depend_on_the_split() -> None:
    texts = [json.dumps({"v": f"2024-01-{day:02d}", "w": "x" if day == 9 else "2024-01-01"}) for day in range(1, 20)]
    for parts in (1, 3, 7):
        assert plan_tables(observe(texts, parts=parts), "doc", dates=True)[0].columns[0].type == "date"
        assert plan_tables(observe(texts[::-1], parts=parts), "doc", dates=True)[0].columns[1].type == "text"
