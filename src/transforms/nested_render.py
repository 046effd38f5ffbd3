"""Rows of a table as Arrow: typed columns, or finished lines of CSV or JSON, one list of rows a document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from transforms.nested_dates import DATE, TIMESTAMP, in_utc, moment
from transforms.nested_parse import readable
from transforms.nested_plan import Table
from transforms.nested_put import Row, Rows, number_text

if TYPE_CHECKING:
    import pyarrow as pa

CSV, JSONL, TYPED = "csv", "jsonl", "parquet"

Cell = Callable[[Any], str]


def _plain_decimal(value: Any) -> str:
    return format(Decimal(number_text(value)), "f")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _double(value: float) -> str:
    return repr(float(value))


def csv_text(text: str) -> str:
    """A text as an RFC 4180 field; the empty text is quoted, since an empty field is null."""
    # Plain searches: over long texts they take a tenth of a pattern's time.
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if not text or "," in text or "\n" in text or "\r" in text else text


def _plain_cell(kind: str) -> Cell | None:
    """What writes a value that needs no quotes in CSV; None for the other types."""
    cells: dict[str, Cell] = {
        "boolean": _boolean,
        "integer": str,
        "double": _double,
        "number": number_text,
        "decimal": _plain_decimal,
        DATE: str,
        TIMESTAMP: in_utc,
    }
    return cells.get(kind)


def _json_cell(kind: str) -> Cell:
    cell = _plain_cell(kind)
    if cell is None:
        return encode_basestring
    if kind in ("decimal", "number", DATE, TIMESTAMP):
        return lambda value: f'"{cell(value)}"'
    return cell


def csv_line(table: Table, lineage: bool) -> Callable[[Row], str]:
    """Makes the CSV line of a row; null is an empty field."""
    cells: list[Cell] = [_plain_cell(kind.partition("(")[0]) or csv_text for _, kind in table.all_columns(lineage)]

    def line(row: Row) -> str:
        return ",".join(["" if value is None else cell(value) for cell, value in zip(cells, row, strict=False)])

    return line


def json_line(table: Table, lineage: bool) -> Callable[[Row], str]:
    """Makes the JSON line of a row: every column, null where there is no value.

    Decimals and long numbers are strings, since most readers of JSON make doubles of numbers.
    """
    cells: list[tuple[str, Cell]] = [
        (encode_basestring(name) + ":", _json_cell(kind.partition("(")[0])) for name, kind in table.all_columns(lineage)
    ]

    def line(row: Row) -> str:
        """The row's object; a cell is never made of null."""
        pairs = zip(cells, row, strict=False)
        return (
            "{" + ",".join([name + ("null" if value is None else cell(value)) for (name, cell), value in pairs]) + "}"
        )

    return line


def arrow_type(kind: str) -> Any:
    """The Arrow type of a column's type."""
    import pyarrow as pa

    if kind.startswith("decimal"):
        return pa.decimal128(38, int(kind[11:-1]))
    if kind.startswith(TIMESTAMP):
        return pa.timestamp("us", "UTC")
    types = {"boolean": pa.bool_(), "integer": pa.int64(), "double": pa.float64(), DATE: pa.date32()}
    return types.get(kind, pa.string())


def spark_type(kind: str) -> str:
    """The Spark type of a column's type."""
    if kind.startswith("decimal"):
        return kind
    if kind.startswith(TIMESTAMP):
        return TIMESTAMP
    return {"boolean": "boolean", "integer": "bigint", "double": "double", DATE: DATE}.get(kind, "string")


def _typed(values: list[Any], kind: str) -> pa.Array:
    import pyarrow as pa

    if kind == "number":
        values = [None if value is None else number_text(value) for value in values]
    elif kind == "double":
        values = [None if value is None else float(value) for value in values]
    elif kind.startswith("decimal"):
        values = [None if value is None else Decimal(number_text(value)) for value in values]
    elif kind == DATE:
        values = [None if value is None else date.fromisoformat(value) for value in values]
    elif kind.startswith(TIMESTAMP):
        values = [None if value is None else moment(value) for value in values]
    return pa.array(values, arrow_type(kind))


def _write_rest(rows: Rows) -> None:
    for row in rows.rows:
        if row[-1] is not None:
            row[-1] = readable(row[-1])


def as_lists(rows: Rows, form: str, lineage: bool) -> pa.Array:
    """The rows walked so far as a list array: an element per document, of lines or of structs of typed columns."""
    import pyarrow as pa

    _write_rest(rows)
    if form == TYPED:
        columns = rows.table.all_columns(lineage)
        cells = list(zip(*rows.rows, strict=True)) or [()] * len(columns)
        fields = [pa.field(name, arrow_type(kind)) for name, kind in columns]
        arrays = [_typed(list(values), kind) for values, (_, kind) in zip(cells, columns, strict=False)]
        content: pa.Array = pa.StructArray.from_arrays(arrays, fields=fields)
    else:
        line = (csv_line if form == CSV else json_line)(rows.table, lineage)
        content = pa.array([line(row) for row in rows.rows], pa.string())
    return pa.ListArray.from_arrays(pa.array(rows.ends, pa.int32()), content)
