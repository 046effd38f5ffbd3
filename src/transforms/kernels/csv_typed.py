"""Fields of CSV records to typed columns, batch by batch; a row that does not fit says why."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.row_steps import BatchErrors, as_mask, text_column
from transforms.kernels.typed_text import POINT, only_where, typed
from transforms.kernels.types import arrow_type
from transforms.row_errors import ERROR

_TYPE_NAMES = {"bigint": "integer", "int": "integer", "smallint": "integer", "tinyint": "integer"}


@dataclass(frozen=True)
class CsvColumn:
    """A column to be made of the texts of a field: its name, its type (see `kernels.types`), whether it may be null."""

    name: str
    type: str
    nullable: bool = True


def typed_batch(
    batch: pa.RecordBatch, columns: Sequence[CsvColumn], absent: Sequence[str], marks: tuple[str, str] = POINT
) -> pa.RecordBatch:
    """A row for each record, in order.

    In: `_source_file`, `_source_offset`, `_read_error`, `_read_detail`, and a text for each of `columns` as `c0`,
    `c1`, ... Out: the columns, `_source_file`, `_source_offset`, `_error`. Blanks around a value that is no text are
    dropped; texts that are, blanks aside and in any case, one of `absent` are null. Reasons: that of `_read_error`,
    `missing_value` for a null in a column that may not be null, `wrong_type`; the first one counts.

    >>> places = {"_source_file": [0, 0], "_source_offset": [0, 9]}
    >>> reading = {name: pa.nulls(2, pa.string()) for name in ("_read_error", "_read_detail")}
    >>> batch = pa.RecordBatch.from_pydict({**places, **reading, "c0": [" 1", "1.5"]})
    >>> found = typed_batch(batch, [CsvColumn("id", "int")], []).to_pydict()
    >>> found["id"], found["_error"][1]["detail"]
    ([1, None], 'column id: ["1.5"] is not integer')
    """
    errors = BatchErrors(batch.num_rows)
    codes, details = batch.column("_read_error"), batch.column("_read_detail")
    for code in pc.unique(codes).drop_null().to_pylist():
        errors.reject(as_mask(pc.equal(codes, code)), code, lambda row: details[row].as_py() or "")
    values = []
    for number, column in enumerate(columns):
        text = _present(text_column(batch, f"c{number}"), absent)
        values.append(_value(text, column.type, marks))
        _check(errors, column, text, values[-1])
    names = [*[column.name for column in columns], "_source_file", "_source_offset", ERROR]
    places = [batch.column("_source_file"), batch.column("_source_offset")]
    return pa.RecordBatch.from_arrays([*values, *places, errors.column()], names=names)


def _present(texts: pa.Array, absent: Sequence[str]) -> pa.Array:
    if not absent:
        return texts
    bare = pc.utf8_lower(pc.utf8_trim(texts, " "))
    return only_where(pc.invert(pc.is_in(bare, pa.array(absent, pa.string()))), texts)


def _value(texts: pa.Array, type_name: str, marks: tuple[str, str]) -> pa.Array:
    kind = arrow_type(type_name)
    # Numbers have their blanks dropped only where there are any: see `typed_text`.
    bare = pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return typed(texts if bare else pc.utf8_trim(texts, " "), kind, marks)


def _check(errors: BatchErrors, column: CsvColumn, texts: pa.Array, values: pa.Array) -> None:
    if not column.nullable and texts.null_count:
        errors.reject(as_mask(texts.is_null()), "missing_value", lambda row: f"column {column.name} is empty")
    if values.null_count > texts.null_count:
        wrong = as_mask(values.is_null()) & as_mask(texts.is_valid())
        errors.reject(wrong, "wrong_type", functools.partial(_misfit, column, texts))


def _misfit(column: CsvColumn, texts: pa.Array, row: int) -> str:
    shown = texts[row].as_py().replace('"', '\\"')
    return f'column {column.name}: ["{shown}"] is not {_TYPE_NAMES.get(column.type, column.type)}'
