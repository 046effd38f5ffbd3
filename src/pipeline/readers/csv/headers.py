"""The header lines of many CSV files."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.readers.csv.lines import first_record
from pipeline.readers.dialect import Dialect
from pipeline.readers.file_heads import HEAD, for_each, head
from pipeline.readers.splits import FileSplit

# A header line longer than this is not one.
_MOST_HEADER = 4 << 20


def headers_of(pieces: Sequence[FileSplit], dialect: Dialect) -> tuple[list[str], list[int]]:
    """The different header lines of the files, and for each file which one it has (-1: the file is empty)."""

    def header(piece: FileSplit) -> str | None:
        """The header line of a file, null when it is empty."""
        text = head(piece, HEAD)
        if len(text) == HEAD and (dialect.multi_line or b"\n" not in text):
            text = head(piece, _MOST_HEADER)
        return first_record(text, dialect) if text else None

    found = for_each(header, pieces)
    headers = list(dict.fromkeys(text for text in found if text is not None))
    number = {text: index for index, text in enumerate(headers)}
    return headers, [-1 if text is None else number[text] for text in found]
