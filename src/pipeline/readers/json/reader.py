"""JSON files as a frame of records, read in parallel with bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.engines.base import RowCounter
from pipeline.engines.registry import engine_of
from pipeline.engines.tasks import run_tasks
from pipeline.readers import chunks
from pipeline.readers.base import RECORDS, RawSource, splits_by_file
from pipeline.readers.corrections import Correction, Corrections, by_file
from pipeline.readers.file_heads import HEAD
from pipeline.readers.json.file_splits import json_splits
from pipeline.readers.json.framing.around import Around
from pipeline.readers.json.framing.envelope import NOTHING
from pipeline.readers.json.tasks import json_spans, json_task, line_spans
from pipeline.readers.spans import batches, batches_around
from pipeline.readers.splits import FileSplit, assign_splits, whole_files
from pipeline.storage import FileInfo


@dataclass
class JsonReader:
    """JSON records: see `readers.base.Reader`."""

    frame: DataFrame
    files: list[str]
    splits: list[FileSplit]
    records_path: str = ""
    corrections: Corrections = field(default_factory=dict)

    def raw_source(self, files: frozenset[int] | None = None) -> RawSource:
        """For fetching texts; places are byte offsets."""
        splits, read = splits_by_file(self.splits, files), partial(json_spans, records=self.records_path)
        lines = None if self.records_path else line_spans
        return RawSource(self.files, splits, read, corrections=self.corrections, lines=lines)

    def keys_at_start(self) -> list[str]:
        """Keys of objects within the first 64 KiB of the first file, as what a mistyped one may mean."""
        start = next(chunks.open_chunks(self.splits[0], 0), b"")[:HEAD] if self.splits else b""
        return [key.decode(errors="replace") for key in re.findall(rb'"([^"\\]{1,99})"\s*:', start)]


def json_records(
    spark: SparkSession,
    files: Sequence[FileInfo],
    *,
    records: str = "",
    counter: RowCounter | None = None,
    corrections: Sequence[Correction] = (),
    around: Around = NOTHING,
) -> JsonReader:
    """The JSON records of the files: `_source_file`, `_source_offset`, `_raw`, `_read_error`; one row per record, none
    lost.

    A record is a value: on a line, in an array at the top of a file or line, alone in its file, or one after the other.
    With `records` (`items.data`) it is what is found at those keys of each document; arrays on the way, and the one
    found there, are gone through. Errors: `garbage` (text between records), `truncated`, `malformed_json`, `too_long`,
    `not_utf8`, `truncated_gzip`, `bad_gzip`, `missing_path`; `null_record`, `empty_array` (no faults).
    `around`: what records take of the document that they are in, in one more column `_around`.
    Raises `InputError` when a file changes while it is read.

    >>> import tempfile
    >>> from pipeline import storage
    >>> path = tempfile.mkdtemp() + "/in.json"
    >>> storage.write_bytes(path, b'[{"a":1},{"a":2}]')
    >>> json_records(spark, storage.list_files(path)).frame.show()
    +------------+--------------+--------+-----------+
    |_source_file|_source_offset|    _raw|_read_error|
    +------------+--------------+--------+-----------+
    |           0|             1|{"a":1},|       NULL|
    |           0|             9| {"a":2}|       NULL|
    +------------+--------------+--------+-----------+
    <BLANKLINE>
    """
    cores = engine_of(spark).cores
    splits = json_splits(spark, whole_files(files), cores, records, whole=around.in_envelope)
    tasks = assign_splits(splits, cores)
    names = [file.path for file in files]
    placed = by_file(corrections, names)

    def work(number: int) -> Iterator[pa.RecordBatch]:
        """The records of a task as `RECORDS`."""
        return (batches_around if around else batches)(json_task(tasks[number], records, placed, around))

    frame = run_tasks(spark, len(tasks), work, f"{RECORDS}, _around string" if around else RECORDS, counter)
    return JsonReader(frame, names, splits, records, placed)
