"""What a job returns: files to write and publish, and what is delivered once they are published.

return Outputs(
    csv("prices.csv", prices, order=["id"]),
    data("chart.png", picture, rows=12),
    sqs(options.queue_url, "messages.jsonl", day=day),
)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from pipeline import storage
from pipeline.job.context import JobContext
from pipeline.publish.table_target import TableTarget
from transforms.kernels.blocks import BlockTable
from transforms.render import Render, csv_lines, json_lines
from transforms.text import csv_header, own_columns


@dataclass(frozen=True)
class TextOutput:
    """A file of lines: what `render` makes of each row of the frame, in the given order, behind the header.

    `row_count`: the number of rows where it is known before: a few are sorted in one task, and it must be right.
    `columns`: those of the frame that are in the lines.
    """

    file: str
    frame: DataFrame
    render: Render
    header: str = ""
    order: tuple[str, ...] = ()
    row_count: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablesOutput:
    """Files of lines, or folders of Parquet parts, written in one pass over a frame of blocks.

    `files`: names, headers and tables; `frame`: see `transforms.kernels.blocks`, `group` is an index into `files`.
    `into`: the names are those of tables there.
    """

    files: tuple[tuple[str, str, BlockTable], ...]
    frame: DataFrame
    into: TableTarget | None = None

    @property
    def file(self) -> str:
        """What the stage is called."""
        first, more = self.files[0][0], len(self.files) - 1
        return f"{first} and {more} more" if more else first


@dataclass(frozen=True)
class ParquetOutput:
    """A folder of Parquet parts with these columns of the frame, and the number of rows it must get if known.

    `into`: `file` is the name of a table there.
    """

    file: str
    frame: DataFrame
    columns: tuple[str, ...]
    order: tuple[str, ...] = ()
    row_count: int | None = None
    into: TableTarget | None = None


@dataclass(frozen=True)
class DataOutput:
    """Bytes that the driver holds: small things only (a picture, a table with a fixed handful of rows)."""

    file: str
    content: bytes
    rows: int


@dataclass(frozen=True)
class Delivery:
    """What is done once the files are published, as a stage of this name; not in a dry run.

    `check` may end the run before anything is published.
    """

    stage: str
    deliver: Callable[[JobContext], None]
    check: Callable[[JobContext], None] | None = None


FileOutput = TextOutput | TablesOutput | ParquetOutput | DataOutput


class Outputs:
    """The files and deliveries of a run, in order; None is one that was not asked for."""

    def __init__(self, *outputs: FileOutput | Delivery | None) -> None:
        self.files: list[FileOutput] = [one for one in outputs if one is not None and not isinstance(one, Delivery)]
        self.deliveries: list[Delivery] = [one for one in outputs if isinstance(one, Delivery)]


def csv(
    file: str,
    frame: DataFrame,
    *,
    columns: Sequence[str] = (),
    order: Sequence[str] = (),
    absent: str = "NA",
    row_count: int | None = None,
) -> TextOutput:
    """The named columns, or all that do not begin with `_`, as one CSV file (RFC 4180); null becomes `absent`."""
    names = columns or own_columns(frame)
    return TextOutput(file, frame, csv_lines(names, absent), csv_header(names), tuple(order), row_count, tuple(names))


def jsonl(
    file: str,
    frame: DataFrame,
    *,
    columns: Sequence[str] = (),
    order: Sequence[str] = (),
    render: Render | None = None,
    row_count: int | None = None,
) -> TextOutput:
    """One JSON document per row: what `render` makes of it, or the named columns, or all that do not begin with `_`."""
    names = columns or own_columns(frame)
    return TextOutput(
        file, frame, render or json_lines(names), order=tuple(order), row_count=row_count, columns=tuple(names)
    )


def parquet(
    file: str,
    frame: DataFrame,
    *,
    columns: Sequence[str] = (),
    order: Sequence[str] = (),
    row_count: int | None = None,
    into: TableTarget | None = None,
) -> ParquetOutput:
    """The named columns of the frame, or all that do not begin with `_`, as a folder of Parquet parts, or a table."""
    names = columns or own_columns(frame)
    return ParquetOutput(file, frame, tuple(names), tuple(order), row_count, into)


def data(file: str, content: bytes, *, rows: int) -> DataOutput:
    """Bytes that the driver holds, and how many rows they stand for in the report."""
    return DataOutput(file, content, rows)


def saved_file(path: str, content: bytes) -> Delivery:
    """A small file elsewhere than under the destination, written once the outputs are published."""
    return Delivery(f"save {path}", lambda job: storage.write_bytes(path, content))
