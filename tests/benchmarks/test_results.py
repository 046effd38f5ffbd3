"""The record of measurements and the page made of it."""

from __future__ import annotations

import pathlib

import pytest

from benchmarks.results import AT_LEAST, EMBEDDED, SPARK, Section, Target, page, read, section_lines, summary, write

SPEED = Section(
    title="Speed",
    shows="How fast it is.",
    headers=["work", "seconds"],
    rows=[["ours", "7.0"], ["a|b", "10.0"]],
    targets=[Target("time to the floor's", 1.4, 1.25), Target("plain to ours", 2.5, 2.0, AT_LEAST)],
    notes=["A note."],
    setup="2 cores.",
)
ORDER = ["speed", "memory"]


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        pytest.param(Target("x", 1.4, 1.4), "met", id="at the limit"),
        pytest.param(Target("x", 1.4, 1.75), "falls short by 25 %", id="above"),
        pytest.param(Target("x", 2.5, 2.5, AT_LEAST), "met", id="at the least"),
        pytest.param(Target("x", 2.5, 2.0, AT_LEAST), "falls short by 20 %", id="below"),
        pytest.param(Target("x", 2.5, None), "not measured", id="without a figure"),
        pytest.param(Target("x", None, 2.0), "no target", id="without a limit"),
    ],
)
def test_a_target_is_met_or_tells_how_much_is_missing(target: Target, verdict: str) -> None:
    assert target.verdict() == verdict


@pytest.mark.parametrize(
    ("section", "verdict"),
    [
        pytest.param(Section("", "", [], []), "met", id="nothing known"),
        pytest.param(Section("", "", [], [], runs=1), "met (one run)", id="one run"),
        pytest.param(Section("", "", [], [], runs=3, busy=True), "met (3 runs, busy machine)", id="busy"),
        pytest.param(
            Section("", "", [], [], runs=3, other_size="20 MB"),
            "not at the size of the target: 20 MB (3 runs)",
            id="another size",
        ),
    ],
)
def test_a_verdict_says_what_it_rests_on(section: Section, verdict: str) -> None:
    assert section.verdict(Target("x", 1.4, 1.4)) == verdict
    section.targets = [Target("x", 1.4, 1.4, row="restaurants", engine=EMBEDDED)]
    assert summary([section])[2] == f"| restaurants | x: 1.40 (at most 1.4), {verdict} |  |"
    assert f"| x | at most 1.4 | 1.40 | {verdict} |" in section_lines(section)


def test_a_section_shows_its_table_its_targets_and_its_notes() -> None:
    assert section_lines(SPEED) == [
        "## Speed",
        "",
        "How fast it is.",
        "",
        "| work | seconds |",
        "| --- | --- |",
        "| ours | 7.0 |",
        "| a\\|b | 10.0 |",
        "",
        "| to reach | target | measured | verdict |",
        "| --- | --- | --- | --- |",
        "| time to the floor's | at most 1.4 | 1.25 | met |",
        "| plain to ours | at least 2.5 | 2.00 | falls short by 20 % |",
        "",
        "- A note.",
        "",
        "2 cores.",
        "",
    ]


def test_the_summary_has_a_row_a_work_in_its_order_and_a_column_an_engine() -> None:
    memory = Target("MB", 1500, None, row="peak memory", engine=SPARK)
    known = Target("MB of its environment", None, 631, row="`make run`, all seven", engine=EMBEDDED)
    others = [
        Target("to DuckDB's", 1.5, 1.25, row="customer_orders", engine=EMBEDDED),
        Target("plain to ours", 1.6, 1.2, AT_LEAST, "customer_orders", SPARK),
        Target("and another", 2, 2, row="customer_orders", engine=SPARK),
        Target("not in the summary", 1, 1),
    ]
    sections = [Section("", "", [], [], targets) for targets in ([known, memory], others)]
    plain = "plain to ours: 1.20 (at least 1.6), falls short by 25 %"
    assert summary(sections) == [
        "| work | embedded | Spark 3.5.6, two cores |",
        "| --- | --- | --- |",
        f"| customer_orders | to DuckDB's: 1.25 (at most 1.5), met | {plain}<br>and another: 2.00 (at most 2), met |",
        "| peak memory |  | MB: (at most 1500), not measured |",
        "| `make run`, all seven | MB of its environment: 631 |  |",
        "",
    ]


def test_the_page_keeps_the_order_of_scenarios_and_puts_others_behind() -> None:
    names = {"older": "Older", "memory": "Memory", "speed": "Speed"}
    shown = page({name: Section(title, "", [], []) for name, title in names.items()}, ORDER)
    assert [line for line in shown.splitlines() if line.startswith("## ")] == ["## Speed", "## Memory", "## Older"]


def test_scenarios_that_were_not_run_keep_their_sections(tmp_path: pathlib.Path) -> None:
    record, shown = tmp_path / "measured.json", tmp_path / "RESULTS.md"
    memory = Section("Memory", "", ["mb"], [["1"]], figures={"people": {"mb_per_second_per_core": 2.0}})
    write({"speed": SPEED, "memory": memory}, ORDER, record, shown)
    slower = Section("Speed", "Again.", ["work"], [["ours"]])
    write({"speed": slower}, ORDER, record, shown)
    assert read(record) == {"speed": slower, "memory": memory}
    assert shown.read_text(encoding="utf-8") == page({"speed": slower, "memory": memory}, ORDER)


def test_without_a_record_there_are_no_sections(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path / "measured.json") == {}
