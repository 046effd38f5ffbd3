"""One message per customer out of a day's customers, orders and items, as files and, when asked, into a queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, comma_separated, option
from pipeline.job.options.daily import DailyOptions, daily_input, with_daily_files
from pipeline.job.outputs import Outputs, jsonl
from pipeline.job.packed.steps import check_fields, packed_header, read_packed
from pipeline.job.runner import Job
from pipeline.sinks.sqs.queue import check_queue
from pipeline.sinks.sqs.send import sqs
from transforms import customer_orders as messages
from transforms.checks import check_foreign_key, check_unique, exclude_duplicates
from transforms.row_errors import valid
from transforms.text import own_columns

ID = T.StructField("id", T.LongType(), nullable=False)
CUSTOMER = ["customer_reference", "status"]
ORDER = ["order_status", "order_reference", "order_timestamp"]
ITEM = ["item_name", "quantity", "total_price"]
TYPES = {"order_timestamp": "bigint", "quantity": "bigint", "total_price": "decimal(18,2)"}
FILES = ("customer_messages.jsonl", "error_messages.jsonl")


@dataclass
class Options(DailyOptions):
    """One message per customer (orders, amount spent) out of a day's customers, orders and items."""

    customers: CsvInput = daily_input("customers_D.csv: id, ..., 'customer_reference status'", columns=["id"])
    orders: CsvInput = daily_input(
        "orders_D.csv: id, customer_reference, 'order_status order_reference order_timestamp'",
        columns=["id", "customer_reference"],
    )
    items: CsvInput = daily_input(
        "items_D.csv: id, order_reference, 'item_name quantity total_price'", columns=["id", "order_reference"]
    )
    elastic: tuple[str, ...] = option(
        "pieces that may hold blanks, one per packed column", ("item_name", "order_status"), split=comma_separated
    )
    queue_url: str | None = option("SQS queue that gets the messages once the files are published", metavar="URL")

    def prepare(self) -> Self:
        """Finds the day's files, and the day."""
        found = with_daily_files(self, "customers", "orders", "items", day_needed_by="queue_url")
        headers = [found.header_of(source)[0] for source in (found.customers, found.orders, found.items)]
        check_fields("--elastic", found.elastic, headers, [*CUSTOMER, *ORDER, *ITEM])
        if found.queue_url and not found.dry_run:
            check_queue(found.queue_url)
        return found


def read(job: JobContext, o: Options, source: CsvInput, columns: Sequence[str], fields: list[str]) -> DataFrame:
    """An input's rows: `id`, the columns, and the fields of its packed column; empty references are rejected."""
    texts = [T.StructField(name, T.StringType()) for name in columns]
    rows = read_packed(job, source, fields, columns=[ID, *texts], types=TYPES, greedy=o.elastic)
    return messages.reject_empty(rows, *[name for name in rows.columns if name.endswith("_reference")])


def unique(job: JobContext, rows: DataFrame, key: str) -> DataFrame:
    """The rows, all but one of each key tagged."""
    return job.checked(rows, lambda rows: check_unique(rows, key), equal=[key])


def run(job: JobContext, o: Options) -> Outputs:
    """Reads the three inputs, checks them against each other, adds up, and makes the messages."""
    header = job.csv_header(o.customers)
    more = [name for name in header if name not in ("id", packed_header(header, CUSTOMER))]
    customers = read(job, o, o.customers, more, CUSTOMER)
    orders = read(job, o, o.orders, ["customer_reference"], ORDER)
    items = read(job, o, o.items, ["order_reference"], ITEM)

    customers = job.reused(customers, key="customer_reference")
    customers = job.record("customers", unique(job, customers, "customer_reference"))
    orders = unique(job, job.reused(orders, key="order_reference"), "order_reference")
    orders = job.checked(orders, lambda rows: check_foreign_key(rows, customers, "customer_reference", "customer"))
    orders = job.record("orders", orders)
    items = job.reused(job.checked(items, lambda rows: check_foreign_key(rows, orders, "order_reference", "order")))
    own = own_columns(items)
    items = job.checked(items, lambda rows: exclude_duplicates(rows, "order_reference"), equal=own)
    items = job.record("items", items.drop("item_name", "quantity"))

    spending = job.cached(messages.total_per_customer(valid(customers), valid(orders), valid(items)))
    [used] = job.few_rows(messages.used_rows(spending))
    job.record_used(customers=used.customers, orders=used.orders, items=used["items"])
    job.metric("orders_without_items", used.orders_without_items)

    with_orders = spending.where("number_of_orders > 0")
    errors = messages.all_error_messages(spending, orders, items)
    return Outputs(
        jsonl(FILES[0], with_orders, order=["customer_reference"], render=messages.customer_message),
        jsonl(FILES[1], errors, order=["customer_reference", "order_reference"], render=messages.error_message),
        sqs(o.queue_url, *FILES, day=o.date or "", group_key="customer_reference"),
    )


JOB = Job("customer_orders", Options, run)

if __name__ == "__main__":
    JOB.main()
