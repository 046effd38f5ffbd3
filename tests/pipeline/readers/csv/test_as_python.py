"""Thousands of generated files of every dialect: read as Python's csv reads them, or rejected by name."""

from __future__ import annotations

import csv
import gzip
import io
import pathlib
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline import storage
from pipeline.readers.base import Layout
from pipeline.readers.csv.fields import batches
from pipeline.readers.csv.headers import FileHeaders
from pipeline.readers.csv.tasks import csv_task
from pipeline.readers.csv.typed import header_names
from pipeline.readers.dialect import Dialect
from pipeline.readers.splits import ranges

NAMES = ["x", "y", "z"]
Row = tuple[str | None, list[str | None]]


def read(path: pathlib.Path, dialect: Dialect, cut: int) -> list[Row]:
    """Error and values of each record of a file that is read in ranges of `cut` bytes."""
    headers = FileHeaders(storage.list_files(str(path)), dialect).of_files()
    assert header_names(headers.lines[0], "", dialect) == NAMES
    layout = Layout(3, (0, 1, 2), dialect)
    parts = headers.pieces if dialect.multi_line else ranges(headers.pieces[0], cut)
    rows = [
        row
        for batch in batches((file, spans, layout) for file, spans in csv_task(parts, dialect))
        for row in batch.to_pylist()
    ]
    return [(row["_read_error"], [row["c0"], row["c1"], row["c2"]]) for row in rows]


def dialects(seed: random.Random) -> Dialect:
    delimiter, quote = seed.choice(",;\t| "), seed.choice(['"', "'", ""])
    return Dialect(
        delimiter, quote, multi_line=bool(quote) and seed.random() < 0.3, escape=seed.choice(["", "", "\\"]),
        encoding=seed.choice(["utf-8", "utf-8", "cp1252", "utf-16-le", "gb18030"]), skip_lines=seed.choice([0, 0, 2]),
        comment=seed.choice([(), ("#", "//")]), header=seed.choice([(), tuple(NAMES)]),
    )  # fmt: skip


def of_python(dialect: Dialect) -> dict[str, Any]:
    """The dialect for Python's csv."""
    quoting = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": dialect.delimiter, "escapechar": dialect.escape or None, **quoting}


def file_of(seed: random.Random, dialect: Dialect, lines: list[str], path: pathlib.Path) -> None:
    """Writes the lines behind what the dialect has before them, with comments among them."""
    head = ['Report, "of 2024', ""][: dialect.skip_lines] + ([] if dialect.header else [dialect.delimiter.join(NAMES)])
    for comment in dialect.comment:
        lines.insert(seed.randint(0, len(lines)), comment + ' no "record')
    end = "\n" if any("\n" in line for line in lines) else seed.choice(["\n", "\r\n", "\r"])
    text = end.join([*head, *lines]) + seed.choice(["", end])
    data = text.encode(dialect.encoding)
    if dialect.encoding.startswith("utf-") and seed.random() < 0.3:
        data = "\ufeff".encode(dialect.encoding) + data
    path.write_bytes(gzip.compress(data) if seed.random() < 0.2 else data)


def absent(values: list[str]) -> list[str | None]:
    return [value or None for value in values]


def written(seed: random.Random, dialect: Dialect) -> Iterator[list[str]]:
    """Rows that a writer of the dialect can write."""
    letters = f"ab é{dialect.quote}".replace(dialect.delimiter, "") + dialect.escape
    letters += dialect.delimiter * bool(dialect.quote or dialect.escape)
    letters += "\n" * dialect.multi_line
    for _ in range(seed.randint(1, 12)):
        values = ["".join(seed.choices(letters, k=seed.randint(0, 5))) for _ in NAMES]
        yield ["a", *values[1:]] if not dialect.quote and not "".join(values) else values


@pytest.mark.parametrize("number", range(20))
def test_what_pythons_writer_wrote_comes_back(number: int, tmp_path: pathlib.Path) -> None:
    seed = random.Random(number)
    for _ in range(60):
        dialect = dialects(seed)
        rows = list(written(seed, dialect))
        lines = []
        for row in rows:
            text = io.StringIO()
            double = not dialect.escape or seed.random() < 0.5
            quoting = csv.QUOTE_NONE if not dialect.quote else seed.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
            form = of_python(dialect) | {"quoting": quoting, "doublequote": double}
            if quoting == csv.QUOTE_NONE:
                form["quotechar"] = None
            csv.writer(text, **form, lineterminator="\n").writerow(row)
            lines.append(text.getvalue()[:-1])
        file_of(seed, dialect, lines, tmp_path / "in.csv")
        assert read(tmp_path / "in.csv", dialect, seed.randint(60, 200)) == [(None, absent(row)) for row in rows], (
            dialect
        )


@pytest.mark.parametrize("number", range(20))
def test_any_line_is_read_as_python_reads_it_or_rejected_by_name(number: int, tmp_path: pathlib.Path) -> None:
    seed = random.Random(number)
    for _ in range(60):
        dialect = replace(dialects(seed), multi_line=False)
        letters = f"abé {dialect.quote * 2}{dialect.delimiter * 3}{dialect.escape}"
        lines = ["a" + "".join(seed.choices(letters, k=seed.randint(0, 9))) for _ in range(8)]
        lines = [line if seed.random() < 0.5 else dialect.quote + line[1:] for line in lines]
        # What an escape at the end of a line makes text of, Python takes from nowhere.
        lines = [line for line in lines if line and not (dialect.escape and line.endswith(dialect.escape))]
        file_of(seed, dialect, list(lines), tmp_path / "in.csv")
        found = read(tmp_path / "in.csv", dialect, seed.randint(60, 200))
        assert len(found) == len(lines)
        for line, (error, values) in zip(lines, found, strict=True):
            [expected] = csv.reader([line], **of_python(dialect))
            plain = not (dialect.quote and dialect.quote in line)
            if error is None:
                assert values == absent(expected), (line, dialect)
            elif plain:
                assert error == ("too_few_fields" if len(expected) < 3 else "too_many_fields"), (line, dialect)
                assert len(expected) != 3
            else:
                assert error in ("too_few_fields", "too_many_fields", "stray_quote", "unclosed_quote")
                assert error.endswith("_quote") or len(expected) != 3, (line, dialect)
