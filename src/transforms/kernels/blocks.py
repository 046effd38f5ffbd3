"""Blocks: some rows of one table as bytes, so that rows of many tables travel in one frame of three columns.

A column or a frame for each table would need memory and plans for tables times tasks. A block is an Arrow record batch
without its schema. Rows with one key stand together in one block, in order; a table's rows are cut into parts by their
key, 32 hex digits of a hash: the same rows give the same parts everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.kernels.sorting import sorted_batches

BLOCKS = "group int, part int, block binary"
PART_ROWS = 500_000  # a part is sorted in memory


@dataclass(frozen=True)
class BlockTable:
    """A table as blocks hold it: its columns, the one with the keys, and how many rows all blocks have.

    `untyped`: columns that have nothing but nulls so far.
    """

    schema: pa.Schema
    key: str
    rows: int
    untyped: frozenset[str] = frozenset()

    @property
    def typed(self) -> pa.Schema:
        """The columns that have a type."""
        return pa.schema([one for one in self.schema if one.name not in self.untyped])

    @property
    def parts(self) -> int:
        """The number of parts, those without rows included."""
        return max(1, -(-self.rows // PART_ROWS))


def to_blocks(rows: pa.RecordBatch, table: BlockTable) -> Iterator[tuple[int, bytes]]:
    """Numbers of parts and blocks of the rows; nothing without rows."""
    if table.parts == 1:
        if rows.num_rows:
            yield 0, rows.serialize().to_pybytes()
        return
    numbers = np.array([int(key[:8], 16) * table.parts >> 32 for key in rows.column(table.key).to_pylist()])
    for part in np.unique(numbers).tolist():
        yield part, rows.filter(pa.array(numbers == part)).serialize().to_pybytes()


def from_blocks(blocks: Sequence[bytes], table: BlockTable) -> Iterator[pa.RecordBatch]:
    """The rows of some blocks in the order of their keys, those of one key as they were."""
    batches = [pa.ipc.read_record_batch(pa.py_buffer(block), table.schema) for block in blocks]
    return sorted_batches(pa.Table.from_batches(batches, table.schema), [table.key])
