"""The table of costs follows a formula; these are its values worked out by hand."""

from __future__ import annotations

import pytest

from tools.cloud_costs import PAGE, cost, duration, measured_rates, table


def test_a_small_run_is_billed_its_start_and_little_more() -> None:
    # 0.1 GB on 4 cores at 10 MB/s and 70 %: 60 + 100 / 28 = 63.6 s; 2 DPU: 127.143 / 3600 h * 0.44
    found = cost(0.1, 2, "G.1X", 10.0)
    assert found.seconds == pytest.approx(63.571, abs=0.001)
    assert found.standard == pytest.approx(0.015540, abs=1e-6)


def test_a_large_run_scales_with_its_executors() -> None:
    # 1000 GB on 19 * 8 cores at 10 MB/s and 70 %: 60 + 1000000 / 1064 = 999.8 s; 40 DPU: 11.109 DPU h
    found = cost(1000, 20, "G.2X", 10.0)
    assert found.seconds == pytest.approx(999.850, abs=0.001)
    assert found.standard == pytest.approx(4.888158, abs=1e-5)
    assert found.flex == pytest.approx(3.221740, abs=1e-5)


def test_durations_are_written_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (48.6, 985, 9000)] == ["49 s", "16 min", "2.5 h"]


def test_an_assumption_is_marked_as_one() -> None:
    lines = table({"people": 8.0}).splitlines()
    assert "| people | G.1X | 8 |" in lines[6]
    assert "5 (assumed)" in lines[2]


def test_the_page_shows_the_table_of_the_figures_at_hand() -> None:
    assert table(measured_rates()) in PAGE.read_text(encoding="utf-8"), "run python -m tools.cloud_costs --write"
