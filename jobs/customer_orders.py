"""One message per customer out of a day's customers, orders and items, as files and, when asked, into a queue."""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import TYPE_CHECKING

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pipeline.errors import InputError, UsageError  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from pipeline.readers.daily_files import day_of, pick_day  # noqa: E402
from pipeline.sinks.sqs.send import send_after_publish  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

INPUTS = ("customers", "orders", "items")
PIECES = {
    "customers": ["customer_reference", "status"],
    "orders": ["order_status", "order_reference", "order_timestamp"],
    "items": ["item_name", "quantity", "total_price"],
}
PLAIN = {"customers": ["id"], "orders": ["id", "customer_reference"], "items": ["id", "order_reference"]}
TYPES = {"order_timestamp": "bigint", "quantity": "bigint", "total_price": "unscaled(18,2)"}
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
    from transforms.packed.splitting import packed_column, split

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


def settle_orders(run: Run, orders: DataFrame, items: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """Settles the orders with the totals of their items; returns all of them, and the items that are there twice."""
    from pyspark.sql import functions as F

    from transforms import customer_orders as steps

    run.settle(
        "orders", steps.order_totals(orders, items), figures={"repeats": F.count(F.when(F.col(steps.REPEATS), 1))}
    )
    orders = run.kept("orders")
    if not run.counted("orders", "repeats"):
        return orders, None
    repeated = run.keep(steps.repeated_items(items, orders))
    return steps.without_repeated(orders, repeated), repeated


def settle_customers(run: Run, customers: DataFrame, orders: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """Settles the customers with the totals of their orders; returns them, and the orders of all others, if any."""
    from pyspark.sql import functions as F

    from transforms import customer_orders as steps
    from transforms.problems import is_used

    totals = run.keep(steps.customer_totals(customers, orders))
    figures = {name: F.sum(F.when(is_used(), F.col(name))) for name in (steps.ORDERS, steps.WITHOUT, steps.ITEMS)}
    run.settle("customers", totals.where(F.col(steps.KEEPS).isNotNull()), persist=False, figures=figures)
    run.figure("orders_without_items", run.counted("customers", steps.WITHOUT))
    if run.counted("customers", steps.ORDERS) == run.account("orders").used:
        return run.kept("customers"), None
    parents = steps.lost_customers(totals)
    lost = steps.tag_parents(orders.where(is_used()), parents, "customer_reference", "customer", how="inner")
    return run.kept("customers"), run.settle_late("orders", lost)


def settle_items(
    run: Run, items: DataFrame, orders: DataFrame, lost: DataFrame | None, repeated: DataFrame | None
) -> DataFrame | None:
    """Accounts for the items; returns the ones that do not count, tagged, if there are any.

    Where every item read is in the total of a used customer there is nothing more to say, and no second look.
    """
    from transforms import customer_orders as steps
    from transforms.problems import is_used

    account = run.account("items")
    account.read = account.used = run.records_read("items") or 0
    if run.counted("customers", steps.ITEMS) == account.read or not run.account("orders").used:
        return None
    problems = steps.tag_items(items, orders, lost).where(~is_used())
    if repeated is not None:
        used = orders.where(is_used())
        if lost is not None:
            used = used.join(lost.select("order_reference"), on="order_reference", how="left_anti")
        twice = repeated.join(used.select("order_reference"), on="order_reference", how="left_semi")
        problems = problems.unionByName(twice.select(problems.columns))
    return run.settle_late("items", problems)


def errors(customers: DataFrame, lost: DataFrame | None, items: DataFrame | None) -> DataFrame:
    """The error messages: customers without orders, orders of unknown customers, items of unknown orders."""
    from pyspark.sql import functions as F

    from transforms.customer_messages import error_messages
    from transforms.customer_orders import ORDERS
    from transforms.problems import is_used

    nothing = F.lit(None).cast("string")
    none = customers.where(is_used() & (F.col(ORDERS) == 0))
    told = error_messages(none.withColumn("order_reference", nothing), "Something went wrong!")
    if lost is not None:
        unknown = lost.where(F.col("_problem.reason") == "unknown_customer")
        told = told.unionByName(error_messages(unknown, "Order of an unknown customer"))
    if items is not None:
        orphans = items.where(F.col("_problem.reason") == "unknown_order").select("order_reference").distinct()
        orphans = orphans.withColumn("customer_reference", nothing)
        told = told.unionByName(error_messages(orphans, "Items of an unknown order"))
    return told


def body(run: Run) -> None:
    """Reads, totals, writes, and leaves the messages to be sent after publishing."""
    from pyspark.sql import functions as F

    from transforms import customer_orders as steps
    from transforms.customer_messages import customer_message
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
    orders, repeated = settle_orders(run, orders, items)
    customers, lost = settle_customers(run, customers, orders)
    problems = settle_items(run, items, orders, lost, repeated)
    spending = customers.where(is_used() & (F.col(steps.ORDERS) > 0))
    told = errors(customers, lost, problems)
    run.together(
        lambda: run.write_jsonl(FILES[0], spending, order=["customer_reference"], line=customer_message()),
        lambda: run.write_jsonl(FILES[1], told, order=["customer_reference", "order_reference"]),
    )
    if run.options.queue_url:
        send_after_publish(run, FILES, run.options.queue_url, run.options.date, "customer_reference")


if __name__ == "__main__":
    JOB.main(body)
