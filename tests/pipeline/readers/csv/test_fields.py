"""Records of CSV files to their fields: RFC 4180, and nothing read as something near."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers.csv.fields import Layout, batches
from pipeline.readers.csv.lines import csv_records
from pipeline.readers.dialect import Dialect
from pipeline.readers.splits import MIB

Row = tuple[int, str | None, list[str | None]]


def read(
    data: bytes, width: int, *, block: int = MIB, multi_line: bool = False, delimiter: str = ",", quote: str = '"'
) -> list[Row]:
    """Position, error and fields of each record, by position."""
    parts = ((low, data[low : low + block]) for low in range(0, len(data), block))
    dialect = Dialect(delimiter, quote, multi_line=multi_line)
    layout = Layout(width, tuple(range(width)), dialect)
    finds = ((0, found, layout) for found in csv_records(parts, dialect, header=False))
    rows = [row for batch in batches(finds) for row in batch.to_pylist()]
    found = [(row["_source_offset"], row["_read_error"], [row[f"c{i}"] for i in range(width)]) for row in rows]
    assert found == sorted(found, key=lambda row: row[0])
    return found


CASES: list[tuple[str, bytes, list[Row]]] = [
    ("fields", b"1,a\n2,b", [(0, None, ["1", "a"]), (4, None, ["2", "b"])]),
    ("an empty field is absent, with or without quotes", b',""\n"",\n', [(0, None, [None] * 2), (4, None, [None] * 2)]),
    ("quotes hold delimiters and doubled quotes", b'"a,b","c ""d"" e"\n', [(0, None, ["a,b", 'c "d" e'])]),
    ("a quote inside a value is part of it", b'5" pipe,6"\n', [(0, None, ['5" pipe', '6"'])]),
    (
        "one quote inside a value",
        b'1,5" pipe\n2,27" monitor 19" stand\n',
        [
            (0, None, ["1", '5" pipe']),
            (10, None, ["2", '27" monitor 19" stand']),
        ],
    ),
    ("quotes inside one value, a quoted one behind", b'5" a,"b,c"\n', [(0, None, ['5" a', "b,c"])]),
    ("text behind a closing quote", b'"a"b,c\n1,2\n', [(0, "stray_quote", [None, None]), (7, None, ["1", "2"])]),
    (
        "a quote in a value, then one that opens",
        b'a","\n1,2\n',
        [(0, "unclosed_quote", [None, None]), (5, None, ["1", "2"])],
    ),
    ("text behind a doubled and a closing quote", b'"a"""b,c\n', [(0, "stray_quote", [None, None])]),
    ("too few", b"1\n2,b\n", [(0, "too_few_fields", [None, None]), (2, None, ["2", "b"])]),
    ("too many", b"1,2,3\n\n4,5\n", [(0, "too_many_fields", [None, None]), (7, None, ["4", "5"])]),
    ("an unclosed quote", b'1,"a\n2,b\n', [(0, "unclosed_quote", [None, None]), (5, None, ["2", "b"])]),
    ("not UTF-8", b"1,\xff\n2,b\n", [(0, "not_utf8", [None, None]), (4, None, ["2", "b"])]),
    ("a carriage return in a value", b"1,a\rb\n2,c\n", [(0, None, ["1", "a\rb"]), (6, None, ["2", "c"])]),
    ("Windows line ends", b"1,a\r\n\r\n2,b\r\n", [(0, None, ["1", "a"]), (7, None, ["2", "b"])]),
    ("more than ASCII", "é,ü\n".encode(), [(0, None, ["é", "ü"])]),
]


@pytest.mark.parametrize("block", [1, 3, 1000])
@pytest.mark.parametrize(("data", "rows"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_fields_of_records(data: bytes, rows: list[Row], block: int) -> None:
    assert read(data, 2, block=block) == rows


def test_values_over_several_lines() -> None:
    assert read(b'1,"a\nb"\n2,c\n', 2, multi_line=True) == [(0, None, ["1", "a\nb"]), (8, None, ["2", "c"])]


def test_another_delimiter() -> None:
    assert read(b'1;"a;b,"\n', 2, delimiter=";") == [(0, None, ["1", "a;b,"])]


def test_without_quoting_quotes_are_text() -> None:
    data = b'"a,b\n"c"d,"e"\n'
    assert read(data, 2, quote="") == [(0, None, ['"a', "b"]), (5, None, ['"c"d', '"e"'])]


def test_only_the_wanted_fields_in_the_wanted_order() -> None:
    finds = ((3, found, Layout(3, (2, 0))) for found in csv_records([(0, b"1,2,3\n")], Dialect(), header=False))
    rows = [row for batch in batches(finds) for row in batch.to_pylist()]
    assert rows == [
        {"_source_file": 3, "_source_offset": 0, "_read_error": None, "_read_detail": None, "c0": "3", "c1": "1"}
    ]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(st.text(st.sampled_from('ab,"é\r '), max_size=4), min_size=3, max_size=3), max_size=8),
    st.integers(1, 40),
)
def test_what_a_csv_writer_wrote_comes_back(rows: list[list[str]], block: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    assert [found[1:] for found in read(text.getvalue().encode(), 3, block=block)] == [
        (None, [value or None for value in row]) for row in rows
    ]


@settings(deadline=None)
@given(st.text(st.sampled_from('ab,"é'), min_size=1, max_size=12))
def test_any_line_gives_the_fields_that_a_reader_by_hand_finds_or_an_error(line: str) -> None:
    found = read(line.encode() + b"\n", 2)
    values = Dialect().fields(line)
    assert len(found) == 1
    if isinstance(values, list) and len(values) == 2:
        assert found == [(0, None, values)]
    else:
        assert found[0][1] in ("stray_quote", "unclosed_quote", "too_few_fields", "too_many_fields")
