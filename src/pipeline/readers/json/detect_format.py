"""How a JSON file holds its records (lines, arrays, documents), detected from its first bytes."""

from __future__ import annotations

from pipeline.readers.decoding import marked_encoding
from pipeline.readers.json.framing.recovery import value_end
from pipeline.readers.json.framing.row_lines import ROW
from pipeline.readers.splits import FOREIGN, LINES, ROWS, STREAM

_SHARE = 0.5


def sniff(head: bytes, whole: bool) -> str:
    """`lines`: one record per line; `rows`: some of them are arrays of scalars; `stream`: arrays, values over several
    lines, or too few bytes; `foreign`: UTF-16 or UTF-32, with a mark.

    In doubt it is a stream, which is right for lines as well; lines are faster and confine damage. `whole`: the head is
    the whole file.
    """
    if marked_encoding(head) not in ("", "utf-8"):
        return FOREIGN
    lines = [line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    if not whole:
        lines.pop()
    lines = [line for line in lines if line][:50]
    if not lines:
        return STREAM
    sound = sum(_is_record(line) for line in lines)
    if lines[0] in (b"[", b"{") or sound < _SHARE * len(lines):
        return STREAM
    return ROWS if any(map(ROW.fullmatch, lines)) else LINES


def _is_record(line: bytes) -> bool:
    if line[:1] not in (b"{", b"["):
        return False
    end = value_end(line, 0).end
    return end > 0 and not line[end:].strip()
