"""JSON files as a frame of records, read in parallel with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.engines.base import RowCounter
from pipeline.engines.registry import engine_of
from pipeline.engines.tasks import run_tasks
from pipeline.readers.base import RECORDS, RawSource, splits_by_file
from pipeline.readers.corrections import Correction, Corrections, by_file
from pipeline.readers.json.file_splits import json_splits
from pipeline.readers.json.tasks import json_spans, json_task
from pipeline.readers.spans import batches
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
        return RawSource(self.files, splits, read, corrections=self.corrections)


def json_records(
    spark: SparkSession,
    files: Sequence[FileInfo],
    *,
    records: str = "",
    counter: RowCounter | None = None,
    corrections: Sequence[Correction] = (),
) -> JsonReader:
    """The JSON records of the files: `_source_file`, `_source_offset`, `_raw`, `_read_error`; one row per record, none
    lost.

    A record is a value: on a line, in an array at the top of a file or line, alone in its file, or one after the other.
    With `records` (`items.data`) it is what is found at those keys of each document; arrays on the way, and the one
    found there, are gone through. Errors: `garbage` (text between records), `truncated`, `malformed_json`, `too_long`,
    `not_utf8`, `truncated_gzip`, `bad_gzip`, `missing_path`; `null_record`, `empty_array` (no faults).
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
    splits = json_splits(spark, whole_files(files), cores, records)
    tasks = assign_splits(splits, cores)
    names = [file.path for file in files]
    placed = by_file(corrections, names)

    def work(number: int) -> Iterator[pa.RecordBatch]:
        """The records of a task as `RECORDS`."""
        return batches(json_task(tasks[number], records, placed))

    frame = run_tasks(spark, len(tasks), work, RECORDS, counter)
    return JsonReader(frame, names, splits, records, placed)
