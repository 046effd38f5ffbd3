"""Customers, their orders and the items of these: which rows count, and what they come to.

References are keys: the row with the smallest id keeps its reference, an equal row is left out (`duplicate`), a
different one rejected (`conflicting_reference`). What hangs on a row that is not used is rejected (`parent_rejected`),
what hangs on nothing by its own name (`unknown_customer`, `unknown_order`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.exact_sums import high_part, low_part
from transforms.problems import exclude, is_used, reject
from transforms.text import quoted
from transforms.totals import attach, per_key

KEEPS = "_keeps_reference"
PARENT = "_parent_used"
ITEMS, HIGH, LOW, REPEATS = "_items", "_high", "_low", "_may_repeat"
ORDERS, WITHOUT = "number_of_orders", "_without_items"


def reject_empty_references(frame: DataFrame, column: str) -> DataFrame:
    """Rejects rows whose reference is null or nothing but blanks (`missing_value`).

    >>> frame = spark.createDataFrame([("c1",), ("",)], "customer_reference string")
    >>> reject_empty_references(frame, "customer_reference").select("_problem.reason").show()
    +-------------+
    |       reason|
    +-------------+
    |         NULL|
    |missing_value|
    +-------------+
    <BLANKLINE>
    """
    empty = F.coalesce(F.trim(F.col(quoted(column))) == "", F.lit(True))
    return reject(frame, empty, "missing_value", f"column {column} is empty")


def settle_references(frame: DataFrame, reference: str, content: Sequence[str]) -> DataFrame:
    """Decides which row keeps each reference.

    In: a tagged frame with `reference` string, `_file`, `_position` and the columns of `content`, the row's id first.
    Out: the same rows; repeated ones tagged `duplicate` (excluded) or `conflicting_reference` (rejected), and
    `_keeps_reference` boolean: true for the one row a reference that its children hang on, which is a rejected one only
    where no row is used; of equal rows it is the first. Null references keep nothing. Grain: unchanged.

    >>> rows = [(2, "c1", "B", 0), (1, "c1", "A", 9), (1, "c1", "A", 18)]
    >>> frame = spark.createDataFrame(rows, "id int, ref string, name string, _position int")
    >>> from transforms.problems import no_problem
    >>> tagged = frame.withColumns({"_file": F.lit(0), "_problem": no_problem()})
    >>> settled = settle_references(tagged, "ref", ["id", "ref", "name"])
    >>> settled.select("id", "_problem.reason", "_keeps_reference").show()
    +---+--------------------+----------------+
    | id|              reason|_keeps_reference|
    +---+--------------------+----------------+
    |  1|                NULL|            true|
    |  1|           duplicate|           false|
    |  2|conflicting_refer...|           false|
    +---+--------------------+----------------+
    <BLANKLINE>
    """
    own, digest = F.col(quoted(content[0])), F.col("_digest")
    # Windows and sorts copy the rows they compare: a digest of the content is enough to tell equal from different.
    digested = frame.withColumn("_digest", F.xxhash64(*[F.col(quoted(name)) for name in content]))
    in_order = Window.partitionBy(quoted(reference)).orderBy(
        (~is_used()).alias("_unused"), own.asc_nulls_last(), digest, "_file", "_position"
    )
    ranks = {"_row": F.row_number(), "_kept": F.first(own), "_kept_digest": F.first(digest)}
    ranked = digested.withColumns({name: function.over(in_order) for name, function in ranks.items()})
    repeated = is_used() & (F.col("_row") > 1) & F.col(quoted(reference)).isNotNull()
    told = F.concat(F.col(quoted(reference)), F.lit(" is kept by id "), F.col("_kept").cast("string"))
    equal = own.eqNullSafe(F.col("_kept")) & (digest == F.col("_kept_digest"))
    tagged = exclude(ranked, repeated & equal, "duplicate", told)
    tagged = reject(tagged, repeated, "conflicting_reference", told)
    keeps = (F.col("_row") == 1) & F.col(quoted(reference)).isNotNull()
    return tagged.withColumn(KEEPS, keeps).drop("_digest", *ranks)


def keepers(settled: DataFrame, reference: str) -> DataFrame:
    """Each reference once, and whether its row is used: `reference` string, `_parent_used` boolean."""
    return settled.where(F.col(KEEPS)).select(quoted(reference), is_used().alias(PARENT))


def tag_parents(frame: DataFrame, parents: DataFrame, reference: str, kind: str, how: str = "left") -> DataFrame:
    """Rejects rows whose parent is not used or not there.

    In: a tagged frame with `reference` string; `parents` as `keepers` gives them. Out: the same columns; reasons
    `parent_rejected`, `unknown_<kind>`. Rows with a problem keep it. Grain: unchanged; `how="inner"` gives the rows of
    these parents only.
    """
    # Hashed by part, not broadcast: parents can be millions, and a reader's frame has no size for the planner.
    joined = frame.join(parents.hint("shuffle_hash"), on=reference, how=how)
    told = F.concat(F.lit(f"{kind} "), F.col(quoted(reference)))
    tagged = reject(joined, F.col(PARENT).isNull(), f"unknown_{kind}", F.concat(told, F.lit(" is in no file")))
    tagged = reject(tagged, ~F.col(PARENT), "parent_rejected", F.concat(told, F.lit(" is not used")))
    return tagged.select(*[F.col(quoted(name)) for name in frame.columns])


def order_totals(orders: DataFrame, items: DataFrame) -> DataFrame:
    """Adds to the orders that keep their reference what their items come to.

    In: orders with `order_reference`, `_keeps_reference`; tagged items with `id` bigint, `order_reference`,
    `total_price` bigint in hundredths. Out: the orders and `_items` bigint, `_high`, `_low` bigint (the sum, see
    `exact_sums`), `_may_repeat` boolean: false when it is sure that no item is there twice. Only used items count.
    Grain: unchanged.
    """
    # Equal rows have equal ids and set the same bits: as many bits as rows means that no row is there twice.
    digest = F.xxhash64("id")
    places = [F.pmod(F.col("id"), F.lit(64)), F.pmod(digest, F.lit(64)), F.pmod(F.shiftright(digest, 20), F.lit(64))]
    maps = [f"_bits{i}" for i in range(len(places))]
    bits = [F.bit_or(_bit(place)).alias(name) for name, place in zip(maps, places, strict=True)]
    totals = _priced(items.where(is_used()), bits)
    most_bits = F.greatest(*[F.bit_count(name) for name in maps])
    totals = totals.select("order_reference", ITEMS, HIGH, LOW, (most_bits < F.col(ITEMS)).alias(REPEATS))
    same = (F.col("o.order_reference") == F.col("t.order_reference")) & F.col(f"o.{KEEPS}")
    joined = orders.alias("o").join(totals.alias("t").hint("shuffle_hash"), on=same, how="left")
    nothing = {ITEMS: F.lit(0), HIGH: F.lit(0), LOW: F.lit(0), REPEATS: F.lit(False)}
    return joined.select("o.*", *[F.coalesce(name, value).alias(name) for name, value in nothing.items()])


def _priced(items: DataFrame, more: Sequence[Column] = ()) -> DataFrame:
    """One row an order: its items, and both parts of the sum of their prices."""
    price = F.col("total_price")
    parts = items.withColumns({HIGH: high_part(price), LOW: low_part(price)})
    return per_key(parts, ["order_reference"], count=ITEMS, sums={HIGH: HIGH, LOW: LOW}, more=more)


def _bit(place: Column) -> Column:
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), place.cast("int"))


def tag_items(items: DataFrame, orders: DataFrame, lost: DataFrame | None = None) -> DataFrame:
    """Tags the items of orders that are not used or not there: `parent_rejected`, `unknown_order`.

    In: tagged items; settled orders with `order_reference`, `_keeps_reference`; `lost`: the orders that are not used
    although they have no problem in `orders`. Grain: unchanged.
    """
    parents = keepers(orders, "order_reference")
    if lost is not None:
        names = lost.select("order_reference", F.lit(True).alias("_lost"))
        parents = parents.join(names.hint("shuffle_hash"), on="order_reference", how="left")
        used = F.col(PARENT) & F.col("_lost").isNull()
        parents = parents.select("order_reference", used.alias(PARENT))
    return tag_parents(items, parents, "order_reference", "order")


def repeated_items(items: DataFrame, orders: DataFrame) -> DataFrame:
    """The items that are there a second time, id and all, tagged `duplicate`; of equal rows the first stays.

    In: tagged items; orders with what `order_totals` adds: only those that may repeat an item are looked at. Items with
    a problem are not.
    """
    suspects = orders.where(F.col(REPEATS)).select("order_reference")
    content = [name for name in items.columns if not name.startswith("_")]
    in_order = Window.partitionBy(*map(quoted, content)).orderBy("_file", "_position")
    looked_at = (
        items.where(is_used()).join(suspects, on="order_reference", how="left_semi").select(*map(quoted, items.columns))
    )
    ranked = looked_at.withColumn("_rank", F.row_number().over(in_order)).where(F.col("_rank") > 1).drop("_rank")
    return exclude(
        ranked, F.lit(True), "duplicate", F.concat(F.lit("item "), F.col("id").cast("string"), F.lit(" is there twice"))
    )


def without_repeated(orders: DataFrame, repeated: DataFrame) -> DataFrame:
    """Takes what repeated items came to off the totals of their orders (`_items`, `_high`, `_low`)."""
    extra = {f"{name}_extra": name for name in (ITEMS, HIGH, LOW)}
    found = _priced(repeated).withColumnsRenamed({name: more for more, name in extra.items()})
    corrected = attach(orders, found, ["order_reference"])
    return corrected.withColumns({name: F.col(name) - F.col(more) for more, name in extra.items()}).drop(*extra)


def customer_totals(customers: DataFrame, orders: DataFrame) -> DataFrame:
    """Adds to the customers that keep their reference what their used orders come to.

    In: customers as `settle_references` gives them; tagged orders with what `order_totals` adds. Out: the customers and
    `number_of_orders` bigint, `_without_items` bigint (orders without items), `_items` bigint, `_high`, `_low` bigint
    (the sum); zero without orders. A reference that no customer keeps has a row too: everything else is null there.
    Grain: a customer's row, or such a reference.

    >>> from transforms.problems import no_problem
    >>> customers = spark.createDataFrame([("c1",), ("c2",)], "customer_reference string")
    >>> customers = customers.withColumns({"_problem": no_problem(), "_keeps_reference": F.lit(True)})
    >>> orders = spark.createDataFrame([("c1", 2, 0, 350), ("c9", 1, 0, 20)],
    ...     "customer_reference string, _items long, _high long, _low long").withColumn("_problem", no_problem())
    >>> found = customer_totals(customers, orders).orderBy("customer_reference")
    >>> found.select("customer_reference", "_keeps_reference", "number_of_orders", "_items", "_low").show()
    +------------------+----------------+----------------+------+----+
    |customer_reference|_keeps_reference|number_of_orders|_items|_low|
    +------------------+----------------+----------------+------+----+
    |                c1|            true|               1|     2| 350|
    |                c2|            true|               0|     0|   0|
    |                c9|            NULL|               1|     1|  20|
    +------------------+----------------+----------------+------+----+
    <BLANKLINE>
    """
    without = F.count(F.when(F.col(ITEMS) == 0, 1)).alias(WITHOUT)
    sums = {name: name for name in (ITEMS, HIGH, LOW)}
    totals = per_key(orders.where(is_used()), ["customer_reference"], count=ORDERS, sums=sums, more=[without])
    same = (F.col("c.customer_reference") == F.col("t.customer_reference")) & F.col(f"c.{KEEPS}")
    joined = customers.alias("c").join(totals.alias("t").hint("shuffle_hash"), on=same, how="full_outer")
    return joined.select(
        F.coalesce("c.customer_reference", "t.customer_reference").alias("customer_reference"),
        *[f"c.{quoted(name)}" for name in customers.columns if name != "customer_reference"],
        *[F.coalesce(name, F.lit(0)).alias(name) for name in (ORDERS, WITHOUT, *sums)],
    )


def lost_customers(totals: DataFrame) -> DataFrame:
    """The references that have orders and no used customer, as `keepers` gives them, `_parent_used` false or null."""
    keeper = F.coalesce(F.col(KEEPS), F.lit(True))
    unused = F.col(KEEPS).isNull() | ~is_used()
    found = totals.where(keeper & unused & (F.col(ORDERS) > 0))
    return found.select("customer_reference", F.when(F.col(KEEPS), False).alias(PARENT))
