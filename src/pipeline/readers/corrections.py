"""Records that a person mended (`--corrections`): they are read in place of what the files have there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from pipeline import storage
from pipeline.errors import UsageError
from pipeline.readers import chunks
from pipeline.readers.spans import RecordSpans, single
from pipeline.readers.splits import FileSplit
from transforms.row_errors import WITHDRAWN


class _Line(msgspec.Struct):
    """What is taken of a line, which has the form of a line of quarantine."""

    input: str
    file: str
    position: int
    raw: str


@dataclass(frozen=True)
class Correction:
    """One record: its input, file and published position, the text to read there (empty: none), and where this is."""

    input: str
    file: str
    position: int
    raw: str
    place: str


# By number of the file and offset of the record.
Corrections = Mapping[int, Mapping[int, Correction]]
NO_CORRECTIONS: Corrections = {}


def read_corrections(path: str) -> list[Correction]:
    """The lines of the file; `UsageError` for one that is not as quarantine writes it, or two for one record."""
    found: dict[tuple[str, int], Correction] = {}
    for number, line in enumerate(storage.read_lines(path), 1):
        place = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError as error:
            raise UsageError(f"{place}: not as quarantine writes it (input, file, position, raw): {error}") from None
        if "." in one.input:
            record = one.input.partition(".")[0]
            raise UsageError(f"{place}: a row of {one.input} is a part of a record: correct the record of {record}")
        if before := found.get((one.file, one.position)):
            raise UsageError(f"{place}: the record is corrected by {before.place} already")
        # An editor may have left the line end.
        raw = one.raw.removesuffix("\n").removesuffix("\r") or one.raw
        found[one.file, one.position] = Correction(one.input, one.file, one.position, raw, place)
    return list(found.values())


def by_file(corrections: Iterable[Correction], files: Sequence[str]) -> dict[int, dict[int, Correction]]:
    """The corrections by number of the file and position; `UsageError` for a file that is not among them."""
    numbers = {file: number for number, file in enumerate(files)}
    found: dict[int, dict[int, Correction]] = {}
    for one in corrections:
        if one.file not in numbers:
            raise UsageError(f"{one.place}: {one.file} is not among the files of --{one.input}")
        found.setdefault(numbers[one.file], {})[one.position] = one
    return found


def at_offsets(pieces: Sequence[FileSplit], by_line: Corrections) -> dict[int, dict[int, Correction]]:
    """The same by offset in place of line, for files that are whole pieces; lines behind the end are left out."""
    found: dict[int, dict[int, Correction]] = {}
    for piece in pieces:
        wanted = by_line.get(piece.file, {})
        offset, line = 0, 1
        places = {0: wanted[1]} if 1 in wanted else {}
        for block in chunks.open_chunks(piece, 0) if wanted else ():
            ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 0x0A)
            places |= {
                offset + int(ends[n - line - 1]) + 1: one for n, one in wanted.items() if line < n <= line + len(ends)
            }
            offset, line = offset + len(block), line + len(ends)
        found[piece.file] = places
    return found


def corrected(finds: Iterator[RecordSpans], corrections: Mapping[int, Correction]) -> Iterator[RecordSpans]:
    """What was found, with the corrections of the records at these offsets; one without text is `withdrawn`."""
    if not corrections:
        yield from finds
        return
    wanted = np.array(sorted(corrections), np.int64)
    for found in finds:
        places, low = found.places(), 0
        for row in np.flatnonzero(np.isin(places, wanted)).tolist():
            yield found.part(low, row)
            place = int(places[row])
            raw = corrections[place].raw.encode()
            mended = single(raw or next(found.part(row, row + 1).texts()), place, None if raw else WITHDRAWN)
            mended.around = found.around
            yield mended
            low = row + 1
        yield found.part(low, len(places)) if low else found
