"""Records that a person mended in lines of quarantine: a run reads them in place of what the files have."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.support.jobs import JobResult, clean_environment
from tests.support.paths import ROOT, SAMPLES

Call = Callable[..., JobResult]

ITEMS = "id,item\n1,pen 2\n2,ink two\n3,cup\n4,mug 4\n"
PAGES = '[{"id": 1, "tags": ["x"]},\n {"id": oops},\n {"id": 3, "tags": []}]\n'


def quarantine(folder: pathlib.Path, name: str = "source") -> list[dict[str, object]]:
    [path] = folder.glob(f"_runs/*/quarantine/{name}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: pathlib.Path, *rows: dict[str, object]) -> pathlib.Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_mended_rows_of_a_csv_file_are_read_and_empty_ones_withdrawn(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    asked = ("--source", tmp_path / "items.csv", "--column", "item=item number", "--types", "number=int")
    first = call_job("split_columns", *asked, "--max-rejected", "2", "--destination", tmp_path / "first")
    assert first.report["inputs"]["source"]["rejected"] == {"too_few_pieces": 1, "wrong_type": 1}
    two, three = quarantine(tmp_path / "first")
    assert (two["position"], two["raw"], three["position"]) == (3, "2,ink two", 4)

    mended = write_lines(tmp_path / "mended.jsonl", two | {"raw": '2,"ink 2"\n'}, three | {"raw": ""})
    done = call_job("split_columns", *asked, "--corrections", mended, "--destination", tmp_path / "second")
    assert done.exit_code == 0, done.stderr
    assert done.report["inputs"]["source"] == {
        "corrected": 2, "read": 4, "used": 3, "excluded": {"withdrawn": 1}, "rejected": {},
    }  # fmt: skip
    assert (tmp_path / "second/rows.csv").read_text(encoding="utf-8") == "id,item,number\n1,pen,2\n2,ink,2\n4,mug,4\n"
    [excluded] = (tmp_path / "second").glob("_runs/*/excluded/source.jsonl")
    assert json.loads(excluded.read_text(encoding="utf-8"))["raw"] == "3,cup"


def test_a_mended_record_of_a_json_array_is_read(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "pages.json").write_text(PAGES, encoding="utf-8")
    asked = ("--source", tmp_path / "pages.json", "--key", "id")
    call_job("explode_json", *asked, "--max-rejected", "1", "--destination", tmp_path / "first")
    [row] = quarantine(tmp_path / "first")
    assert (row["position"], row["raw"]) == (28, '{"id": oops}')
    mended = write_lines(tmp_path / "mended.jsonl", row | {"raw": '{"id": 2, "tags": ["y", "z"]}'})
    done = call_job("explode_json", *asked, "--corrections", mended, "--destination", tmp_path / "second")
    assert done.exit_code == 0, done.stderr
    assert done.report["inputs"]["source"]["corrected"] == 1
    assert done.report["outputs"]["root__tags.csv"]["rows"] == 3


def test_a_correction_that_is_wrong_too_is_in_quarantine_with_its_own_text(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    row = {"input": "source", "file": str(tmp_path / "items.csv"), "position": 3, "raw": "2,ink three"}
    mended = write_lines(tmp_path / "mended.jsonl", row)
    asked = ("--source", tmp_path / "items.csv", "--column", "item=item number", "--types", "number=int")
    call_job("split_columns", *asked, "--corrections", mended, "--max-rejected", "2", "--destination", tmp_path / "out")
    assert [(one["position"], one["raw"]) for one in quarantine(tmp_path / "out")] == [(3, "2,ink three"), (4, "3,cup")]


def test_a_mended_item_counts_in_the_message_of_its_customer(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    asked = sample_args("customer_orders")
    call_job("customer_orders", *asked, "--destination", tmp_path / "first")
    assert '"customer_reference":"c-1003","number_of_orders":1,"total_amount_spent":249.95}' in (
        tmp_path / "first/customer_messages.jsonl"
    ).read_text(encoding="utf-8")
    [row] = [one for one in quarantine(tmp_path / "first", "items") if one["position"] == 12]
    mended = write_lines(tmp_path / "mended.jsonl", row | {"raw": "10,o-5004,Clip 1 1.5"})
    done = call_job("customer_orders", *asked, "--corrections", mended, "--destination", tmp_path / "second")
    assert done.exit_code == 0, done.stderr
    messages = (tmp_path / "second/customer_messages.jsonl").read_text(encoding="utf-8")
    assert '"customer_reference":"c-1003","number_of_orders":1,"total_amount_spent":251.45}' in messages


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"input": "source", "file": "FILE", "position": 9, "raw": "x"}', "no record begins at 9 in FILE"),
        ('{"input": "source", "file": "FILE", "position": 1, "raw": "x"}', "no record begins at 1 in FILE"),
        (
            '{"input": "source", "file": "FILE", "position": 3, "raw": "2,a 2\\n5,b 5"}',
            "raw is 2 records, expected one",
        ),
        ('{"input": "source", "file": "FILE", "position": 3, "raw": "\\n"}', "raw is 0 records"),
        ('{"input": "source", "file": "other", "position": 2, "raw": "x"}', "other is not among the files of --source"),
        ('{"input": "items", "file": "FILE", "position": 2, "raw": "x"}', "no input items, there are source"),
        ('{"input": "source.part", "file": "FILE", "position": 2, "raw": "x"}', "correct the record of source"),
        ('{"input": "source", "position": 2}', "not as quarantine writes it (input, file, position, raw)"),
    ],
)
def test_a_line_that_fits_no_record_is_exit_code_2_and_names_itself(
    call_job: Call, tmp_path: pathlib.Path, line: str, message: str
) -> None:
    source = tmp_path / "items.csv"
    source.write_text(ITEMS, encoding="utf-8")
    mended = tmp_path / "mended.jsonl"
    mended.write_text(line.replace("FILE", str(source)) + "\n", encoding="utf-8")
    asked = ("--source", source, "--column", "item=item number", "--max-rejected", "4")
    done = call_job("split_columns", *asked, "--corrections", mended, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert message.replace("FILE", str(source)) in done.output
    assert f"{mended}, line 1: " in done.output


def test_the_recording_of_a_corrected_run_is_what_the_commands_print(tmp_path: pathlib.Path) -> None:
    [shown] = re.findall(r"```console\n(.*?)```", (ROOT / "docs/records.md").read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(SAMPLES, tmp_path / "data")
    program = tmp_path / "bin" / "partner-jobs"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec python -m jobs "$@"\n')
    program.chmod(0o755)
    environment = clean_environment()
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment['PATH']}"
    said = ""
    for line in shown.splitlines():
        if line.startswith("$ "):
            done = subprocess.run(
                line[2:], shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            said += f"{line}\n{done.stdout}"
    assert said.replace(str(tmp_path), "/home/me") == shown
