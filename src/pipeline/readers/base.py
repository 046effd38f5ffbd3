"""What every reader gives: records as a frame, and what is needed to fetch the exact text of a single record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyspark.sql import DataFrame

from pipeline.readers.corrections import Corrections
from pipeline.readers.dialect import RFC_4180, Dialect
from pipeline.readers.spans import RecordSpans
from pipeline.readers.splits import FileSplit

RECORDS = "_source_file int, _source_offset long, _raw string, _read_error string"


@dataclass(frozen=True)
class Layout:
    """How a file's records are read: the number of fields, the places of the wanted ones, and the dialect."""

    width: int
    wanted: tuple[int, ...]
    dialect: Dialect = RFC_4180


@dataclass(frozen=True)
class RawSource:
    """What a task knows of an input when it fetches texts: plain values, since frames do not travel.

    `splits` by file number; `spans` gives the records of a split; `lines_before` has the number of lines before each
    split by file and start (None: places are byte offsets), `skipped_lines` of those that are left out at the start of
    each file; `corrections` are read in place of the files' texts; `array_path` has the dotted keys of an array in each
    record, of which single elements are wanted; `texts` has the texts by place where all are known already. `lines`
    gives the lines of a split in place of `spans`, for records that are a whole line each.
    """

    paths: list[str]
    splits: Mapping[int, list[FileSplit]] = field(default_factory=dict)
    spans: Callable[[FileSplit], Iterator[RecordSpans]] = lambda split: iter(())
    lines_before: Mapping[tuple[int, int], int] | None = None
    skipped_lines: int = 0
    array_path: str = ""
    texts: Mapping[int, str] | None = None
    corrections: Corrections = field(default_factory=dict)
    lines: Callable[[FileSplit], Iterator[RecordSpans]] | None = None


class Reader(Protocol):
    """Records of an input.

    `frame`: `_source_file` int (index into `files`), `_source_offset` long (byte offset in the decompressed file),
    `_raw` string, `_read_error` string (null when the reader found nothing wrong).
    """

    files: list[str]
    corrections: Corrections

    @property
    def frame(self) -> DataFrame:
        """The records as text."""
        ...

    def raw_source(self, files: frozenset[int] | None = None) -> RawSource:
        """For fetching texts out of these files (None: of any)."""
        ...


class TableReader(Reader, Protocol):
    """Records that have a header, in one dialect.

    `headers`: the different header lines, `header_places`: a file and line that has each.
    """

    headers: list[str]
    header_places: list[str]
    dialect: Dialect

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The wanted fields, one layout per header: a frame with the columns of `fields_schema`."""
        ...


def fields_schema(count: int) -> str:
    """The schema of records as fields."""
    columns = "".join(f", c{i} string" for i in range(count))
    return f"_source_file int, _source_offset long, _read_error string, _read_detail string{columns}"


def splits_by_file(splits: Sequence[FileSplit], files: frozenset[int] | None) -> dict[int, list[FileSplit]]:
    """The splits of these files (None: of all), by file number."""
    found: dict[int, list[FileSplit]] = {}
    for split in splits:
        if files is None or split.file in files:
            found.setdefault(split.file, []).append(split)
    return found
