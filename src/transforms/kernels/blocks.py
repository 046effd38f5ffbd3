"""Blocks: some rows of one table as bytes, so that rows of many tables travel in one frame of three columns.

A column or a frame for each table would need memory and plans for tables times tasks. A block is an Arrow record batch
without its schema. Rows with one key stand together in one block, in order; a table's rows are cut into parts by their
key, 32 hex digits of a hash: the same rows give the same parts everywhere. A part is a file, and is cut into pieces in
the same way: a piece is sorted in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from transforms.kernels.sorting import sorted_batches

BLOCKS = "group int, part int, piece int, block binary"
PART_ROWS, PIECE_ROWS = 500_000, 32_000


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

    @property
    def pieces(self) -> int:
        """The number of pieces of each part."""
        return max(1, -(-self.rows // (self.parts * PIECE_ROWS)))


def to_blocks(rows: Sequence[pa.RecordBatch], table: BlockTable) -> Iterator[tuple[int, int, bytes]]:
    """Numbers of parts and pieces, and blocks of some rows."""
    count = table.parts * table.pieces
    made = pa.Table.from_batches(rows, table.schema)
    ordered = pa.concat_batches(sorted_batches(made, [table.key] if count > 1 else []))
    keys = ordered.column(table.key)
    # Keys are 8 digits and more: the first of a piece is the first number that belongs to it.
    bounds = [f"{-(-(number << 32) // count):08x}" for number in range(1, count)]
    starts = [bisect_left(range(len(keys)), bound, key=lambda row: keys[row].as_py()) for bound in bounds]
    for number, (first, end) in enumerate(pairwise((0, *starts, len(keys)))):
        if first < end:
            yield *divmod(number, table.pieces), ordered.slice(first, end - first).serialize().to_pybytes()


def from_blocks(blocks: Sequence[pa.Buffer], table: BlockTable) -> Iterator[pa.RecordBatch]:
    """The rows of some blocks in the order of their keys, those of one key as they were."""
    batches = [pa.ipc.read_record_batch(block, table.schema) for block in blocks]
    return sorted_batches(pa.Table.from_batches(batches, table.schema), [table.key])
