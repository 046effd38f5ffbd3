"""Corrections of single records, without an engine."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from pipeline import storage
from pipeline.errors import UsageError
from pipeline.readers.corrections import Correction, at_offsets, by_file, corrected, read_corrections
from pipeline.readers.spans import RecordSpans
from pipeline.readers.splits import whole_files


def correction(position: int, raw: str) -> Correction:
    return Correction("source", "a.csv", position, raw, f"mended.jsonl, line {position}")


def rows(found: RecordSpans) -> list[tuple[int, bytes, str | None]]:
    places = found.places().tolist()
    return [(places[row], text, found.errors.get(row)) for row, text in enumerate(found.texts())]


def test_a_record_is_replaced_at_its_place_and_the_others_keep_their_errors() -> None:
    found = RecordSpans(b"ab\ncd\nef\ngh\n", 100, np.array([0, 3, 6, 9]), np.array([2, 5, 8, 11]), {0: "x", 2: "y"})
    mended = {103: correction(103, "longer"), 109: correction(109, ""), 500: correction(500, "elsewhere")}
    made = [row for one in corrected(iter([found]), mended) for row in rows(one)]
    assert made == [(100, b"ab", "x"), (103, b"longer", None), (106, b"ef", "y"), (109, b"gh", "withdrawn")]


def test_without_corrections_nothing_is_touched() -> None:
    found = RecordSpans(b"ab\n", 0, np.array([0]), np.array([2]))
    assert list(corrected(iter([found]), {})) == [found]


def test_lines_become_offsets_and_lines_behind_the_end_none(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id\né\n\nlast".encode())
    pieces = whole_files(storage.list_files(str(path)))
    lines = {number: correction(number, "x") for number in (1, 2, 4, 5)}
    assert at_offsets(pieces, {0: lines}) == {0: {0: lines[1], 3: lines[2], 7: lines[4]}}


def test_two_corrections_of_one_record_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mended.jsonl"
    line = '{"input":"source","file":"a.csv","position":2,"raw":"x"}\n'
    path.write_text(line + "\n" + line, encoding="utf-8")
    with pytest.raises(UsageError, match=r"mended\.jsonl, line 3: the record is corrected by .*mended\.jsonl, line 1"):
        read_corrections(str(path))


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (r'1,\"x\"\n', '1,"x"'), (r'1,\"x\"\r\n', '1,"x"'), (r"1,x\r", "1,x"), (r"1,x\n\n", "1,x\n"), (r"\n", "\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_one_line_end_behind_a_mended_text_is_not_part_of_it(raw: str, read: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mended.jsonl"
    path.write_text(f'{{"input":"source","file":"a.csv","position":2,"raw":"{raw}"}}\n', encoding="utf-8")
    assert [one.raw for one in read_corrections(str(path))] == [read]


def test_a_file_that_is_not_read_is_named() -> None:
    with pytest.raises(UsageError, match=r"^mended\.jsonl, line 2: a\.csv is not among the files of --source$"):
        by_file([correction(2, "x")], ["b.csv"])
