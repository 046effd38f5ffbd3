"""CSV lines to typed columns: every line is a row, and a row that does not fit says why."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers.csv import typed as csv_typed
from pipeline.readers.csv.reader import csv_lines
from transforms.row_errors import ERROR

SCHEMA = T.StructType(
    [
        T.StructField("id", T.LongType(), False),
        T.StructField("name", T.StringType()),
        T.StructField("price", T.DecimalType(9, 2)),
        T.StructField("day", T.DateType()),
    ]
)
HEADER = ["id", "name", "price", "day"]


Read = Callable[..., DataFrame]


@pytest.fixture
def read(spark: SparkSession, tmp_path: pathlib.Path) -> Read:
    """Files of CSV text, a header and its lines each, as typed rows."""

    def typed(*files: tuple[list[str], list[str]], absent: Sequence[str] = ("",)) -> DataFrame:
        for number, (header, texts) in enumerate(files):
            (tmp_path / f"{number}.csv").write_text(",".join(header) + "\n" + "".join(texts), newline="")
        reader = csv_lines(spark, storage.list_files(str(tmp_path / "*.csv")))
        layouts = [csv_typed.layout(line.split(","), SCHEMA.fieldNames()) for line in reader.headers]
        return csv_typed.typed_rows(reader.fields(layouts), SCHEMA, absent=absent)

    return typed


def test_values_take_their_types_and_quotes_are_those_of_rfc_4180(spark: SparkSession, read: Read) -> None:
    texts = ['1,"a, ""b""",2.50,2024-02-29\r\n', "2,,,\n", "3, x ,-0.5,2024-01-01\n", '4,"",007,\n']
    found = read((HEADER, texts))
    expected = spark.sql(
        "SELECT 1L id, 'a, \"b\"' name, CAST(2.50 AS DECIMAL(9,2)) price, DATE'2024-02-29' day"
        " UNION ALL SELECT 2L, NULL, NULL, NULL"
        " UNION ALL SELECT 3L, ' x ', -0.50, DATE'2024-01-01' UNION ALL SELECT 4L, NULL, 7.00, NULL"
    )
    assert_df_equality(
        found.drop("_source_file", "_source_offset", ERROR), expected, ignore_nullable=True, ignore_row_order=True
    )
    assert found.where(found[ERROR].isNotNull()).count() == 0


def test_a_line_that_does_not_fit_is_rejected_with_a_reason_and_a_detail(read: Read) -> None:
    bad = {
        "1,a,2.50\n": ("too_few_fields", "3 fields, expected 4"),
        '1,"a,b",2,,"x"\n': ("too_many_fields", "5 fields, expected 4"),
        '1,"a"b,2,\n': ("stray_quote", "a quote neither opens nor closes a value"),
        '1,"a\n': ("unclosed_quote", ""),
        ",a,1,\n": ("missing_value", "column id is empty"),
        "1.5,a,1,\n": ("wrong_type", 'column id: ["1.5"] is not integer'),
        "1,a,2.505,\n": ("wrong_type", 'column price: ["2.505"] is not decimal(9,2)'),
        "1,a,2.50٥,\n": ("wrong_type", 'column price: ["2.50٥"] is not decimal(9,2)'),
        "1,a,1e2,\n": ("wrong_type", 'column price: ["1e2"] is not decimal(9,2)'),
        "1,a,12345678.00,\n": ("wrong_type", 'column price: ["12345678.00"] is not decimal(9,2)'),
        "1,a,,2024-02-30\n": ("wrong_type", 'column day: ["2024-02-30"] is not date'),
        "1,a,,2024\n": ("wrong_type", 'column day: ["2024"] is not date'),
        "99999999999999999999,a,,\n": ("wrong_type", 'column id: ["99999999999999999999"] is not integer'),
    }
    rows = read((HEADER, list(bad))).orderBy("_source_offset").collect()
    assert {text: (row[ERROR].code, row[ERROR].detail) for text, row in zip(bad, rows, strict=True)} == bad
    assert {row[ERROR].kind for row in rows} == {"rejected"}


def test_decimals_beyond_the_scale_are_fine_when_they_are_zeros(read: Read) -> None:
    found = read((HEADER, ["1,a,2.5000,\n", "2,a, 2.5000 ,\n", "3,a,2.5   ,\n"]))
    assert [str(row.price) for row in found.collect()] == ["2.50", "2.50", "2.50"]


def test_columns_are_found_by_name_in_files_of_different_order(spark: SparkSession, read: Read) -> None:
    other = (["other", "day", "price", "name", "id"], ["x,2024-01-02,3,b,2\n"])
    found = read((HEADER, ["1,a,2,2024-01-01\n"]), other).drop("_source_file", "_source_offset", ERROR)
    expected = spark.sql(
        "SELECT 1L id, 'a' name, CAST(2 AS DECIMAL(9,2)) price, DATE'2024-01-01' day"
        " UNION ALL SELECT 2L, 'b', 3.00, DATE'2024-01-02'"
    )
    assert_df_equality(found, expected, ignore_nullable=True, ignore_row_order=True)


def test_absent_texts_are_null_in_any_case(read: Read) -> None:
    found = read((HEADER, ["1,NULL,\\N,\n"]), absent=("", "\\N", "null"))
    assert [(row.name, row.price, row.day, row[ERROR]) for row in found.collect()] == [(None, None, None, None)]


def test_a_missing_column_is_reported_with_the_present_ones_and_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        csv_typed.check_header(["resultId", "raceId", "positon"], ["raceId", "position"], "results.csv, line 1")
    assert (
        str(caught.value) == "results.csv, line 1: missing column position; have resultId, raceId, positon"
        " ('positon' looks like 'position')"
    )


def test_a_wanted_column_that_is_duplicate_is_refused_and_another_is_not() -> None:
    with pytest.raises(InputError, match="duplicate column id"):
        csv_typed.check_header(["id", "id", "x"], ["id"], "a.csv")
    csv_typed.check_header(["id", "x", "x"], ["id"], "a.csv")
