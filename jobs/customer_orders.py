"""One message per customer out of a day's customers, orders and items, as files and, when asked, into a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pipeline.errors import InputError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, comma_separated, csv_input, option
from pipeline.job.options.daily import DailyOptions, with_daily_files
from pipeline.job.outputs import Outputs, jsonl
from pipeline.job.runner import Job
from pipeline.sinks.sqs.queue import check_queue
from pipeline.sinks.sqs.send import sqs
from transforms.checks import check_foreign_key, check_unique, exclude_duplicates
from transforms.customer_orders import (
    all_error_messages,
    customer_message,
    error_message,
    reject_empty,
    total_per_customer,
    used_rows,
)
from transforms.packed.splitting import packed_column, split
from transforms.row_errors import valid
from transforms.text import suggest

CUSTOMER = ["customer_reference", "status"]
ORDER = ["order_status", "order_reference", "order_timestamp"]
ITEM = ["item_name", "quantity", "total_price"]
TYPES = {"order_timestamp": "bigint", "quantity": "bigint", "total_price": "decimal(18,2)"}
MESSAGES = ("customer_messages.jsonl", "error_messages.jsonl")


@dataclass
class Options(DailyOptions):
    """One message per customer (orders, amount spent) out of a day's customers, orders and items."""

    customers: CsvInput = csv_input(
        "customers_D.csv: id, ..., 'customer_reference status'", required=False, columns=("id",)
    )
    orders: CsvInput = csv_input(
        "orders_D.csv: id, customer_reference, 'order_status order_reference order_timestamp'",
        required=False,
        columns=("id", "customer_reference"),
    )
    items: CsvInput = csv_input(
        "items_D.csv: id, order_reference, 'item_name quantity total_price'",
        required=False,
        columns=("id", "order_reference"),
    )
    elastic: tuple[str, ...] = option(
        "pieces that may hold blanks, one per packed column", ("item_name", "order_status"), split=comma_separated
    )
    queue_url: str | None = option("SQS queue that gets the messages once the files are published", metavar="URL")

    def prepare(self) -> Self:
        """Finds the day's files, and the day."""
        found = with_daily_files(self, "customers", "orders", "items", day_needed_by="queue_url")
        headers = [found.header_of(source) for source in (found.customers, found.orders, found.items)]
        names = [piece for header, _ in headers for column in header for piece in column.split(" ")]
        for name in self.elastic:
            if name not in [*names, *CUSTOMER, *ORDER, *ITEM]:
                raise UsageError(f"--elastic: no column has {name}; have {', '.join(names)}{suggest(name, names)}")
        if found.queue_url and not found.dry_run:
            check_queue(found.queue_url)
        return found


def read_packed(job: JobContext, o: Options, source: CsvInput, columns: list[str], fields: list[str]) -> DataFrame:
    """An input's rows: `id`, the columns, and the fields of its packed column; empty references are rejected."""
    header = job.csv_header(source)
    packed = [name for name in header if set(fields) <= set(name.split(" "))]
    if not packed:
        have = ", ".join(header) + o.header_of(source)[1]
        raise InputError(f"{source.files()[0].path}: missing column '{' '.join(fields)}'; have {have}")
    texts = [T.StructField(name, T.StringType()) for name in [*columns, packed[0]]]
    rows = job.read_csv(source, T.StructType([T.StructField("id", T.LongType(), nullable=False), *texts]))
    rows = split(rows, packed_column(packed[0], greedy=o.elastic, types=TYPES))
    return reject_empty(rows, *[name for name in rows.columns if name.endswith("_reference")])


def run(job: JobContext, o: Options) -> Outputs:
    """Reads the three inputs, checks them against each other, adds up, and makes the messages."""
    names = [name for name in job.csv_header(o.customers) if name != "id" and not set(CUSTOMER) <= set(name.split(" "))]
    customers = read_packed(job, o, o.customers, names, CUSTOMER)
    orders = read_packed(job, o, o.orders, ["customer_reference"], ORDER)
    items = read_packed(job, o, o.items, ["order_reference"], ITEM)

    customers = check_unique(job.reused(customers, key="customer_reference"), "customer_reference")
    customers = job.record("customers", customers)
    orders = check_unique(job.reused(orders, key="order_reference"), "order_reference")
    orders = job.record("orders", check_foreign_key(orders, customers, "customer_reference", "customer"))
    items = job.reused(check_foreign_key(items, orders, "order_reference", "order"))
    items = exclude_duplicates(items, "order_reference")
    items = job.record("items", items.drop("item_name", "quantity"))

    spending = job.cached(total_per_customer(valid(customers), valid(orders), valid(items)))
    [used] = job.few_rows(used_rows(spending))
    job.record_used(customers=used.customers, orders=used.orders, items=used["items"])
    job.metric("orders_without_items", used.orders_without_items)

    with_orders = spending.where("number_of_orders > 0")
    errors = all_error_messages(spending, orders, items)
    return Outputs(
        jsonl(MESSAGES[0], with_orders, order=["customer_reference"], render=customer_message),
        jsonl(MESSAGES[1], errors, order=["customer_reference", "order_reference"], render=error_message),
        sqs(o.queue_url, *MESSAGES, day=o.date or "", group_key="customer_reference"),
    )


JOB = Job("customer_orders", Options, run)

if __name__ == "__main__":
    JOB.main()
