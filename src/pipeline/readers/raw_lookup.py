"""The exact text and the published place of single records, read from only those parts of files that hold them."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.engines.registry import engine_of
from pipeline.readers.base import RawSource, Reader
from pipeline.readers.csv.line_numbers import LineNumbers
from pipeline.readers.spans import RecordSpans

_NO_END = 1 << 62
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class Lookup:
    """An input of which texts are wanted. `files`: numbers of the ones that hold what is wanted (None: of any).

    `array_path`: the dotted keys of an array in each record, of which single elements are wanted.
    """

    reader: Reader
    files: frozenset[int] | None = None
    array_path: str = ""


def fetch_raw(lookups: Sequence[Lookup], places: DataFrame) -> DataFrame:
    """The texts of records, or of elements in them, read once from the parts of files that hold any.

    In: `places` with `_input` int (index into `lookups`), `_source_file` int, `_source_offset` long, `_index` int (the
    element wanted, null: all of the record) and any other columns. Out: each of its rows with `file` string,
    `position` long (byte offset for JSON, physical line from 1 for CSV) and `raw` string, null where the place holds
    no record. A part of a file is read once, by one task, with bounded memory.
    """
    engine = engine_of(places.sparkSession)
    sources = [lookup.reader.raw_source(engine.spark, lookup.files) for lookup in lookups]
    paths = [lookup.array_path for lookup in lookups]
    bucket = F.lit(0).cast("long")
    for number, one in enumerate(sources):
        cut = [file for file, parts in one.splits.items() if len(parts) > 1]
        length = max((one.splits[file][0].end for file in cut), default=0)
        here = (F.col("_input") == number) & F.col("_source_file").isin(cut)
        bucket = F.when(here, F.expr(f"_source_offset div {length}")).otherwise(bucket) if cut else bucket
    splits = sum(len(parts) for one in sources for parts in one.splits.values())

    def fetch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows of a partition with their texts."""
        rows = _Rows(batches)
        while (head := rows.head()) is not None:
            yield from _texts_of(sources[head[0]], paths[head[0]], rows, *head)

    added = [T.StructField("file", T.StringType()), T.StructField("position", T.LongType())]
    schema = T.StructType([*places.schema.fields, *added, T.StructField("raw", T.StringType())])
    order = ("_input", "_source_file", "_source_offset")
    return engine.map_sorted(places, splits, ["_input", "_source_file", bucket], order, fetch, schema)


class _Rows:
    """The rows of a partition, in the order of inputs, files and positions, taken bit by bit."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._batches, self._at = iter(batches), 0
        self._batch: Any = None
        self._columns: list[Any] = []

    def head(self) -> tuple[int, int, int] | None:
        """Input, file and position of the next row; None behind the last."""
        while self._batch is None or self._at == self._batch.num_rows:
            self._batch, self._at = next(self._batches, None), 0
            if self._batch is None:
                return None
            self._columns = [
                self._batch.column(name).to_numpy() for name in ("_input", "_source_file", "_source_offset")
            ]
        scan, file, position = (int(column[self._at]) for column in self._columns)
        return scan, file, position

    def take(self, scan: int, file: int, last: int) -> Iterator[Any]:
        """The next rows of a file up to the position `last`, as batches."""
        while (head := self.head()) is not None and head[:2] == (scan, file) and head[2] <= last:
            scans, files, positions = (column[self._at :] for column in self._columns)
            within = (scans == scan) & (files == file) & (positions <= last)
            count = len(within) if within.all() else int(within.argmin())
            yield self._batch.slice(self._at, count)
            self._at += count


def _texts_of(source: RawSource, array_path: str, rows: _Rows, scan: int, file: int, position: int) -> Iterator[Any]:
    """The rows of one part of a file, or of one sheet, with their texts."""
    path = source.paths[file]
    if source.texts is not None:
        for part in rows.take(scan, file, _NO_END):
            places = part.column("_source_offset").to_pylist()
            yield _with(part, path, places, [source.texts.get(place) for place in places])
        return
    parts = source.splits[file]
    number = bisect.bisect_right([piece.start for piece in parts], position) - 1
    piece, end = parts[number], parts[number + 1].start - 1 if number + 1 < len(parts) else _NO_END
    before = source.lines_before
    lines = None if before is None else LineNumbers(piece, before.get((file, piece.start), 0))
    for found in source.spans(piece):
        if not len(found.starts):
            continue
        for part in rows.take(scan, file, min(int(found.places()[-1]), end)):
            yield _looked_up(part, path, found, lines, array_path)
        head = rows.head()
        if head is None or head[:2] != (scan, file) or head[2] > end:
            return
    for part in rows.take(scan, file, end):
        yield _with(part, path, part.column("_source_offset").to_pylist(), [None] * part.num_rows)


def _looked_up(part: Any, path: str, found: RecordSpans, lines: LineNumbers | None, inside: str) -> Any:

    positions, places = part.column("_source_offset").to_numpy(), found.places()
    at = np.searchsorted(places, positions)
    texts: list[str | None] = []
    last, elements = -1, _Elements(b"", inside)
    for index, hit, element in zip(
        at.tolist(), (places[at] == positions).tolist(), part.column("_index").to_pylist(), strict=True
    ):
        if hit and index != last:
            last = index
            elements = _Elements(found.data[int(found.starts[index]) : int(found.ends[index])], inside)
        texts.append(elements.text(element).decode(errors="backslashreplace") if hit else None)
    return _with(part, path, (positions if lines is None else lines.of(positions)).tolist(), texts)


def _with(part: Any, path: str, positions: list[int], texts: Sequence[str | None]) -> Any:
    """The rows with their file, published place and text."""

    added = [
        pa.array([path] * part.num_rows, pa.string()),
        pa.array(positions, pa.int64()),
        pa.array(texts, pa.string()),
    ]
    names = ["file", "position", "raw"]
    return pa.RecordBatch.from_arrays([*part.columns, *added], names=[*part.schema.names, *names])


class _Elements:
    """A record, and the elements of the array in it once one is asked for."""

    def __init__(self, record: bytes, array_path: str) -> None:
        self._record, self._keys = record, array_path.split(".")
        self._texts: list[msgspec.Raw] | None = None

    def text(self, index: int | None) -> bytes:
        """The element to the byte; the whole record where that is wanted, or where it has no such element."""
        if index is None:
            return self._record
        if self._texts is None:
            self._texts = self._split()
        return bytes(self._texts[index]) if index < len(self._texts) else self._record

    def _split(self) -> list[msgspec.Raw]:
        # Of equal keys the last one counts, as for whoever made the rows of the elements.
        value = msgspec.Raw(self._record.strip(b" \t\r\n,"))
        try:
            for key in self._keys:
                value = _MEMBERS.decode(value)[key]
            return _ITEMS.decode(value)
        except (msgspec.DecodeError, KeyError):
            return []
