"""What a job that splits packed columns is asked for, and how an input with one packed column is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import types as T

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JobOptions, csv_input, parse
from pipeline.job.outputs import Outputs, csv
from pipeline.job.packed.options import PackedOptions
from pipeline.job.packed.steps import check_fields, packed_header, read_packed
from pipeline.job.runner import Job
from tests.support.jobs import call
from transforms.row_errors import valid

HEADER = ["id", "size stock", "info"]


@dataclass
class Options(PackedOptions):
    """Packed columns as columns of their own."""

    source: CsvInput = csv_input("CSV")


@dataclass
class Stock(JobOptions):
    """The stock of each product."""

    products: CsvInput = csv_input("products as CSV: id, 'size stock'")


def given(*argv: str) -> Options:
    return parse("split", Options, ["--source", "in.csv", "--destination", "out", *argv])


def test_the_plan_has_the_columns_that_the_options_make_of_the_header() -> None:
    plan, schema = given("--types", "stock=int", "--pairs", "info=columns", "--keys", "colour").plan(HEADER)
    assert [(one.name, one.type) for one in schema.tables[0].columns] == [
        ("id", "string"), ("size", "string"), ("stock", "int"), ("colour", "string"),
    ]  # fmt: skip
    assert (list(plan.packed), schema.drift) == (["size stock"], None)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--flag", "a b c"], "--flag takes the name of the value and the name of the flag: 'value flag'"),
        (["--pairs", "info=columns"], "--pairs NAME=columns needs --keys: the keys that become columns"),
        (["--list", "inof=rows"], "--list: missing column inof; have id, size stock, info; near: info (delimiter?)"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_the_hint_of_the_header(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        given(*argv).plan(HEADER, " (delimiter?)")
    assert str(refused.value) == message


def test_the_packed_column_is_the_one_that_names_all_fields_in_any_order() -> None:
    assert packed_header(["id", "stock", "stock size colour"], ["size", "stock"]) == "stock size colour"
    assert packed_header(["id", "stock"], ["size", "stock"]) is None


def test_a_name_of_no_field_is_refused_with_the_nearest() -> None:
    check_fields("--elastic", ["size", "status"], [HEADER], ["status"])
    with pytest.raises(UsageError, match=r"^--elastic: no column has stokc; have id, size, stock, info; near: stock$"):
        check_fields("--elastic", ["stokc"], [HEADER], ["status"])


def run(job: JobContext, o: Stock) -> Outputs:
    id_column = T.StructField("id", T.LongType(), nullable=False)
    rows = read_packed(job, o.products, ["size", "stock"], columns=[id_column], types={"stock": "bigint"})
    return Outputs(csv("stock.csv", valid(job.record("products", rows)), order=["id"]))


def test_an_input_is_read_with_its_columns_and_the_fields_of_its_packed_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,note,stock size\n2,x,7 XL\n1,y,many S\n")
    arguments = ["--products", tmp_path / "in.csv", "--destination", tmp_path / "out", "--max-rejected", "1"]
    done = call(Job("stock", Stock, run), *arguments)
    assert done.exit_code == 0, done.stderr
    assert done.read("stock.csv") == "id,stock,size\n2,7,XL\n"
    assert done.report["inputs"]["products"]["rejected"] == {"wrong_type": 1}


def test_an_input_without_the_packed_column_is_refused_with_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,size\n1,S\n")
    done = call(Job("stock", Stock, run), "--products", tmp_path / "in.csv", "--dry-run")
    assert done.exit_code == 2
    assert f"{tmp_path}/in.csv: missing column 'size stock'; have id, size" in done.stderr
