"""Which bytes a task reads: big files cut into ranges, small files many to a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1 << 20
RANGE_BYTES = 48 * MIB
SMALL_BYTES = 4 * MIB
FILES_A_TASK = 2000


@dataclass(frozen=True)
class Piece:
    """The bytes `start` to `end` of file number `file`; a record belongs to the piece its first byte lies in.

    `size` is the file's size when the run was planned. A .gz file is one piece, counted in decompressed bytes.
    """

    file: int
    path: str
    size: int
    start: int
    end: int

    @property
    def is_gzip(self) -> bool:
        """Whether the file is read through decompression."""
        return self.path.endswith(".gz")


def range_bytes(total: int, cores: int, limit: int = RANGE_BYTES) -> int:
    """How long a range of a big file is: at most `limit`, and so short that every core gets some."""
    share = -(-total // max(1, 2 * cores))
    return min(limit, max(share, SMALL_BYTES))


def cuts(size: int, length: int) -> list[int]:
    """Where the ranges of a file start; the last one ends at `size`."""
    return list(range(0, size, length)) or [0]


def pack(pieces: Sequence[Piece], cores: int, limit: int = RANGE_BYTES, count: int = FILES_A_TASK) -> list[list[Piece]]:
    """The pieces as tasks of about the same number of bytes, in order; a task has at most `count` pieces."""
    total = sum(piece.end - piece.start for piece in pieces)
    target = range_bytes(total, cores, limit)
    most = max(1, min(count, -(-len(pieces) // max(1, 2 * cores))))
    tasks: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        length = piece.end - piece.start
        if not tasks or room < length or len(tasks[-1]) >= most:
            tasks.append([])
            room = target
        tasks[-1].append(piece)
        room -= length
    return tasks
