"""What a run takes whatever its size, the rate of a core, and what a second core adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness import Contender, Contest, Settings
from benchmarks.measure import Measured
from benchmarks.scenario_cores import ONE, TWO, figures


def ran(megabytes: int, one: float, two: float, code: int = 0) -> Contest:
    """A contest of one core and two that took these seconds."""
    contenders = [Contender(name, [], megabytes * 1_000_000) for name in (ONE, TWO)]
    done = Contest("work", contenders, Settings(work=Path()))
    done.runs = {ONE: [Measured(one, 1.0, code)], TWO: [Measured(two, 1.0, 0)]}
    return done


def test_the_start_is_no_part_of_the_rate_and_of_what_a_second_core_adds() -> None:
    # 375 MB more take 75 s with one core (5 MB/s) and 50 s with two (7.5 MB/s: 75 % of 10); 125 MB of the latter
    # take 16.67 of 36.67 s
    found = figures(ran(125, 45, 36.6667), ran(500, 120, 86.6667))
    assert found["mb_per_second_per_core"] == pytest.approx(5.0)
    assert found["efficiency"] == pytest.approx(0.75)
    assert found["start_seconds"] == pytest.approx(20.0, abs=0.001)


def test_a_run_that_failed_gives_no_figures() -> None:
    assert figures(ran(125, 45, 36, code=1), ran(500, 120, 86)) == {}
