"""A generated day with one row in a hundred damaged, against an independent calculation by DuckDB."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable

import duckdb
import pytest

from benchmarks.generate_orders import generate
from tests.support.jobs import JobResult

CASCADE = {"unknown_customer", "unknown_order", "parent_rejected"}
SUBMIT = ("--master", "local[2]", "--driver-memory", "3g")

# The files as lines, cut by DuckDB's own functions; the damaged lines are left out by their numbers.
LINES = """
    CREATE TABLE {name} AS
    SELECT string_split(text, ',') AS fields, string_split(string_split(text, ',')[-1], ' ') AS pieces
    FROM (SELECT row_number() OVER () + 1 AS line, text FROM read_csv('{path}', columns = {{'text': 'VARCHAR'}},
          header = true, delim = '\x01', quote = '', escape = '', auto_detect = false, parallel = false))
    WHERE line NOT IN (SELECT line FROM damaged WHERE file = '{file}')
"""
EXPECTED = """
    WITH bought AS (
        SELECT fields[2] AS order_reference, sum(pieces[-1]::DECIMAL(18, 2)) AS spent FROM items GROUP BY ALL),
    ordered AS (
        SELECT fields[2] AS customer_reference, count(*) AS orders, sum(coalesce(spent, 0)) AS spent
        FROM orders LEFT JOIN bought ON orders.pieces[-2] = bought.order_reference GROUP BY ALL)
    SELECT pieces[1] AS customer_reference, coalesce(orders, 0) AS orders, coalesce(spent, 0)::DECIMAL(38, 2) AS spent
    FROM customers LEFT JOIN ordered ON customers.pieces[1] = ordered.customer_reference
"""


def expected(source: pathlib.Path) -> duckdb.DuckDBPyConnection:
    """A database with the view `expected`: customer_reference, orders, spent."""
    base = duckdb.connect()
    base.execute(f"CREATE TABLE damaged AS SELECT * FROM read_csv('{source}/damaged.csv')")
    for name in ("customers", "orders", "items"):
        file = f"{name}_20220130.csv"
        base.execute(LINES.format(name=name, path=source / file, file=file))
    base.execute(f"CREATE TABLE expected AS {EXPECTED}")
    return base


def differences(base: duckdb.DuckDBPyConnection, messages: pathlib.Path) -> tuple[int, int]:
    """Messages that should not be there, and messages that should."""
    columns = "{'customer_reference': 'VARCHAR', 'number_of_orders': 'BIGINT', 'total_amount_spent': 'DECIMAL(38,2)'}"
    base.execute(f"CREATE OR REPLACE TABLE found AS SELECT * FROM read_json('{messages}', columns = {columns})")
    wanted = "(SELECT * FROM expected WHERE orders > 0)"
    counts = [
        f"(SELECT count(*) FROM (FROM found EXCEPT ALL {wanted}))",
        f"(SELECT count(*) FROM ({wanted} EXCEPT ALL FROM found))",
    ]
    row = base.execute(f"SELECT {', '.join(counts)}").fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.each_engine
@pytest.mark.parametrize(
    "customers", [pytest.param(5_000, id="small"), pytest.param(1_000_000, marks=pytest.mark.slow, id="million")]
)
def test_totals_equal_an_independent_calculation_and_every_damaged_row_is_in_quarantine(
    run_job: Callable[..., JobResult], tmp_path: pathlib.Path, customers: int
) -> None:
    source, out = tmp_path / "drops", tmp_path / "out"
    generate(source, customers, damaged=0.01)
    done = run_job("customer_orders", "--source", source, "--destination", out, submit=SUBMIT, timeout=3000)
    assert done.exit_code == 0, done.output
    base = expected(source)
    assert differences(base, out / "customer_messages.jsonl") == (0, 0)

    quarantined = [
        json.loads(line)
        for file in out.glob("_runs/*/quarantine/*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    found = {(pathlib.Path(row["file"]).name, row["position"]) for row in quarantined if row["reason"] not in CASCADE}
    damaged = set(base.execute("SELECT file, line FROM damaged").fetchall())
    assert found == damaged
    references = [
        json.loads(line)["customer_reference"] for line in (out / "customer_messages.jsonl").open(encoding="utf-8")
    ]
    assert references == sorted(references, key=str.encode)
    empty = base.execute("SELECT customer_reference FROM expected WHERE orders = 0").fetchall()
    messages = [json.loads(line) for line in (out / "error_messages.jsonl").open(encoding="utf-8")]
    assert sorted(one["customer_reference"] for one in messages if one["message"] == "Something went wrong!") == sorted(
        e for (e,) in empty
    )
