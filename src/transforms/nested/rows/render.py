"""Rows of a table as Arrow: typed columns, or finished lines of CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import repeat
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa

from transforms.kernels.blocks import BlockTable
from transforms.nested.rows.router import TableBuilder, Values, number_text
from transforms.nested.schema.plan import ID, ROOT, Table
from transforms.nested.values.dates import DATE, LOCAL, TIMESTAMP, in_utc, moment
from transforms.nested.values.parse import readable

CSV, JSONL, TYPED = "csv", "jsonl", "parquet"
LINE = "line"

Cell = Callable[[Any], str]

_EMPTY = frozenset((type(None), list, dict))


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
        LOCAL: str,
    }
    return cells.get(kind)


def _json_cell(kind: str) -> Cell:
    cell = _plain_cell(kind)
    if cell is None:
        return encode_basestring
    if kind in ("decimal", "number", DATE, TIMESTAMP, LOCAL):
        return lambda value: f'"{cell(value)}"'
    return cell


def _texts(values: Values | None, cell: Cell, null: str) -> Iterable[str]:
    if values is None:
        return repeat(null)
    return [null if value is None else cell(value) for value in values] if None in values else map(cell, values)


def _csv_lines(columns: Sequence[Values | None], named: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The CSV lines of a table; null is an empty field."""
    cells = [_plain_cell(kind.partition("(")[0]) or csv_text for _, kind in named]
    texts = [_texts(values, cell, "") for values, cell in zip(columns, cells, strict=True)]
    return map(",".join, zip(*texts, strict=False))


def _json_lines(columns: Sequence[Values | None], named: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The JSON lines of a table: every column, null where there is no value.

    Decimals and long numbers are strings, since most readers of JSON make doubles of numbers.
    """
    line = "{" + ",".join(f"{encode_basestring(name)}:".replace("%", "%%") + "%s" for name, _ in named) + "}"
    cells = [_json_cell(kind.partition("(")[0]) for _, kind in named]
    texts = [_texts(values, cell, "null") for values, cell in zip(columns, cells, strict=True)]
    return map(line.__mod__, zip(*texts, strict=False))


def arrow_type(kind: str) -> Any:
    """The Arrow type of a column's type."""
    if kind.startswith("decimal"):
        return pa.decimal128(38, int(kind[11:-1]))
    if kind.startswith(TIMESTAMP):
        return pa.timestamp("us", None if kind.startswith(LOCAL) else "UTC")
    types = {"boolean": pa.bool_(), "integer": pa.int64(), "double": pa.float64(), DATE: pa.date32()}
    return types.get(kind, pa.string())


def spark_type(kind: str) -> str:
    """The Spark type of a column's type."""
    if kind.startswith("decimal"):
        return kind
    if kind.startswith(TIMESTAMP):
        return "timestamp_ntz" if kind.startswith(LOCAL) else TIMESTAMP
    return {"boolean": "boolean", "integer": "bigint", "double": "double", DATE: DATE}.get(kind, "string")


_TO_ARROW: dict[str, Callable[[Any], Any]] = {
    "number": number_text,
    "decimal": lambda value: Decimal(number_text(value)),
    DATE: date.fromisoformat,
    TIMESTAMP: moment,
    LOCAL: datetime.fromisoformat,
}


def _typed(values: Values | None, kind: str, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, arrow_type(kind))
    convert = _TO_ARROW.get(kind.partition("(")[0])
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return pa.array(values, arrow_type(kind))


def _rest_texts(builder: TableBuilder) -> Values:
    texts: list[str | None] = [None] * builder.count
    # Most rows with a rest have nothing but null, [] or {} there: the few texts of those are made once.
    known: dict[Any, str] = {}
    for row, kept in builder.rest.items():
        kinds = tuple(map(type, kept.values()))
        if any(kept.values()) or not _EMPTY.issuperset(kinds):
            texts[row] = readable(kept)
        else:
            same = (*kept, *kinds)
            text = texts[row] = known.get(same) or readable(kept)
            known[same] = text
    return texts


def rows_of(builder: TableBuilder, form: str) -> pa.RecordBatch:
    """The rows of a table: typed columns for parquet, else finished lines (`line`) with their root keys."""
    named = builder.table.all_columns()
    columns = list(builder.columns)
    if builder.table.rest:
        columns.append(_rest_texts(builder) if builder.rest else None)
    if form == TYPED:
        arrays = [_typed(values, kind, builder.count) for values, (_, kind) in zip(columns, named, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, [name for name, _ in named])
    lines = (_csv_lines if form == CSV else _json_lines)(columns, named)
    roots = columns[0] if builder.table.is_plain_root else columns[2]
    return pa.RecordBatch.from_arrays([pa.array(roots, pa.string()), pa.array(list(lines), pa.string())], [ROOT, LINE])


def block_table(table: Table, form: str) -> BlockTable:
    """How blocks hold the rows that `rows_of` gives: in the order of their root keys."""
    if form != TYPED:
        return BlockTable(pa.schema([(ROOT, pa.string()), (LINE, pa.string())]), ROOT, table.rows)
    columns = [(name, arrow_type(kind)) for name, kind in table.all_columns()]
    untyped = frozenset(column.name for column in table.columns if column.type == "unknown")
    return BlockTable(pa.schema(columns), ID if table.is_plain_root else ROOT, table.rows, untyped)
