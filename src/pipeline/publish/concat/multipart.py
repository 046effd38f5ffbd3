"""How a file is put together from a header and objects by the rules of S3's multipart uploads.

A part of an upload is at least 5 MiB (but the last), at most 5 GiB, and there are at most 10,000. What is copied
inside the store is one range of one object; what is too small for that is joined in memory, a few MiB at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.errors import PipelineError

MIB = 1 << 20
SMALLEST = 5 * MIB
LARGEST = 5 << 30
MOST_PARTS = 10_000
COPY = 256 * MIB  # a copy of this size takes seconds, and many run at a time
MOST_IN_MEMORY = 64 * MIB


@dataclass(frozen=True)
class Range:
    """`length` bytes of an object from `start`; `size` is the whole object's."""

    path: str
    start: int
    length: int
    size: int
    version: str = ""


@dataclass
class BufferedPart:
    """One part of the upload made in memory: `header`, then the ranges."""

    header: bytes = b""
    ranges: list[Range] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Its bytes."""
        return len(self.header) + sum(piece.length for piece in self.ranges)


Part = Range | BufferedPart


def plan(sources: Sequence[Range], header: bytes, smallest: int = SMALLEST, copy: int = COPY) -> list[Part]:
    """The upload's parts in order; `sources` are whole objects. Nothing at all gives no part.

    `PipelineError` when it cannot be done with 10,000 parts and 64 MiB of memory.
    """
    total = len(header) + sum(source.length for source in sources)
    # Fewer, larger parts when there are very many bytes or very many objects.
    copy = min(max(copy, -(-total // (MOST_PARTS // 4))), LARGEST)
    while True:
        parts = _planned(sources, header, smallest, max(copy, smallest))
        if len(parts) <= MOST_PARTS:
            return parts
        smallest *= 2
        if smallest > MOST_IN_MEMORY:
            raise PipelineError(f"{len(sources)} parts of {total} bytes are too many for one object: use --files parts")


def _planned(sources: Sequence[Range], header: bytes, smallest: int, copy: int) -> list[Part]:
    parts: list[Part] = []
    pending = BufferedPart(header)
    for source in sources:
        if not source.length:
            continue
        missing = max(0, smallest - pending.length) if pending.length else 0
        if source.length - missing < smallest:
            pending.ranges.append(source)
            if pending.length >= smallest:
                parts.append(pending)
                pending = BufferedPart()
            continue
        if pending.length:
            if missing:
                pending.ranges.append(Range(source.path, 0, missing, source.size, source.version))
            parts.append(pending)
            pending = BufferedPart()
        parts.extend(_copies(source, missing, smallest, copy))
    if pending.length:
        alone = not pending.header and len(pending.ranges) == 1
        parts.append(pending.ranges[0] if alone else pending)
    return parts


def _copies(source: Range, start: int, smallest: int, copy: int) -> list[Part]:
    """The object from `start` in pieces of about `copy` bytes; none is too small."""
    length = source.length - start
    count = max(1, min(-(-length // copy), length // smallest))
    ends = [start + length * (at + 1) // count for at in range(count)]
    starts = [start, *ends[:-1]]
    return [Range(source.path, a, b - a, source.size, source.version) for a, b in zip(starts, ends, strict=True)]
