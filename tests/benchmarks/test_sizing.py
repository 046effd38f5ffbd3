"""Sizing follows a formula; these are its values worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.results import Section
from benchmarks.sizing import Measured, advice, line, measured_jobs, plan, workers_for

TEN = Measured(10.0, 0.8)


def test_a_run_takes_its_start_and_its_bytes_over_all_cores() -> None:
    # 10 workers G.1X: 36 cores at 10 MB/s and 80 % = 288 MB/s; 60 + 500000 / 288 = 1796.1 s; 10 DPU: 4.989 DPU h
    found = plan(500, TEN, "G.1X", 10)
    assert found.minutes == pytest.approx(29.935, abs=0.001)
    assert found.dollars == pytest.approx(2.19525, abs=0.0001)


def test_a_larger_worker_has_double_the_cores_and_double_the_price() -> None:
    # 10 workers G.2X: 72 cores = 576 MB/s; 60 + 868.06 s = 928.1 s; 20 DPU: 5.156 DPU h
    found = plan(500, TEN, "G.2X", 10)
    assert found.minutes == pytest.approx(15.468, abs=0.001)
    assert found.dollars == pytest.approx(2.26864, abs=0.0001)


def test_the_smallest_run_is_two_workers_and_a_start() -> None:
    # 1 MB: 60.03 s, two DPU: 2 / 60 h * 0.44 = 0.0147
    assert workers_for(0.001, TEN, "G.1X", 30) == 2
    assert plan(0.001, TEN, "G.1X", 2).dollars == pytest.approx(0.01467, abs=0.0001)


@pytest.mark.parametrize(
    ("gigabytes", "minutes", "workers"),
    [
        # 4 cores a worker give 32 MB/s: in 29 minutes 55.68 GB
        pytest.param(55.68, 30, 2, id="just one executor"),
        pytest.param(55.69, 30, 3, id="a little more"),
        pytest.param(500, 30, 10, id="500 GB need 8.98 executors"),
        pytest.param(100_000, 30, 200, id="more than there may be"),
        pytest.param(1, 1, 200, id="no time left after the start"),
    ],
)
def test_the_fewest_workers_that_are_done_in_time(gigabytes: float, minutes: float, workers: int) -> None:
    assert workers_for(gigabytes, TEN, "G.1X", minutes) == workers


def test_the_advice_comes_with_other_ways_and_all_assumptions() -> None:
    lines = advice(500, "customer_orders", TEN, "G.1X", 30)
    assert lines[0] == "customer_orders, 500 GB: 10 workers G.1X, 30 minutes, 2.20 USD"
    assert [line.split() for line in lines[2:9]] == [
        ["type", "workers", "minutes", "USD"],
        ["G.1X", "5", "66.1", "2.42"],
        ["G.1X", "10", "29.9", "2.20"],
        ["G.1X", "20", "14.7", "2.16"],
        ["G.2X", "5", "33.6", "2.46"],
        ["G.2X", "10", "15.5", "2.27"],
        ["G.2X", "20", "7.9", "2.30"],
    ]
    words = "\n".join(lines[9:])
    for assumed in ("10.0 MB/s", "80 %", "G.1X is 1 DPU", "0.44 USD", "60 s before", "one worker is the driver"):
        assert assumed in words


def test_a_run_that_cannot_be_done_in_time_says_so() -> None:
    assert advice(100_000, "people", TEN, "G.1X", 30)[0].endswith("(not in 30 minutes: 200 workers are the most)")


def test_two_sizes_tell_what_a_run_takes_whatever_its_size_from_what_a_megabyte_takes() -> None:
    # 375 MB more take 30 s more: 12.5 MB/s; 125 MB take 10 s of the 30
    assert line((125, 30), (500, 60)) == (20.0, 12.5)
    # 400 MB more take 40 s more: 10 MB/s, of which 100 MB take 10 s: more than the 8 that were measured
    assert line((100, 8), (500, 48)) == (0.0, 10.0)


def test_what_a_run_takes_whatever_its_size_is_not_multiplied_by_its_bytes() -> None:
    # As above, 9 executors with 288 MB/s: 60 + 120 + 1736.1 s, and 10 DPU
    slow_start = Measured(10.0, 0.8, 120.0)
    assert plan(500, slow_start, "G.1X", 10).minutes == pytest.approx(31.935, abs=0.001)
    assert plan(0.001, slow_start, "G.1X", 2).minutes == pytest.approx(3.0005, abs=0.0001)
    # 27 minutes are left: 32 MB/s an executor read 51.84 GB
    assert workers_for(51.84, slow_start, "G.1X", 30) == 2
    assert workers_for(51.85, slow_start, "G.1X", 30) == 3


def test_figures_are_those_of_jobs_with_all_three_measured() -> None:
    all_three = {"mb_per_second_per_core": 3.0, "efficiency": 0.7, "start_seconds": 9.0}
    without_start = {"mb_per_second_per_core": 3.0, "efficiency": 0.5}
    sections = {
        "cores": Section("", "", [], [], figures={"people": all_three}),
        "other": Section("", "", [], [], figures={"race_stats": without_start}),
    }
    assert measured_jobs(sections, {}) == {"people": Measured(3.0, 0.7, 9.0)}


def test_a_job_without_both_takes_its_rate_and_the_least_efficiency_of_the_others() -> None:
    all_three = {"mb_per_second_per_core": 3.0, "efficiency": 0.6, "start_seconds": 9.0}
    sections = {"cores": Section("", "", [], [], figures={"people": all_three})}
    known = measured_jobs(sections, {"people": 9.0, "race_stats": 5.0})
    assert (known["people"].mb_per_second_per_core, known["people"].efficiency) == (3.0, 0.6)
    assert (known["race_stats"].mb_per_second_per_core, known["race_stats"].efficiency) == (5.0, 0.6)
    assert measured_jobs({}, {"race_stats": 5.0})["race_stats"].efficiency == 0.7
