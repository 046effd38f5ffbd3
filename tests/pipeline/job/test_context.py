"""What a job's `run` is given: rows are counted where they are read and where they leave the job's checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.job.context import JobContext
from pipeline.job.outputs import Delivery, Outputs, csv
from tests.pipeline.job.prices import BASKET, PRICE, SHOP, Options, make, read_prices, write
from tests.support.jobs import JobResult, call
from transforms.nested.items import explode_items
from transforms.row_errors import is_valid, reject, valid

pytestmark = pytest.mark.usefixtures("spark")


def published(rows: DataFrame) -> Outputs:
    return Outputs(csv("prices.csv", valid(rows), order=["id"]))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def call_with(run: Any, *arguments: object) -> JobResult:
    return call(make(run), *arguments, "--run-id", "r1", "--max-rejected", "100%", "--quiet")


def test_rows_are_counted_as_used_excluded_and_rejected(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,9.50", "2,0", "x,1", ",2", "3,0.00", "y,1", "4,1")

    def run(job: JobContext, options: Options) -> Outputs:
        return published(job.record("prices", read_prices(job, options)))

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["inputs"] == {
        "prices": {
            "read": 7,
            "used": 2,
            "excluded": {"free": 2},
            "rejected": {"missing_value": 1, "wrong_type": 2},
        }
    }
    assert done.read("prices.csv") == "id,price\n1,9.50\n4,1.00\n"


def test_a_sheet_is_read_whatever_separates_the_columns_of_csv_files(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "price"], [1, 9.5]):
        book.active.append(row)
    book.save(tmp_path / "p.xlsx")

    def run(job: JobContext, options: Options) -> Outputs:
        return published(job.record("prices", read_prices(job, options)))

    done = call_with(run, "--prices", tmp_path / "p.xlsx", "--delimiter", ";", "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.read("prices.csv") == "id,price\n1,9.50\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("lose", "input prices: 3 records read, but 2 used + 0 excluded + 0 rejected = 2"),
        ("repeat", "input prices: 3 records read, but 4 used + 0 excluded + 0 rejected = 4"),
    ],
)
def test_a_check_that_loses_or_repeats_a_row_makes_the_run_fail(tmp_path: Path, change: str, message: str) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "2,2", "3,3")

    def run(job: JobContext, options: Options) -> Outputs:
        rows = read_prices(job, options)
        copies = F.when(F.col("id") == 2, 0 if change == "lose" else 2).otherwise(1)
        return published(job.record("prices", rows.withColumn("_copy", F.explode(F.array_repeat(F.lit(1), copies)))))

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr == f"prices: {message}\n"
    assert not (tmp_path / "out" / "prices.csv").exists()


@pytest.mark.parametrize("how", ["record", "record_exploded"])
def test_an_input_is_not_recorded_again(tmp_path: Path, how: str) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1")

    def run(job: JobContext, options: Options) -> Outputs:
        rows = read_prices(job, options)
        kept = job.record("prices", rows)
        if how == "record":
            job.record("prices", rows)
        else:
            job.record_exploded("prices", rows.withColumn("_index", F.lit(0)), "part", array_path="parts")
        return published(kept)

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    message = "input prices is recorded already: its quarantine is written once, after all checks"
    assert (done.exit_code, done.stderr) == (1, f"prices: {message}\n")


def test_nothing_is_recorded_after_run_has_returned(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1")

    def run(job: JobContext, options: Options) -> Outputs:
        rows = read_prices(job, options)

        def record_late(late: JobContext) -> None:
            late.record("shops", rows)

        return Outputs(Delivery("record late", record_late), *published(job.record("prices", rows)).files)

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    message = "input shops is recorded already: its quarantine is written once, after all checks"
    assert (done.exit_code, done.stderr) == (1, f"prices: {message}\n")


def test_what_is_used_elsewhere_is_compared_with_what_was_read(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "2,2", "3,0")

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("prices", read_prices(job, options))
        assert job.used("prices") == 2
        job.record_used(prices=1)
        return published(kept)

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr == "prices: input prices: 3 records read, but 1 used + 1 excluded + 0 rejected = 2\n"
    assert done.report["inputs"] == {"prices": {"read": 3, "used": 1, "excluded": {"free": 1}, "rejected": {}}}


def explode_baskets(job: JobContext, options: Options) -> DataFrame:
    """Codes of baskets; a basket without any keeps its row. Codes of more than one letter are rejected."""
    baskets = job.read_json(options.baskets, BASKET)
    baskets = reject(baskets, is_valid() & (F.coalesce(F.size("codes"), F.lit(-1)) <= 0), "no_codes")
    rows = explode_items(baskets, F.when(is_valid(), F.col("codes")), item="code", outer=True)
    return reject(rows, F.length("code") > 1, "long_code", F.col("code"))


def test_records_and_their_parts_are_counted_as_two_inputs(tmp_path: Path) -> None:
    baskets = write(
        tmp_path / "b.jsonl",
        '{"codes": ["a", "bb", "c"]}',
        '{"codes": []}',
        '{"codes": 7}',
        '{"codes": ["dd"]}',
        '{"codes": ["e"]}',
    )

    def run(job: JobContext, options: Options) -> Outputs:
        parts = job.record_exploded("baskets", explode_baskets(job, options), "code", array_path="codes")
        return Outputs(csv("codes.csv", valid(parts).select("code"), order=["code"]))

    done = call_with(run, "--baskets", baskets, "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["inputs"] == {
        "baskets": {"read": 5, "used": 3, "excluded": {}, "rejected": {"no_codes": 1, "wrong_type": 1}},
        "baskets.code": {"read": 5, "used": 3, "excluded": {}, "rejected": {"long_code": 2}},
    }
    assert done.read("codes.csv") == "code\na\nc\ne\n"
    quarantine = tmp_path / "out" / "_runs" / "r1" / "quarantine"
    assert [line["raw"] for line in lines(quarantine / "baskets.jsonl")] == ['{"codes": []}', '{"codes": 7}']
    assert [line["raw"] for line in lines(quarantine / "baskets.code.jsonl")] == ['"bb"', '"dd"']


def test_a_record_whose_parts_are_lost_makes_the_run_fail(tmp_path: Path) -> None:
    baskets = write(tmp_path / "b.jsonl", '{"codes": ["a"]}', '{"codes": ["b"]}')

    def run(job: JobContext, options: Options) -> Outputs:
        rows = explode_baskets(job, options).where("code <> 'b'")
        parts = job.record_exploded("baskets", rows, "code", array_path="codes")
        return Outputs(csv("codes.csv", valid(parts).select("code")))

    done = call_with(run, "--baskets", baskets, "--destination", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr == "prices: input baskets: 2 records read, but 1 used + 0 excluded + 0 rejected = 1\n"


def test_quarantine_is_written_once_for_all_inputs_with_exactly_the_rows_that_were_counted(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "x,2", "3,0", "y,4")
    shops = write(tmp_path / "s.csv", "name,town", "Ann's,Ely", ",Rye")

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("prices", read_prices(job, options))
        job.record("shops", job.read_csv(options.shops, SHOP))
        return published(kept)

    done = call_with(run, "--prices", prices, "--shops", shops, "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["inputs"] == {
        "prices": {"read": 4, "used": 1, "excluded": {"free": 1}, "rejected": {"wrong_type": 2}},
        "shops": {"read": 2, "used": 1, "excluded": {}, "rejected": {"missing_value": 1}},
    }
    folder = tmp_path / "out" / "_runs" / "r1"
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert written == [
        "excluded/prices.jsonl",
        "quarantine/prices.jsonl",
        "quarantine/shops.jsonl",
        "report.html",
        "report.json",
    ]

    def line(name: str, file: Path, position: int, reason: str, detail: str, raw: str) -> dict[str, Any]:
        place = {"run_id": "r1", "job": "prices", "input": name, "file": str(file), "position": position}
        return {**place, "reason": reason, "detail": detail, "raw": raw}

    assert lines(folder / "quarantine/prices.jsonl") == [
        line("prices", prices, 3, "wrong_type", 'column id: ["x"] is not integer', "x,2"),
        line("prices", prices, 5, "wrong_type", 'column id: ["y"] is not integer', "y,4"),
    ]
    assert lines(folder / "quarantine/shops.jsonl") == [
        line("shops", shops, 3, "missing_value", "column name is empty", ",Rye")
    ]
    assert lines(folder / "excluded/prices.jsonl") == [line("prices", prices, 4, "free", "the price is 0", "3,0")]


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "only read"])
def test_counts_of_every_input_add_up_when_the_next_input_lacks_a_column(tmp_path: Path, recorded: bool) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "x,2", "3,0")
    shops = write(tmp_path / "s.csv", "name,city", "Ann's,Ely")

    def run(job: JobContext, options: Options) -> Outputs:
        kept = read_prices(job, options)
        if recorded:
            kept = job.record("prices", kept)
        job.record("shops", job.read_csv(options.shops, SHOP))
        return published(kept)

    done = call_with(run, "--prices", prices, "--shops", shops, "--destination", tmp_path / "out")
    message = f"{shops}, line 1: missing column town; have name, city"
    assert (done.exit_code, done.stderr) == (2, f"prices: {message}\n")
    assert (done.report["status"], done.report["exit_code"], done.report["message"]) == ("failed", 2, message)
    nothing = {"read": 0, "used": 0, "excluded": {}, "rejected": {}}
    prices_counts = {"read": 3, "used": 1, "excluded": {"free": 1}, "rejected": {"wrong_type": 1}}
    assert done.report["inputs"] == {"prices": prices_counts if recorded else nothing, "shops": nothing}


def test_a_few_rows_are_handed_over_and_more_than_expected_are_refused(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "2,2", "3,3")
    found: list[list[int]] = []

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("prices", read_prices(job, options))
        ids = valid(kept).select("id").orderBy("id")
        found.append([row.id for row in job.few_rows(ids, 3)])
        job.few_rows(valid(kept), 2)
        return published(kept)

    done = call_with(run, "--prices", prices, "--destination", tmp_path / "out")
    assert found == [[1, 2, 3]]
    assert (done.exit_code, done.stderr) == (
        1,
        "prices: more than 2 rows where a few were expected: id, price\n",
    )


@pytest.mark.spark_only
def test_cached_rows_are_given_back_when_the_run_ends(tmp_path: Path, spark: SparkSession) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1")
    held = [kept_rdds(spark)]

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("prices", read_prices(job, options))
        job.cached(valid(kept).select("id")).count()
        held.append(kept_rdds(spark))
        raise ValueError("unexpected")

    assert call_with(run, "--prices", prices, "--destination", tmp_path / "out").exit_code == 1
    assert [len(held[1] - held[0]), kept_rdds(spark)] == [2, held[0]]


def kept_rdds(spark: SparkSession) -> set[int]:
    """The numbers of what Spark holds rows of, in memory or on disk."""
    return set(spark.sparkContext._jsc.getPersistentRDDs())


def test_first_rows_that_are_not_used_are_shown_with_their_place_and_text(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", "id,price", "1,1", "x,2", "3,0", "y,4")

    def run(job: JobContext, options: Options) -> Outputs:
        kept = job.record("prices", read_prices(job, options))
        job.show_rejected("prices", 2)
        return published(kept)

    done = call(make(run), "--prices", prices, "--destination", tmp_path / "out", "--max-rejected", "100%")
    assert done.exit_code == 0, done.output
    shown = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip(" ─")]
    assert shown[:5] == [
        "First rows that are not used",
        "place reason detail row",
        'p.csv, line 3 wrong_type column id: ["x"] is not integer x,2',
        "p.csv, line 4 free the price is 0 3,0",
        "Records",
    ]


def test_header_names_and_files_of_an_input_are_given(tmp_path: Path) -> None:
    prices = write(tmp_path / "p.csv", " price ,id", "1,1")
    found: list[Any] = []

    def run(job: JobContext, options: Options) -> Outputs:
        found.append(job.csv_header(options.prices))
        kept = job.record("prices", job.read_csv(options.prices, PRICE))
        found.append(job.files_of(options.prices))
        return published(kept)

    assert call_with(run, "--prices", prices, "--destination", tmp_path / "out").exit_code == 0
    assert found == [["price", "id"], [str(prices)]]
