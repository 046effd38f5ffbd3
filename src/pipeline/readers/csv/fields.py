"""Records of CSV files to their wanted fields, a block at a time: parsed in compiled code, odd records by hand.

Quoting is that of RFC 4180. A quote opens a value only where the value begins (`5" pipe` is a value); text
right behind a closing quote has no meaning, and the record is rejected (`stray_quote`) rather than read as a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from pipeline.readers.base import Layout
from pipeline.readers.csv.lines import in_doubt
from pipeline.readers.dialect import STRAY, UNCLOSED, Dialect
from pipeline.readers.spans import NOT_UTF8, RecordSpans

TOO_FEW, TOO_MANY = "too_few_fields", "too_many_fields"
DETAILS = {UNCLOSED: "", STRAY: "a quote neither opens nor closes a value"}
# Fields of small files are put together up to so many rows per batch.
_BATCH_ROWS = 20_000


def _odd_rows(found: RecordSpans, dialect: Dialect) -> dict[int, str | None]:
    """Rows that are not for the compiled parser: what is wrong with them, null when they only need care."""
    odd: dict[int, str | None] = dict(found.errors)
    data = found.data
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            for row, text in enumerate(found.texts()):
                if not _is_utf8(text):
                    odd.setdefault(row, NOT_UTF8)
    suspects: set[int] = set()
    if dialect.has_marks(data):
        suspects |= set(in_doubt(data, found.starts, found.ends, dialect).tolist())
    if data.count(b"\r") != data.count(b"\r\n"):
        suspects |= {row for row, text in enumerate(found.texts()) if b"\r" in text.replace(b"\r\n", b"")}
    for row in sorted(suspects - odd.keys()):
        odd[row] = None
    return odd


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sound_text(found: RecordSpans, odd: Sequence[int], comment: bool) -> Any:
    """The text of the rows that are not odd, with their line ends; `comment`: other lines may be between them."""
    view = memoryview(found.data)
    if comment:
        sound = np.delete(np.stack((found.starts, found.ends), axis=1), odd, axis=0)
        return b"\n".join([view[start:end] for start, end in sound.tolist()])
    parts, row = [], 0
    for stop in [*odd, len(found.starts)]:
        if stop > row:
            parts.append(view[int(found.starts[row]) : int(found.ends[stop - 1])])
        row = stop + 1
    return parts[0] if len(parts) == 1 else b"\n".join(parts)


def _parse(text: Any, layout: Layout) -> tuple[list[Any], list[int], list[int]]:
    """The wanted columns of the rows with the right number of fields; the other rows, and their numbers of fields."""

    names = [f"f{i}" for i in range(layout.width)]
    wanted = [names[i] for i in layout.wanted]
    rows: list[int] = []
    counts: list[int] = []

    def skip(row: Any) -> str:
        """Leaves out a row with another number of fields, and remembers it."""
        rows.append(row.number - 1)
        counts.append(row.actual_columns)
        return "skip"

    table = csv.read_csv(
        pa.py_buffer(text),
        csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
        csv.ParseOptions(
            delimiter=layout.dialect.delimiter,
            quote_char=layout.dialect.quote or False,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return [table.column(name).combine_chunks() for name in wanted], rows, counts


def _count_error(count: int, width: int) -> tuple[str, str]:
    return TOO_FEW if count < width else TOO_MANY, f"{count} fields, expected {width}"


def parse_fields(found: RecordSpans, file: int, layout: Layout) -> pa.RecordBatch:
    """One row per record: `_source_file`, `_source_offset`, `_read_error`, `_read_detail` (null without an error), then
    the wanted fields.

    An empty field is null, with or without quotes. A record with an error has no fields.
    """

    odd = _odd_rows(found, layout.dialect)
    places = sorted(odd)
    sound = np.delete(np.arange(len(found.starts)), places)
    columns: list[Any] = [pa.nulls(0, pa.string())] * len(layout.wanted)
    strays: list[tuple[int, str | None, str | None, list[str | None]]] = []
    nothing: list[str | None] = [None] * len(layout.wanted)
    if len(sound):
        columns, rows, counts = _parse(_sound_text(found, places, bool(layout.dialect.comment)), layout)
        for row, count in zip(sound[rows].tolist(), counts, strict=True):
            strays.append((row, *_count_error(count, layout.width), nothing))
        sound = np.delete(sound, rows)
    for row in places:
        strays.append(_by_hand(row, odd[row], found, layout))
    order = np.concatenate((sound, np.array([row for row, *_ in strays], np.int64))) if strays else sound
    texts = [pa.array([one[i] for one in strays], pa.string()) for i in (1, 2)]
    handed = [pa.array([one[3][i] for one in strays], pa.string()) for i in range(len(layout.wanted))]
    merged = [
        pa.array(np.full(len(found.starts), file, np.int32)),
        pa.array(found.places()[order].astype(np.int64)),
        *[pa.concat_arrays([pa.nulls(len(sound), pa.string()), text]) for text in texts],
        *[pa.concat_arrays([a, b]) if strays else a for a, b in zip(columns, handed, strict=True)],
    ]
    names = ["_source_file", "_source_offset", "_read_error", "_read_detail", *[f"c{i}" for i in range(len(columns))]]
    batch = pa.RecordBatch.from_arrays(merged, names=names)
    # Rows keep the order of their file.
    return batch.take(pa.array(np.argsort(order))) if strays else batch


def _by_hand(
    row: int, error: str | None, found: RecordSpans, layout: Layout
) -> tuple[int, str | None, str | None, list[str | None]]:
    nothing: list[str | None] = [None] * len(layout.wanted)
    if error is not None:
        return row, error, "", nothing
    text = found.data[int(found.starts[row]) : int(found.ends[row])].decode()
    values = layout.dialect.fields(text)
    if isinstance(values, str):
        return row, values, DETAILS[values], nothing
    if len(values) != layout.width:
        return row, *_count_error(len(values), layout.width), nothing
    return row, None, None, [values[i] for i in layout.wanted]


def batches(finds: Iterable[tuple[int, RecordSpans, Layout]]) -> Iterator[pa.RecordBatch]:
    """Batches of what `parse_fields` gives; the records of small files share one."""

    held: list[pa.RecordBatch] = []
    rows = 0
    for file, found, layout in finds:
        if not len(found.starts):
            continue
        held.append(parse_fields(found, file, layout))
        rows += held[-1].num_rows
        if rows >= _BATCH_ROWS:
            yield _joined(held)
            held, rows = [], 0
    if held:
        yield _joined(held)


def _joined(held: list[pa.RecordBatch]) -> pa.RecordBatch:

    return held[0] if len(held) == 1 else pa.Table.from_batches(held).combine_chunks().to_batches()[0]


def with_unclosed(found: RecordSpans, dialect: Dialect) -> RecordSpans:
    """The records as they are, those with a quote that nothing closes with that error."""
    if dialect.quote and dialect.has_marks(found.data):
        texts = list(found.texts())
        for row in in_doubt(found.data, found.starts, found.ends, dialect).tolist():
            if dialect.fields(texts[row].decode(errors="replace")) == UNCLOSED:
                found.errors.setdefault(row, UNCLOSED)
    return found
