"""The heads of many files, read some at a time."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from pipeline.readers import chunks
from pipeline.readers.decoding import compression_of
from pipeline.readers.splits import FileSplit

HEAD = 64 << 10
_AT_ONCE = 16

Result = TypeVar("Result")


def for_each(work: Callable[[FileSplit], Result], pieces: Sequence[FileSplit]) -> list[Result]:
    """The results of `work` on each piece, some at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, pieces))


def stored_head(piece: FileSplit, length: int) -> bytes:
    """The first bytes of the file as they are stored."""
    return chunks.read(piece, 0, min(length, piece.size))


def is_blank(piece: FileSplit) -> bool:
    """True for a file, compressed or not, that holds no text; a large one is not looked at."""
    if piece.size > HEAD:
        return False
    if compression_of(stored_head(piece, HEAD)):
        piece = replace(piece, whole=True)
    return not head(piece, HEAD).strip() and not damage(piece)


def damage(piece: FileSplit) -> str:
    """How a compressed file that is read to its end is damaged; empty where it is not."""
    blocks = chunks.open_chunks(piece, 0)
    collections.deque(blocks, 0)
    return blocks.error


def head(piece: FileSplit, length: int) -> bytes:
    """The first bytes of the file's text."""
    if not piece.whole:
        return stored_head(piece, length)
    parts, have = [], 0
    for block in chunks.open_chunks(piece, 0):
        parts.append(block)
        have += len(block)
        if have >= length:
            break
    return b"".join(parts)[:length]
