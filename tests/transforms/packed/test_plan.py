"""What becomes of each column of a file, decided by its header and the options."""

from __future__ import annotations

import pytest
from pyspark.sql import types as T

from transforms.packed.plan import SplitOptions, described, make_plan, schema_of


def test_columns_are_read_as_text_unless_they_have_a_type_of_their_own() -> None:
    options = SplitOptions(types={"id": "integer", "price": "decimal(18, 2)", "size": "int"})
    plan = make_plan(["id", "name size", "price"], options)
    assert schema_of(plan) == T.StructType(
        [
            T.StructField("id", T.IntegerType()),
            T.StructField("name size", T.StringType()),
            T.StructField("price", T.DecimalType(18, 2)),
        ]
    )


def test_a_plan_is_described_by_its_packed_columns_with_the_types_of_their_fields() -> None:
    plan = make_plan(["id", "name size", "a b"], SplitOptions(types={"size": "int"}))
    assert described(plan) == [["name size", "name string, size int"], ["a b", "a string, b string"]]


def test_a_plan_is_described_by_its_cells_next_to_a_packed_header() -> None:
    plan = make_plan(["unit,geo\\time", "2019", "2018"], SplitOptions(separator=","))
    assert described(plan) == [["unit,geo", "unit string, geo string"], ["2019", "cells"], ["2018", "cells"]]


def test_a_plan_of_whole_rows_is_described_by_their_header() -> None:
    plan = make_plan(["id", "address", "postcode"], SplitOptions(greedy=("address",)))
    assert described(plan) == [["id,address,postcode", "id string, address string, postcode string"]]


def test_a_plan_needs_something_to_split_and_columns_that_are_there() -> None:
    with pytest.raises(ValueError, match="nothing to split: no header holds ' '; have id, name"):
        make_plan(["id", "name"], SplitOptions())
    with pytest.raises(ValueError, match="missing column a b; have id, name"):
        make_plan(["id", "name"], SplitOptions(columns=("a b",)))


def test_a_type_is_for_a_piece_or_a_plain_column_and_not_for_what_is_split() -> None:
    header = ["id", "size stock", "tags", "info"]
    with pytest.raises(
        ValueError, match=r"^--types: column size stock is packed in size, stock; types are for id, tags"
    ):
        make_plan(header, SplitOptions(types={"size stock": "int"}))
    split = SplitOptions(types={"tags": "int"}, lists={"tags": "rows"}, pairs={"info": "map"})
    message = "^--types: column tags is a list or pairs, of texts; types are for id, size, stock$"
    with pytest.raises(ValueError, match=message):
        make_plan(header, split)
    own_name = make_plan(["id", "size"], SplitOptions(columns=("size=size stock",), types={"size": "int"}))
    assert [field.type for field in own_name.packed["size"].fields] == ["int", "string"]
