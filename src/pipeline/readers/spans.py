"""Records that were found, and their way into Arrow batches without copying where that can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Offsets = NDArray[np.int64]

NOT_UTF8 = "not_utf8"
# Records of small files are put together up to so many bytes per batch; larger finds are a batch each.
BATCH_BYTES = 4 << 20
_ALONE = 1 << 20


@dataclass
class RecordSpans:
    """Records in one piece of text: `data[starts[i]:ends[i]]`, at offset `base` of the file.

    `errors` by index. `plain`: only blanks and commas are between the records, so that a record's text may go on to
    the next one's start. `around`: what they take of the document that they are in, as JSON.
    """

    data: bytes
    base: int
    starts: Offsets
    ends: Offsets
    errors: dict[int, str] = field(default_factory=dict)
    plain: bool = True
    around: str | None = None

    def places(self) -> Offsets:
        """The offset of each record in its file."""
        return self.base + self.starts

    def part(self, low: int, high: int) -> RecordSpans:
        """The records from `low` up to `high`."""
        errors = {row - low: error for row, error in self.errors.items() if low <= row < high}
        starts, ends = self.starts[low:high], self.ends[low:high]
        return RecordSpans(self.data, self.base, starts, ends, errors, self.plain, self.around)

    def texts(self) -> Iterator[bytes]:
        """The exact bytes of each record."""
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield self.data[start:end]


def single(text: bytes, position: int, error: str | None) -> RecordSpans:
    """One record."""

    errors = {} if error is None else {0: error}
    return RecordSpans(text, position, np.zeros(1, np.int64), np.array([len(text)], np.int64), errors, False)


def _strings(found: RecordSpans) -> tuple[Any, Offsets]:
    """A buffer and the offsets of the records' texts in it, one behind the other."""

    if found.plain:
        return found.data, np.append(found.starts, found.ends[-1])
    lengths = found.ends - found.starts
    view = memoryview(found.data)
    parts = [view[low:high] for low, high in zip(found.starts.tolist(), found.ends.tolist(), strict=True)]
    return b"".join(parts), np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))


def _is_utf8(data: bytes, text: pa.Array) -> bool:

    if data.isascii():
        return True
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _batch(data: bytes, offsets: Offsets, positions: Any, files: Any, errors: dict[int, str]) -> pa.RecordBatch:

    count = len(offsets) - 1
    first, last = int(offsets[0]), int(offsets[-1])
    # Arrow's stream format wants offsets that begin at 0: the buffer begins where the first text does.
    text = pa.StringArray.from_buffers(
        count, pa.py_buffer((offsets - first).astype(np.int32)), pa.py_buffer(data)[first:last]
    )
    if not _is_utf8(data, text):
        # Rare: record by record, what is not UTF-8 is shown as \xNN and reported.
        texts = []
        for index in range(count):
            raw = data[offsets[index] : offsets[index + 1]]
            try:
                texts.append(raw.decode())
            except UnicodeDecodeError:
                texts.append(raw.decode(errors="backslashreplace"))
                errors.setdefault(index, NOT_UTF8)
        text = pa.array(texts, pa.string())
    read_errors = (
        pa.nulls(count, pa.string())
        if not errors
        else pa.array([errors.get(index) for index in range(count)], pa.string())
    )
    columns = [pa.array(files, pa.int32()), pa.array(positions, pa.int64()), text, read_errors]
    return pa.RecordBatch.from_arrays(columns, names=["_source_file", "_source_offset", "_raw", "_read_error"])


def batches_around(finds: Iterable[tuple[int, RecordSpans]]) -> Iterator[pa.RecordBatch]:
    """As `batches`, and `_around`: what the records take of their document."""
    for around, same in itertools.groupby(finds, key=lambda find: find[1].around):
        for batch in batches(same):
            yield batch.append_column("_around", pa.array([around] * batch.num_rows, pa.string()))


def batches(finds: Iterable[tuple[int, RecordSpans]]) -> Iterator[pa.RecordBatch]:
    """Arrow batches of `_source_file`, `_source_offset`, `_raw`, `_read_error` from finds with their file.

    Blanks and commas may follow a text.
    """

    held: list[tuple[int, RecordSpans, bytes, Offsets]] = []
    size = 0
    for file, found in finds:
        if not len(found.starts):
            continue
        data, offsets = _strings(found)
        length = int(offsets[-1] - offsets[0])
        if held and size + length > BATCH_BYTES:
            yield _joined(held)
            held, size = [], 0
        if length >= _ALONE:
            files = np.full(len(offsets) - 1, file, np.int32)
            yield _batch(data, offsets, found.places(), files, dict(found.errors))
        else:
            held.append((file, found, data, offsets))
            size += length
    if held:
        yield _joined(held)


def _joined(held: list[tuple[int, RecordSpans, bytes, Offsets]]) -> pa.RecordBatch:

    parts, lengths, errors, count = [], [], {}, 0
    for _, found, data, offsets in held:
        parts.append(data[int(offsets[0]) : int(offsets[-1])])
        lengths.append(np.diff(offsets))
        errors.update({count + index: error for index, error in found.errors.items()})
        count += len(offsets) - 1
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))))
    counts = [len(length) for length in lengths]
    files = np.repeat(np.array([item[0] for item in held], np.int32), counts)
    places = np.concatenate([item[1].places() for item in held])
    return _batch(b"".join(parts), offsets, places, files, errors)
