"""Pieces of real files to records: gzip, encodings, forms, ranges; without Spark."""

from __future__ import annotations

import gzip
import itertools
import json
import pathlib
from collections.abc import Callable

import pytest

from pipeline.errors import InputError
from pipeline.readers.csv.tasks import csv_task
from pipeline.readers.dialect import Dialect
from pipeline.readers.json.detect_format import sniff
from pipeline.readers.json.file_splits import with_states
from pipeline.readers.json.tasks import json_task, split_summary
from pipeline.readers.spans import batches
from pipeline.readers.splits import LINES, FileSplit, assign_splits, ranges

Row = tuple[int, str, str | None]


@pytest.fixture
def piece(tmp_path: pathlib.Path) -> Callable[..., FileSplit]:
    numbers = itertools.count()

    def made(data: bytes, name: str = "in.json", form: str = "") -> FileSplit:
        number = next(numbers)
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(data)
        return FileSplit(number, str(path), len(data), 0, len(data), form)

    return made


def read(*pieces: FileSplit, records: str = "") -> list[Row]:
    """Place, text without what separates it from the next one, and error of each record."""
    rows: list[Row] = []
    for batch in batches(json_task(pieces, records)):
        columns = batch.to_pydict()
        texts = [raw.rstrip(" \t\r\n,") for raw in columns["_raw"]]
        rows += zip(columns["_source_offset"], texts, columns["_read_error"], strict=True)
    return rows


def test_small_files_share_a_batch_and_keep_their_numbers(piece: Callable[..., FileSplit]) -> None:
    made = [piece(b'{"a":%d}' % number) for number in range(5)]
    found = list(batches(json_task(made, "")))
    assert len(found) == 1
    assert found[0].to_pydict() == {
        "_source_file": [0, 1, 2, 3, 4],
        "_source_offset": [0] * 5,
        "_raw": ['{"a":0}', '{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}'],
        "_read_error": [None] * 5,
    }


def test_text_may_go_on_with_separators(piece: Callable[..., FileSplit]) -> None:
    [batch] = batches(json_task([piece(b'[{"a":1},\n{"a":2}]')], ""))
    assert batch.column("_raw").to_pylist() == ['{"a":1},\n', '{"a":2}']


def test_bytes_that_are_not_utf8_reject_their_record_only(piece: Callable[..., FileSplit]) -> None:
    made = piece(b'{"a":"ok"}\n{"a":"caf\xe9"}\n{"a":"\xed\xa0\x80"}\n{"a":"caf\xc3\xa9"}\n')
    assert read(made) == [
        (0, '{"a":"ok"}', None),
        (11, '{"a":"caf\\xe9"}', "not_utf8"),
        (24, '{"a":"\\xed\\xa0\\x80"}', "not_utf8"),
        (36, '{"a":"café"}', None),
    ]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("stored", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_with_the_mark_of_another_encoding_is_read_as_that(
    piece: Callable[..., FileSplit], coding: str, stored: Callable[[bytes], bytes]
) -> None:
    mark = "\ufeff" if coding.endswith("be") else ""
    assert read(piece(stored(f'{mark}{{"a":"é"}}\n{{"a":2}}'.encode(coding)))) == [
        (0, '{"a":"é"}', None), (11, '{"a":2}', None)
    ]  # fmt: skip


def test_bytes_that_mean_nothing_in_utf_16_reject_their_record_only(piece: Callable[..., FileSplit]) -> None:
    text = '\ufeff{"a":"'.encode("utf-16-le") + b"\x00\xd8" + '"}\n{"a":2}\n'.encode("utf-16-le")
    assert [error for _, _, error in read(piece(text))] == ["not_utf8", None]


def test_zero_bytes_are_garbage_and_cost_no_record(piece: Callable[..., FileSplit]) -> None:
    assert read(piece(b'{"a":1}\n\0\0\0\n{"a":2}\n')) == [
        (0, '{"a":1}', None),
        (8, "\0\0\0", "garbage"),
        (12, '{"a":2}', None),
    ]


def test_gzip_of_several_members_is_one_file(piece: Callable[..., FileSplit]) -> None:
    data = gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n') + b"\0\0"
    assert read(piece(data, "in.json.gz")) == [(0, '{"a":1}', None), (8, '{"a":2}', None)]


def test_a_gz_name_on_plain_text_is_read_as_it_is(piece: Callable[..., FileSplit]) -> None:
    assert read(piece(b'{"a":1}\n', "in.json.gz")) == [(0, '{"a":1}', None)]


@pytest.mark.parametrize("separator", ["\n", ","])
def test_a_truncated_gzip_gives_its_whole_records_and_one_rejected(
    piece: Callable[..., FileSplit], separator: str
) -> None:
    text = separator.join(json.dumps({"id": number, "text": f"{number * 7919 % 10007}"}) for number in range(5000))
    whole = f"[{text}]" if separator == "," else text
    data = gzip.compress(whole.encode())
    rows = read(piece(data[: len(data) // 2], "in.json.gz"))
    assert [json.loads(raw)["id"] for _, raw, error in rows if error is None] == list(range(len(rows) - 1))
    assert [error for _, _, error in rows if error] == ["truncated_gzip"]
    assert len(rows) > 1000


def test_a_damaged_gzip_is_reported_too(piece: Callable[..., FileSplit]) -> None:
    data = bytearray(gzip.compress("".join(f'{{"id":{n}}}\n' for n in range(20000)).encode()))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    rows = read(piece(bytes(data), "in.json.gz"))
    assert rows[0] == (0, '{"id":0}', None)
    assert rows[-1][2] == "bad_gzip"


def test_a_truncated_gzip_of_csv(piece: Callable[..., FileSplit]) -> None:
    data = gzip.compress(("a,b\n" + "".join(f"{n},{n * 7919 % 10007}\n" for n in range(5000))).encode())
    made = piece(data[: len(data) // 2], "in.csv.gz")
    found = [row for batch in batches(csv_task([made], Dialect())) for row in batch.to_pylist()]
    assert found[0] == {"_source_file": 0, "_source_offset": 4, "_raw": "0,0", "_read_error": None}
    assert [row["_read_error"] for row in found if row["_read_error"]] == ["truncated_gzip"]


@pytest.mark.parametrize("length", [1, 7, 50, 1000])
def test_ranges_of_lines_give_each_record_once(piece: Callable[..., FileSplit], length: int) -> None:
    data = b'{"a":1}\n[{"a":2},{"a":3}]\n\n{"a":4}{"a":5}\r\n{"a":"6'
    made = piece(data, form=LINES)
    assert read(*ranges(made, length)) == read(made)
    assert [error for _, _, error in read(made)] == [None] * 5 + ["truncated"]


@pytest.mark.parametrize("length", [3, 50, 400])
def test_ranges_of_an_array_give_each_record_once(piece: Callable[..., FileSplit], length: int) -> None:
    records = [{"n": number, "t": '"]}\\' * (number % 3), "é": [{"x": number}]} for number in range(30)]
    made = piece(json.dumps(records, ensure_ascii=False).encode(), form="stream")
    parts = ranges(made, length)
    rows = read(*with_states(parts, [split_summary(part) for part in parts]))
    assert rows == read(made)
    assert [json.loads(raw) for _, raw, _ in rows] == records


def test_a_file_that_shrank_is_an_error(piece: Callable[..., FileSplit]) -> None:
    made = piece(b'{"a":1}\n{"a":2}\n')
    pathlib.Path(made.path).write_bytes(b'{"a":1}\n')
    with pytest.raises(InputError, match=r"in\.json: changed while it was read: ends at byte 8, expected 16"):
        read(made)


@pytest.mark.parametrize(
    ("head", "whole", "form"),
    [
        (b'{"a":1}\n{"a":2}\n', True, "lines"),
        (b'{"a":1}\r\n\r\n{"a":2}\r\n', True, "lines"),
        (b'[{"a":1}]\n[{"a":2}]\n', True, "lines"),
        (b'{"a":1}\n{"a":2}\n{"a":', False, "lines"),
        (b'[\n{"a":1},\n{"a":2}\n]\n', True, "stream"),
        (b'{\n "a": 1\n}\n', True, "stream"),
        (b'[{"a":1},{"a":2}', False, "stream"),
        (b'{"a":1}\n{"a":\n2}\n', True, "stream"),
        (b"", True, "stream"),
        (b"\xff\xfe{\0}\0", True, "foreign"),
    ],
)
def test_the_form_is_detected_from_the_head(head: bytes, whole: bool, form: str) -> None:
    assert sniff(head, whole) == form


def test_small_files_are_assigned_to_tasks_by_bytes_and_by_number() -> None:
    made = [FileSplit(number, f"f{number}", 1000, 0, 1000) for number in range(10)]
    assert [len(task) for task in assign_splits(made, 2)] == [3, 3, 3, 1]
    assert [len(task) for task in assign_splits(made, 1, limit=2000)] == [2] * 5
