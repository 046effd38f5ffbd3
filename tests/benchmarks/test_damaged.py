"""What the benchmark damages, and what of it is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import bench, scenario_damaged
from benchmarks.harness import pinned

PAGE = json.dumps(
    {"restaurants": [{"restaurant": {"id": name, "user_rating": {"votes": 1}, "pad": "x" * 40}} for name in "ab"]}
)


def test_a_sound_page_is_sent_and_accepted_as_it_is() -> None:
    assert scenario_damaged.damaged_page(1, PAGE) == (PAGE, PAGE, "sound")


@pytest.mark.parametrize(("number", "kind"), [(7, "not JSON"), (57, "not JSON"), (17, "restaurants is no list")])
def test_nothing_is_accepted_of_a_page_that_is_none(number: int, kind: str) -> None:
    sent, accepted, found = scenario_damaged.damaged_page(number, PAGE)
    assert (accepted, found) == ("", kind)
    assert sent != PAGE


def test_a_restaurant_whose_votes_are_no_number_is_not_accepted_and_its_neighbour_is() -> None:
    sent, accepted, kind = scenario_damaged.damaged_page(3, PAGE)
    votes = [one["restaurant"]["user_rating"]["votes"] for one in json.loads(sent)["restaurants"]]
    assert (votes, kind) == ([1, "many"], "votes are no number")
    assert [one["restaurant"]["id"] for one in json.loads(accepted)["restaurants"]] == ["a"]


def test_the_accepted_day_is_the_damaged_one_without_its_damaged_lines(tmp_path: Path) -> None:
    scenario_damaged.day(tmp_path / "day", 100)
    noted = (tmp_path / "day" / "damaged.csv").read_text(encoding="utf-8").splitlines()[1:]
    # one line of 25 in 100 customers, 300 orders and 900 items
    assert len(noted) == 52
    lost = 0
    for path in (tmp_path / "day" / "damaged").iterdir():
        sent = path.read_bytes().splitlines()
        accepted = (tmp_path / "day" / "accepted" / path.name).read_bytes().splitlines()
        lost += len(sent) - len(accepted)
        assert [line for line in sent if line in set(accepted)] == accepted
    assert lost == 52


def test_scenarios_share_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(bench, "TABLE", {"one": 6, "two": 3, "three": 1})
    names = ["one", "two", "three"]
    assert bench.until("one", names, 1100.0) == 700.0
    assert bench.until("two", names, 500.0) == 400.0
    assert bench.until("three", names, None) is None


def test_the_versions_of_contenders_are_those_of_their_lists() -> None:
    assert (pinned("duckdb"), pinned("dlt")) == ("2.0.1", "1.31.0")
