"""The race statistics job by its command line: real seasons, years asked for, absent values, shared wins, refusals."""

from __future__ import annotations

import csv
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.jobs import JobResult

Call = Callable[..., JobResult]

# driverId of the winner and the winner's fastest lap, by round.
WINNERS = {
    2018: "20 20 817 1 1 817 20 1 830 20 1 1 20 1 1 1 1 8 830 1 1",
    2019: "822 1 1 822 1 1 1 1 830 1 830 1 844 844 20 1 822 1 822 830 1",
    2020: "822 1 1 1 830 1 1 842 1 822 1 1 1 1 1 815 830",
    2021: "1 830 1 1 830 815 830 830 830 1 839 830 830 817 1 822 830 830 1 1 1 830",
    2022: "844 830 844 830 830 830 815 830 830 832 844 830 830 830 830 830 815 830 830 830 847 830",
    2023: "830 815 830 815 830 830 830 830 830 830 830 830 830 830 832 830 830 830 830 830 830 830",
    2024: "830 830 832 830 830 846 830 844 830 830 847 1 - - - - - - - - - - - -",
}
LAPS = {
    2018: "26.5 34.5 35.8 45.4 19.1 15.6 14.0 34.5 07.4 30.7 15.5 21.1 46.6 22.5 42.9 35.9 32.8 38.5 19.2 11.8 41.4",
    2019: "25.6 33.5 35.9 44.0 18.5 16.2 14.8 32.8 07.5 27.4 16.6 18.5 46.7 23.0 44.8 35.8 31.9 19.5 37.0 10.9 39.3",
    2020: "07.7 06.7 16.6 29.2 29.5 19.8 47.8 24.0 18.8 37.0 28.1 18.7 15.5 39.4 32.9 56.8 41.0",
    2021: "34.0 17.5 20.9 20.7 14.6 44.7 36.4 08.0 06.2 29.7 21.4 - 13.3 24.8 37.6 30.4 39.1 19.0 12.0 25.1 30.7 26.1",
    2022: "34.6 31.8 20.3 18.4 31.4 25.5 16.0 46.1 15.8 30.8 07.6 "
    "37.5 22.1 49.4 13.7 24.7 48.2 44.9 39.5 22.0 13.8 29.4",
    2023: "36.2 32.2 20.3 44.6 29.7 16.6 16.3 15.6 07.0 30.3 20.5 "
    "48.9 13.9 25.2 37.7 34.2 24.3 40.0 21.6 13.4 35.6 27.0",
    2024: "32.6 31.8 20.0 33.7 38.4 31.0 20.4 - 15.6 17.8 09.2 29.4 - - - - - - - - - - - -",
}


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def absent(text: str) -> bool:
    return text.strip().lower() in ("", "null", "\\n")


def by_plain_python(folder: pathlib.Path, year: int) -> list[dict[str, Any]]:
    """The two rules without Spark: a race's winner is its result in position 1, the lap is the winner's."""
    won = {row["raceId"]: row for row in reversed(rows(folder / "results.csv")) if row["position"] == "1"}
    races = sorted(
        (race for race in rows(folder / "races.csv") if race["year"] == str(year)), key=lambda race: int(race["round"])
    )
    found = []
    for race in races:
        winner = won.get(race["raceId"])
        clock = "00:00:00" if absent(race["time"]) else race["time"]
        lap = winner["fastestLapTime"] if winner else ""
        found.append(
            {
                "Race Name": race["name"],
                "Race Round": int(race["round"]),
                "Race Datetime": f"{race['date']}T{clock}.000",
                "Race Winning driverId": int(winner["driverId"]) if winner else None,
                "Race Fastest Lap": None if absent(lap) else lap,
            }
        )
    return found


def test_every_race_of_the_seven_real_years_comes_out_once(
    real_data: pathlib.Path, run_job: Call, tmp_path: pathlib.Path
) -> None:
    folder, out = real_data / "race_stats", tmp_path / "out"
    done = run_job(
        "race_stats", "--races", folder / "races.csv", "--results", folder / "results.csv", "--destination", out
    )
    assert (done.exit_code, done.report["inputs"]["races"]["used"], done.report["inputs"]["results"]["used"]) == (
        0,
        149,
        2739,
    )
    assert sorted(path.name for path in out.glob("stats_*")) == [f"stats_{year}.json" for year in WINNERS]
    for year, winners in WINNERS.items():
        statistics = json.loads(done.read(f"stats_{year}.json"))
        assert statistics == by_plain_python(folder, year)
        assert [str(row["Race Winning driverId"] or "-") for row in statistics] == winners.split()
        # All laps took 1 minute and the seconds above, but for one under a minute.
        laps = ["-" if lap == "-" else f"{'00' if lap == '56.8' else '01'}:{lap}" for lap in LAPS[year].split()]
        assert [row["Race Fastest Lap"] or "-" for row in statistics] == laps
        assert done.read(f"stats_{year}.json") == json.dumps(statistics, indent=2, ensure_ascii=False) + "\n"
    assert sum(entry["rows"] for entry in done.report["outputs"].values()) == 149
    first = json.loads(done.read("stats_2018.json"))
    assert first[5]["Race Datetime"] == "2018-05-27T00:00:00.000"
    assert json.loads(done.read("stats_2024.json"))[11] == {
        "Race Name": "British Grand Prix",
        "Race Round": 12,
        "Race Datetime": "2024-07-07T14:00:00.000",
        "Race Winning driverId": 1,
        "Race Fastest Lap": "01:29.4",
    }


def test_the_sample_names_the_shared_win_and_accounts_for_every_row(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    done = call_job("race_stats", *sample_args("race_stats"), "--destination", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (0, done.stderr)
    assert done.read("stats_1957.json") == (
        "[\n  {\n"
        '    "Race Name": "Old Timers Grand Prix",\n'
        '    "Race Round": 1,\n'
        '    "Race Datetime": "1957-07-20T00:00:00.000",\n'
        '    "Race Winning driverId": 7,\n'
        '    "Race Fastest Lap": "2:00.6"\n'
        "  }\n]\n"
    )
    names = ["Race Name", "Race Round", "Race Datetime", "Race Winning driverId", "Race Fastest Lap"]
    assert [list(row) for row in json.loads(done.read("stats_2023.json"))] == [names] * 3
    assert [list(row.values()) for row in json.loads(done.read("stats_2023.json"))] == [
        ["Harbour Grand Prix", 1, "2023-03-05T15:00:00.000", 11, "1:33.996"],
        ["Grand Prix of the Three Lakes, North", 2, "2023-03-19T00:00:00.000", 12, None],
        ["São Miguel Grand Prix", 3, "2023-04-02T05:00:00.000", 13, "1:20.342"],
    ]
    assert [list(row.values()) for row in json.loads(done.read("stats_2024.json"))] == [
        ["Harbour Grand Prix", 1, "2024-03-02T15:00:00.000", 11, "1:32.608"],
        ["Desert Grand Prix", 2, "2024-03-09T00:00:00.000", 13, "1:32.773"],
        ["Hill Climb Grand Prix", 3, "2024-07-07T14:00:00.000", None, None],
    ]
    assert done.report["notes"] == ["Old Timers Grand Prix, 1957 round 1: 2 winners, published is driverId 7"]
    assert done.report["inputs"] == {
        "races": {"read": 8, "used": 7, "excluded": {"duplicate": 1}, "rejected": {}},
        "results": {"read": 14, "used": 13, "excluded": {"unknown_race": 1}, "rejected": {}},
    }


@pytest.fixture
def inputs(tmp_path: pathlib.Path) -> list[str]:
    (tmp_path / "races.csv").write_text(
        "raceId,year,round,name,date,time\n1,2021,1,One,2021-03-01,10:00:00\n2,2022,1,Two,2022-03-01,\n3,2023,1,Three,2023-03-01,\n"
    )
    (tmp_path / "results.csv").write_text(
        "resultId,raceId,driverId,position,fastestLapTime\n1,1,5,1,1:20.0\n2,2,6,1,1:21.0\n"
    )
    return ["--races", str(tmp_path / "races.csv"), "--results", str(tmp_path / "results.csv")]


def test_only_the_years_asked_for_are_touched(inputs: list[str], call_job: Call, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for year in (2021, 2022, 2023):
        (out / f"stats_{year}.json").write_text("as it was")
    done = call_job("race_stats", *inputs, "--destination", out, "--from-year", 2022, "--to-year", 2022)
    assert done.exit_code == 0
    assert (done.read("stats_2021.json"), done.read("stats_2023.json")) == ("as it was", "as it was")
    assert [row["Race Winning driverId"] for row in json.loads(done.read("stats_2022.json"))] == [6]
    assert done.report["inputs"]["races"] == {"read": 3, "used": 1, "excluded": {"other_year": 2}, "rejected": {}}
    assert done.report["inputs"]["results"] == {"read": 2, "used": 1, "excluded": {"other_year": 1}, "rejected": {}}


def test_renamed_columns_are_refused_with_the_missing_and_the_present_ones(
    inputs: list[str], call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "results.csv").write_text("resultId,raceId,driver,pos,fastestLapTime\n1,1,5,1,1:20.0\n")
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert (
        "results.csv, line 1: missing column driverId, position; have resultId, raceId, driver, pos, fastestLapTime"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("stats_*"))


@pytest.mark.parametrize(
    ("years", "message"),
    [
        (["--from-year", 2023, "--to-year", 2022], "--from-year 2023 is after --to-year 2022"),
        (["--from-year", 2030], "input races: no usable record (3 read, 3 excluded (other_year 3), 0 rejected)"),
        (["--from-year", "soon"], "--from-year: invalid int value: 'soon'"),
    ],
)
def test_years_that_make_no_sense_are_refused(
    inputs: list[str], years: list[object], message: str, call_job: Call, tmp_path: pathlib.Path
) -> None:
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out", *years)
    assert (done.exit_code, done.stderr) == (2, done.stderr)
    assert message in done.stderr


def test_rejected_rows_are_kept_with_their_reason(inputs: list[str], call_job: Call, tmp_path: pathlib.Path) -> None:
    with (tmp_path / "results.csv").open("a") as file:
        file.write("3,3,7,first,1:22.0\n4,,7,1,1:22.0\n")
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out", "--max-rejected", "2", "--run-id", "r1")
    assert done.exit_code == 0
    kept = [json.loads(line) for line in done.read("_runs/r1/quarantine/results.jsonl").splitlines()]
    assert [(row["position"], row["reason"], row["detail"], row["raw"]) for row in kept] == [
        (4, "wrong_type", 'column position: ["first"] is not integer', "3,3,7,first,1:22.0"),
        (5, "missing_value", "column raceId is empty", "4,,7,1,1:22.0"),
    ]
    assert json.loads(done.read("stats_2023.json"))[0]["Race Winning driverId"] is None
