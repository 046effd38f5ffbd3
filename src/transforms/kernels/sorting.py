"""Rows sorted in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_BATCH_ROWS, _BATCH_BYTES = 64 << 10, 256 << 20
_WIDE = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}


def sorted_indices(table: pa.Table, order: Sequence[str]) -> pa.Array:
    """Where the rows are in the order of these columns, nulls first, texts by their UTF-8 bytes; equal ones stay."""
    return pc.sort_indices(table, [(name, "ascending") for name in order], null_placement="at_start")


def sorted_batches(table: pa.Table, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows sorted by these columns, nulls first, texts by their UTF-8 bytes; equal ones stay as they are.

    Without `order` all rows stay as they are.
    """
    schema = table.schema
    if order:
        # A column of texts or bytes holds 2 GB: more of them would be cut short while they are put in order.
        table = table.cast(pa.schema([pa.field(one.name, _WIDE.get(one.type, one.type)) for one in schema]))
        table = table.take(sorted_indices(table, order))
    at_once = max(1, min(_BATCH_ROWS, _BATCH_BYTES * table.num_rows // max(table.nbytes, 1)))
    for batch in table.combine_chunks().to_batches(max_chunksize=at_once):
        if batch.num_rows:
            yield batch.cast(schema)
