"""Tables as Athena reads them: names, types, how files are read, and which changes of columns it can live with.

CSV is read with OpenCSVSerde, by position and as text only; JSON lines with OpenX and Parquet by name. A Parquet file
with names that Athena does not take is read by position too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError

DAY, RUN = "day", "run"  # partitions
_COMMENT = 255  # characters that the catalog takes
_SERDE = {
    "csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
}
_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_PARQUET = tuple(f"org.apache.hadoop.hive.ql.io.parquet.MapredParquet{way}Format" for way in ("Input", "Output"))
# Without an escape character of its own the SerDe takes a backslash for one, which these files do not.
_NO_ESCAPE = "\x01"
_BY_POSITION = "parquet.column.index.access"
_WIDER = {
    "tinyint": ("smallint", "int", "bigint"),
    "smallint": ("int", "bigint"),
    "int": ("bigint",),
    "float": ("double",),
}


@dataclass(frozen=True)
class Column:
    """A published column: its name in the files, its Spark type, and a comment."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class TableFile:
    """A published folder of parts, `rows.csv`, and its columns in the order of the files."""

    file: str
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """The table's name in the catalog."""
        return name_of(self.file.rpartition(".")[0])

    @property
    def form(self) -> str:
        """What the catalog calls the format: csv, json, parquet."""
        return {"jsonl": "json"}.get(suffix := self.file.rpartition(".")[2], suffix)

    def names(self) -> list[str]:
        """The columns' names in the catalog: unique, though it knows small letters only."""
        found: list[str] = []
        for column in self.columns:
            base = name_of(column.name)
            free = (f"{base}_{number}" if number > 1 else base for number in itertools.count(1))
            found.append(next(name for name in free if name not in found))
        return found

    def described(self) -> list[dict[str, str]]:
        """The columns as the catalog has them; a comment begins with the type where the files hold text instead."""
        made = []
        for name, column in zip(self.names(), self.columns, strict=True):
            as_text = self.form == "csv" or (self.form == "json" and column.type.startswith("timestamp"))
            kind = "string" if as_text else column.type.replace("timestamp_ntz", "timestamp")
            notes = [column.type if kind != column.type else "", column.name if name != column.name.lower() else ""]
            comment = ", ".join(part for part in (*notes, column.comment) if part)
            made.append({"Name": name, "Type": kind, "Comment": comment[:_COMMENT]})
        return made

    def read_by_position(self) -> bool:
        """Whether columns are found by their place."""
        renamed = self.names() != [column.name.lower() for column in self.columns]
        return self.form == "csv" or (self.form == "parquet" and renamed)

    def storage(self, location: str) -> dict[str, Any]:
        """How files at the location are read."""
        settings = {"serialization.format": "1"}
        if self.form == "csv":
            settings = {"separatorChar": ",", "quoteChar": '"', "escapeChar": _NO_ESCAPE}
        elif self.form == "json":
            pairs = zip(self.names(), self.columns, strict=True)
            settings = {f"mapping.{name}": column.name for name, column in pairs if name != column.name}
            settings["case.insensitive"] = "false"
        elif self.read_by_position():
            settings[_BY_POSITION] = "true"
        given, made = _PARQUET if self.form == "parquet" else _TEXT
        return {
            "Columns": self.described(),
            "Location": location,
            "InputFormat": given,
            "OutputFormat": made,
            "SerdeInfo": {"SerializationLibrary": _SERDE[self.form], "Parameters": settings},
        }


def name_of(text: str) -> str:
    """A name that Athena takes: small letters, digits and underscores.

    >>> name_of("Restaurant Id"), name_of("root__Größe")
    ('restaurant_id', 'root__gr__e')
    """
    return re.sub(r"[^a-z0-9_]", "_", text.lower()) or "_"


def partition_key(file: TableFile, key: str) -> str:
    """The name of the partition's column; a table may have a column of that name itself."""
    return f"partition_{key}" if key in file.names() else key


def merge(file: TableFile, known: dict[str, Any]) -> list[dict[str, str]]:
    """The columns that the table `known` to the catalog has after this run: its own, then the new ones.

    `UsageError` with everything that Athena does not allow: another format, columns that are read by position and
    moved or went, types that are no wider ones.
    """
    stored = known["StorageDescriptor"]
    library, settings = stored["SerdeInfo"]["SerializationLibrary"], stored["SerdeInfo"].get("Parameters", {})
    if library != _SERDE[file.form]:
        raise UsageError(f"{file.name} is read with {library.rpartition('.')[2]}, {file.file} is {file.form}")
    by_position = file.form == "csv" or settings.get(_BY_POSITION) == "true"
    columns, own = stored["Columns"], file.described()
    problems = _moved(columns, own) if by_position else []
    if file.read_by_position() and not by_position:
        problems.append("a new column has a name that Athena cannot read by: letters, digits and _ alone can be")
    mine = {column["Name"]: column for column in own}
    merged = []
    for column in columns:
        new = mine.pop(column["Name"], column)
        wider = new["Type"] in _WIDER.get(column["Type"], ())
        if not wider and new["Type"] != column["Type"] and column["Type"] not in _WIDER.get(new["Type"], ()):
            problems.append(f"column {column['Name']} is {new['Type']}, was {column['Type']}")
        merged.append(new if wider or new["Type"] == column["Type"] else column)
    if problems:
        raise UsageError(f"{file.name}: {'; '.join(problems)}")
    return [*merged, *mine.values()]


def _moved(known: Sequence[dict[str, str]], own: Sequence[dict[str, str]]) -> list[str]:
    """The first column that is not where the table has it."""
    for place, column in enumerate(known):
        here = own[place]["Name"] if place < len(own) else "missing"
        if here != column["Name"]:
            return [f"column {place + 1} is {here}, was {column['Name']}: new ones go to the end, none may go"]
    return []
