"""Fills a DynamoDB table with the rows of a frame, one item per row, and removes what earlier runs left there.

The table has the partition key `id` (string), no sort key, and belongs to one job: two jobs take two tables. An item
has the frame's columns under their own names (text S, numbers N, booleans BOOL, absent values NULL) and `run_id`.
Items are put in parallel, in batches of 25, and a run that is repeated writes the same items again. Only when every
item is there are items of other runs removed, so a reader finds old or new rows at any moment and never none. Items
without `run_id` were put there by somebody else and stay. The item `#load` says which fill the table shows
(`pipeline.sinks.marks`).

Searching: DynamoDB cannot query for a part of a text, and a table of car parks is about one megabyte. The reader
scans it, keeps the items for a minute and searches them itself (`services.lookup.search`); no attribute is made for it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow
from botocore.exceptions import BotoCoreError, ClientError
from pyspark.sql import Column, DataFrame
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential
from tenacity import wait_random_exponential as wait_random

from pipeline.errors import DeliveryError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.outputs import Delivery
from pipeline.sinks import marks

KEY = "id"
RUN = "run_id"
BATCH = 25  # what one BatchWriteItem takes
ATTEMPTS = 10
# From 0.05 to 0.1 s before the second attempt, then double each time, up to 20 s.
WAIT = wait_exponential(multiplier=0.05, max=10) + wait_random(multiplier=0.05, max=10)

Item = dict[str, Any]


@dataclass(frozen=True)
class FillResult:
    """Items put into the table, and items of earlier runs removed."""

    written: int
    removed: int


def _client() -> Any:
    """The client of a resource, which takes and gives plain Python values."""
    import boto3  # takes its time to load, and most runs fill no table
    from botocore.config import Config

    # Adaptive: the client slows itself down when the table throttles, and repeats what failed.
    config = Config(connect_timeout=5, read_timeout=15, retries={"mode": "adaptive", "max_attempts": 8})
    return boto3.resource("dynamodb", config=config).meta.client


def check_table(table: str) -> None:
    """`UsageError` when the table does not exist, cannot be seen, or has another key than `id` (string)."""
    try:
        found = _client().describe_table(TableName=table)["Table"]
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f"--lookup-table {table}: {error}") from error
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in found["AttributeDefinitions"]}
    parts = [(part["AttributeName"], types[part["AttributeName"]], part["KeyType"]) for part in found["KeySchema"]]
    key = ", ".join(" ".join(part) for part in parts)
    if key != f"{KEY} S HASH":
        raise UsageError(f"--lookup-table {table}: its key is {key}, expected {KEY} S HASH alone")


def _batches(requests: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(requests)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch


def write_batch(client: Any, table: str, batch: list[Item], sleep: Callable[[float], None] = time.sleep) -> None:
    """Sends one batch of plain requests; what the table left unprocessed is sent again after a growing, random wait.

    boto3's `batch_writer` would repeat it without a wait and without an end. `DeliveryError` after `ATTEMPTS`.
    """
    left = batch

    def send() -> Any:
        nonlocal left
        left = client.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {}).get(table, [])
        return left

    try:
        Retrying(retry=retry_if_result(bool), stop=stop_after_attempt(ATTEMPTS), wait=WAIT, sleep=sleep)(send)
    except RetryError as error:
        raise DeliveryError(
            f"lookup table {table}: {len(left)} items not taken after {ATTEMPTS} attempts, capacity too low"
        ) from error


def put_rows(client: Any, table: str, rows: Iterable[Mapping[str, Any]], run_id: str) -> int:
    """Puts every row as an item; returns how many. Of rows with one id the last counts (a batch may name it once)."""
    written = 0
    for batch in _batches({**row, RUN: run_id} for row in rows):
        # DynamoDB's numbers are decimal: boto3 refuses floats.
        items = [{k: Decimal(str(v)) if isinstance(v, float) else v for k, v in item.items()} for item in batch]
        unique = {item[KEY]: {"PutRequest": {"Item": item}} for item in items}
        write_batch(client, table, list(unique.values()))
        written += len(unique)
    return written


def remove_other_runs(client: Any, table: str, run_id: str) -> int:
    """Removes the items that another run put there; returns how many."""
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="#id",
        FilterExpression="#run <> :run AND attribute_exists(#run)",
        ExpressionAttributeNames={"#id": KEY, "#run": RUN},
        ExpressionAttributeValues={":run": run_id},
        ConsistentRead=True,
    )
    removed = 0
    for batch in _batches({"DeleteRequest": {"Key": {KEY: item[KEY]}}} for page in pages for item in page["Items"]):
        write_batch(client, table, batch)
        removed += len(batch)
    return removed


def remove_mark(client: Any, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Takes the mark away and waits until no reader goes by it; a table that never had one needs no wait."""
    if "Attributes" in client.put_item(TableName=table, Item={KEY: marks.ITEM_ID}, ReturnValues="ALL_OLD"):
        sleep(marks.WAIT_SECONDS)


def set_mark(client: Any, table: str, load_id: str) -> None:
    """Says which load the table shows from now on."""
    client.put_item(TableName=table, Item={KEY: marks.ITEM_ID, "load": load_id})


def fill(frame: DataFrame, table: str, *, run_id: str) -> FillResult:
    """Puts every row of the frame into the table and removes the items of other runs.

    In: a frame with the column `id` (string, unique, not empty) and any columns of text, numbers and booleans.
    `DeliveryError` when the table does not take all rows; nothing is removed then, and running again repairs it.
    """
    if dict(frame.dtypes).get(KEY) != "string":
        raise ValueError(f"a lookup table needs the string column {KEY}, have {frame.dtypes}")

    def write(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        """Puts the rows of a partition into the table; gives one row: how many were written, and what failed."""
        written, failure = 0, ""
        try:
            client = _client()
            for batch in batches:
                written += put_rows(client, table, batch.to_pylist(), run_id)
        except (BotoCoreError, ClientError, DeliveryError) as error:
            failure = str(error)  # the driver reports it in one line, instead of a worker's stack trace
        yield pyarrow.RecordBatch.from_pydict({"written": [written], "failure": [failure]})

    try:
        remove_mark(_client(), table)
    except (BotoCoreError, ClientError) as error:
        raise DeliveryError(f"lookup table {table}: no item written: {error}") from error
    done = frame.mapInArrow(write, "written long, failure string").collect()
    written, failures = sum(row.written for row in done), sorted({row.failure for row in done if row.failure})
    if failures:
        raise DeliveryError(f"lookup table {table}: {written} items written, then: {failures[0]}")
    try:
        client = _client()
        removed = remove_other_runs(client, table, run_id) if written else 0
        set_mark(client, table, marks.load_id(run_id))
        return FillResult(written, removed)
    except (BotoCoreError, ClientError) as error:
        raise DeliveryError(f"lookup table {table}: {written} items written, then: {error}") from error


def dynamodb(table: str | None, frame: DataFrame, key: Column) -> Delivery | None:
    """Fills the lookup table with the rows of the frame under `key`; None without a table.

    Null rule: a row whose key is null makes the delivery fail.
    """
    if not table:
        return None
    name = table

    def deliver(job: JobContext) -> None:
        """Puts every row, and removes what earlier runs left there."""
        done = fill(frame.withColumn(KEY, key), name, run_id=job.run_id)
        job.metric(f"lookup table {name}", {"written": done.written, "removed": done.removed})

    return Delivery("fill the lookup table", deliver)
