"""The car park job by its command line: the real files against a plain calculation, the sample, odd inputs."""

from __future__ import annotations

import csv
import datetime
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.jobs import JobResult

Call = Callable[..., JobResult]

LOT_COLUMNS = [
    "car_park_no",
    "lot_type",
    "total_lots",
    "available_lots",
    "updated_at",
    "age_seconds",
    "stale",
    "impossible",
]
SUM_COLUMNS = ["total_lots", "available_lots", "lot_types", "updated_at", "stale"]


def expected_lots(answer: dict[str, Any]) -> list[list[str]]:
    """carpark_lots.csv of one real answer without Spark; no (number, lot type) is repeated there."""
    (item,) = answer["items"]
    now = datetime.datetime.fromisoformat(item["timestamp"])
    found = []
    for park in item["carpark_data"]:
        updated = park["update_datetime"] + "+08:00"
        age = int((now - datetime.datetime.fromisoformat(updated)).total_seconds())
        for lot in park["carpark_info"]:
            total, free = int(lot["total_lots"]), int(lot["lots_available"])
            flags = [str(age > 86400).lower(), str(free > total).lower()]
            found.append([park["carpark_number"], lot["lot_type"], str(total), str(free), updated, str(age), *flags])
    return sorted(found)


def expected_parks(information: list[list[str]], lots: list[list[str]]) -> list[list[str]]:
    """carparks.csv without Spark: the information, then the sums of a number's lots, NA where a side is missing."""
    known = {row[0]: [cell or "NA" for cell in row] for row in information}
    found = []
    for number in sorted({*known, *(lot[0] for lot in lots)}, key=str.encode):
        own = [lot for lot in lots if lot[0] == number]
        sums = [str(sum(int(lot[i]) for lot in own)) for i in (2, 3)]
        newest = max((lot[4] for lot in own), default="")
        stale = str(all(lot[6] == "true" for lot in own)).lower()
        read = [*sums, " ".join(sorted(lot[1] for lot in own)), newest, stale] if own else ["NA"] * 5
        found.append([*known.get(number, [number, *["NA"] * 11]), *read])
    return found


def table(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True)))


def test_the_real_files_give_the_rows_and_sums_of_a_plain_calculation(
    real_data: pathlib.Path, run_job: Call, tmp_path: pathlib.Path
) -> None:
    folder = real_data / "carparks"
    inputs = [
        "--information",
        folder / "HDBCarparkInformation.csv",
        "--availability",
        folder / "carpark-availability.json",
    ]
    done = run_job("carparks", *inputs, "--destination", tmp_path / "out")
    assert (done.exit_code, done.report["status"]) == (0, "succeeded")
    with (folder / "HDBCarparkInformation.csv").open(newline="") as file:
        header, *information = list(csv.reader(file))
    lots = expected_lots(json.loads((folder / "carpark-availability.json").read_text()))
    assert table(done.read("carpark_lots.csv")) == [LOT_COLUMNS, *lots]
    assert table(done.read("carparks.csv")) == [[*header, *SUM_COLUMNS], *expected_parks(information, lots)]
    assert done.report["figures"] == {
        "car parks on both sides": 1874,
        "car parks with information only": 326,
        "car parks with availability only": 62,
        "stale lot types": 256,
        "impossible lot types": 10,
        "total lots": 730_343,
        "available lots": 373_702,
    }
    assert sum(int(lot[2]) for lot in lots) == 730_343
    assert sum(int(lot[3]) for lot in lots) == 373_702
    assert done.report["inputs"] == {
        "information": {"read": 2200, "used": 2200, "excluded": {}, "rejected": {}},
        "availability": {"read": 1, "used": 1, "excluded": {}, "rejected": {}},
        "availability.reading": {"read": 2356, "used": 2356, "excluded": {}, "rejected": {}},
    }


def test_the_sample_of_two_answers(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    done = call_job("carparks", *sample_args("carparks"), "--destination", tmp_path / "out", "--run-id", "r1")
    assert (done.exit_code, done.stderr) == (0, done.stderr)
    assert done.read("carpark_lots.csv").splitlines() == [
        "car_park_no,lot_type,total_lots,available_lots,updated_at,age_seconds,stale,impossible",
        "ALL,C,548,548,2016-02-10T20:02:17+08:00,259679263,true,false",
        "K8,C,85,3,2024-05-04T08:59:30+08:00,630,false,false",
        "T1,C,60,38,2024-05-04T09:08:10+08:00,110,false,false",
        "T2,C,310,118,2024-05-04T09:07:02+08:00,178,false,false",
        "T2,H,1,5,2024-05-04T09:07:02+08:00,178,false,true",
        "T2,L,20,20,2019-11-02T23:15:00+08:00,142077300,true,false",
        "T2,Y,40,12,2024-05-04T09:07:02+08:00,178,false,false",
        "T3M,C,181,77,2016-02-19T11:19:28+08:00,258933032,true,false",
        "Z99,C,15,0,2024-05-04T09:05:00+08:00,300,false,false",
    ]
    na = "NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA"
    assert done.read("carparks.csv").splitlines()[1:] == [
        f"ALL,{na},548,548,C,2016-02-10T20:02:17+08:00,true",
        "K7,BLK 7 KAPOK STREET 11,28185.4,39012.6,SURFACE CAR PARK,COUPON PARKING,7AM-7PM,NO,NO,0,NA,N,NA,NA,NA,NA,NA",
        "K8,BLK 8 KAPOK STREET 11,28190.2,39020.1,BASEMENT CAR PARK,ELECTRONIC PARKING,NO,NO,YES,2,1.90,Y,"
        "85,3,C,2024-05-04T08:59:30+08:00,false",
        "T1,BLK 12 TEMBUSU LANE,30314.7,31490.4,SURFACE CAR PARK,ELECTRONIC PARKING,WHOLE DAY,"
        "SUN & PH FR 7AM-10.30PM,YES,0,4.50,N,60,38,C,2024-05-04T09:08:10+08:00,false",
        "T2,BLK 14A TEMBUSU LANE,30325.1,31501.9,MULTI-STOREY CAR PARK,ELECTRONIC PARKING,WHOLE DAY,"
        "NO,YES,7,2.15,N,371,155,C H L Y,2024-05-04T09:07:02+08:00,false",
        'T3M,"BLK 120, 122 & 124 ANGSANA AVENUE 3",29257.7,34500.3,MULTI-STOREY CAR PARK,ELECTRONIC PARKING,'
        "7AM-10.30PM,NO,NO,12,2.10,Y,181,77,C,2016-02-19T11:19:28+08:00,true",
        f"Z99,{na},15,0,C,2024-05-04T09:05:00+08:00,false",
    ]
    assert done.report["inputs"]["availability.reading"] == {
        "read": 12,
        "used": 9,
        "excluded": {"older_reading": 2},
        "rejected": {"wrong_type": 1},
    }
    (kept,) = [json.loads(line) for line in done.read("_runs/r1/quarantine/availability.reading.jsonl").splitlines()]
    assert kept["detail"] == 'reading of K8 C: lots_available: ["full"] is not a whole number from 0 on'
    assert json.loads(kept["raw"]) == {
        "car_park_no": "K8",
        "lot_type": "C",
        "total_lots": "85",
        "lots_available": "full",
        "update_datetime": "2024-05-04T09:09:30",
        "timestamp": "2024-05-04T09:10:00+08:00",
    }


@pytest.fixture
def sample(tmp_path: pathlib.Path, sample_args: Callable[[str], list[str]]) -> pathlib.Path:
    """A copy of the sample: information.csv and a folder of answers."""
    (tmp_path / "answers").mkdir()
    for name in sample_args("carparks"):
        if name.endswith(".json"):
            shutil.copy(name, tmp_path / "answers")
        elif name.endswith(".csv"):
            shutil.copy(name, tmp_path)
    return tmp_path


def job(call_job: Call, sample: pathlib.Path, *more: object) -> JobResult:
    inputs = ["--information", sample / "information.csv", "--availability", sample / "answers"]
    return call_job("carparks", *inputs, "--destination", sample / "out", "--max-rejected", "10%", *more)


def test_a_folder_of_answers_gives_the_same_as_the_files_named_one_by_one(
    sample: pathlib.Path, call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    by_folder = job(call_job, sample)
    by_name = call_job("carparks", *sample_args("carparks"), "--destination", tmp_path / "named")
    for file in ("carparks.csv", "carpark_lots.csv"):
        assert by_folder.read(file) == by_name.read(file)


@pytest.mark.parametrize(("limit", "stale"), [("5m", 4), ("299s", 5), ("9999d", 0)])
def test_what_is_stale_is_for_the_reader_to_say(sample: pathlib.Path, call_job: Call, limit: str, stale: int) -> None:
    done = job(call_job, sample, "--stale-after", limit)
    assert (done.exit_code, done.report["figures"]["stale lot types"]) == (0, stale)


@pytest.mark.parametrize("limit", ["24", "h", "-1h", "1 day", "1.5h"])
def test_a_limit_that_is_no_duration_is_refused(sample: pathlib.Path, call_job: Call, limit: str) -> None:
    done = job(call_job, sample, f"--stale-after={limit}")
    assert done.exit_code == 2
    assert f"'{limit}' is not a duration like 90s, 30m, 24h or 2d" in done.stderr


def test_a_missing_column_is_refused_with_what_is_there(sample: pathlib.Path, call_job: Call) -> None:
    text = (sample / "information.csv").read_text()
    (sample / "information.csv").write_text(text.replace("address,", "street,", 1))
    done = job(call_job, sample)
    assert done.exit_code == 2
    assert "information.csv, line 1: missing column address; have car_park_no, street, x_coord" in done.stderr


def test_an_answer_that_is_not_one_is_rejected_and_the_published_files_stay(
    sample: pathlib.Path, call_job: Call
) -> None:
    assert job(call_job, sample).exit_code == 0
    before = (sample / "out" / "carparks.csv").read_bytes()
    (sample / "answers" / "error.json").write_text('{"code": 17, "message": "Invalid date_time"}')
    (sample / "answers" / "half.json").write_text('{"items": [{"timestamp": "2024-05-04T09:10:00+08:00", "carpark_da')
    done = job(call_job, sample, "--run-id", "r2")
    assert (done.exit_code, done.report["inputs"]["availability"]["rejected"]) == (
        3,
        {"missing_value": 1, "truncated": 1},
    )
    assert (sample / "out" / "carparks.csv").read_bytes() == before


def test_no_usable_answer_is_an_input_error(sample: pathlib.Path, call_job: Call) -> None:
    for path in (sample / "answers").iterdir():
        path.write_text('{"items": [{"timestamp": "2024-05-04T09:10:00+08:00", "carpark_data": []}]}')
    done = job(call_job, sample)
    assert done.exit_code == 2
    assert "input availability" in done.stderr
    assert not (sample / "out" / "carparks.csv").exists()
