"""Big JSON files as ranges with known beginnings: all ranges are scanned in parallel before records are read."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from pipeline.engines.tasks import run_tasks
from pipeline.readers import chunks
from pipeline.readers.decoding import compression_of
from pipeline.readers.file_heads import HEAD, for_each, stored_head
from pipeline.readers.json.detect_format import sniff
from pipeline.readers.json.framing.envelope import EnvelopeReader
from pipeline.readers.json.framing.split_state import SplitSummary, merge_states
from pipeline.readers.json.tasks import keys_of, split_summary
from pipeline.readers.splits import BY_LINE, STREAM, FileSplit, LexerState, ranges, task_bytes


def json_splits(
    spark: SparkSession, pieces: Sequence[FileSplit], cores: int, records: str, whole: bool = False
) -> list[FileSplit]:
    """Whole JSON files as pieces: lines are split anywhere, other big files where the state at the split is known.

    `whole`: those are not split.
    """

    length = task_bytes(pieces, cores)
    big = {piece.file: piece for piece in with_form([piece for piece in pieces if piece.size > length])}
    split = {number: ranges(piece, length) for number, piece in big.items() if piece.form in BY_LINE}
    parts = []
    for piece in big.values():
        if piece.form == STREAM and not whole:
            parts.append(_in_envelope(piece, length, records) if records else ranges(piece, length))
    flat = [part for found in parts for part in found]
    results = iter(summaries(spark, flat))
    for found in parts:
        split[found[0].file] = with_states(found, [next(results) for _ in found])
    return [part for piece in pieces for part in split.get(piece.file, [big.get(piece.file, piece)])]


def with_form(pieces: Sequence[FileSplit]) -> list[FileSplit]:
    """The same whole files with the form of their records, but for compressed ones."""

    def detect(piece: FileSplit) -> FileSplit:
        head = stored_head(piece, HEAD)
        return piece if compression_of(head) else replace(piece, form=sniff(head, piece.size <= HEAD))

    return for_each(detect, pieces)


def _in_envelope(piece: FileSplit, length: int, records: str) -> list[FileSplit]:
    """The ranges of a document whose records are in an array that begins in the first range, else the whole file."""

    head = chunks.open_chunks(replace(piece, size=length, end=length), 0)
    found = EnvelopeReader(head, 0, keys_of(records)).array()
    if found is None:
        return [piece]
    stack, at = found
    first, *others = ranges(piece, length)
    return [replace(part, floor=len(stack)) for part in (replace(first, start=at, state=LexerState(stack)), *others)]


def summaries(spark: SparkSession, parts: Sequence[FileSplit]) -> list[SplitSummary]:
    """What each range does to the state of the text: a job of its own, which gives a few bytes per range."""

    def work(number: int) -> Iterator[Any]:
        """What a range does to the state of the text."""

        summary = pickle.dumps(split_summary(parts[number]))
        yield pa.record_batch(
            [pa.array([number], pa.int32()), pa.array([summary], pa.binary())], names=["number", "summary"]
        )

    if not parts:
        return []
    rows = run_tasks(spark, len(parts), work, "number int, summary binary").collect()
    return [pickle.loads(summary) for _, summary in sorted((row[0], row[1]) for row in rows)]


def with_states(parts: Sequence[FileSplit], results: Sequence[SplitSummary]) -> list[FileSplit]:
    """The ranges of a file with the state at their start; from damage on, one range goes to the end of the file."""
    if len(parts) == 1:
        return list(parts)
    states, tail = merge_states(results, parts[0].state)
    known = [replace(part, state=state) for part, state in zip(parts, states, strict=False)]
    known[0] = replace(known[0], start=0, state=LexerState())
    return known if tail >= len(parts) else [*known[:tail], replace(known[tail], end=known[tail].size)]
