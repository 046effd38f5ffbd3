"""Which bytes a task reads: big files cut into ranges, small files many to a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.storage import FileInfo

MIB = 1 << 20
# A task's share of a big file: long enough that starting a task is nothing, short enough that cores end together.
RANGE_BYTES = 64 * MIB
# A file up to this size is not cut.
SMALL_BYTES = 4 * MIB
FILES_A_TASK = 2000

# With rows, lines that are arrays of scalars are among the lines.
LINES, ROWS, STREAM, FOREIGN = "lines", "rows", "stream", "foreign"
BY_LINE = (LINES, ROWS)


@dataclass(frozen=True)
class LexerState:
    """A place in JSON text: the opening brackets around it, outermost first, and whether it is inside a string."""

    stack: bytes = b""
    inside: bool = False


@dataclass(frozen=True)
class FileSplit:
    """The bytes `start` to `end` of file number `file`; a record belongs to the piece that its first byte lies in.

    `size` and `version` are the file's when the run was planned. `form`: how its records stand in it ("" when only
    the reader finds out). `state`: what is open at `start`; `floor`: how many of these brackets stand around the array
    whose elements are the records, when that is inside a document. `whole`: the file cannot be cut, because it is
    compressed, or decoded from `encoding` (empty: UTF-8), or has `carriage_returns` for line ends; offsets count the
    bytes of the text as UTF-8.
    """

    file: int
    path: str
    size: int
    start: int
    end: int
    form: str = ""
    state: LexerState = field(default_factory=LexerState)
    floor: int = 0
    version: str = ""
    whole: bool = False
    encoding: str = ""
    carriage_returns: bool = False

    @property
    def is_last(self) -> bool:
        """Whether the piece reaches to the end of the file."""
        return self.end >= self.size


def range_bytes(total: int, cores: int, limit: int | None = None) -> int:
    """How long a range of a big file is: at most `limit`, and so short that every core gets some."""
    share = -(-total // max(1, 2 * cores))
    return min(RANGE_BYTES if limit is None else limit, max(share, SMALL_BYTES))


def task_bytes(pieces: Sequence[FileSplit], cores: int) -> int:
    """The length of a range for these files."""
    return range_bytes(sum(piece.size for piece in pieces), cores)


def whole_files(files: Sequence[FileInfo]) -> list[FileSplit]:
    """Each file as one piece."""
    return [
        FileSplit(number, file.path, file.size, 0, file.size, version=file.version) for number, file in enumerate(files)
    ]


def ranges(piece: FileSplit, length: int) -> list[FileSplit]:
    """A whole file as ranges of `length` bytes; one that cannot be cut and a small one stay whole."""
    if piece.whole or piece.size <= length:
        return [piece]
    starts = list(range(0, piece.size, length))
    return [replace(piece, start=start, end=min(start + length, piece.size)) for start in starts]


def assign_splits(pieces: Sequence[FileSplit], cores: int, limit: int | None = None) -> list[list[FileSplit]]:
    """The pieces as tasks of about the same number of bytes, in order; a task has at most `FILES_A_TASK` pieces."""
    total = sum(piece.end - piece.start for piece in pieces)
    target = range_bytes(total, cores, limit)
    most = max(1, min(FILES_A_TASK, -(-len(pieces) // max(1, 2 * cores))))
    tasks: list[list[FileSplit]] = []
    room = 0
    for piece in pieces:
        length = piece.end - piece.start
        if not tasks or room < length or len(tasks[-1]) >= most:
            tasks.append([])
            room = target
        tasks[-1].append(piece)
        room -= length
    return tasks
