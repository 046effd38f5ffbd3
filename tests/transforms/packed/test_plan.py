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
