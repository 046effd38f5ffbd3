"""CSV records: lines of text to typed columns, every row that does not fit tagged with its reason."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.errors import InputError
from pipeline.readers.base import Layout
from transforms.packed.types import fits_scale
from transforms.row_errors import ERROR, ERROR_TYPE, REJECTED, row_error
from transforms.text import quoted

BOOKKEEPING = ("_source_file", "_source_offset", ERROR)
_TYPE_NAMES = {"bigint": "integer", "int": "integer", "smallint": "integer", "tinyint": "integer"}


def header_names(line: str, delimiter: str = ",") -> list[str]:
    """The names in a header line: RFC 4180 quoting, blanks around a name dropped."""
    cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]


def check_header(names: Sequence[str], wanted: Sequence[str], file: str) -> None:
    """Raises `InputError` naming file, missing and present columns, with the nearest present name."""
    missing = [name for name in wanted if name not in names]
    if missing:
        similar = {name: difflib.get_close_matches(name, names, n=1) for name in missing}
        hints = [f"{found[0]!r} looks like {name!r}" for name, found in similar.items() if found]
        text = f"{file}, line 1: missing column {', '.join(missing)}; have {', '.join(names) or 'nothing'}"
        raise InputError(text + (f" ({'; '.join(hints)})" if hints else ""))
    duplicates = sorted({name for name in wanted if list(names).count(name) > 1})
    if duplicates:
        raise InputError(f"{file}, line 1: duplicate column {', '.join(duplicates)}")


def layout(header: Sequence[str], wanted: Sequence[str], delimiter: str) -> Layout:
    """Where the wanted columns are in a file's header."""
    return Layout(len(header), tuple(list(header).index(name) for name in wanted), delimiter)


def typed(name: str, kind: T.DataType) -> Column:
    """The string column `name` as `kind`, null where the text is not exactly one: nothing is rounded or truncated."""
    if isinstance(kind, T.StringType):
        return F.col(quoted(name))
    cast = F.expr(f"try_cast(trim({quoted(name)}) AS {kind.simpleString()})")
    if isinstance(kind, T.DecimalType):
        return F.when(fits_scale(F.col(quoted(name)), kind.scale), cast)
    return cast


def _shown(text: Column) -> Column:
    # As a JSON string for a person's eyes; a JSON expression could not be compiled and would slow every row down.
    return F.concat(F.lit('["'), F.replace(text, F.lit('"'), F.lit('\\"')), F.lit('"]'))


def _present(text: Column, absent: Sequence[str]) -> Column:
    return F.when(~F.lower(F.trim(text)).isin(list(absent)), text) if absent else text


def _field_error(field: T.StructField, text: Column, value: Column) -> Column:
    kind = field.dataType.simpleString()
    if not isinstance(field.dataType, T.StringType):
        detail = F.concat(
            F.lit(f"column {field.name}: "), _shown(text), F.lit(f" is not {_TYPE_NAMES.get(kind, kind)}")
        )
        wrong = F.when(text.isNotNull() & value.isNull(), row_error(REJECTED, "wrong_type", detail))
    else:
        wrong = F.lit(None).cast(ERROR_TYPE)
    if field.nullable:
        return wrong
    return F.coalesce(
        F.when(text.isNull(), row_error(REJECTED, "missing_value", f"column {field.name} is empty")), wrong
    )


def typed_rows(fields: DataFrame, schema: T.StructType, *, absent: Sequence[str] = ("",)) -> DataFrame:
    """The fields of CSV records as typed columns: one row per record, none lost.

    In: `_source_file` int, `_source_offset` long, `_read_error` string, `_read_detail` string, and the schema's
    columns in order as strings `c0`, `c1`, ... Out: the schema's columns, `_source_file`, `_source_offset`, `_error`.
    Texts in `absent` (any case) are null. Reasons: what the reader found (`unclosed_quote`, `stray_quote`, `not_utf8`,
    `too_few_fields`, `too_many_fields`), `missing_value` for a null in a field that is not nullable, `wrong_type` for
    a text that is not exactly of the field's type.
    """
    places = {field.name: F.col(f"c{i}") for i, field in enumerate(schema.fields)}
    # An empty field is null already.
    tokens = [token.lower() for token in absent if token]
    texts = [_present(text, tokens).alias(name) for name, text in places.items()]
    flat = fields.select("_source_file", "_source_offset", "_read_error", "_read_detail", *texts)
    checks = [
        F.when(
            F.col("_read_error").isNotNull(),
            row_error(REJECTED, F.col("_read_error"), F.coalesce("_read_detail", F.lit(""))),
        ),
        *[_field_error(field, F.col(quoted(field.name)), typed(field.name, field.dataType)) for field in schema.fields],
    ]
    values = [typed(field.name, field.dataType).alias(field.name) for field in schema.fields]
    return flat.select(*values, "_source_file", "_source_offset", F.coalesce(*checks).alias(ERROR))


def text_schema(names: Sequence[str]) -> T.StructType:
    """Every column as a nullable string."""
    return T.StructType([T.StructField(name, T.StringType()) for name in names])
