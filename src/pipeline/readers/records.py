"""Records of JSON and CSV files as one frame, read in parallel with bounded memory: the reader of every job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.readers.csv.fields import Layout
from pipeline.readers.splits import Piece, pack, whole

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

RECORDS = "_file int, _position long, _raw string, _error string"
LINES = f"{RECORDS}, _layout int"


def fields_schema(count: int) -> str:
    """The schema of CSV records as fields."""
    columns = "".join(f", c{i} string" for i in range(count))
    return f"_file int, _position long, _error string, _detail string{columns}"


class File(Protocol):
    """What the reader needs to know of a file: `version` changes with its content, "" when that is not known."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def version(self) -> str: ...


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
    pieces: list[Piece] = field(default_factory=list)
    records: str = ""
    multi_line: bool = False
    is_csv: bool = False
    cut: Callable[[Sequence[Layout]], DataFrame] | None = None

    def fields(self, layouts: Sequence[Layout]) -> DataFrame:
        """The wanted fields of CSV records, a layout a header: `_file`, `_position`, `_error`, `_detail`, `c0`, ..."""
        assert self.cut is not None, "only CSV records have fields"
        return self.cut(layouts)

    def look_again(self, problems: DataFrame, inside: str = "") -> DataFrame:
        """The exact text of single records, from a second look at only the parts of files that hold them.

        In: `problems` with `_file` and `_position` of records of this scan, and any other columns. Out: each of its
        rows with `file` string, `position` long and `raw` string, null where no record stands there. `position` is the
        byte offset for JSON and the physical line, from 1, for CSV. With `inside`, the dotted keys of an array in each
        record, `problems` has an `_index` int too, null for all of a record: then `raw` is the text of that element.
        """
        from pipeline.readers.raw_lookup import look_at_one

        return look_at_one(self, problems, inside)


def trimmed(raw: Column) -> Column:
    """A record's text without the blanks and commas that may follow it in `_raw`."""
    from pyspark.sql import functions as F

    return F.regexp_replace(raw, r"[ \t\r\n,]+$", "")


def run_tasks(spark: SparkSession, count: int, work: Callable[[int], Iterator[Any]], schema: str) -> DataFrame:
    """A frame of the Arrow batches that `work` gives for the task numbers from 0 to `count` - 1, a partition a task."""

    def body(numbers: Iterable[Any]) -> Iterator[Any]:
        """The batches of the tasks whose numbers a partition holds."""
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from work(number)

    return spark.range(0, count, 1, max(1, count)).mapInArrow(body, schema)


def json_records(spark: SparkSession, files: Sequence[File], *, records: str = "") -> Scan:
    """The JSON records of the files: `_file`, `_position`, `_raw`, `_error`; a row a record, none lost.

    A record is a value: on a line, in an array at the top of a file or line, alone in its file, or one after the other.
    With `records` (`items.data`) it is what stands at those keys of each document; arrays on the way, and the one found
    there, are gone through. Errors: `garbage` (text between records), `truncated`, `malformed_json`, `too_long`,
    `not_utf8`, `truncated_gzip`, `bad_gzip`, `missing_path`. Raises `InputError` when a file changes while it is read.

    >>> import tempfile
    >>> from pipeline import storage
    >>> path = tempfile.mkdtemp() + "/in.json"
    >>> storage.write_bytes(path, b'[{"a":1},{"a":2}]')
    >>> json_records(spark, storage.list_files(path)).frame.show()
    +-----+---------+--------+------+
    |_file|_position|    _raw|_error|
    +-----+---------+--------+------+
    |    0|        1|{"a":1},|  NULL|
    |    0|        9| {"a":2}|  NULL|
    +-----+---------+--------+------+
    <BLANKLINE>
    """
    from pipeline.readers.json.file_splits import json_pieces

    cores = spark.sparkContext.defaultParallelism
    pieces = json_pieces(spark, whole(files), cores, records)
    tasks = pack(pieces, cores)

    def work(number: int) -> Iterator[Any]:
        """The records of a task as `RECORDS`."""
        from pipeline.readers.spans import batches
        from pipeline.readers.tasks import json_task

        return batches(json_task(tasks[number], records))

    return Scan(
        run_tasks(spark, len(tasks), work, RECORDS), [file.path for file in files], pieces=pieces, records=records
    )


def csv_lines(spark: SparkSession, files: Sequence[File], *, multi_line: bool = False) -> Scan:
    """The records of CSV files without their header lines: `_file`, `_position`, `_raw`, `_error`, `_layout`.

    A record is a line, without its end; empty ones are left out. With `multi_line` quoted values may hold line breaks;
    a file is then one task. Errors: `unclosed_quote`, `not_utf8`, `truncated_gzip`, `bad_gzip`. Raises `InputError`
    when a file changes while it is read.
    """
    from pipeline.readers.file_heads import headers_of
    from pipeline.readers.splits import ranges, task_bytes

    cores = spark.sparkContext.defaultParallelism
    found = whole(files)
    headers, layouts = headers_of(found, multi_line)
    length = task_bytes(found, cores)
    pieces = found if multi_line else [part for piece in found for part in ranges(piece, length)]
    tasks = pack(pieces, cores)

    def lines(number: int) -> Iterator[Any]:
        """The records of a task as `LINES`."""
        from pipeline.readers.spans import batches
        from pipeline.readers.tasks import csv_task

        return batches((file, layouts[file], found) for file, found in csv_task(tasks[number], multi_line))

    def cut(chosen: Sequence[Layout]) -> DataFrame:
        """The records cut into the fields that the layouts want, in place of their text."""

        def work(number: int) -> Iterator[Any]:
            """The fields of a task's records."""
            from pipeline.readers.csv.fields import batches
            from pipeline.readers.tasks import csv_task

            return batches((file, found, chosen[layouts[file]]) for file, found in csv_task(tasks[number], multi_line))

        return run_tasks(spark, len(tasks), work, fields_schema(len(chosen[0].wanted)))

    first = [files[layouts.index(layout)].path for layout in range(len(headers))]
    frame = run_tasks(spark, len(tasks), lines, LINES)
    names = [file.path for file in files]
    return Scan(frame, names, headers, first, pieces, multi_line=multi_line, is_csv=True, cut=cut)
