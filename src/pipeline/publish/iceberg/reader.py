"""Reads the tables of a catalog as one run left them, all of the same run: `partner-jobs tables`.

scans = as_of("partners", "out/orders", "orders", run_id)      # without a run: the newest that is whole
scans["orders__items"].to_duckdb("items").sql("SELECT count(*) FROM items")
"""

from __future__ import annotations

import argparse
import sys

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import DataScan, Table

from pipeline.errors import InputError, PipelineError, UsageError
from pipeline.publish.iceberg.catalog import answering, open_catalog, split_name
from pipeline.publish.iceberg.history import in_order, run_ids, run_of
from pipeline.publish.iceberg.tables import TABLES, listed


def _roots(catalog: Catalog, namespace: str) -> dict[str, Table]:
    try:
        tables = [catalog.load_table(name) for name in catalog.list_tables(namespace)]
    except NoSuchNamespaceError:
        raise InputError(f"{catalog.name}: there is no namespace {namespace}") from None
    return {table.name()[-1]: table for table in tables if TABLES in table.properties}


def as_of(catalog: str, destination: str, root: str, run_id: str = "") -> dict[str, DataScan]:
    """A scan of the root and of each table below it, by name, in the state that one run left.

    `run_id`: the run, by default the newest. `InputError` for a root or a run that is not there. A table that came
    later is not among them.
    """
    name, namespace = split_name(catalog)
    opened = open_catalog(name, destination)
    try:
        top = opened.load_table((namespace, root))
    except NoSuchTableError:
        raise InputError(
            f"{catalog}: there is no table {root}; there: {', '.join(_roots(opened, namespace))}"
        ) from None
    runs = run_ids(top)
    wanted = run_id or (runs[-1] if runs else "")
    if wanted not in runs:
        raise InputError(f"{catalog}.{root}: no run {wanted}; the last ones: {', '.join(runs[-5:]) or 'none'}")
    found = {}
    for one in listed(top):
        table = top if one == root else opened.load_table((namespace, one))
        snapshots = [snapshot for snapshot in in_order(table) if run_of(snapshot) == wanted]
        if snapshots:
            found[one] = table.scan(snapshot_id=snapshots[-1].snapshot_id)
    return found


def _shown(scans: dict[str, DataScan], sql: str) -> None:
    """Prints the answer of DuckDB to a question about the tables, or their rows and columns."""
    if not sql:
        for name, scan in scans.items():
            columns = ", ".join(f"{column.name} {column.field_type}" for column in scan.projection().fields)
            print(f"{name}: {scan.count():,} rows; {columns}")
        return
    import duckdb  # only for questions

    with duckdb.connect() as connection:
        for name, scan in scans.items():
            connection.register(name, scan.to_arrow())
        try:
            connection.sql(sql).show(max_rows=100)
        except duckdb.Error as error:
            raise UsageError(f"--sql: {error}") from None


def main() -> int:
    """The program: 0, or 2 with one line when something is not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument(
        "--catalog", required=True, metavar="NAME", help="CATALOG or CATALOG.NAMESPACE, as the job had it"
    )
    parser.add_argument("--destination", required=True, metavar="DIR", help="the job's")
    parser.add_argument("--root", default="", metavar="NAME", help="the root table; default: every one there is")
    parser.add_argument("--as-of", default="", metavar="RUN_ID", help="as this run left them; default: the newest run")
    parser.add_argument("--sql", default="", metavar="QUERY", help="a question to DuckDB; rows are read into memory")
    asked = parser.parse_args()
    try:
        name, namespace = split_name(asked.catalog)
        with answering(name):
            roots = _roots(open_catalog(name, asked.destination), namespace)
        for root in [asked.root] if asked.root else roots:
            if not asked.sql and root in roots:
                print(f"runs of {root}: {', '.join(run_ids(roots[root]))}")
            _shown(as_of(asked.catalog, asked.destination, root, asked.as_of), asked.sql)
    except PipelineError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
