"""Totals over parents, children and grandchildren: exact, and nothing counted twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chispa import assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from transforms.totals import Level, orphans, roll_up

CUSTOMERS, ORDERS, ITEMS = (
    "customer string",
    "order string, customer string",
    "item int, order string, price decimal(18,2)",
)


def test_counts_and_sums_of_two_levels_reach_the_top(spark: SparkSession) -> None:
    customers = spark.createDataFrame([("c1",), ("c2",), ("c3",)], CUSTOMERS)
    orders = spark.createDataFrame([("o1", "c1"), ("o2", "c1"), ("o3", "c2"), ("o4", "c9"), ("o5", None)], ORDERS)
    prices = [("o1", "0.10"), ("o1", "0.20"), ("o2", "99.70"), ("o4", "5"), ("o9", "7"), (None, "8")]
    items = spark.createDataFrame([(i, order, Decimal(price)) for i, (order, price) in enumerate(prices)], ITEMS)
    levels = [
        Level(orders, parent=["customer"], key=["order"], count="orders"),
        Level(items, parent=["order"], count="items", sums={"spent": "price"}),
    ]
    actual = roll_up(customers, ["customer"], levels)
    expected = spark.createDataFrame(
        [("c1", 2, 3, Decimal("100.00")), ("c2", 1, 0, Decimal("0.00")), ("c3", 0, 0, Decimal("0.00"))],
        "customer string, orders bigint, items bigint, spent decimal(38,2)",
    )
    assert_df_equality(
        actual.withColumn("spent", actual["spent"].cast("decimal(38,2)")),
        expected,
        ignore_nullable=True,
        ignore_row_order=True,
    )
    assert [row["order"] for row in orphans(orders, customers, ["customer"]).orderBy("order").collect()] == ["o4", "o5"]


def test_levels_that_do_not_hang_together_are_refused(spark: SparkSession) -> None:
    top = spark.createDataFrame([("c1",)], CUSTOMERS)
    orders = spark.createDataFrame([("o1", "c1")], ORDERS)
    with pytest.raises(ValueError, match="parent columns order are not the key customer of the level above"):
        roll_up(top, ["customer"], [Level(orders, parent=["order"])])


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.sampled_from(["c1", "c2", "c3", "c9"]), min_size=20, max_size=60),
    st.lists(
        st.tuples(st.integers(0, 80), st.decimals("-99999999999999.99", "99999999999999.99", places=2)), max_size=200
    ),
)
def test_totals_equal_a_plain_calculation(
    spark: SparkSession, owners: list[str], sold: list[tuple[int, Decimal]]
) -> None:
    customers = spark.createDataFrame([("c1",), ("c2",), ("c3",)], CUSTOMERS)
    orders = spark.createDataFrame([(f"o{i}", owner) for i, owner in enumerate(owners)], ORDERS)
    items = spark.createDataFrame([(i, f"o{order}", price) for i, (order, price) in enumerate(sold)], ITEMS)
    levels = [Level(orders, ["customer"], ["order"], count="orders"), Level(items, ["order"], sums={"spent": "price"})]
    found = {
        row["customer"]: (row["orders"], row["spent"]) for row in roll_up(customers, ["customer"], levels).collect()
    }
    for name in ("c1", "c2", "c3"):
        mine = {i for i, owner in enumerate(owners) if owner == name}
        assert found[name] == (len(mine), sum((price for order, price in sold if order in mine), Decimal(0)))
