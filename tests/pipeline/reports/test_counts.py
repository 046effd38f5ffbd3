"""The check of a run's counts: every record read is used, excluded or rejected, and few enough are rejected."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import AccountingError, InputError, PipelineError, RejectedError
from pipeline.reports.counts import RecordCounts, check_counts, limit


def counts(**values: Any) -> RecordCounts:
    return RecordCounts("orders", **values)


@pytest.mark.parametrize(
    ("error", "exit_code", "message", "found", "allowed"),
    [
        (
            AccountingError,
            1,
            "input orders: 10 records read, but 6 used + 2 excluded + 1 rejected = 9",
            counts(read=10, used=6, excluded={"duplicate": 2}, rejected={"wrong_type": 1}),
            "100%",
        ),
        (
            AccountingError,
            1,
            "input orders: 10 records read, but 11 used + 0 excluded + 0 rejected = 11",
            counts(read=10, used=11),
            "100%",
        ),
        (
            AccountingError,
            1,
            "input orders: 0 records read, but 0 used + 0 excluded + 1 rejected = 1",
            counts(rejected={"wrong_type": 1}),
            "100%",
        ),
        (
            InputError,
            2,
            "input orders: no usable record (nothing to read in a.csv, b.csv, c.csv)",
            counts(files=["a.csv", "b.csv", "c.csv", "d.csv"]),
            "100%",
        ),
        (InputError, 2, "input orders: no usable record (nothing to read in the files)", counts(), "100%"),
        (
            InputError,
            2,
            "input orders: no usable record (3 read, 3 excluded (duplicate 3), 0 rejected)",
            counts(read=3, excluded={"duplicate": 3}),
            "100%",
        ),
        (
            InputError,
            2,
            "input orders: no usable record (6 read, 1 excluded (old 1), 5 rejected: missing_value 3, wrong_type 2)",
            counts(read=6, excluded={"old": 1}, rejected={"wrong_type": 2, "missing_value": 3}),
            "0",
        ),
        (
            RejectedError,
            3,
            "input orders: 6 of 100 records rejected (missing_value 4, wrong_type 2), more than --max-rejected 5%",
            counts(read=100, used=94, rejected={"wrong_type": 2, "missing_value": 4}),
            "5%",
        ),
        (
            RejectedError,
            3,
            "input orders: 3 of 9 records rejected (wrong_type 3), more than --max-rejected 2",
            counts(read=9, used=6, rejected={"wrong_type": 3}),
            "2",
        ),
        (
            RejectedError,
            3,
            "input orders: 1 of 1 records rejected (wrong_type 1), more than --max-rejected 0",
            counts(read=1, rejected={"wrong_type": 1}, may_be_empty=True),
            "0",
        ),
    ],
)
def test_counts_that_are_not_right_stop_the_run_with_their_message(
    error: type[PipelineError], exit_code: int, message: str, found: RecordCounts, allowed: str
) -> None:
    with pytest.raises(PipelineError) as caught:
        found.check(limit(allowed))
    assert type(caught.value) is error
    assert caught.value.exit_code == exit_code
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        (counts(read=1, used=1), "0"),
        (counts(read=100, used=95, rejected={"wrong_type": 5}), "5%"),
        (counts(read=9, used=6, excluded={"duplicate": 1}, rejected={"wrong_type": 2}), "2"),
        (counts(read=100, used=1, excluded={"duplicate": 99}), "0"),
        (counts(may_be_empty=True), "0"),
        (counts(read=2, excluded={"duplicate": 2}, may_be_empty=True), "0"),
    ],
)
def test_counts_that_are_right_pass(found: RecordCounts, allowed: str) -> None:
    assert found.check(limit(allowed)) is None  # type: ignore[func-returns-value]


def test_the_report_shows_reasons_and_rules_sorted_by_name() -> None:
    found = counts(read=10, used=1, excluded={"b": 2, "a": 3}, rejected={"d": 3, "c": 1})
    assert list(found.as_dict().items()) == [
        ("read", 10),
        ("used", 1),
        ("excluded", {"a": 3, "b": 2}),
        ("rejected", {"c": 1, "d": 3}),
    ]
    assert list(found.as_dict()["excluded"]) == ["a", "b"]
    assert list(found.as_dict()["rejected"]) == ["c", "d"]


def test_parts_of_records_that_cannot_be_used_are_not_reported_for_themselves() -> None:
    pages = RecordCounts("pages", read=2, rejected={"garbage": 2})
    with pytest.raises(
        InputError, match=r"^input pages: no usable record \(2 read, 0 excluded, 2 rejected: garbage 2\)$"
    ):
        check_counts([pages, RecordCounts("pages.shop"), RecordCounts("pages.shop.day")], limit("5%"), "")
    with pytest.raises(InputError, match=r"^input pages\.shop: no usable record"):
        check_counts([RecordCounts("pages", read=1, used=1), RecordCounts("pages.shop")], limit("5%"), "")


def test_the_limit_is_a_share_or_a_number() -> None:
    assert limit("5%").exceeded(6, 100)
    assert not limit("5%").exceeded(5, 100)
    assert limit("2").exceeded(3, 1_000_000)
    assert not limit("2").exceeded(2, 2)
    assert not limit("0").exceeded(0, 0)
