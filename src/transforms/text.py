"""Values as text, the way published files write them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T


def quoted(name: str) -> str:
    """A column name as Spark takes it, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def csv_field(value: Column, absent: str = "NA") -> Column:
    """A value as an RFC 4180 field: quoted only when it holds a quote, comma or line break; null becomes `absent`.

    >>> frame = spark.createDataFrame([('say "hi", all',), ("plain",), (None,)], "title string")
    >>> frame.select(csv_field(F.col("title")).alias("field")).show(truncate=False)
    +-----------------+
    |field            |
    +-----------------+
    |"say ""hi"", all"|
    |plain            |
    |NA               |
    +-----------------+
    <BLANKLINE>
    """
    text = value.cast("string")
    in_quotes = F.concat(F.lit('"'), F.replace(text, F.lit('"'), F.lit('""')), F.lit('"'))
    return F.coalesce(F.when(text.rlike('[",\\r\\n]'), in_quotes).otherwise(text), F.lit(absent))


def csv_line(names: Sequence[str], absent: str = "NA") -> Column:
    """The named columns as one CSV line without its line end. Null rule: null becomes `absent`.

    >>> frame = spark.createDataFrame([(1, "a,b"), (2, None)], "id int, name string")
    >>> frame.select(csv_line(["id", "name"]).alias("line")).show()
    +-------+
    |   line|
    +-------+
    |1,"a,b"|
    |   2,NA|
    +-------+
    <BLANKLINE>
    """
    return F.concat_ws(",", *[csv_field(F.col(quoted(name)), absent) for name in names])


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


def plain_decimal(value: Column) -> Column:
    """A decimal as text without exponent and trailing zeros: 20, 87.5, 0.1. Null stays null.

    >>> frame = spark.sql("SELECT explode(array(20.00BD, 87.50BD, 0.10BD, 0.00BD, -100.00BD)) AS amount")
    >>> frame.select(plain_decimal(F.col("amount")).alias("text")).show()
    +----+
    |text|
    +----+
    |  20|
    |87.5|
    | 0.1|
    |   0|
    |-100|
    +----+
    <BLANKLINE>
    """
    text = value.cast("string")
    return F.when(text.contains("."), F.regexp_replace(text, r"\.?0+$", "")).otherwise(text)


def json_text(text: Column) -> Column:
    """A text as a JSON string; null as null.

    >>> frame = spark.createDataFrame([("c1",), ('say "hi"',), (None,)], "name string")
    >>> frame.select(json_text(F.col("name")).alias("text")).show()
    +------------+
    |        text|
    +------------+
    |        "c1"|
    |"say \\"hi\\""|
    |        null|
    +------------+
    <BLANKLINE>
    """
    # Nearly every reference needs no escaping: the JSON writer is for the few that do.
    document = F.to_json(F.struct(text.alias("v")))
    escaped = document.substr(F.lit(6), F.length(document) - 6)
    plain = F.concat(F.lit('"'), text, F.lit('"'))
    return F.when(text.isNull(), "null").when(text.rlike(r"^[A-Za-z0-9_.:-]*\z"), plain).otherwise(escaped)
