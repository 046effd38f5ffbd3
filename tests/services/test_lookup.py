"""The car park lookup: questions on the command line, and a conversation on a real terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import pty
import resource
import select
import subprocess
import sys
import termios

import pytest

from services.lookup import main
from tests.support.paths import ROOT, SRC

PARKS = """\
car_park_no,address,x_coord,y_coord,car_park_type,type_of_parking_system,short_term_parking,free_parking,night_parking,car_park_decks,gantry_height,car_park_basement,total_lots,available_lots,lot_types,updated_at,stale
A10,"BLK 101, ANG MO KIO AVENUE 3",1.5,2.5,SURFACE CAR PARK,ELECTRONIC PARKING,WHOLE DAY,NO,YES,0,1.80,N,91,22,C Y,2021-05-23T17:23:34+08:00,false
A11,BLK 5 ANG MO KIO STREET 61,1.5,2.5,BASEMENT CAR PARK,COUPON PARKING,NO,NO,NO,0,0.00,N,NA,NA,NA,NA,NA
HE12,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,1,50,H,2016-02-15T21:52:35+08:00,true
"""
LOTS = """\
car_park_no,lot_type,total_lots,available_lots,updated_at,age_seconds,stale,impossible
A10,C,81,20,2021-05-23T17:23:34+08:00,1012,false,false
A10,Y,10,2,2021-05-23T17:23:34+08:00,1012,false,false
HE12,H,1,50,2016-02-15T21:52:35+08:00,166131471,true,true
"""


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "carparks.csv").write_text(PARKS)
    (tmp_path / "carpark_lots.csv").write_text(LOTS)
    monkeypatch.setenv("COLUMNS", "120")
    return str(tmp_path)


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


def test_json_holds_every_column_and_the_lots_with_numbers_as_numbers(data: str, capsys: pytest.CaptureFixture[str]) -> None:
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
        (["--json"], "lookup: --json needs --number or --address. See python -m services.lookup --help"),
        (["--number", "A1", "--address", "ang"], "lookup: argument --address: not allowed with argument --number. See python -m services.lookup --help"),
        (["--numb", "A1"], "lookup: unrecognized arguments: --numb A1. See python -m services.lookup --help"),
    ],
)
def test_wrong_usage_is_exit_code_2(data: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data, *arguments]) == 2
    assert capsys.readouterr().err == message + "\n"


def test_data_that_is_not_there_or_not_the_jobs_is_exit_code_2(
    data: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = str(tmp_path / "away")
    assert main(["--data", away, "--number", "A10"]) == 2
    assert capsys.readouterr().err == f"lookup: no carparks.csv in {away}: run the carparks job with --destination {away} first\n"
    (tmp_path / "carparks.csv").write_text("car_park_no,adress\nA,B\n")
    assert main(["--data", data, "--number", "A10"]) == 2
    missing = "missing column address, total_lots, available_lots, updated_at, stale; have car_park_no, adress"
    assert capsys.readouterr().err == f"lookup: {data}/carparks.csv: {missing}\n"


def test_a_folder_of_parts_is_read_like_one_file(data: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = PARKS.splitlines(keepends=True)
    (tmp_path / "carparks.csv").unlink()
    (tmp_path / "carparks.csv").mkdir()
    for index, row in enumerate(rows):
        (tmp_path / "carparks.csv" / f"part-{index:05d}.csv").write_text(header + row)
    assert main(["--data", data, "--address", "ang mo kio", "--json"]) == 0
    assert [park["car_park_no"] for park in json.loads(capsys.readouterr().out)["car_parks"]] == ["A10", "A11"]


CONTROL = {"\x03": "interrupt", "\x04": "end of input"}


def terminal(data: str, *typed: str) -> str:
    """What a person sees who types these lines (or, for a control character, that key) on a terminal."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(SRC), "COLUMNS": "100", "TERM": "dumb"}
    command = [sys.executable, "-m", "services.lookup", "--data", data]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # its own terminal, so that Ctrl-C reaches it
    )  # fmt: skip
    os.close(follower)
    seen = ""
    for line in typed:
        seen = _until(leader, seen, seen.count("or quit: ") + 1)
        os.write(leader, line.encode() + (b"" if line in CONTROL else b"\n"))
    seen = _until(leader, seen, None)
    os.close(leader)
    assert process.wait(timeout=20) == 0
    return seen.replace("\r\n", "\n")


def _until(leader: int, seen: str, prompts: int | None) -> str:
    while prompts is None or seen.count("or quit: ") < prompts:
        assert select.select([leader], [], [], 20)[0], f"nothing more came after {seen!r}"
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the program has ended and closed the terminal
            return seen
        seen += chunk.decode()
    return seen


def test_a_conversation(data: str) -> None:
    seen = terminal(data, "", " he12", "kio mo", "a1", "angg mo", "QUIT")
    assert [line.strip() for line in seen.splitlines() if line.strip()] == [
        "3 car parks.",
        "Number, part of an address, or quit:",
        "Number, part of an address, or quit:  he12",
        "HE12 (no information)",
        "Free lots  50 of 1 (odd readings included)",
        "Lots                 Free   Total   Updated (+08:00)",
        "───────────────────────────────────────────────────────────────────────────",
        "H (heavy vehicles)     50       1   2016-02-15 21:52:35   stale, impossible",
        "Number, part of an address, or quit: kio mo",
        "Number   Address                        Type                 Free lots",
        "─────────────────────────────────────────────────────────────────────────",
        "A10      BLK 101, ANG MO KIO AVENUE 3   SURFACE CAR PARK      22 of 91",
        "A11      BLK 5 ANG MO KIO STREET 61     BASEMENT CAR PARK   no reading",
        "2 car parks.",
        "Number, part of an address, or quit: a1",
        "No car park 'a1'. An address takes 3 characters or more, got 'a1'.",
        "numbers like it: A11, A10",
        "Number, part of an address, or quit: angg mo",
        "No car park number and no address with 'angg mo'.",
        "addresses with: ang mo",
        "Number, part of an address, or quit: QUIT",
    ]


@pytest.mark.parametrize("key", CONTROL, ids=CONTROL.values())
def test_a_conversation_ends_without_a_trace(data: str, key: str) -> None:
    assert "Traceback" not in terminal(data, "A10", key)


def test_it_starts_in_under_a_second_on_a_full_list(data: str, tmp_path: pathlib.Path) -> None:
    header, row, *_ = PARKS.splitlines(keepends=True)
    with (tmp_path / "carparks.csv").open("w") as file:
        file.write(header)
        file.writelines(row.replace("A10", f"N{number}", 1) for number in range(2500))
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-m", "services.lookup", "--data", data, "--number", "n2499"]
    # Processor time, which a busy machine does not stretch.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "N2499 BLK 101, ANG MO KIO AVENUE 3" in done.stdout
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 1.0


def test_the_prompt_starts_without_the_aws_and_spark_libraries(data: str) -> None:
    program = (
        "import sys, services.lookup as l; l.main(['--data', sys.argv[1], '--number', 'A10']);"
        " print(sorted({'boto3', 'botocore', 'pyspark', 'pyarrow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, data]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
