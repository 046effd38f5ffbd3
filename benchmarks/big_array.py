"""One huge array of pages in a single file, and the same pages one a line: written as fast as the disk takes them.

A block of generated pages is written over and over; its restaurants and events get other numbers by replacing the
digits they begin with, so that no two are alike.

python -m benchmarks.big_array spark-multiline --source FILE     # Spark's own reader on the array, to nowhere
"""

from __future__ import annotations

import argparse
import itertools
import random
from pathlib import Path

from benchmarks.contenders import session
from benchmarks.generate_pages import pages
from benchmarks.restaurants import RESTAURANT

# The numbers of a block's restaurants begin with these digits and go on with five more; no run of digits repeats in them.
FIRST = b"987654"
ROOM = 100_000
BLOCK = 32_000_000


def block(size: int) -> list[bytes]:
    """About `size` bytes of pages."""
    found, written = [], 0
    for page in pages(int(FIRST) * ROOM + 1, random.Random(7)):
        found.append(page.encode())
        written += len(found[-1]) + 1
        if written >= size or len(found) * 20 + 20 >= ROOM:
            return found
    raise AssertionError("pages have no end")


def write(array: Path, lines: Path, megabytes: float) -> int:
    """Writes both files of about that size; returns the number of pages."""
    size = int(megabytes * 1e6)
    of_array, of_lines = _joined(size, b","), _joined(size, b"\n")
    with array.open("wb") as one, lines.open("wb") as other:
        one.write(b"[")
        for number in itertools.count():
            if one.tell() >= size:
                break
            one.write((b"," if number else b"") + _renumbered(of_array[0], number))
            other.write(_renumbered(of_lines[0], number) + b"\n")
        one.write(b"]\n")
    return number * of_array[1]


def _joined(size: int, separator: bytes) -> tuple[bytes, int]:
    found = block(min(BLOCK, size // 2))
    return separator.join(found), len(found)


def _renumbered(text: bytes, number: int) -> bytes:
    return text.replace(FIRST, b"%06d" % (100_000 + number))


def multiline(source: Path) -> None:
    """Spark's own reader of JSON that spans lines, with the columns that the restaurants job needs."""
    schema = f"restaurants array<struct<restaurant:{RESTAURANT}>>"
    read = session("multiline").read.schema(schema).option("multiLine", True).json(str(source))
    read.write.format("noop").mode("overwrite").save()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=("spark-multiline",))
    parser.add_argument("--source", type=Path, required=True)
    multiline(parser.parse_args().source)


if __name__ == "__main__":
    main()
