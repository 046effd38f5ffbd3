"""Customers, their orders and the items of these: which rows count, and one message per customer.

References are keys: the row with the smallest id keeps its reference, an equal row is left out (`duplicate`), a
different one rejected (`conflicting_reference`). What hangs on a row that is not used is rejected (`parent_rejected`),
what hangs on nothing by its own name (`unknown_customer`, `unknown_order`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.packed_types import quoted
from transforms.problems import exclude, is_used, reject
from transforms.text import plain_decimal
from transforms.totals import attach, per_key

KEEPS = "_keeps_reference"
PARENT = "_parent_used"
ITEMS, SPENT, REPEATS = "_items", "_spent", "_may_repeat"
AMOUNT = "decimal(38,2)"


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

    In: a tagged frame with `reference` string and the columns of `content`, the row's id first. Out: the same rows;
    repeated ones tagged `duplicate` (excluded) or `conflicting_reference` (rejected), and `_keeps_reference` boolean:
    true for the one row a reference that its children hang on, which is a rejected one only where no row is used. Null
    references keep nothing. Grain: unchanged.

    >>> rows = [(2, "c1", "B"), (1, "c1", "A"), (1, "c1", "A")]
    >>> frame = spark.createDataFrame(rows, "id int, ref string, name string")
    >>> from transforms.problems import no_problem
    >>> settled = settle_references(frame.withColumn("_problem", no_problem()), "ref", ["id", "ref", "name"])
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
    own = F.col(quoted(content[0]))
    # Windows and sorts copy the rows they compare: a digest of the content is enough to tell equal from different.
    digested = frame.withColumn("_digest", F.xxhash64(*[F.col(quoted(name)) for name in content]))
    in_order = Window.partitionBy(quoted(reference)).orderBy(
        (~is_used()).alias("_unused"), own.asc_nulls_last(), "_digest"
    )
    ranks = {"_row": F.row_number(), "_rank": F.rank(), "_kept": F.first(own)}
    ranked = digested.withColumns({name: function.over(in_order) for name, function in ranks.items()})
    repeated = is_used() & (F.col("_row") > 1) & F.col(quoted(reference)).isNotNull()
    told = F.concat(F.col(quoted(reference)), F.lit(" is kept by id "), F.col("_kept").cast("string"))
    tagged = exclude(ranked, repeated & (F.col("_rank") == 1), "duplicate", told)
    tagged = reject(tagged, repeated, "conflicting_reference", told)
    keeps = (F.col("_row") == 1) & F.col(quoted(reference)).isNotNull()
    return tagged.withColumn(KEEPS, keeps).drop("_digest", *ranks)


def keepers(settled: DataFrame, reference: str) -> DataFrame:
    """Each reference once, and whether its row is used: `reference` string, `_parent_used` boolean."""
    return settled.where(F.col(KEEPS)).select(quoted(reference), is_used().alias(PARENT))


def tag_parents(frame: DataFrame, parents: DataFrame, reference: str, kind: str) -> DataFrame:
    """Rejects rows whose parent is not used or not there.

    In: a tagged frame with `reference` string; `parents` as `keepers` gives them. Out: the same rows and columns;
    reasons `parent_rejected`, `unknown_<kind>`. Rows with a problem keep it. Grain: unchanged.
    """
    # Hashed by part, not broadcast: parents can be millions, and a reader's frame has no size for the planner.
    joined = frame.join(parents.hint("shuffle_hash"), on=reference, how="left")
    told = F.concat(F.lit(f"{kind} "), F.col(quoted(reference)))
    tagged = reject(joined, F.col(PARENT).isNull(), f"unknown_{kind}", F.concat(told, F.lit(" is in no file")))
    tagged = reject(tagged, ~F.col(PARENT), "parent_rejected", F.concat(told, F.lit(" is not used")))
    return tagged.select(*[F.col(quoted(name)) for name in frame.columns])


def order_totals(orders: DataFrame, items: DataFrame) -> DataFrame:
    """Adds to the orders that keep their reference what their items come to.

    In: orders with `order_reference`, `_keeps_reference`; tagged items with `id` bigint, `order_reference`,
    `total_price` decimal(18,2). Out: the orders and `_items` bigint, `_spent` decimal(28,2), `_may_repeat` boolean:
    false when it is sure that no item is there twice. Only used items count. Grain: unchanged.
    """
    # Equal rows have equal ids and set the same bits: as many bits as rows means that no row is there twice.
    digest = F.xxhash64("id")
    places = [F.pmod(F.col("id"), F.lit(64)), F.pmod(digest, F.lit(64)), F.pmod(F.shiftright(digest, 20), F.lit(64))]
    maps = [f"_bits{i}" for i in range(len(places))]
    bits = [F.bit_or(_bit(place)).alias(name) for name, place in zip(maps, places, strict=True)]
    totals = per_key(items.where(is_used()), ["order_reference"], count=ITEMS, sums={SPENT: "total_price"}, more=bits)
    most_bits = F.greatest(*[F.bit_count(name) for name in maps])
    totals = totals.select("order_reference", ITEMS, SPENT, (most_bits < F.col(ITEMS)).alias(REPEATS))
    same = (F.col("o.order_reference") == F.col("t.order_reference")) & F.col(f"o.{KEEPS}")
    joined = orders.alias("o").join(totals.alias("t").hint("shuffle_hash"), on=same, how="left")
    return joined.select(
        "o.*",
        F.coalesce(ITEMS, F.lit(0)).alias(ITEMS),
        F.coalesce(SPENT, F.lit(0)).cast("decimal(28,2)").alias(SPENT),
        F.coalesce(REPEATS, F.lit(False)).alias(REPEATS),
    )


def _bit(place: Column) -> Column:
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), place.cast("int"))


def tag_items(items: DataFrame, orders: DataFrame) -> DataFrame:
    """Tags the items of orders that are not used or not there: `parent_rejected`, `unknown_order`.

    In: tagged items; settled orders with `order_reference`, `_keeps_reference`. Grain: unchanged.
    """
    return tag_parents(items, keepers(orders, "order_reference"), "order_reference", "order")


def repeated_items(items: DataFrame, orders: DataFrame) -> DataFrame:
    """The items that are there a second time, id and all, tagged `duplicate`; of equal rows the first stays.

    In: tagged items; orders with what `order_totals` adds: only those that may repeat an item are looked at.
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
    """Takes what repeated items came to off the totals of their orders (`_items`, `_spent`)."""
    extra = per_key(repeated, ["order_reference"], count="_extra", sums={"_extra_spent": "total_price"})
    corrected = attach(orders, extra, ["order_reference"])
    spent = (F.col(SPENT) - F.col("_extra_spent")).cast("decimal(28,2)")
    return (
        corrected.withColumn(ITEMS, F.col(ITEMS) - F.col("_extra"))
        .withColumn(SPENT, spent)
        .drop("_extra", "_extra_spent")
    )


def customer_totals(customers: DataFrame, orders: DataFrame) -> DataFrame:
    """The used customers with `number_of_orders` bigint and `total_amount_spent` decimal(38,2), zero without orders."""
    sums = per_key(orders, ["customer_reference"], count="number_of_orders", sums={"total_amount_spent": SPENT})
    found = attach(customers.select("customer_reference"), sums, ["customer_reference"])
    return found.withColumn("total_amount_spent", F.col("total_amount_spent").cast(AMOUNT))


def json_text(text: Column) -> Column:
    """A text as a JSON string; null as null."""
    # Nearly every reference needs no escaping: the JSON writer is for the few that do.
    document = F.to_json(F.struct(text.alias("v")))
    escaped = document.substr(F.lit(6), F.length(document) - 6)
    plain = F.concat(F.lit('"'), text, F.lit('"'))
    return F.when(text.isNull(), "null").when(text.rlike(r"^[A-Za-z0-9_.:-]*$"), plain).otherwise(escaped)


def customer_message() -> Column:
    """The message of a customer with orders: compact JSON, keys in fixed order.

    In: `customer_reference` string, `number_of_orders` bigint, `total_amount_spent` decimal.

    >>> row = "SELECT 'ade3-11ed' AS customer_reference, 2L AS number_of_orders, 87.50BD AS total_amount_spent"
    >>> print(spark.sql(row).select(customer_message()).first()[0])
    {"type":"customer_message","customer_reference":"ade3-11ed","number_of_orders":2,"total_amount_spent":87.5}
    """
    return F.concat(
        F.lit('{"type":"customer_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(',"number_of_orders":'),
        F.col("number_of_orders").cast("string"),
        F.lit(',"total_amount_spent":'),
        plain_decimal(F.col("total_amount_spent")),
        F.lit("}"),
    )


def error_messages(frame: DataFrame, message: str) -> DataFrame:
    """One error message a row: `customer_reference`, `order_reference` (null where absent), `value` (compact JSON).

    >>> frame = spark.sql("SELECT 'ade3-12ed' AS customer_reference, CAST(NULL AS STRING) AS order_reference")
    >>> print(error_messages(frame, "Something went wrong!").first()["value"])
    {"type":"error_message","customer_reference":"ade3-12ed","order_reference":null,"message":"Something went wrong!"}
    """
    value = F.concat(
        F.lit('{"type":"error_message","customer_reference":'),
        json_text(F.col("customer_reference")),
        F.lit(',"order_reference":'),
        json_text(F.col("order_reference")),
        F.lit(f',"message":"{message}"}}'),
    )
    return frame.select("customer_reference", "order_reference", value.alias("value"))
