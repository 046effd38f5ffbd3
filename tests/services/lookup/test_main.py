"""The car park lookup: one question on the command line."""

from __future__ import annotations

import json
import pathlib
import resource
import subprocess
import sys

import pytest

from services.lookup.main import main
from tests.services.lookup.sample_data import PARKS, write
from tests.support.servers import moto_server


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "120")
    return write(tmp_path)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on the terminal, without blank lines and blanks at their ends."""
    return [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_a_number_gives_the_car_park_in_full(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data, "--number", " a10 "]) == 0
    assert printed(capsys) == [
        "A10 BLK 101, ANG MO KIO AVENUE 3",
        "Type                SURFACE CAR PARK",
        "Parking system      ELECTRONIC PARKING",
        "Short-term parking  WHOLE DAY",
        "Free parking        NO",
        "Night parking       YES",
        "Decks               0",
        "Gantry height (m)   1.80",
        "Basement            N",
        "X (SVY21)           1.5",
        "Y (SVY21)           2.5",
        "Free lots           22 of 91",
        " Lots              Free   Total   Updated (+08:00)",
        " ───────────────────────────────────────────────────────",
        " C (cars)            20      81   2021-05-23 17:23:34",
        " Y (motorcycles)      2      10   2021-05-23 17:23:34",
    ]


def test_what_is_odd_about_a_reading_is_said(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data, "--number", "HE12"]) == 0
    assert printed(capsys) == [
        "HE12 (no information)",
        "Free lots  50 of 1 (odd readings included)",
        " Lots                 Free   Total   Updated (+08:00)",
        " ───────────────────────────────────────────────────────────────────────────",
        " H (heavy vehicles)     50       1   2016-02-15 21:52:35   stale, impossible",
    ]


def test_part_of_an_address_gives_a_table(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data, "--address", "kio ANG"]) == 0
    assert printed(capsys) == [
        " Number   Address                        Type                 Free lots",
        " ─────────────────────────────────────────────────────────────────────────",
        " A10      BLK 101, ANG MO KIO AVENUE 3   SURFACE CAR PARK      22 of 91",
        " A11      BLK 5 ANG MO KIO STREET 61     BASEMENT CAR PARK   no reading",
        "2 car parks.",
    ]


def test_json_holds_every_column_and_the_lots_with_numbers_as_numbers(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", data, "--number", "he12", "--json"]) == 0
    information = (
        "address x_coord y_coord car_park_type type_of_parking_system short_term_parking free_parking night_parking"
        " car_park_decks gantry_height car_park_basement"
    )
    assert json.loads(capsys.readouterr().out) == {
        "car_parks": [
            {
                "car_park_no": "HE12",
                **dict.fromkeys(information.split()),
                "total_lots": 1,
                "available_lots": 50,
                "lot_types": "H",
                "updated_at": "2016-02-15T21:52:35+08:00",
                "stale": True,
                "lots": [
                    {
                        "car_park_no": "HE12",
                        "lot_type": "H",
                        "total_lots": 1,
                        "available_lots": 50,
                        "updated_at": "2016-02-15T21:52:35+08:00",
                        "age_seconds": 166131471,
                        "stale": True,
                        "impossible": True,
                    }
                ],
            }
        ],
        "suggestions": {"numbers": [], "addresses": []},
    }


def test_nothing_found_is_exit_code_1_with_suggestions(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data, "--number", "A12", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "car_parks": [],
        "suggestions": {"numbers": ["A11", "A10"], "addresses": []},
        "message": "No car park 'A12'.",
    }
    assert main(["--data", data, "--address", "angg mo kio"]) == 1
    assert capsys.readouterr().out == "No address with 'angg mo kio'.\n  addresses with: ang mo kio\n\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--address", "an"], "lookup: --address: 'an' is too short, 3 characters or more are needed"),
        (["--json"], "lookup: --json needs --number or --address. See partner-jobs lookup --help"),
        (
            ["--number", "A1", "--address", "ang"],
            "lookup: argument --address: not allowed with argument --number. See partner-jobs lookup --help",
        ),
        (["--numb", "A1"], "lookup: unrecognized arguments: --numb A1. See partner-jobs lookup --help"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    data: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", data, *arguments]) == 2
    assert capsys.readouterr().err == message + "\n"


def test_data_that_is_not_there_or_not_the_jobs_is_exit_code_2(
    data: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = str(tmp_path / "away")
    assert main(["--data", away, "--number", "A10"]) == 2
    assert (
        capsys.readouterr().err
        == f"lookup: no carparks.csv in {away}: run the carparks job with --destination {away} first\n"
    )
    (tmp_path / "carparks.csv").write_text("car_park_no,adress\nA,B\n")
    assert main(["--data", data, "--number", "A10"]) == 2
    missing = "missing column address, total_lots, available_lots, updated_at, stale; have car_park_no, adress"
    assert capsys.readouterr().err == f"lookup: {data}/carparks.csv: {missing}\n"


def test_a_folder_of_parts_is_read_like_one_file(
    data: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *rows = PARKS.splitlines(keepends=True)
    (tmp_path / "carparks.csv").unlink()
    (tmp_path / "carparks.csv").mkdir()
    for index, row in enumerate(rows):
        (tmp_path / "carparks.csv" / f"part-{index:05d}.csv").write_text(header + row)
    assert main(["--data", data, "--address", "ang mo kio", "--json"]) == 0
    assert [park["car_park_no"] for park in json.loads(capsys.readouterr().out)["car_parks"]] == ["A10", "A11"]


def test_the_jobs_output_on_s3_is_read_as_well(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_server() as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        client = endpoint.client("s3")
        client.create_bucket(Bucket="out", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        write(tmp_path)
        client.upload_file(str(tmp_path / "carparks.csv"), "out", "day/carparks.csv/part-00000.csv")
        client.upload_file(str(tmp_path / "carpark_lots.csv"), "out", "day/carpark_lots.csv")
        assert main(["--data", "s3://out/day", "--number", "a10", "--json"]) == 0
        (park,) = json.loads(capsys.readouterr().out)["car_parks"]
        assert (park["available_lots"], [lot["available_lots"] for lot in park["lots"]]) == (22, [20, 2])
        assert main(["--data", "s3://out/night", "--number", "a10"]) == 2
        assert "no carparks.csv in s3://out/night" in capsys.readouterr().err


def test_it_starts_in_under_a_second_on_a_full_list(data: str, tmp_path: pathlib.Path) -> None:
    header, row, *_ = PARKS.splitlines(keepends=True)
    with (tmp_path / "carparks.csv").open("w") as file:
        file.write(header)
        file.writelines(row.replace("A10", f"N{number}", 1) for number in range(2500))
    command = [sys.executable, "-m", "services.lookup", "--data", data, "--number", "n2499"]
    # Processor time, which a busy machine does not stretch.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "N2499 BLK 101, ANG MO KIO AVENUE 3" in done.stdout
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 1.0


def test_the_prompt_starts_without_the_aws_and_spark_libraries(data: str) -> None:
    program = (
        "import sys, services.lookup.main as l; l.main(['--data', sys.argv[1], '--number', 'A10']);"
        " print(sorted({'boto3', 'botocore', 'pyspark', 'pyarrow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, data]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
