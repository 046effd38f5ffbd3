"""The second look: exact text and published place of single records, from only the parts of files that hold them."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline import scan_io
from pipeline.scan_envelope import EnvelopeReader
from pipeline.scan_found import Found
from pipeline.scan_plan import Piece
from pipeline.scan_task import csv_found, json_found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.records import Scan

    Offsets = NDArray[np.int64]

LOOKED = "_file int, file string, _position long, position long, raw string, _index int"
# The positions that are looked for, with the indexes wanted of each (null: all of the record).
Wanted = dict[int, list[int | None]]


def look_again(scan: Scan, problems: DataFrame, inside: str = "") -> DataFrame:
    """See `Scan.look_again`. The places are brought together by part of a file; each part is read once."""
    from pyspark.sql import functions as F

    spark = problems.sparkSession
    by_file: dict[int, list[Piece]] = {}
    for piece in scan.pieces:
        by_file.setdefault(piece.file, []).append(piece)
    cut = {number: parts for number, parts in by_file.items() if len(parts) > 1}
    index = F.col("_index") if inside else F.lit(None)
    wanted = problems.select("_file", "_position", index.cast("int").alias("_index")).distinct()
    lines = _lines_before(spark, wanted, cut) if scan.is_csv and cut else {}
    length = max((parts[0].end for parts in cut.values()), default=1)
    bucket = (
        F.when(F.col("_file").isin(list(cut)), F.expr(f"_position div {length}")).otherwise(F.lit(0))
        if cut
        else F.lit(0)
    )
    count = max(1, min(len(scan.pieces), 2 * spark.sparkContext.defaultParallelism))
    sorted_places = wanted.withColumn("_bucket", bucket).repartition(count, "_file", "_bucket")
    files, is_csv, multi_line, records = scan.files, scan.is_csv, scan.multi_line, scan.records

    def body(batches: Iterable[Any]) -> Iterator[Any]:
        """The texts at the places of a partition."""
        import numpy as np

        for piece, wanted_parts in _by_piece(batches, by_file):
            positions = np.array(list(wanted_parts), np.int64)
            finds = csv_found(piece, multi_line) if is_csv else json_found(piece, records)
            numbers = _line_numbers(piece, positions, lines.get((piece.file, piece.start), 0)) if is_csv else positions
            shown = dict(zip(positions.tolist(), numbers.tolist(), strict=True))
            for found in finds:
                hits = found.only(np.flatnonzero(np.isin(found.places(), positions)))
                if len(hits.starts):
                    yield _batch(piece, files[piece.file], hits, shown, wanted_parts, inside)
                if found.places()[-1] >= positions[-1]:
                    break

    looked = sorted_places.sortWithinPartitions("_file", "_position", "_index").mapInArrow(body, LOOKED)
    return looked if inside else looked.drop("_index")


def _by_piece(batches: Iterable[Any], by_file: dict[int, list[Piece]]) -> Iterator[tuple[Piece, Wanted]]:
    """The places of each piece with what is wanted of each; they come in the order of files and positions."""
    starts = {number: [piece.start for piece in parts] for number, parts in by_file.items()}

    def rows() -> Iterator[tuple[int, int, int | None]]:
        """File, position and index."""
        for batch in batches:
            columns = [batch.column(name).to_pylist() for name in ("_file", "_position", "_index")]
            yield from zip(*columns, strict=True)

    def piece_of(row: tuple[int, int, int | None]) -> tuple[int, int]:
        """The number of the file and of its piece."""
        return row[0], bisect.bisect_right(starts[row[0]], row[1]) - 1

    for (number, part), group in itertools.groupby(rows(), piece_of):
        wanted: Wanted = {}
        for _, position, index in group:
            wanted.setdefault(position, []).append(index)
        yield by_file[number][part], wanted


def _batch(piece: Piece, file: str, found: Found, shown: dict[int, int], wanted: Wanted, inside: str) -> Any:
    import pyarrow as pa

    rows = [
        (place, index, text.decode(errors="backslashreplace"))
        for place, record in zip(found.places().tolist(), found.texts(), strict=True)
        for index, text in _parts(record, wanted[place], inside)
    ]
    return pa.record_batch(
        [
            pa.array([piece.file] * len(rows), pa.int32()),
            pa.array([file] * len(rows), pa.string()),
            pa.array([place for place, _, _ in rows], pa.int64()),
            pa.array([shown[place] for place, _, _ in rows], pa.int64()),
            pa.array([text for _, _, text in rows], pa.string()),
            pa.array([index for _, index, _ in rows], pa.int32()),
        ],
        names=["_file", "file", "_position", "position", "raw", "_index"],
    )


def _parts(record: bytes, wanted: Sequence[int | None], inside: str) -> Iterator[tuple[int | None, bytes]]:
    """The elements of a record's array, to the byte; the whole record where it is wanted, or where it is not clear."""
    keys = inside.split(".")
    texts: list[bytes] = []
    # A key that stands twice has two arrays, and only the parser knows which of them it took.
    if any(index is not None for index in wanted) and all(record.count(f'"{key}"'.encode()) == 1 for key in keys):
        finds = EnvelopeReader(iter([record]), 0, keys).records()
        texts = [text.rstrip(b" \t\r\n,") for found in finds for text in found.texts()]
    for index in wanted:
        yield index, record if index is None or index >= len(texts) else texts[index]


def _line_numbers(piece: Piece, positions: Offsets, before: int) -> Offsets:
    """The physical lines, from 1, that the positions stand on; `before`: how many lines end before the piece."""
    import numpy as np

    numbers = np.zeros(len(positions), np.int64)
    at, passed = piece.start, before
    for block in scan_io.open_piece(piece, piece.start):
        breaks = np.flatnonzero(np.frombuffer(block, np.uint8) == 0x0A) + at
        low, high = np.searchsorted(positions, (at, at + len(block)))
        numbers[low:high] = passed + 1 + np.searchsorted(breaks, positions[low:high])
        passed, at = passed + len(breaks), at + len(block)
        if high == len(positions):
            break
    numbers[positions >= at] = passed + 1
    return numbers


def _lines_before(spark: SparkSession, wanted: DataFrame, cut: dict[int, list[Piece]]) -> dict[tuple[int, int], int]:
    """How many lines end before each piece of the cut files that hold wanted places: a job that only counts."""
    from pipeline.records import run_tasks

    files = {row[0] for row in wanted.select("_file").distinct().collect()}
    parts = [piece for number in sorted(files & set(cut)) for piece in cut[number]]

    def work(number: int) -> Iterator[Any]:
        """The number of line ends in a piece."""
        import pyarrow as pa

        piece = parts[number]
        count = sum(
            scan_io.read(piece, low, high).count(b"\n")
            for low, high in scan_io.steps(piece.start, piece.end, piece.end)
        )
        yield pa.record_batch(
            [pa.array([number], pa.int32()), pa.array([count], pa.int64())], names=["number", "count"]
        )

    result: dict[tuple[int, int], int] = {}
    if parts:
        counts = dict(tuple(row) for row in run_tasks(spark, len(parts), work, "number int, count long").collect())
        for number, piece in enumerate(parts):
            result[piece.file, piece.start] = (
                0 if piece.start == 0 else result[piece.file, parts[number - 1].start] + counts[number - 1]
            )
    return result
