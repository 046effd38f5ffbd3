"""Names of columns: for an engine, and as the header of a CSV file."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame


def quoted(name: str) -> str:
    """A column name as Spark takes it, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def own_columns(frame: DataFrame) -> list[str]:
    """The columns that are data: the others, such as `_error`, begin with `_`."""
    return [name for name in frame.columns if not name.startswith("_")]


def csv_header(names: Sequence[str]) -> str:
    """The header line, quoted by the same rule as the values, with its line end."""
    fields = ['"' + name.replace('"', '""') + '"' if any(c in name for c in '",\r\n') else name for name in names]
    return ",".join(fields) + "\n"
