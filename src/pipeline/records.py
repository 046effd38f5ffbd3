"""Records of JSON and CSV files as one frame, read in parallel with bounded memory: the reader of every job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import scan_io
from pipeline.scan_plan import Piece, pack

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = "_file int, _position long, _raw string, _error string"


class File(Protocol):
    """What the reader needs to know of a file."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...


@dataclass
class Scan:
    """Records of an input.

    `frame`: `_file` int (index into `files`), `_position` long (byte offset in the decompressed file), `_raw` string,
    `_error` string (null when the reader found nothing wrong); for CSV also `_layout` int, the index into `headers`.
    `headers` are the different header lines, `header_files` a file that has each.
    """

    frame: DataFrame
    files: list[str]
    headers: list[str] = field(default_factory=list)
    header_files: list[str] = field(default_factory=list)
    lines: bool = False

    def look_again(self, problems: DataFrame) -> DataFrame:
        """The text of single records: `_file`, `file` string, `_position`, `position` long, `raw` string.

        In: `problems` with `_file`, `_position`. One row a distinct place. `position` is the byte offset for JSON
        and the physical line, from 1, for CSV.
        """
        names = F.array(*[F.lit(path) for path in self.files])
        found = self.frame.join(problems.select("_file", "_position").distinct(), on=["_file", "_position"], how="left_semi")
        return found.select(
            "_file",
            F.element_at(names, F.col("_file") + 1).alias("file"),
            "_position",
            F.col("_position").alias("position"),
            F.regexp_replace("_raw", r"[\s,]+$", "").alias("raw"),
        )


def _rows(spark: SparkSession, tasks: Sequence[Sequence[Piece]], read: Callable[[Piece], Iterator[tuple[Any, ...]]], schema: str) -> DataFrame:
    def body(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        types = {"int": pa.int32(), "long": pa.int64(), "string": pa.string()}
        arrow = pa.schema([(name, types[kind]) for name, kind in (part.split() for part in schema.split(", "))])
        for batch in batches:
            for task in batch.column(0).to_pylist():
                for piece in tasks[task]:
                    rows = list(read(piece))
                    for at in range(0, len(rows), 10000):
                        columns = list(zip(*rows[at : at + 10000], strict=True))
                        yield pa.record_batch([pa.array(c, t.type) for c, t in zip(columns, arrow, strict=True)], schema=arrow)

    return spark.range(0, len(tasks), 1, max(1, len(tasks))).mapInArrow(body, schema)


def _whole(files: Sequence[File]) -> list[Piece]:
    return [Piece(i, file.path, file.size, 0, file.size) for i, file in enumerate(files)]


def json_records(spark: SparkSession, files: Sequence[File], *, records: str = "") -> Scan:
    """The JSON records of the files."""
    keys = [key for key in records.split(".") if key]

    def read(piece: Piece) -> Iterator[tuple[Any, ...]]:
        text = b"".join(scan_io.blocks(piece, 0)).decode("utf-8", "backslashreplace").lstrip("\ufeff")
        decoder, at = json.JSONDecoder(), 0
        while True:
            while at < len(text) and text[at] in " \t\r\n,":
                at += 1
            if at >= len(text):
                return
            try:
                value, end = decoder.raw_decode(text, at)
            except ValueError:
                end = text.find("\n", at)
                end = len(text) if end < 0 else end
                yield piece.file, at, text[at:end], "truncated"
                at = end
                continue
            found = [value]
            for key in keys:
                found = [v[key] for item in found for v in (item if isinstance(item, list) else [item]) if key in v]
            if not keys and not isinstance(value, list):
                yield piece.file, at, text[at:end], None
            else:
                for i, element in enumerate(e for f in found for e in (f if isinstance(f, list) else [f])):
                    yield piece.file, at + i, json.dumps(element, ensure_ascii=False), None
            at = end

    cores = spark.sparkContext.defaultParallelism
    return Scan(_rows(spark, pack(_whole(files), cores), read, SCHEMA), [file.path for file in files])


def csv_lines(spark: SparkSession, files: Sequence[File], *, multi_line: bool = False) -> Scan:
    """The lines of CSV files without their header lines; blank lines are skipped."""
    headers: list[str] = []
    layouts: list[int] = []
    header_files: list[str] = []
    for piece in _whole(files):
        head = next(iter(scan_io.blocks(piece, 0)), b"").split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r")
        if head not in headers:
            headers.append(head)
            header_files.append(piece.path)
        layouts.append(headers.index(head))

    def read(piece: Piece) -> Iterator[tuple[Any, ...]]:
        at = 0
        for number, line in enumerate(b"".join(scan_io.blocks(piece, 0)).split(b"\n")):
            raw = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
            if number and raw:
                yield piece.file, at, raw, "unclosed_quote" if raw.count('"') % 2 else None, layouts[piece.file]
            at += len(line) + 1

    cores = spark.sparkContext.defaultParallelism
    frame = _rows(spark, pack(_whole(files), cores), read, f"{SCHEMA}, _layout int")
    return Scan(frame, [file.path for file in files], headers, header_files, True)
