"""The report on the terminal: readable where it is narrow, whole lines in a file."""

from __future__ import annotations

import re

import pytest

from pipeline.reports.counts import RecordCounts
from pipeline.reports.report import Report, print_report, table

LONG = "restaurants.restaurant"


def printed(capsys: pytest.CaptureFixture[str], place: str = "out") -> list[str]:
    report = Report("prices", "r1", status="succeeded")
    counts = {"unknown_customer": 2, "parent_rejected": 1}
    report.counts[LONG] = RecordCounts(LONG, read=1_403, used=1_400, rejected=counts)
    report.outputs["prices.csv"] = {"rows": 1_400, "bytes": 9}
    report.notes.append("a note that says much more than what one narrow line of sixty columns can hold in it")
    report.seconds = {f"write a_file_number_{number}.csv": 1.0 for number in range(5)}
    print_report(report, place)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    return [line.strip() for line in shown.splitlines()]


def test_in_a_narrow_terminal_names_and_reasons_stay_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = printed(capsys)
    assert [line for line in lines if line.startswith(LONG)]
    assert [line for line in lines if line.endswith("parent_rejected 1")]
    assert [line for line in lines if line.endswith("unknown_customer 2")]
    assert "note: a note that says much more than what one narrow line of sixty columns can" in lines
    assert max(len(line) for line in lines) <= 80


def test_in_a_file_each_text_is_one_line_and_says_where_rejected_records_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(capsys)
    assert "note: a note that says much more than what one narrow line of sixty columns can hold in it" in lines
    assert "rejected records: out/_runs/r1/quarantine" in lines
    assert [line for line in lines if line.startswith("prices succeeded in ") and line.endswith("; run r1")]


def test_a_dry_run_has_no_bytes_and_no_quarantine(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "")
    assert "file          rows" in lines
    assert "prices.csv   1,400" in lines
    assert not [line for line in lines if "quarantine" in line]


def test_brackets_in_a_table_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    table("Columns of [red]", ["[/x]", "type"], [["[bold]a[/i]", "[b]"], ["b", 5]])
    shown = [re.sub(" +", " ", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == "Columns of [red]"
    assert [line for line in shown if line.startswith(("[", "b"))] == ["[/x] type", "[bold]a[/i] [b]", "b 5"]
