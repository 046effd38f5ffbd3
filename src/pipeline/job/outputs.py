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
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.text import csv_header, csv_line, quoted

if TYPE_CHECKING:  # the context makes these values and is handed to deliveries
    from pipeline.job.context import JobContext


@dataclass(frozen=True)
class TextOutput:
    """A file of lines: `line` of each row of the frame, in the given order, behind the header.

    `row_count`: the number of rows where it is known before; a few rows are sorted in one task.
    """

    file: str
    frame: DataFrame
    line: Column
    header: str = ""
    order: tuple[str, ...] = ()
    row_count: int | None = None


@dataclass(frozen=True)
class ParquetOutput:
    """A folder of Parquet parts with the columns of the frame."""

    file: str
    frame: DataFrame


@dataclass(frozen=True)
class DataOutput:
    """Bytes that the driver holds: small things only (a picture, a table with a fixed handful of rows)."""

    file: str
    content: bytes
    rows: int


@dataclass(frozen=True)
class Delivery:
    """What is done once the files are published, as a stage of this name; not in a dry run."""

    stage: str
    deliver: Callable[[JobContext], None]


FileOutput = TextOutput | ParquetOutput | DataOutput


class Outputs:
    """The files and deliveries of a run, in order; None stands for one that was not asked for."""

    def __init__(self, *outputs: FileOutput | Delivery | None) -> None:
        self.files: list[FileOutput] = [one for one in outputs if one is not None and not isinstance(one, Delivery)]
        self.deliveries: list[Delivery] = [one for one in outputs if isinstance(one, Delivery)]


def csv(
    file: str, frame: DataFrame, *, order: Sequence[str] = (), absent: str = "NA", row_count: int | None = None
) -> TextOutput:
    """All columns of the frame as one CSV file (RFC 4180); null becomes `absent`."""
    line = csv_line(frame.columns, absent)
    return TextOutput(file, frame, line, csv_header(frame.columns), tuple(map(quoted, order)), row_count)


def jsonl(file: str, frame: DataFrame, *, order: Sequence[str] = (), line: Column | None = None) -> TextOutput:
    """One JSON document per row: `line`, or the column `value`."""
    return TextOutput(file, frame, F.col("value") if line is None else line, order=tuple(map(quoted, order)))


def lines(file: str, frame: DataFrame, *, header: str = "") -> TextOutput:
    """Finished lines, the column `value`, in the order of the frame, behind the header."""
    return TextOutput(file, frame, F.col("value"), header)


def parquet(file: str, frame: DataFrame) -> ParquetOutput:
    """The columns of the frame as a folder of Parquet parts."""
    return ParquetOutput(file, frame)


def data(file: str, content: bytes, *, rows: int) -> DataOutput:
    """Bytes that the driver holds, and how many rows they stand for in the report."""
    return DataOutput(file, content, rows)
