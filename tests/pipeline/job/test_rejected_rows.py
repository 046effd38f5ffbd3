"""Quarantine: each row that is not used with its place and its text to the byte, and as many lines as were counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.job.context import JobContext
from pipeline.job.outputs import Outputs, csv
from pipeline.publish.outputs import SideFiles
from tests.pipeline.job.prices import BASKET, Options, make, read_prices, write
from tests.support.jobs import JobResult, call
from transforms.nested.items import explode_items
from transforms.row_errors import is_valid, reject, valid

pytestmark = pytest.mark.usefixtures("spark")


def places(path: Path) -> list[tuple[str, int, str, str]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(Path(one["file"]).name, one["position"], one["reason"], one["raw"]) for one in found]


def record_prices(job: JobContext, options: Options) -> Outputs:
    kept = job.record("prices", read_prices(job, options))
    return Outputs(csv("prices.csv", valid(kept), order=["id"]))


def call_with(run: Any, folder: Path, *arguments: object) -> JobResult:
    common = ("--destination", folder / "out", "--run-id", "r1", "--max-rejected", "100%", "--quiet")
    return call(make(run), *arguments, *common)


def test_csv_rows_have_their_line_and_its_text_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,price\r\n1,1\r\n "x" ,  2 \r\n"3""","a,b"\r\n')
    (tmp_path / "b.csv").write_bytes("price,id\n1,2\né ü,4\n5,6,7".encode())
    done = call_with(record_prices, tmp_path, "--prices", tmp_path / "*.csv")
    assert done.exit_code == 0, done.output
    assert places(tmp_path / "out/_runs/r1/quarantine/prices.jsonl") == [
        ("a.csv", 3, "wrong_type", ' "x" ,  2 '),
        ("a.csv", 4, "wrong_type", '"3""","a,b"'),
        ("b.csv", 3, "wrong_type", "é ü,4"),
        ("b.csv", 4, "too_many_fields", "5,6,7"),
    ]


def test_a_csv_row_of_several_lines_has_its_first_line_and_all_of_its_text(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", '1,"1"', '2,"a', 'b"', "x,3")
    done = call_with(record_prices, tmp_path, "--prices", prices, "--multi-line")
    assert done.exit_code == 0, done.output
    assert places(tmp_path / "out/_runs/r1/quarantine/prices.jsonl") == [
        ("p.csv", 3, "wrong_type", '2,"a\nb"'),
        ("p.csv", 5, "wrong_type", "x,3"),
    ]


def record_baskets(job: JobContext, options: Options) -> Outputs:
    kept = job.record("baskets", job.read_json(options.baskets, BASKET))
    return Outputs(csv("baskets.csv", valid(kept).select(F.size("codes").alias("codes"))))


def test_json_records_have_their_byte_offset_and_their_text_as_it_was(tmp_path: Path) -> None:
    array = '[{"codes":["é"]},\n { "codes" : 1.50 ,"x":"\\u00e9" }  ,7]'
    (tmp_path / "a.json").write_text(array, encoding="utf-8")
    (tmp_path / "b.json").write_text('{"codes":[]}\n{"codes":{"a":  2}}\n', encoding="utf-8")
    done = call_with(record_baskets, tmp_path, "--baskets", tmp_path / "*.json")
    assert done.exit_code == 0, done.output
    assert places(tmp_path / "out/_runs/r1/quarantine/baskets.jsonl") == [
        ("a.json", 20, "wrong_type", '{ "codes" : 1.50 ,"x":"\\u00e9" }'),
        ("a.json", 55, "not_an_object", "7"),
        ("b.json", 13, "wrong_type", '{"codes":{"a":  2}}'),
    ]


def exploded(job: JobContext, options: Options) -> DataFrame:
    rows = explode_items(job.read_json(options.baskets, BASKET), F.col("codes"), item="code")
    return reject(rows, is_valid() & (F.length("code") > 1), "long_code")


def test_elements_of_an_array_have_the_place_of_their_record_and_their_own_text(tmp_path: Path) -> None:
    baskets = write(tmp_path / "b.jsonl", '{"codes": ["a"]}', '{"codes": [ "b,]" ,"c", "d\\u0064" ]}')

    def run(job: JobContext, options: Options) -> Outputs:
        parts = job.record_exploded("baskets", exploded(job, options), "code", array_path="codes")
        return Outputs(csv("codes.csv", valid(parts).select("code"), order=["code"]))

    done = call_with(run, tmp_path, "--baskets", baskets)
    assert done.exit_code == 0, done.output
    assert done.read("codes.csv") == "code\na\nc\n"
    assert places(tmp_path / "out/_runs/r1/quarantine/baskets.code.jsonl") == [
        ("b.jsonl", 17, "long_code", '"b,]"'),
        ("b.jsonl", 17, "long_code", '"d\\u0064"'),
    ]


def test_rows_that_make_their_own_text_have_that_one(tmp_path: Path) -> None:
    baskets = write(tmp_path / "b.jsonl", '{"codes": ["a"]}', '{"codes": ["bb", "c"]}')

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("baskets", job.read_json(options.baskets, BASKET))
        rows = reject(explode_items(kept, F.col("codes"), item="code"), F.length("code") > 1, "long_code")
        rows = rows.withColumn("_own", F.concat(F.lit("<"), F.col("code"), F.lit(">")))
        rows = job.record("baskets.code", rows, raw_column="_own")
        return Outputs(csv("codes.csv", valid(rows).select("code"), order=["code"]))

    done = call_with(run, tmp_path, "--baskets", baskets)
    assert done.exit_code == 0, done.output
    assert done.report["inputs"]["baskets.code"] == {
        "read": 3, "used": 2, "excluded": {}, "rejected": {"long_code": 1},
    }  # fmt: skip
    assert places(tmp_path / "out/_runs/r1/quarantine/baskets.code.jsonl") == [("b.jsonl", 17, "long_code", "<bb>")]


def test_fewer_lines_than_rows_counted_make_the_run_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all = SideFiles.write

    def lose_one(self: SideFiles, lines: DataFrame, names: Mapping[str, str], rows: int) -> dict[str, int]:
        return write_all(self, lines.where("position <> 4"), names, rows)

    monkeypatch.setattr(SideFiles, "write", lose_one)
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "x,2", "y,3", "z,4")
    done = call_with(record_prices, tmp_path, "--prices", prices)
    message = "input prices: 3 rows rejected, but 2 lines in quarantine/prices.jsonl"
    assert (done.exit_code, done.stderr) == (1, f"prices: {message}\n")
    assert (done.report["status"], done.report["message"]) == ("failed", message)
    assert not (tmp_path / "out/prices.csv").exists()


def test_a_dry_run_counts_the_lines_and_writes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "x,2", "2,0")
    counted: list[dict[str, int]] = []
    write_all = SideFiles.write

    def spy(self: SideFiles, lines: DataFrame, names: Mapping[str, str], rows: int) -> dict[str, int]:
        counted.append(write_all(self, lines, names, rows))
        return counted[-1]

    monkeypatch.setattr(SideFiles, "write", spy)
    done = call_with(record_prices, tmp_path, "--prices", prices, "--dry-run")
    assert done.exit_code == 0, done.output
    assert counted == [{"rejected prices": 1, "excluded prices": 1}]
    assert not (tmp_path / "out").exists()
