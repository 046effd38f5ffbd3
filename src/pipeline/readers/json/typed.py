"""JSON records: raw text to the declared columns, every record that does not fit tagged with its reason."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.row_errors import ERROR, ERROR_TYPE, REJECTED, row_error
from transforms.text import quoted

_CORRUPT = "_corrupt"

# RFC 8259: what Spark's parser would let pass by default is refused.
STRICT = {
    "mode": "PERMISSIVE",
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "allowUnquotedControlChars": "false",
    "columnNameOfCorruptRecord": _CORRUPT,
}


def reader_error() -> Column:
    """The problem that the record reader itself found (`_read_error`), null where it found none."""
    found = F.struct(F.lit(REJECTED).alias("kind"), F.col("_read_error").alias("reason"), F.lit("").alias("detail"))
    return F.when(F.col("_read_error").isNotNull(), found.cast(ERROR_TYPE))


def tag_raw(records: DataFrame) -> DataFrame:
    """The records with `_error` in place of `_read_error`; nothing is parsed."""
    return records.select("_source_file", "_source_offset", "_raw", reader_error().alias(ERROR))


def parse_records(records: DataFrame, schema: T.StructType) -> DataFrame:
    """Raw records as the declared columns: one row per record, none lost.

    In: `_source_file` int, `_source_offset` long, `_raw` string, `_read_error` string. Out: the schema's columns,
    `_source_file`, `_source_offset`, `_error`. Reasons: the reader's own, `not_an_object`, `malformed_json`,
    `wrong_type` (the detail names the top-level fields that do not fit), `missing_value` for a null in a field that is
    not nullable.
    """
    wanted = T.StructType(
        [T.StructField(f.name, f.dataType) for f in schema.fields] + [T.StructField(_CORRUPT, T.StringType())]
    )
    parsed = records.select(
        "_source_file", "_source_offset", "_raw", "_read_error", F.from_json("_raw", wanted, STRICT).alias("_record")
    )
    columns = [F.col(f"_record.{quoted(field.name)}").alias(field.name) for field in schema.fields]
    bad = F.col(f"_record.{_CORRUPT}").isNotNull() | F.col("_record").isNull()
    texts = F.from_json("_raw", "map<string,string>", STRICT)
    misfits = [
        F.when(
            F.col(f"_record.{quoted(f.name)}").isNull() & texts[f.name].isNotNull(),
            F.lit(f"{f.name} is not {f.dataType.simpleString()}"),
        )
        for f in schema.fields
    ]
    empty = [
        F.when(
            F.col(f"_record.{quoted(f.name)}").isNull(),
            row_error(REJECTED, "missing_value", f"field {f.name} is absent"),
        )
        for f in schema.fields
        if not f.nullable
    ]
    checks = [
        reader_error(),
        F.when(
            ~F.ltrim(F.col("_raw")).startswith("{"), row_error(REJECTED, "not_an_object", F.substring("_raw", 1, 80))
        ),
        F.when(bad & texts.isNull(), row_error(REJECTED, "malformed_json", "not a JSON value as RFC 8259 defines it")),
        F.when(bad, row_error(REJECTED, "wrong_type", F.concat_ws("; ", *misfits))),
        *empty,
    ]
    return parsed.select(*columns, "_source_file", "_source_offset", F.coalesce(*checks).alias(ERROR))
