"""CSV records: lines of text to typed columns, every row that does not fit tagged with its reason."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pipeline.errors import InputError
from pipeline.readers.base import Layout
from pipeline.readers.dialect import RFC_4180, Dialect
from transforms.kernels.batches import map_each
from transforms.kernels.csv_typed import CsvColumn, typed_batch
from transforms.kernels.typed_text import POINT
from transforms.row_errors import ERROR_FIELD
from transforms.text import listed, near_names

# What else may separate the columns of a file.
_DELIMITERS = (";", "\t", "|", ",")
_PLACES = (T.StructField("_source_file", T.IntegerType()), T.StructField("_source_offset", T.LongType()))


def header_names(line: str, place: str = "", dialect: Dialect = RFC_4180) -> list[str]:
    """The names in a header line, blanks around a name dropped; `InputError` where its quotes have no meaning."""
    cells = dialect.fields(line)
    if isinstance(cells, str):
        better = "JSON, where CSV is expected" if _is_json(line) else "for --quote none, quotes are text"
        raise InputError(f"{place}: the header has no fields ({cells}): {line[:60]}; {better}")
    return [(cell or "").strip() for cell in cells]


def hint(line: str, dialect: Dialect) -> str:
    """The option that a header line of a single field asks for, as an end of a message; empty when it has more."""
    if dialect.delimiter in line:
        return ""
    if _is_json(line):
        return f"; the header is {line[:60]!r}: JSON, where CSV is expected"
    shown = {"\t": "\\t"}
    if other := other_delimiter(line):
        return f"; the header is {line[:60]!r}: for --delimiter '{shown.get(other, other)}'"
    return f"; the header is {line[:60]!r}: --skip-lines N skips lines before it"


def other_delimiter(line: str) -> str:
    """What may separate the columns of a header line that is one column; empty where nothing may."""
    other = max(_DELIMITERS, key=line.count)
    return other if other in line else ""


def _is_json(header: str) -> bool:
    return header.lstrip().startswith(("{", "["))


def check_header(names: Sequence[str], wanted: Sequence[str], place: str, hint: str = "") -> None:
    """Raises `InputError` naming file, missing and present columns, with the hint or the nearest present name."""
    missing = [name for name in wanted if name not in names]
    if missing:
        hints = [f"{found!r} looks like {name!r}" for name in missing for found in near_names(name, names, 1)]
        text = f"{place}: missing column {listed(missing)}; have {listed(names) or 'nothing'}"
        raise InputError(text + (hint or (f" ({'; '.join(hints)})" if hints else "")))
    duplicates = sorted({name for name in wanted if list(names).count(name) > 1})
    if duplicates:
        raise InputError(f"{place}: duplicate column {', '.join(duplicates)}")


def layout(header: Sequence[str], wanted: Sequence[str], dialect: Dialect = RFC_4180) -> Layout:
    """Where the wanted columns are in a file's header."""
    return Layout(len(header), tuple(list(header).index(name) for name in wanted), dialect)


def typed_rows(
    fields: DataFrame, schema: T.StructType, *, absent: Sequence[str] = ("",), marks: tuple[str, str] = POINT
) -> DataFrame:
    """The fields of CSV records as typed columns: one row per record, none lost.

    In: `_source_file` int, `_source_offset` long, `_read_error` string, `_read_detail` string, and the schema's
    columns in order as strings `c0`, `c1`, ... Out: the schema's columns, `_source_file`, `_source_offset`, `_error`.
    Texts in `absent` (any case) are null. `marks`: the decimal and the thousands mark of numbers. Reasons: what the
    reader found (`unclosed_quote`, `stray_quote`, `not_utf8`, `too_few_fields`, `too_many_fields`), `missing_value` for
    a null in a field that is not nullable, `wrong_type` for a text that is not exactly of the field's type.
    """
    # An empty field is null already.
    tokens = [token.lower() for token in absent if token]
    columns = [CsvColumn(field.name, field.dataType.simpleString(), field.nullable) for field in schema.fields]
    run = functools.partial(typed_batch, columns=columns, absent=tokens, marks=marks)
    kinds = [T.StructField(field.name, field.dataType) for field in schema.fields]
    return map_each(fields, run, T.StructType([*kinds, *_PLACES, ERROR_FIELD]))
