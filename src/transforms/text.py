"""Values as text, the way published files write them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T


def quoted(name: str) -> str:
    """A column name as Spark takes it, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def json_cells(frame: DataFrame) -> DataFrame:
    """The frame with its arrays and maps as JSON text, for formats of plain cells."""
    nested = [f.name for f in frame.schema.fields if isinstance(f.dataType, T.ArrayType | T.MapType)]
    return frame.withColumns({name: F.to_json(F.col(quoted(name))) for name in nested})


def json_row(frame: DataFrame) -> DataFrame:
    """Each row as one JSON document, `value`; null values are written."""
    columns = F.struct(*[F.col(quoted(name)) for name in frame.columns])
    return frame.select(F.to_json(columns, {"ignoreNullFields": "false"}).alias("value"))


def csv_header(names: Sequence[str]) -> str:
    """The header line, quoted by the same rule as the values, with its line end."""
    fields = ['"' + name.replace('"', '""') + '"' if any(c in name for c in '",\r\n') else name for name in names]
    return ",".join(fields) + "\n"
