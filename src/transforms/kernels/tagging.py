"""Rows that a check between rows is about, and its errors put on the rows that they are of, found by their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.row_errors import ERROR, ERROR_ARROW, ERROR_FIELDS


def tagged(batches: Sequence[pa.RecordBatch], errors: pa.Table) -> Iterator[pa.RecordBatch]:
    """The batches with these errors; columns, and batches without a row that gets one, are those that came in.

    In: `_source_file` int, `_source_offset` long, `_error`; `errors` has the same for rows without an error so far.
    """
    places = _places(errors)
    order = np.argsort(places)
    places, found = places[order], errors.column(ERROR).combine_chunks().cast(ERROR_ARROW).take(pa.array(order))
    for batch in batches:
        at, hit = _found(places, _places(batch))
        yield _with_errors(batch, found, at, hit) if hit.any() else batch


def repeated(batches: Sequence[pa.RecordBatch], column: str) -> Iterator[pa.RecordBatch]:
    """The rows that share the whole number in this column with another row; null is no number."""
    numbers = np.sort(np.concatenate([np.zeros(0, np.int64), *[batch.column(column).drop_null() for batch in batches]]))
    several = np.unique(numbers[1:][numbers[1:] == numbers[:-1]])
    for batch in batches if len(several) else ():
        values = batch.column(column)
        hit = _found(several, np.asarray(values.fill_null(0)))[1] & np.asarray(values.is_valid())
        if hit.any():
            yield batch.filter(pa.array(hit))


def _found(known: Any, values: Any) -> tuple[Any, Any]:
    """Where the values are among the known ones, which are sorted, and whether they are."""
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return at, known[at] == values


def _places(rows: pa.RecordBatch | pa.Table) -> Any:
    """File and place of each row as one number; files of up to 8 TB, a million of them."""
    file, offset = (np.asarray(rows.column(name)).astype(np.int64) for name in ("_source_file", "_source_offset"))
    return (file << 43) | offset


def _with_errors(batch: pa.RecordBatch, found: pa.StructArray, at: Any, hit: Any) -> pa.RecordBatch:
    number = batch.schema.get_field_index(ERROR)
    # Row by row either the new error or the one that is there.
    own = found.take(pa.array(at[hit]))
    both = pa.concat_arrays([own, batch.column(number).cast(ERROR_ARROW)])
    chosen = both.take(pa.array(np.where(hit, np.cumsum(hit) - 1, len(own) + np.arange(batch.num_rows))))
    error = pa.StructArray.from_arrays(chosen.flatten(), names=list(ERROR_FIELDS), mask=chosen.is_null())
    return pa.RecordBatch.from_arrays(
        [*batch.columns[:number], error, *batch.columns[number + 1 :]], schema=batch.schema
    )
