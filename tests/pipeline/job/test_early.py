"""What is wrong with inputs is known before an engine starts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline import engines
from pipeline.job.early import check_inputs
from pipeline.job.options import JobOptions, JsonInput, json_input, parse
from pipeline.readers.csv import headers
from pipeline.readers.splits import FileSplit
from tests.support.jobs import JobResult
from tests.support.paths import SAMPLES

RACES = "raceId,year,round,name,date,time\n1,2020,1,A,2020-01-01,10:00:00\n"
RESULTS = "resultId,raceId,driverId,position,fastestLapTime\n1,1,1,1,1:20.0\n"


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> engines.Engine:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(engines, "start", start)


@pytest.mark.parametrize(
    ("races", "results", "message"),
    [
        (RACES, RESULTS.replace("position", "positon"), "{results}, line 1: missing column position; have resultId, "),
        (RACES, "", "{results}: empty, there is not even a header line"),
        (RACES, None, "{results}: no such file or folder; "),
        ("", "a,b\n", "{races}: empty, there is not even a header line; {results}, line 1: missing column resultId, "),
    ],
)
def test_wrong_inputs_exit_2_in_one_message_before_an_engine_starts(
    call_job: Callable[..., JobResult],
    tmp_path: Path,
    no_engine: None,
    races: str,
    results: str | None,
    message: str,
) -> None:
    paths = {name: tmp_path / f"{name}.csv" for name in ("races", "results")}
    for path, text in zip(paths.values(), (races, results), strict=True):
        if text is not None:
            path.write_text(text)
    inputs = [word for name, path in paths.items() for word in (f"--{name}", path)]
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out", "--quiet")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("race_stats: " + message.format(**paths)), done.stderr


@pytest.mark.parametrize(("content", "is_zipped"), [("", False), (" \n\n", False), ("", True)])
def test_json_without_any_text_exits_2_before_an_engine_starts(
    call_job: Callable[..., JobResult], tmp_path: Path, no_engine: None, content: str, is_zipped: bool
) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(gzip.compress(content.encode()) if is_zipped else content.encode())
    done = call_job("explode_json", "--source", path, "--destination", tmp_path / "out", "--quiet")
    assert (done.exit_code, done.stderr) == (2, f"explode_json: {path}: empty, there is no record\n")


def test_a_json_input_that_may_be_empty_is_not_refused(tmp_path: Path) -> None:
    @dataclass
    class Options(JobOptions):
        """Events."""

        events: JsonInput = json_input("events", may_be_empty=True)

    (tmp_path / "none.json").write_text("\n")
    assert check_inputs(parse("events", Options, ["--events", str(tmp_path / "none.json"), "--dry-run"])) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["Code", "Name"], [1, "India"]], "codes.xlsx, line 1: missing column Country Code, Country; have Code, Name"),
        ([], "codes.xlsx: the first sheet is empty"),
        (None, "codes.xlsx: not an .xlsx workbook (File is not a zip file)"),
    ],
)
def test_a_sheet_is_checked_before_an_engine_starts(
    call_job: Callable[..., JobResult], tmp_path: Path, no_engine: None, rows: list[list[object]] | None,
    message: str,
) -> None:  # fmt: skip
    path = tmp_path / "codes.xlsx"
    if rows is None:
        path.write_text("Code,Name\n")
    else:
        book = Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)
    pages = ("--restaurants", SAMPLES / "restaurants" / "pages.json")
    done = call_job("restaurants", *pages, "--country-codes", path, "--destination", tmp_path / "out", "--quiet")
    assert (done.exit_code, done.stderr) == (2, f"restaurants: {tmp_path}/{message}\n")


def test_options_are_checked_against_the_header_of_a_sheet_before_an_engine_starts(
    call_job: Callable[..., JobResult], tmp_path: Path, no_engine: None
) -> None:
    book = Workbook()
    book.worksheets[0].append(["id", "name size"])
    book.save(tmp_path / "in.xlsx")
    given = ("--source", tmp_path / "in.xlsx", "--types", "siez=int", "--destination", tmp_path / "out", "--quiet")
    done = call_job("split_columns", *given)
    assert (done.exit_code, done.stderr) == (
        2,
        "split_columns: --types: missing column siez; have id, name, size; near: size\n",
    )


def test_the_header_of_each_file_is_looked_at_once_for_options_checks_and_reader(
    call_job: Callable[..., JobResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    real = headers.stored_head

    def stored_head(piece: FileSplit, length: int) -> bytes:
        looked_at.append(Path(piece.path).name)
        return real(piece, length)

    monkeypatch.setattr(headers, "stored_head", stored_head)
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("id,name size\n1,pen 2\n")
    done = call_job("split_columns", "--source", tmp_path / "*.csv", "--destination", tmp_path / "out", "--quiet")
    assert (done.exit_code, sorted(looked_at)) == (0, ["a.csv", "b.csv"]), done.stderr
