"""A destination in the folder of the input: nothing that is read is replaced, and nothing that was written is read."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from tests.support.jobs import JobResult

Call = Callable[..., JobResult]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with two records in one file."""
    (tmp_path / "a.json").write_text('{"n": 1}\n{"n": 2}\n')
    return tmp_path


@pytest.mark.parametrize(
    ("source", "destination", "named"),
    [
        ("", "out", "out/report.html"),
        ("", "", "report.html"),
        ("*.json*", "", "report.json"),
        ("**/*.jsonl", "out", "out/root.jsonl"),
    ],
)
def test_what_a_run_has_written_is_no_input_of_the_next(
    call_job: Call, folder: pathlib.Path, source: str, destination: str, named: str
) -> None:
    options = ["--source", folder / source, "--destination", folder / destination, "--format", "jsonl"]
    if source == "**/*.jsonl":
        (folder / "a.json").rename(folder / "a.jsonl")
    assert call_job("explode_json", *options).exit_code == 0
    before = (folder / destination / "root.jsonl").read_text()
    report = (folder / destination / "report.json").read_bytes()
    again = call_job("explode_json", *options, "--max-rejected", "100%")
    assert again.exit_code == 2
    assert f"--source: {folder / named}" in again.output
    assert "is where runs write to" in again.output
    assert (folder / destination / "root.jsonl").read_text() == before
    # Where no report would be replaced, there is one of the refused run.
    assert ((folder / destination / "report.json").read_bytes() != report) is (source == "**/*.jsonl")


def test_an_input_that_is_named_is_read_from_the_destination(call_job: Call, folder: pathlib.Path) -> None:
    options = ["--destination", folder, "--format", "jsonl"]
    assert call_job("explode_json", "--source", folder / "a.json", *options).exit_code == 0
    assert call_job("explode_json", "--source", folder / "a.json", *options).exit_code == 0
    # An output of a run before, under another name this time.
    chained = call_job("explode_json", "--source", folder / "root.jsonl", "--root", "next", *options)
    assert chained.exit_code == 0, chained.output
    assert len((folder / "next.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("destination", ["a.json", "a.json/out"])
def test_a_destination_that_is_a_file_or_below_one_is_named(
    call_job: Call, folder: pathlib.Path, destination: str
) -> None:
    done = call_job("explode_json", "--source", folder / "a.json", "--destination", folder / destination)
    assert done.exit_code == 2
    assert f"explode_json: {folder / destination}: cannot be used as a destination: Not a directory" in done.output
    assert (folder / "a.json").read_text() == '{"n": 1}\n{"n": 2}\n'


def test_an_input_is_not_replaced_by_an_output(call_job: Call, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("id,a b\n1,x y\n2,no\n")
    done = call_job("split_columns", "--source", source, "--destination", tmp_path, "--max-rejected", "1")
    assert done.exit_code == 2
    assert f"--source: {source} would be replaced by an output; take another destination" in done.output
    assert source.read_text() == "id,a b\n1,x y\n2,no\n"


def test_an_input_is_not_replaced_by_the_report(call_job: Call, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "report.json"
    source.write_text('{"n": 1}\n')
    done = call_job("explode_json", "--source", source, "--destination", tmp_path)
    assert done.exit_code == 2
    assert source.read_text() == '{"n": 1}\n'


def test_a_part_in_a_folder_of_parts_is_not_replaced(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    source = tmp_path / "rows.csv" / "part-00000.csv"
    source.write_text("id,a b\n1,x y\n")
    done = call_job("split_columns", "--source", source, "--destination", tmp_path, "--files", "parts")
    assert done.exit_code == 2
    assert source.read_text() == "id,a b\n1,x y\n"


def test_a_destination_that_is_reached_by_a_link_is_known(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    source = tmp_path / "link" / "rows.csv"
    source.write_text("id,a b\n1,x y\n")
    done = call_job("split_columns", "--source", source, "--destination", tmp_path / "real")
    assert done.exit_code == 2
    assert source.read_text() == "id,a b\n1,x y\n"


def test_what_an_unfinished_run_left_is_not_read_with_new_only(call_job: Call, folder: pathlib.Path) -> None:
    left = folder / "out" / "run=r1" / "root.jsonl"
    left.parent.mkdir(parents=True)
    left.write_text('{"n": 1}\n')
    done = call_job("explode_json", "--source", folder, "--destination", folder / "out", "--new-only")
    assert (done.exit_code, f"--source: {left} is where runs write to" in done.output) == (2, True)
