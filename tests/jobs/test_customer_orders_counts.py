"""customer_orders adds up what it used once more: a fault in the totals makes the run fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from tests.support.jobs import JobResult, job_module

Frames = tuple[DataFrame, DataFrame, DataFrame]
FILES = {
    "customers": ["id,customer_reference status", "1,c1 Active", "2,c2 Active"],
    "orders": [
        "id,customer_reference,order_status order_reference order_timestamp",
        "1,c1,Sent o1 10",
        "2,c1,Sent o2 11",
    ],
    "items": ["id,order_reference,item_name quantity total_price", "1,o1,Lamp 1 5", "2,o1,Lamp 2 10", "3,o2,Bed 1 90"],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda customers, orders, items: (customers, orders, items.where("id <> 2")),
            "input items: 3 records read, but 2 used + 0 excluded + 0 rejected = 2",
        ),
        (
            lambda customers, orders, items: (customers, orders, items.unionByName(items.where("id = 2"))),
            "input items: 3 records read, but 4 used + 0 excluded + 0 rejected = 4",
        ),
        (
            lambda customers, orders, items: (customers, orders.unionByName(orders.where("id = 2")), items),
            "input orders: 2 records read, but 3 used + 0 excluded + 0 rejected = 3",
        ),
        (
            lambda customers, orders, items: (customers.where("id = 1"), orders, items),
            "input customers: 2 records read, but 1 used + 0 excluded + 0 rejected = 1",
        ),
    ],
    ids=["loses an item", "repeats an item", "repeats an order", "loses a customer without orders"],
)
def test_totals_that_lose_or_repeat_a_row_make_the_run_fail(
    change: Callable[..., Frames],
    message: str,
    tmp_path: Path,
    call_job: Callable[..., JobResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = job_module("customer_orders").messages
    total = module.total_per_customer
    monkeypatch.setattr(module, "total_per_customer", lambda *frames: total(*change(*frames)))
    arguments: list[object] = ["--destination", tmp_path / "out", "--quiet"]
    for name, lines in FILES.items():
        path = tmp_path / f"{name}.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments += [f"--{name}", path]
    done = call_job("customer_orders", *arguments)
    assert (done.exit_code, done.stderr) == (1, f"customer_orders: {message}\n")
    assert (done.report["status"], done.report["message"]) == ("failed", message)
    assert not (tmp_path / "out" / "customer_messages.jsonl").exists()
