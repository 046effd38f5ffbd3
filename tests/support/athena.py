"""Reads tables as Athena would, with DuckDB, by nothing but what the Data Catalog says of them."""

from __future__ import annotations

import pathlib
import re
import tempfile
from typing import Any

import duckdb

from tests.support.servers import Endpoint

_TYPES = {
    "string": "VARCHAR", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def duckdb_type(kind: str) -> str:
    """A type of the catalog as DuckDB calls it."""
    if found := re.fullmatch(r"array<(.*)>", kind):
        return f"{duckdb_type(found[1])}[]"
    if found := re.fullmatch(r"map<(\w+),(.*)>", kind):
        return f"MAP({duckdb_type(found[1])}, {duckdb_type(found[2])})"
    return kind.upper() if kind.startswith("decimal") else _TYPES[kind]


def table(aws: Endpoint, database: str, name: str) -> dict[str, Any]:
    """The table's entry in the catalog."""
    found: dict[str, Any] = aws.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    return found


def types(entry: dict[str, Any]) -> dict[str, str]:
    """Columns and types of a table or a partition."""
    return {column["Name"]: column["Type"] for column in entry["StorageDescriptor"]["Columns"]}


def partitions(aws: Endpoint, database: str, name: str) -> dict[str, dict[str, Any]]:
    """The table's partitions by their value."""
    found = aws.client("glue").get_partitions(DatabaseName=database, TableName=name)["Partitions"]
    return {one["Values"][0]: one for one in found}


def select(aws: Endpoint, database: str, name: str) -> list[dict[str, Any]]:
    """All rows of a table, those of a day with the partition's column, in the order of days and files."""
    entry, rows = table(aws, database, name), []
    keys = [key["Name"] for key in entry["PartitionKeys"]]
    parts = sorted(partitions(aws, database, name).items()) if keys else [("", entry)]
    for value, part in parts:
        columns = {_name(name): duckdb_type(kind) for name, kind in types(entry).items() if name in types(part)}
        with tempfile.TemporaryDirectory() as folder:
            files = _download(aws, part["StorageDescriptor"]["Location"], pathlib.Path(folder))
            if not files:
                continue
            wanted = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns.items())
            found = duckdb.sql(f"SELECT {wanted} FROM {_source(entry, part, files)}")
            rows += [dict(zip([*found.columns, *keys], (*row, value), strict=False)) for row in found.fetchall()]
    return rows


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _download(aws: Endpoint, location: str, folder: pathlib.Path) -> list[str]:
    """All files that Athena reads at a location; names that begin with _ or . are hidden."""
    assert location.endswith("/"), f"{location} is no folder"
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    client, files = aws.client("s3"), []
    for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        name = item["Key"].removeprefix(prefix)
        if not re.search(r"(^|/)[_.]", name):
            files.append(str(folder / name.replace("/", "-")))
            client.download_file(bucket, item["Key"], files[-1])
    return files


def _source(entry: dict[str, Any], part: dict[str, Any], files: list[str]) -> str:
    """The files as a table of DuckDB with the columns, and for Parquet with the types, that the catalog names."""
    info, columns = part["StorageDescriptor"]["SerdeInfo"], types(part)
    settings = info["Parameters"]
    if info["SerializationLibrary"].endswith("OpenCSVSerde"):
        assert set(columns.values()) == {"string"}, "OpenCSVSerde gives text only"
        assert entry["Parameters"]["skip.header.line.count"] == "1"
        named = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
        how = f"delim='{settings['separatorChar']}', quote='{settings['quoteChar']}', escape='\"'"
        return f"read_csv({files}, columns={{{named}}}, header=true, auto_detect=false, {how})"
    if info["SerializationLibrary"].endswith("JsonSerDe"):
        keys = {settings.get(f"mapping.{name}", name): kind for name, kind in columns.items()}
        named = ", ".join(f"'{key}': '{duckdb_type(kind)}'" for key, kind in keys.items())
        chosen = ", ".join(f"{_name(settings.get(f'mapping.{name}', name))} AS {_name(name)}" for name in columns)
        return f"(SELECT {chosen} FROM read_json({files}, columns={{{named}}}, format='newline_delimited'))"
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet({files})").fetchall()
    here = [(row[0].lower(), row[1]) for row in described]
    if settings.get("parquet.column.index.access") == "true":
        assert [kind for _, kind in here] == [duckdb_type(kind) for kind in columns.values()]
        return f"(SELECT * FROM read_parquet({files})) AS t({', '.join(map(_name, columns))})"
    # Columns that this day's files lack are null.
    own = {name: kind for name, kind in columns.items() if name in dict(here)}
    assert dict(here) == {name: duckdb_type(kind) for name, kind in own.items()}
    lacking = [f"NULL AS {_name(name)}" for name in columns if name not in own]
    return f"(SELECT {', '.join(['*', *lacking])} FROM read_parquet({files}))"
