"""What one task does: reads its splits of JSON files and gives their records."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pipeline.readers import chunks
from pipeline.readers.corrections import NO_CORRECTIONS, Corrections, corrected
from pipeline.readers.decoding import marked_encoding
from pipeline.readers.file_heads import HEAD
from pipeline.readers.json.detect_format import sniff
from pipeline.readers.json.framing.around import FIRST, Around, Members, with_names
from pipeline.readers.json.framing.envelope import NOTHING, EnvelopeReader
from pipeline.readers.json.framing.line_values import LineValues
from pipeline.readers.json.framing.record_splitter import TRUNCATED, JsonReader
from pipeline.readers.json.framing.row_lines import rows_and_lines
from pipeline.readers.json.framing.split_state import SplitSummary, first_record, summarize_split
from pipeline.readers.spans import RecordSpans, single
from pipeline.readers.splits import BY_LINE, FOREIGN, LINES, ROWS, FileSplit, LexerState
from transforms.row_errors import HEADER


def json_spans(
    piece: FileSplit, records: str, content: bytes | None = None, around: Around = NOTHING
) -> Iterator[RecordSpans]:
    """The JSON records that belong to the piece; `content`: the whole file, when it was fetched before.

    They have what they take of what is `around` them. A file's first record that has the names is `header`.
    """
    finds = _spans(piece, records, content, around)
    if around.names != FIRST:
        yield from finds
        return
    start = replace(piece, start=0, state=LexerState(), floor=0)
    first = next(_spans(start, records, content, NOTHING), None)
    names = next(first.texts()) if first is not None and 0 not in first.errors else b"[]"
    for number, found in enumerate(finds):
        found.around = with_names(found.around, names)
        if not number and not piece.start:
            found.errors.setdefault(0, HEADER)
        yield found


def line_spans(piece: FileSplit) -> Iterator[RecordSpans]:
    """The lines of a piece of lines, whatever is in them; of other pieces nothing."""
    if piece.form != LINES:
        return
    blocks = chunks.open_chunks(piece, max(piece.start - 1, 0))
    held, at = list[bytes](), 0
    for place, text in chunks.whole_lines(blocks, piece.start, chunks.NO_END if piece.is_last else piece.end):
        at = at if held else place
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 0x0A)
        if not len(ends):
            held.append(text)
            continue
        starts, last = np.append(0, ends[:-1] + 1), int(ends[-1]) + 1
        if held:
            yield single(b"".join((*held, text[: ends[0]])), at, None)
            starts, ends = starts[1:], ends[1:]
        yield RecordSpans(text, place, starts, ends)
        held, at = [text[last:]] if text[last:] else [], place + last
    if held:
        yield single(b"".join(held), at, None)


def _spans(piece: FileSplit, records: str, content: bytes | None, around: Around) -> Iterator[RecordSpans]:
    form = piece.form
    blocks = chunks.open_chunks(piece, max(piece.start - 1, 0) if form in BY_LINE else piece.start, content)
    stream: Iterator[bytes] = blocks
    if not form:
        first = next(blocks, b"")
        stream = itertools.chain([first], blocks)
        form = sniff(first[:HEAD], len(first) <= HEAD and len(first) == piece.size)
    if form == FOREIGN:
        # Read anew as the text that it is; places count its bytes as UTF-8.
        encoding = marked_encoding(next(stream, b""))
        yield from _spans(replace(piece, form="", encoding=encoding, whole=True), records, content, around)
        return
    if around.in_envelope and form not in BY_LINE:
        # What comes behind the records is needed with the first of them.
        members = _members(chunks.open_chunks(piece, 0, content), 0, records, around)
        finds = EnvelopeReader(stream, 0, keys_of(records), around=around, members=members).records()
    else:
        of_lines = _lines(piece, stream, records, around, form) if form in BY_LINE else None
        finds = of_lines or _stream(piece, stream, records)
    yield from _file_end(finds, blocks)


def _members(blocks: Iterator[bytes], at: int, records: str, around: Around) -> Members:
    """What the documents have that their records take."""
    reader = EnvelopeReader(blocks, at, keys_of(records), around=around)
    for _ in reader.records():
        pass
    return reader.members


def _lines(piece: FileSplit, blocks: Iterator[bytes], records: str, around: Around, form: str) -> Iterator[RecordSpans]:
    parts = chunks.whole_lines(blocks, piece.start, chunks.NO_END if piece.is_last else piece.end)
    first = next(parts, None)
    if first is None:
        return
    texts = itertools.chain([first[1]], (text for _, text in parts))
    if not records:
        yield from (
            rows_and_lines(texts, first[0]) if form == ROWS else JsonReader(texts, first[0], lines=True).records()
        )
        return
    # Each line is a document of its own, so that damage ends with its line.
    keys = keys_of(records)
    values = LineValues(keys)
    for at, line in chunks.single_lines(texts, first[0]):
        place = None if around.in_envelope else values.find(line)
        if around.in_envelope:
            members = _members(iter([line]), at, records, around)
            yield from EnvelopeReader(iter([line]), at, keys, around=around, members=members).records()
        elif place is None:
            yield from EnvelopeReader(iter([line]), at, keys).records()
        else:
            yield single(line[slice(*place)], at + place[0], None)


def _stream(piece: FileSplit, blocks: Iterator[bytes], records: str) -> Iterator[RecordSpans]:
    end = None if piece.is_last else piece.end
    if not piece.start:
        reader = EnvelopeReader(blocks, 0, keys_of(records), end) if records else JsonReader(blocks, 0, end)
        yield from reader.records()
        return
    begin = first_record(blocks, piece.start, piece.state, escaped_at(piece), piece.end, piece.floor)
    if begin is None:
        return
    at, level, rest = begin
    if records:
        yield from EnvelopeReader(rest, at, keys_of(records), end, piece.state.stack[: piece.floor]).records()
    else:
        yield from JsonReader(rest, at, end, level=level).records()


def keys_of(records: str) -> list[str]:
    """The keys of a dotted path."""
    return records.split(".")


def _file_end(finds: Iterator[RecordSpans], blocks: chunks.ChunkReader) -> Iterator[RecordSpans]:
    """The finds; what cuts off the last record of a damaged file is that record's error."""
    last = None
    for found in finds:
        if last is not None:
            yield last
        last = found
    yield from chunks.with_end(last, blocks, last is not None and last.errors.get(len(last.starts) - 1) == TRUNCATED)


def escaped_at(piece: FileSplit) -> bool:
    """Whether the piece begins behind a lone backslash: an odd number of them."""
    low = max(piece.start - HEAD, 0)
    text = chunks.read(piece, low, piece.start)
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


def split_summary(piece: FileSplit) -> SplitSummary:
    """What the piece does to the state of the text."""
    until = piece if piece.is_last else replace(piece, size=piece.end)
    behind = b"" if piece.is_last else chunks.read(piece, piece.end, piece.end + 1)
    blocks = chunks.open_chunks(until, piece.start)
    escaped = piece.start > 0 and escaped_at(piece)
    return summarize_split(blocks, escaped, behind[0] if behind else 0)


def json_task(
    pieces: Sequence[FileSplit],
    records: str,
    corrections: Corrections = NO_CORRECTIONS,
    around: Around = NOTHING,
) -> Iterator[tuple[int, RecordSpans]]:
    """The records of a task's pieces, with the number of their file."""
    for piece, content in chunks.contents(pieces):
        for found in corrected(json_spans(piece, records, content, around), corrections.get(piece.file, {})):
            yield piece.file, found
