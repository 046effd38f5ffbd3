"""The second look: exact text and published place of single records, from only the parts of files that hold them."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.readers.csv.line_numbers import LineNumbers, lines_before
from pipeline.readers.json.envelope import EnvelopeReader
from pipeline.readers.spans import Found
from pipeline.readers.splits import Piece
from pipeline.readers.tasks import csv_found, json_found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipeline.readers.records import Scan
    from pipeline.readers.xlsx import SheetScan

_NO_END = 1 << 62


@dataclass(frozen=True)
class Look:
    """An input to look at again. `files`: numbers of the ones that hold what is wanted (None: perhaps all of them).

    `inside`: the dotted keys of an array in each record, of which single elements are wanted.
    """

    scan: Scan | SheetScan
    files: frozenset[int] | None = None
    inside: str = ""


@dataclass(frozen=True)
class _Source:
    """What a task knows of an input: a plain copy of its scan, since frames do not travel."""

    paths: list[str]
    pieces: dict[int, list[Piece]]
    before: dict[tuple[int, int], int]
    sheet: dict[int, str]
    inside: str
    finds: Callable[[Piece], Iterator[Found]]
    is_csv: bool


def look_again(looks: Sequence[Look], places: DataFrame) -> DataFrame:
    """The texts of records, or of elements in them, from one look at the parts of files that hold any.

    In: `places` with `_scan` int (index into `looks`), `_file` int, `_position` long, `_index` int (the element wanted,
    null: all of the record) and any other columns. Out: each of its rows with `file`, `position` and `raw`, null where
    the place holds no record (see `Scan.look_again`). A part of a file is read once, by one task, with bounded memory.
    """
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    spark = places.sparkSession
    sources = [_source(look, places) for look in looks]
    bucket = F.lit(0).cast("long")
    for number, one in enumerate(sources):
        cut = [file for file, parts in one.pieces.items() if len(parts) > 1]
        length = max((one.pieces[file][0].end for file in cut), default=0)
        here = (F.col("_scan") == number) & F.col("_file").isin(cut)
        bucket = F.when(here, F.expr(f"_position div {length}")).otherwise(bucket) if cut else bucket
    pieces = sum(len(parts) for one in sources for parts in one.pieces.values())
    count = max(1, min(pieces, 2 * spark.sparkContext.defaultParallelism))
    together = places.repartition(count, "_scan", "_file", bucket)

    def body(batches: Iterable[Any]) -> Iterator[Any]:
        """The rows of a partition with their texts."""
        rows = _Rows(batches)
        while (head := rows.head()) is not None:
            yield from _texts_of(sources[head[0]], rows, *head)

    added = [T.StructField("file", T.StringType()), T.StructField("position", T.LongType())]
    schema = T.StructType([*places.schema.fields, *added, T.StructField("raw", T.StringType())])
    return together.sortWithinPartitions("_scan", "_file", "_position").mapInArrow(body, schema)


def look_at_one(scan: Scan | SheetScan, problems: DataFrame, inside: str = "") -> DataFrame:
    """See `Scan.look_again`."""
    from pyspark.sql import functions as F

    more = {"_scan": F.lit(0), **({} if inside else {"_index": F.lit(None).cast("int")})}
    return look_again([Look(scan, inside=inside)], problems.withColumns(more)).drop(*more)


def _source(look: Look, places: DataFrame) -> _Source:
    from pipeline.readers.xlsx import SheetScan

    scan = look.scan
    if isinstance(scan, SheetScan):
        texts = {position: text for _, position, text, _, _ in scan.lines}
        return _Source(scan.files, {}, {}, texts, "", lambda _: iter(()), True)
    pieces: dict[int, list[Piece]] = {}
    for piece in scan.pieces:
        if look.files is None or piece.file in look.files:
            pieces.setdefault(piece.file, []).append(piece)
    before = lines_before(places.sparkSession, pieces) if scan.is_csv else {}
    csv, json = partial(csv_found, multi_line=scan.multi_line), partial(json_found, records=scan.records)
    return _Source(scan.files, pieces, before, {}, look.inside, csv if scan.is_csv else json, scan.is_csv)


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
            self._columns = [self._batch.column(name).to_numpy() for name in ("_scan", "_file", "_position")]
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


def _texts_of(source: _Source, rows: _Rows, scan: int, file: int, position: int) -> Iterator[Any]:
    """The rows of one part of a file, or of one sheet, with their texts."""
    path = source.paths[file]
    if source.sheet:
        for part in rows.take(scan, file, _NO_END):
            places = part.column("_position").to_pylist()
            yield _with(part, path, places, [source.sheet.get(place) for place in places])
        return
    parts = source.pieces[file]
    number = bisect.bisect_right([piece.start for piece in parts], position) - 1
    piece, end = parts[number], parts[number + 1].start - 1 if number + 1 < len(parts) else _NO_END
    lines = LineNumbers(piece, source.before.get((file, piece.start), 0)) if source.is_csv else None
    for found in source.finds(piece):
        if not len(found.starts):
            continue
        for part in rows.take(scan, file, min(int(found.places()[-1]), end)):
            yield _looked_up(part, path, found, lines, source.inside)
        head = rows.head()
        if head is None or head[:2] != (scan, file) or head[2] > end:
            return
    for part in rows.take(scan, file, end):
        yield _with(part, path, part.column("_position").to_pylist(), [None] * part.num_rows)


def _looked_up(part: Any, path: str, found: Found, lines: LineNumbers | None, inside: str) -> Any:
    import numpy as np

    positions, places = part.column("_position").to_numpy(), found.places()
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
    import pyarrow as pa

    added = [
        pa.array([path] * part.num_rows, pa.string()),
        pa.array(positions, pa.int64()),
        pa.array(texts, pa.string()),
    ]
    names = ["file", "position", "raw"]
    return pa.RecordBatch.from_arrays([*part.columns, *added], names=[*part.schema.names, *names])


class _Elements:
    """A record, and the elements of the array in it once one is asked for."""

    def __init__(self, record: bytes, inside: str) -> None:
        self._record, self._keys = record, inside.split(".")
        self._texts: list[bytes] | None = None

    def text(self, index: int | None) -> bytes:
        """The element to the byte; the whole record where that is wanted, or where it is not clear which one it is."""
        if index is None:
            return self._record
        if self._texts is None:
            self._texts = self._cut()
        return self._texts[index] if index < len(self._texts) else self._record

    def _cut(self) -> list[bytes]:
        # A key that stands twice has two arrays, and only the parser knows which of them it took.
        if any(self._record.count(f'"{key}"'.encode()) != 1 for key in self._keys):
            return []
        finds = EnvelopeReader(iter([self._record]), 0, self._keys).records()
        return [text.rstrip(b" \t\r\n,") for found in finds for text in found.texts()]
