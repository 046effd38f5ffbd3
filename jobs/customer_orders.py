"""One message per customer out of a day's customers, orders and items, as files and, when asked, into a queue."""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import TYPE_CHECKING

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pipeline.drops import day_of, pick_day  # noqa: E402
from pipeline.errors import InputError, UsageError  # noqa: E402
from pipeline.job import Input, Job, Option  # noqa: E402
from pipeline.messages_run import send_after_publish  # noqa: E402
from pipeline.run import Run  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

INPUTS = ("customers", "orders", "items")
PIECES = {
    "customers": ["customer_reference", "status"],
    "orders": ["order_status", "order_reference", "order_timestamp"],
    "items": ["item_name", "quantity", "total_price"],
}
PLAIN = {"customers": ["id"], "orders": ["id", "customer_reference"], "items": ["id", "order_reference"]}
TYPES = {"order_timestamp": "bigint", "quantity": "bigint", "total_price": "decimal(18,2)"}
FILES = ("customer_messages.jsonl", "error_messages.jsonl")


def check(options: argparse.Namespace) -> None:
    """Finds the day's files, and the day, before Spark starts."""
    given = [name for name in INPUTS if getattr(options, name)]
    options.notes = []
    if options.source:
        if given:
            raise UsageError(f"--source and --{given[0]} exclude each other")
        day, files, chosen = pick_day(options.source, INPUTS, options.date)
        for name, file in files.items():
            setattr(options, name, [file])
        options.date = day
        options.notes += chosen
    elif len(given) < len(INPUTS):
        missing = ", ".join(f"--{name}" for name in INPUTS if name not in given)
        raise UsageError(f"{missing} is missing: give all three inputs, or --source DIR")
    options.date = options.date or day_of([path for name in INPUTS for path in getattr(options, name)])
    if options.queue_url and not options.date:
        raise UsageError(
            "--queue-url needs the day of the messages: --date YYYYMMDD, or files named like orders_20220130.csv"
        )


JOB = Job(
    name="customer_orders",
    summary="One message per customer (orders, amount spent) out of a day's customers, orders and items.",
    inputs=[
        Input("customers", "customers_D.csv: id, ..., 'customer_reference status'", required=False),
        Input(
            "orders",
            "orders_D.csv: id, customer_reference, 'order_status order_reference order_timestamp'",
            required=False,
        ),
        Input("items", "items_D.csv: id, order_reference, 'item_name quantity total_price'", required=False),
    ],
    options=[
        Option("source", str, None, "folder of daily drops, instead of the three inputs", metavar="DIR"),
        Option(
            "date",
            str,
            None,
            "the day: which files of --source (default: the newest complete day), and part of message ids",
            metavar="YYYYMMDD",
        ),
        Option(
            "elastic",
            str,
            [],
            "pieces that may hold blanks, one a packed column (default: item_name, order_status)",
            repeated=True,
            metavar="PIECE",
        ),
        Option("queue-url", str, None, "SQS queue that gets the messages once the files are published", metavar="URL"),
    ],
    check=check,
)


def read(run: Run, name: str) -> DataFrame:
    """An input's rows, its packed column split, as a tagged frame."""
    from pyspark.sql import types as T

    from transforms.customer_orders import reject_empty_references
    from transforms.packed import packed_column, split

    header = run.csv_header(name)
    found = [column for column in header if set(PIECES[name]) <= set(column.split(" "))]
    if not found:
        raise InputError(
            f"{run.files(name)[0].path}, line 1: missing column '{' '.join(PIECES[name])}'; have {', '.join(header)}"
        )
    elastic = [piece for text in run.options.elastic for piece in text.split(",")] or ["item_name", "order_status"]
    others = [column for column in header if column not in (*found, "id")] if name == "customers" else PLAIN[name][1:]
    fields = [
        T.StructField("id", T.LongType(), False),
        *[T.StructField(column, T.StringType()) for column in [*others, found[0]]],
    ]
    rows = split(run.read_csv(name, T.StructType(fields)), packed_column(found[0], elastic=elastic, types=TYPES))
    for reference in ("customer_reference", "order_reference"):
        if reference in rows.columns:
            rows = reject_empty_references(rows, reference)
    return rows


def settle_items(run: Run, items: DataFrame, orders: DataFrame) -> DataFrame | None:
    """Accounts for the items; returns the ones that do not count, tagged, if there are any.

    Where every item read is in the total of a used order there is nothing more to say, and no second look.
    """
    from pyspark.sql import functions as F

    from transforms.customer_orders import ITEMS, REPEATS, repeated_items, tag_items
    from transforms.problems import is_used

    account = run.account("items")
    if not run.account("orders").used:
        run.figure("orders_without_items", 0)
        return None
    figures = [F.sum(ITEMS), F.count(F.when(F.col(REPEATS), 1)), F.count(F.when(F.col(ITEMS) == 0, 1))]
    counted, repeats, without = orders.where(is_used()).agg(*figures).first() or (0, 0, 0)
    run.figure("orders_without_items", without)
    account.read = account.used = run.records_read("items") or 0
    if account.read == counted and not repeats:
        return None
    tagged = tag_items(items, orders)
    problems = tagged.where(~is_used())
    run.settle("items", problems.unionByName(repeated_items(tagged, orders)) if repeats else problems)
    account.used = account.read - run.kept("items").count()
    return run.kept("items")


def errors(totals: DataFrame, orders: DataFrame, items: DataFrame | None) -> DataFrame:
    """The error messages: customers without orders, orders of unknown customers, items of unknown orders."""
    from pyspark.sql import functions as F

    from transforms.customer_orders import error_messages

    nothing = F.lit(None).cast("string")
    none = totals.where(F.col("number_of_orders") == 0).select("customer_reference", nothing.alias("order_reference"))
    unknown = orders.where(F.col("_problem.reason") == "unknown_customer").select(
        "customer_reference", "order_reference"
    )
    told = error_messages(none, "Something went wrong!").unionByName(
        error_messages(unknown, "Order of an unknown customer")
    )
    if items is None:
        return told
    lost = items.where(F.col("_problem.reason") == "unknown_order")
    lost = lost.select(nothing.alias("customer_reference"), "order_reference").distinct()
    return told.unionByName(error_messages(lost, "Items of an unknown order"))


def body(run: Run) -> None:
    """Reads, totals, writes, and leaves the messages to be sent after publishing."""
    from pyspark.sql import functions as F

    from transforms import customer_orders as steps
    from transforms.problems import is_used

    for note in run.options.notes:
        run.note(note)
    customers, orders, items = (read(run, name) for name in INPUTS)
    customers, orders = (
        steps.settle_references(frame, reference, [name for name in frame.columns if not name.startswith("_")])
        for reference, frame in {"customer_reference": customers, "order_reference": orders}.items()
    )
    # What is only told of a row, and never totalled, is not kept.
    customers, orders = (
        frame.drop(*[name for name in frame.columns if name[0] != "_" and not name.endswith("_reference")])
        for frame in (customers, orders)
    )
    run.settle("customers", customers)
    orders = steps.order_totals(orders, items)
    orders = steps.tag_parents(
        orders, steps.keepers(run.kept("customers"), "customer_reference"), "customer_reference", "customer"
    )
    run.settle("orders", orders)
    orders = run.kept("orders")
    problems = settle_items(run, items, orders)
    used = orders.where(is_used())
    if problems is not None:
        used = steps.without_repeated(used, problems.where(F.col("_problem.reason") == "duplicate"))
    # Sorting looks at its input twice, and the customers without orders are looked for once more.
    totals = run.keep(steps.customer_totals(run.kept("customers").where(is_used()), used))
    spending = totals.where(F.col("number_of_orders") > 0)
    run.write_jsonl(FILES[0], spending, order=["customer_reference"], line=steps.customer_message())
    told = errors(totals, orders, problems)
    run.write_jsonl(FILES[1], told, order=["customer_reference", "order_reference"])
    if run.options.queue_url:
        send_after_publish(run, FILES, run.options.queue_url, run.options.date, "customer_reference")


if __name__ == "__main__":
    JOB.main(body)
