"""Bytes of files for the scan: ranges of plain files, compressed ones as a stream, many small objects at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers.decoding import ZIP, compression_of, decompressed, transcoded, with_line_feeds
from pipeline.readers.spans import RecordSpans, single
from pipeline.readers.splits import SMALL_BYTES, FileSplit

# The end of a split that goes on to the end of its file, wherever that is.
NO_END = 1 << 62

BLOCK = 8 << 20
# Behind its end a piece needs only the rest of its last record.
BEHIND = 256 << 10
SMALL_AHEAD = 16


class ChunkReader:
    """Bytes of a piece, a block at a time. `at`: the offset behind the last one; `open_line`: it ends within a line.

    `error` tells, once all are read, how a damaged compressed file ended.
    """

    def __init__(self, parts: Iterator[bytes], start: int) -> None:
        self.at, self.open_line, self.error = start, False, ""
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = next(self._parts)
        self.at, self.open_line = self.at + len(block), not block.endswith(b"\n")
        return block


def read(piece: FileSplit, start: int, stop: int) -> bytes:
    """Exactly the bytes from `start` to `stop` of the file as it is stored."""
    data = storage.read_range(piece.path, start, stop - start, piece.version)
    if len(data) != stop - start:
        raise InputError(
            f"{piece.path}: changed while it was read: ends at byte {start + len(data)}, expected {piece.size}"
        )
    return data


def steps(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Ranges to read: blocks up to `end`, then short ones that grow, to the file's end."""
    length = BLOCK
    while start < size:
        if start >= end:
            length = BEHIND if start == end else min(2 * length, BLOCK)
        stop = min(start + length, size) if start >= end else min(start + length, end)
        yield start, stop
        start = stop


def _stored(piece: FileSplit, start: int) -> Iterator[bytes]:
    todo = steps(start, piece.end, piece.size)
    if not storage.is_s3(piece.path):
        for low, high in todo:
            yield read(piece, low, high)
        return
    with ThreadPoolExecutor(1) as pool:
        # The next block of the piece comes while this one is worked on; behind its end nothing is fetched ahead.
        ahead: Future[bytes] | None = None
        for low, high in todo:
            data = ahead.result() if ahead else read(piece, low, high)
            ahead = pool.submit(read, piece, high, min(high + BLOCK, piece.end)) if high < piece.end else None
            yield data


def open_chunks(piece: FileSplit, start: int, content: bytes | None = None) -> ChunkReader:
    """The bytes of the piece from `start` on, and behind its end if need be; `content`: the file, fetched before."""
    stored = iter([content[start:]]) if content is not None else _stored(piece, start)
    blocks = ChunkReader(stored, start)
    if not start and piece.is_last:
        blocks._parts = _text(stored, piece, blocks)
    return blocks


def _text(stored: Iterator[bytes], piece: FileSplit, blocks: ChunkReader) -> Iterator[bytes]:
    """A whole file as text."""
    first = next(stored, b"")
    stored = itertools.chain([first], stored)
    if compression := compression_of(first):
        if compression == ZIP:
            raise InputError(f"{piece.path}: a zip archive; unpack it first")
        stored = _decompressed(stored, compression, blocks)
    if piece.encoding:
        stored = transcoded(stored, piece.encoding)
    return with_line_feeds(stored, piece.path) if piece.carriage_returns else stored


def _decompressed(stored: Iterator[bytes], compression: str, blocks: ChunkReader) -> Iterator[bytes]:
    blocks.error = yield from decompressed(stored, compression)


def contents(pieces: Sequence[FileSplit]) -> Iterator[tuple[FileSplit, bytes | None]]:
    """The pieces in order, whole small objects with their content, fetched some at a time ahead of their use."""
    small = [piece for piece in pieces if storage.is_s3(piece.path) and piece.size <= SMALL_BYTES]
    if len(small) < 2:
        yield from ((piece, None) for piece in pieces)
        return
    wanted = iter(small)
    with ThreadPoolExecutor(SMALL_AHEAD) as pool:
        ahead = {p: pool.submit(read, p, 0, p.size) for p in itertools.islice(wanted, SMALL_AHEAD)}
        for piece in pieces:
            if piece in ahead:
                content = ahead.pop(piece).result()
                for p in itertools.islice(wanted, 1):
                    ahead[p] = pool.submit(read, p, 0, p.size)
                yield piece, content
            else:
                yield piece, None


def whole_lines(blocks: Iterator[bytes], start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines that start in the range `start` to `end`, whole: one or more lines a part, with the part's offset.

    `blocks` begin at `start` - 1 (at 0 when `start` is 0).
    """
    at, begun = max(start - 1, 0), start == 0
    for block in blocks:
        low = 0
        if not begun:
            low = block.find(b"\n") + 1
            begun = low > 0
            if at + (low or len(block)) >= end:
                return
        stop = block.find(b"\n", max(end - 1 - at, low)) if at + len(block) >= end else -1
        if begun:
            yield at + low, block[low : stop + 1] if stop >= 0 else block[low:]
        if begun and stop >= 0:
            return
        at += len(block)


def single_lines(texts: Iterator[bytes], at: int) -> Iterator[tuple[int, bytes]]:
    """Text that comes in blocks from offset `at`, as single lines with their offsets."""
    held = b""
    for text in texts:
        *lines, held = (held + text).split(b"\n")
        for line in lines:
            yield at, line
            at += len(line) + 1
    if held:
        yield at, held


def with_end(last: RecordSpans | None, blocks: ChunkReader, cut_off: bool) -> Iterator[RecordSpans]:
    """The last find, and how a damaged file ended: the error of the record it cut off, else of one without text."""
    if last is not None:
        if blocks.error and cut_off:
            last.errors[len(last.starts) - 1] = blocks.error
        yield last
    if blocks.error and not cut_off:
        yield single(b"", blocks.at, blocks.error)
