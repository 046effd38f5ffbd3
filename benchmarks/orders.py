"""The contenders of the customer orders job: the same messages from the same three files.

python -m benchmarks.orders duckdb --day DIR --out DIR
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.contenders import main, session

ITEMS = "id long, order_reference string, packed string"
ORDERS = "id long, customer_reference string, packed string"
CUSTOMERS = "id long, first_name string, last_name string, packed string"


def _file(day: Path, name: str) -> str:
    return str(next(day.glob(f"{name}_*.csv")))


def floor(day: Path, out: Path) -> None:
    """Spark scans the three files with declared schemas, to nowhere."""
    spark = session("floor")
    for name, schema in (("customers", CUSTOMERS), ("orders", ORDERS), ("items", ITEMS)):
        read = spark.read.schema(schema).csv(_file(day, name), header=True)
        read.write.format("noop").mode("overwrite").save()


def plain(day: Path, out: Path) -> None:
    """What a careful newcomer writes: inferred types, split, joins, a file with coalesce(1)."""
    from pyspark.sql import functions as F

    spark = session("plain")
    read = {n: spark.read.csv(_file(day, n), header=True, inferSchema=True) for n in ("customers", "orders", "items")}
    packed = {name: frame.columns[-1] for name, frame in read.items()}

    def pieces(name: str) -> Any:
        return F.split(F.col(f"`{packed[name]}`"), " ")

    customers = read["customers"].select(pieces("customers")[0].alias("customer_reference"))
    orders = read["orders"].select("customer_reference", F.element_at(pieces("orders"), -2).alias("order_reference"))
    price = F.element_at(pieces("items"), -1).cast("decimal(18,2)").alias("price")
    items = read["items"].select("order_reference", price)
    totals = items.groupBy("order_reference").agg(F.sum("price").alias("price"))
    per_order = orders.join(totals, "order_reference", "left")
    per_customer = per_order.groupBy("customer_reference").agg(
        F.count("*").alias("orders"), F.sum("price").alias("total")
    )
    messages = customers.join(per_customer, "customer_reference", "left").orderBy("customer_reference")
    line = F.to_json(F.struct("customer_reference", F.coalesce("orders", F.lit(0)).alias("orders"), F.col("total")))
    messages.select(line.alias("value")).coalesce(1).write.mode("overwrite").text(str(out / "messages"))


def pandas(day: Path, out: Path) -> None:
    """pandas, everything in memory; amounts in cents."""
    import pandas as pd  # type: ignore[import-untyped]

    customers, orders, items = (pd.read_csv(_file(day, name), dtype=str) for name in ("customers", "orders", "items"))
    customers["customer_reference"] = customers.iloc[:, -1].str.split(" ").str[0]
    orders["order_reference"] = orders.iloc[:, -1].str.split(" ").str[-2]
    items["cents"] = (items.iloc[:, -1].str.rsplit(" ", n=1).str[-1].astype(float) * 100).round().astype("int64")
    totals = items.groupby("order_reference")["cents"].sum()
    orders["cents"] = orders["order_reference"].map(totals).fillna(0).astype("int64")
    grouped = orders.groupby("customer_reference")["cents"].agg(["count", "sum"])
    found = customers[["customer_reference"]].merge(grouped, left_on="customer_reference", right_index=True, how="left")
    out.mkdir(parents=True, exist_ok=True)
    found = found.sort_values("customer_reference")
    with (out / "messages.jsonl").open("w", encoding="utf-8") as target:
        for reference, count, cents in zip(found["customer_reference"], found["count"], found["sum"], strict=True):
            if count == count:
                row = {"customer_reference": reference, "orders": int(count), "total": cents / 100}
            else:
                row = {"customer_reference": reference, "orders": 0}
            target.write(json.dumps(row) + "\n")


def duckdb(day: Path, out: Path) -> None:
    """SQL on two threads."""
    import duckdb as engine

    out.mkdir(parents=True, exist_ok=True)
    database = engine.connect()
    database.execute("SET threads = 2")

    def read(name: str, columns: str) -> str:
        return f"read_csv('{_file(day, name)}', header = true, columns = {columns}, auto_detect = false, delim = ',')"

    customers = read("customers", "{id: 'BIGINT', f: 'VARCHAR', l: 'VARCHAR', p: 'VARCHAR'}")
    orders = read("orders", "{id: 'BIGINT', customer_reference: 'VARCHAR', p: 'VARCHAR'}")
    items = read("items", "{id: 'BIGINT', order_reference: 'VARCHAR', p: 'VARCHAR'}")
    database.execute(
        f"COPY (WITH t AS (SELECT order_reference, sum(CAST(split_part(p, ' ', -1) AS DECIMAL(18,2))) AS price FROM {items} GROUP BY 1),"
        " o AS (SELECT customer_reference, count(*) AS orders, sum(price) AS total"
        f" FROM (SELECT customer_reference, split_part(p, ' ', -2) AS order_reference FROM {orders}) LEFT JOIN t USING (order_reference)"
        f" GROUP BY 1) SELECT split_part(c.p, ' ', 1) AS customer_reference, coalesce(orders, 0) AS orders, total FROM {customers} c"
        f" LEFT JOIN o ON o.customer_reference = split_part(c.p, ' ', 1) ORDER BY 1) TO '{out / 'messages.jsonl'}' (FORMAT json)"
    )


def polars(day: Path, out: Path) -> None:
    """Polars on two threads."""
    import polars as pl

    out.mkdir(parents=True, exist_ok=True)
    customers, orders, items = (
        pl.scan_csv(_file(day, name), infer_schema=False) for name in ("customers", "orders", "items")
    )

    def last(frame: Any) -> Any:
        return pl.col(frame.collect_schema().names()[-1])

    customers = customers.select(last(customers).str.split(" ").list.first().alias("customer_reference"))
    orders = orders.select("customer_reference", last(orders).str.split(" ").list.get(-2).alias("order_reference"))
    price = last(items).str.split(" ").list.last().cast(pl.Decimal(18, 2)).alias("price")
    totals = items.select("order_reference", price).group_by("order_reference").agg(pl.col("price").sum())
    grouped = orders.join(totals, on="order_reference", how="left").group_by("customer_reference")
    per_customer = grouped.agg(pl.len().alias("orders"), pl.col("price").sum().alias("total"))
    found = customers.join(per_customer, on="customer_reference", how="left").sort("customer_reference")
    found.with_columns(pl.col("total").cast(pl.Float64)).collect().write_ndjson(out / "messages.jsonl")


def outputs(out: Path) -> dict[str, tuple[int, Decimal]]:
    """Orders and total by customer of a contender or of the job, for comparison; a message about an order without a parent
    is under both references. ValueError: two messages for one customer or order.
    """
    found: dict[str, tuple[int, Decimal]] = {}
    files = [
        p
        for name in ("customer_messages.jsonl", "error_messages.jsonl", "messages.jsonl", "messages")
        if (p := out / name).exists()
    ]
    paths = [part for p in files for part in (sorted(p.glob("part-*")) if p.is_dir() else [p])]
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line, parse_float=Decimal)
                count = int(row.get("number_of_orders", row.get("orders")) or 0)
                total = row.get("total_amount_spent", row.get("total")) or 0
                reference, order = row["customer_reference"], row.get("order_reference")
                key = reference if order is None else f"{reference} {order}"
                if key in found:
                    raise ValueError(f"{path}: two messages for {key}")
                found[key] = (count, Decimal(str(total)).normalize())
    return found


if __name__ == "__main__":
    main((floor, plain, pandas, duckdb, polars), "day", "out")
