"""Rejected and excluded rows of a run as rows of a table, made of the run's own files of them."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import storage
from pipeline.publish.part_files import PartFile, new_path
from pipeline.publish.table_target import FileShape
from pipeline.storage.writing import open_write

_TEXTS = ("kind", "run_id", "job", "input", "file", "reason", "detail", "raw")
COLUMNS = pa.schema([*((name, pa.string()) for name in _TEXTS), ("position", pa.int64())])
_AT_A_TIME = 10_000


def write_unused(run_folder: str, shape: FileShape) -> list[PartFile]:
    """Writes the lines under quarantine/ and excluded/ as one Parquet file; none without lines.

    `kind` is the folder. Text that is no UTF-8 has its halves escaped.
    """
    lines = _lines(run_folder)
    first = list(itertools.islice(lines, _AT_A_TIME))
    if not first:
        return []
    path, rows = new_path(shape.folder, 0, ".parquet"), 0
    storage.make_folder(shape.folder)
    with open_write(path) as stream, contextlib.closing(pq.ParquetWriter(stream, shape.schema)) as writer:
        while first:
            writer.write_batch(shape.of(pa.RecordBatch.from_pylist(first, COLUMNS)))
            rows += len(first)
            first = list(itertools.islice(lines, _AT_A_TIME))
    return [PartFile(0, path, rows, stream.bytes, stream.sha256)]


def _lines(run_folder: str) -> Iterator[dict[str, object]]:
    for kind in ("quarantine", "excluded"):
        for info in storage.list_prefix(storage.join(run_folder, kind)):
            if PurePosixPath(info.path).suffix != ".jsonl":
                continue
            for line in storage.read_lines(info.path):
                row = {"kind": kind, **json.loads(line)}
                raw = row["raw"]
                yield row | {"raw": raw and raw.encode("utf-8", "backslashreplace").decode()}
