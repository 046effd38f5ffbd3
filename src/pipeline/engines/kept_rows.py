"""Rows that are kept for later steps: some in memory, all others in a temporary file."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import pyarrow as pa

from pipeline.errors import PipelineError
from transforms.kernels.sorting import sorted_batches, sorted_indices

_IN_MEMORY, _LOOKED_AT = 128 << 20, 64 << 20
_LARGE_ROWS = 16 << 10  # bytes of a row, on average


@contextlib.contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        folder = f"{tempfile.gettempdir()} (TMPDIR names another folder)"
        raise PipelineError(f"rows cannot be kept in {folder}: {error.strerror or error}") from error


class KeptRows:
    """Batches in the order in which they were added, by any thread; once `close` was called they are in `batches`."""

    def __init__(self) -> None:
        self.batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchFileWriter | None = None
        self._map: mmap.mmap | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes a batch; `PipelineError` when there is no room for it."""
        with self._lock, _errors_named():
            self._bytes += batch.nbytes
            if self._bytes <= _IN_MEMORY:
                self.batches += [batch] if batch.num_rows else []
                return
            if self._writer is None:
                self._file = tempfile.TemporaryFile(prefix="rows-")  # noqa: SIM115  # open until `close`
                self._writer = pa.ipc.new_file(self._file, batch.schema)
            self._writer.write_batch(batch)

    def close(self) -> None:
        """Nothing is added any more."""
        if self._writer is not None and self._file is not None:
            with _errors_named():
                self._writer.close()
                self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            self._file.close()
            reader = pa.ipc.open_file(pa.py_buffer(self._map))
            self.batches += map(reader.get_batch, range(reader.num_record_batches))

    def replaced(self, batches: Iterable[pa.RecordBatch]) -> KeptRows:
        """Batches that are made of these, with columns of them."""
        made = KeptRows()
        made.batches, made._map = list(batches), self._map
        return made

    def portion(self, number: int, count: int) -> Iterator[pa.RecordBatch]:
        """The batches of one of `count` tasks, in their order."""
        first, end = (len(self.batches) * at // count for at in (number, number + 1))
        return self._looked_at(self.batches[first:end])

    def sorted(self, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows sorted by these columns, as Spark sorts; large ones one at a time, without a copy of them all."""
        if not self.batches:
            return iter(())
        rows = pa.Table.from_batches(self.batches)
        if not order or rows.nbytes < _LARGE_ROWS * len(rows):
            return sorted_batches(rows, order)
        places = [(batch, row) for batch in self.batches for row in range(batch.num_rows)]
        indices = sorted_indices(rows.select(order), order).to_pylist()
        return self._looked_at(places[index][0].slice(places[index][1], 1) for index in indices)

    def _looked_at(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches; what was looked at in the file does not stay in the memory of this process."""
        size = 0
        for batch in batches:
            yield batch
            size += batch.nbytes
            if self._map is not None and size > _LOOKED_AT:
                self._map.madvise(mmap.MADV_DONTNEED)
                size = 0
