"""The exact text and the published place of single records, read from only those parts of files that hold them."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.engines.registry import engine_of
from pipeline.errors import UsageError
from pipeline.readers.base import RawSource, Reader
from pipeline.readers.corrections import Correction
from pipeline.readers.spans import BATCH_BYTES, RecordSpans

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def fetch_raw(sources: Sequence[RawSource], places: DataFrame) -> DataFrame:
    """The texts of records, or of elements in them, read once from the parts of files that hold any.

    In: `places` with `_input` int (index into `sources`), `_source_file` int, `_source_offset` long, `_index` int (the
    element wanted, null: all of the record) and any other columns. Out: each of its rows with `file` string,
    `position` long (byte offset for JSON, physical line from 1 for CSV) and `raw` string, null where the place holds
    no record. A part of a file is read once, by one task, with bounded memory.
    """
    engine = engine_of(places.sparkSession)
    bucket = F.lit(0).cast("long")
    for number, one in enumerate(sources):
        cut = [file for file, parts in one.splits.items() if len(parts) > 1]
        length = max((one.splits[file][0].end for file in cut), default=0)
        here = (F.col("_input") == number) & F.col("_source_file").isin(cut)
        bucket = F.when(here, F.expr(f"_source_offset div {length}")).otherwise(bucket) if cut else bucket
    splits = sum(len(parts) for one in sources for parts in one.splits.values())

    def fetch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows of a partition with their texts."""
        at, held = (-1, -1), _FileTexts(sources[0], 0)
        for batch in batches:
            columns = [batch.column(name).to_pylist() for name in (*order, "_index")]
            found, first, size = list[tuple[int, str | None]](), 0, 0
            for row, (number, file, offset, index) in enumerate(zip(*columns, strict=True), 1):
                if at != (number, file):
                    at, held = (number, file), _FileTexts(sources[number], file)
                found.append(held.text(offset, index))
                size += len(found[-1][1] or "")
                if size > BATCH_BYTES or row == batch.num_rows:
                    files = [sources[n].paths[f] for n, f in zip(*(c[first:row] for c in columns[:2]), strict=True)]
                    yield _with(batch.slice(first, row - first), files, *zip(*found, strict=True))
                    found, first, size = [], row, 0

    added = [T.StructField("file", T.StringType()), T.StructField("position", T.LongType())]
    schema = T.StructType([*places.schema.fields, *added, T.StructField("raw", T.StringType())])
    order = ("_input", "_source_file", "_source_offset")
    return engine.map_sorted(places, splits, ["_input", "_source_file", bucket], order, fetch, schema)


def check_places(corrections: Sequence[Correction], reader: Reader, spark: SparkSession) -> int:
    """The number of corrections of an input; `UsageError` for those where its files have no record."""
    placed = {(file, offset): one for file, own in reader.corrections.items() for offset, one in own.items()}
    missing = set(corrections) - set(placed.values())
    if placed:
        rows = [(0, file, offset, None) for file, offset in placed]
        places = spark.createDataFrame(rows, "_input int, _source_file int, _source_offset long, _index int")
        found = fetch_raw([reader.raw_source(frozenset(file for file, _ in placed))], places)
        missing |= {placed[row[1], row[2]] for row in found.where(F.col("raw").isNull()).collect()}
    if missing:
        said = [
            f"{one.place}: no record begins at {one.position} in {one.file}" for one in corrections if one in missing
        ]
        raise UsageError("; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else ""))
    return len(corrections)


def _with(rows: Any, files: Sequence[str], positions: Sequence[int], texts: Sequence[str | None]) -> Any:
    """The rows with their file, published place and text."""
    added = [pa.array(files, pa.string()), pa.array(positions, pa.int64()), pa.array(texts, pa.string())]
    return pa.RecordBatch.from_arrays([*rows.columns, *added], names=[*rows.schema.names, "file", "position", "raw"])


class _FileTexts:
    """The texts of a file's records, asked for in the order of the file."""

    def __init__(self, source: RawSource, file: int) -> None:
        self._source, self._file = source, file
        self._parts, self._part = source.splits.get(file, []), -1
        self._starts = [one.start for one in self._parts]
        self._finds: Iterator[RecordSpans] = iter(())
        self._found: RecordSpans | None = None
        self._places, self._last = np.zeros(0, np.int64), -1
        self._at = self._lines = 0  # in the data that was found last, and the lines that end before
        self._record, self._elements = b"", list[msgspec.Raw]()
        self._by_line = source.lines is not None

    def text(self, offset: int, index: int | None) -> tuple[int, str | None]:
        """The published place of a record, and its text or that of an element; None where there is no record."""
        if self._source.texts is not None:
            return offset, self._source.texts.get(offset)
        found = self._look(offset)
        if found is None and self._by_line:
            # No line that is a record: from here on the file is read as whoever found the record has read it.
            self._by_line, self._part = False, -1
            found = self._look(offset)
        if found is None:
            return offset, None
        place, record = found
        correction = self._source.corrections.get(self._file, {}).get(offset)
        record = correction.raw.encode() if correction and correction.raw else record
        text = record if index is None else self._element(record, index)
        return place, text.decode(errors="backslashreplace")

    def _look(self, offset: int) -> tuple[int, bytes] | None:
        own = bisect.bisect_right(self._starts, offset) - 1
        if self._by_line:
            found = self._find(own, offset)
            return found if found and _is_object(found[1]) else None
        # What is behind the last record of a part is read with it, wherever it is: one piece of text after the other.
        first = self._part if self._part >= 0 and self._last >= self._starts[own] else own
        for part in dict.fromkeys((first, *range(own, -1, -1))):
            if (found := self._find(part, offset)) is not None:
                return found
        return None

    def _find(self, part: int, offset: int) -> tuple[int, bytes] | None:
        """The published place and the record, looked for from the last one on; None when the part does not give it."""
        if part != self._part:
            read = self._source.lines if self._by_line and self._source.lines else self._source.spans
            self._part, self._finds, self._found = part, read(self._parts[part]), None
        while self._found is None or self._last < offset:
            if not self._next():
                self._part = -1
                return None
        row = int(self._places.searchsorted(offset))
        if self._places[row] != offset:
            return None
        start, end = int(self._found.starts[row]), int(self._found.ends[row])
        if self._source.lines_before is not None:
            self._count_lines(start)
            offset = self._lines + 1
        text = self._found.data[start:end]
        return offset, text.rstrip(b" \t\r") if self._by_line else text

    def _next(self) -> bool:
        """Goes on to what is found next in the part; False behind the last of it."""
        if self._found is not None and self._source.lines_before is not None:
            self._count_lines(len(self._found.data))
        last, self._found, self._at = self._found, next(self._finds, None), 0
        if last is None and self._found is not None:
            # A line that begins before the part ends in it.
            start = self._parts[self._part].start
            before = (self._source.lines_before or {}).get((self._file, start), 0)
            self._lines = before + (int(start < self._found.base) if start else self._source.skipped_lines)
        if self._found is None:
            return False
        self._places = self._found.places()
        self._last = int(self._places[-1]) if len(self._places) else -1
        return True

    def _count_lines(self, end: int) -> None:
        assert self._found is not None
        self._lines += self._found.data.count(b"\n", self._at, end)
        self._at = end

    def _element(self, record: bytes, index: int) -> bytes:
        """The element to the byte; the whole record where it has no such element."""
        if record != self._record:
            self._record, self._elements = record, _elements(record, self._source.array_path.split("."))
        return bytes(self._elements[index]) if index < len(self._elements) else record


def _is_object(line: bytes) -> bool:
    """Whether a line is an object and nothing else: then it is the record that begins with it."""
    try:
        _ANY.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return line.startswith(b"{")


def _elements(record: bytes, keys: Sequence[str]) -> list[msgspec.Raw]:
    # Of equal keys the last one counts, as for whoever made the rows of the elements.
    value = msgspec.Raw(record.strip(b" \t\r\n,"))
    try:
        for key in keys:
            value = _MEMBERS.decode(value)[key]
        return _ITEMS.decode(value)
    except (msgspec.DecodeError, KeyError, RecursionError):
        return []
