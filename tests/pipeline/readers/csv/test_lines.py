"""CSV text to records, without Spark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers.chunks import whole_lines
from pipeline.readers.csv.lines import csv_records, first_record
from pipeline.readers.dialect import Dialect
from tests.pipeline.readers.json.framing.test_record_splitter import Row, rows_of


def parts_of(data: bytes, length: int) -> Iterator[tuple[int, bytes]]:
    return ((low, data[low : low + length]) for low in range(0, len(data), length))


def read(data: bytes, *, multi_line: bool = False, block: int = 1 << 20, header: bool = True) -> list[Row]:
    return rows_of(csv_records(parts_of(data, block), Dialect(multi_line=multi_line), header=header))


LINES = [
    ("lines", b"a,b\n1,2\n3,4\n", [(4, "1,2", None), (8, "3,4", None)]),
    ("no line end at the end", b"a,b\n1,2", [(4, "1,2", None)]),
    ("windows line ends", b"a,b\r\n1,2\r\n3,4\r\n", [(5, "1,2", None), (10, "3,4", None)]),
    ("empty lines", b"a\n\n1\n\r\n2\n\n", [(3, "1", None), (7, "2", None)]),
    ("only a header", b"a,b\n", []),
    ("a header without line end", b"a,b", []),
    ("an empty file", b"", []),
    ("a byte order mark", b"\xef\xbb\xbfa\n1\n", [(5, "1", None)]),
    ("quotes", b'a,b\n"x,""y""",2\n', [(4, '"x,""y""",2', None)]),
    ("an unclosed quote", b'a,b\n"x,2\n3,4\n', [(4, '"x,2', None), (9, "3,4", None)]),
    (
        "two unclosed quotes",
        b'a\n"x\n1\ny"\n2\n',
        [(2, '"x', None), (5, "1", None), (7, 'y"', None), (10, "2", None)],
    ),
]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("data", "rows"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_records_are_the_lines_behind_the_header(data: bytes, rows: list[Row], block: int) -> None:
    assert read(data, block=block) == rows


MULTI = [
    ("a line break in quotes", b'a,b\n1,"x\ny"\n2,z\n', [(4, '1,"x\ny"', None), (12, "2,z", None)]),
    (
        "several, with windows line ends",
        b'a,b\r\n1,"x\r\n\r\ny"\r\n2,z\r\n',
        [(5, '1,"x\r\n\r\ny"', None), (17, "2,z", None)],
    ),
    ("a header over two lines", b'"a\nb",c\n1,2\n', [(8, "1,2", None)]),
    (
        "a quote that is never closed",
        b'a,b\n1,"x\n2,y\n3,z\n',
        [(4, '1,"x', None), (9, "2,y", None), (13, "3,z", None)],
    ),
    (
        "one before a sound one",
        b'a,b\n1,"x\n2,y\n3,"p\nq"\n',
        [(4, '1,"x', None), (9, "2,y", None), (13, '3,"p\nq"', None)],
    ),
    ("the end of the file in quotes", b'a\n1\n"x\n', [(2, "1", None), (4, '"x', None)]),
]


@pytest.mark.parametrize("block", [1, 2, 5, 1000])
@pytest.mark.parametrize(("data", "rows"), [case[1:] for case in MULTI], ids=[case[0] for case in MULTI])
def test_with_multi_line_quoted_values_hold_line_breaks(data: bytes, rows: list[Row], block: int) -> None:
    assert read(data, multi_line=True, block=block) == rows


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(alphabet='ab,"é \r', max_size=6), max_size=12),
    st.booleans(),
    st.sets(st.integers(1, 80), max_size=6),
    st.integers(1, 30),
)
def test_any_ranges_give_each_line_once(lines: list[str], ended: bool, cuts: set[int], block: int) -> None:
    data = "\n".join(["header", *lines]).encode() + (b"\n" if ended else b"")
    inner = sorted(cut for cut in cuts if cut < len(data))
    rows: list[Row] = []
    for start, end in zip([0, *inner], [*inner, len(data)], strict=True):
        begin = max(start - 1, 0)
        blocks = (data[low : low + block] for low in range(begin, len(data), block))
        rows += rows_of(csv_records(whole_lines(blocks, start, end), Dialect(), header=start == 0))
    assert rows == read(data)
    assert [text for _, text, _ in rows] == [kept for line in lines if (kept := line.removesuffix("\r"))]


@pytest.mark.parametrize(
    ("head", "multi_line", "header"),
    [
        (b"a,b\n1,2\n", False, b"a,b"),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", False, b"a,b"),
        (b"a,b", False, b"a,b"),
        (b'"a\nb",c\n1,2\n', True, b'"a\nb",c'),
    ],
)
def test_the_header_is_the_first_record(head: bytes, multi_line: bool, header: bytes) -> None:
    assert first_record(head, Dialect(multi_line=multi_line), True) == (header, 1)
