"""Lines that are arrays of scalars are rows; all others are what they are elsewhere."""

from __future__ import annotations

import pytest

from pipeline.readers.json.detect_format import sniff
from pipeline.readers.json.framing.row_lines import rows_and_lines
from tests.pipeline.readers.json.framing.test_record_splitter import Row, blocks_of, rows_of


def read(text: str, block: int) -> list[Row]:
    return rows_of(rows_and_lines(blocks_of(text.encode(), block), 0))


@pytest.mark.parametrize("block", [1 << 20, 1, 7])
def test_a_row_is_one_record_and_other_arrays_are_opened(block: int) -> None:
    text = '["B00X","Phone",2,null]\n{"a":[1]}\n\n  ["x]\\"[", -3.5e2, true]\r\n'
    text += '[{"b":1},2]\n[["c"],["d"]]\n[]\n[nul]\n["last"]'
    assert read(text, block) == [
        (0, '["B00X","Phone",2,null]', None),
        (24, '{"a":[1]}', None),
        (37, '["x]\\"[", -3.5e2, true]', None),
        (63, '{"b":1}', None),
        (71, "2", None),
        (75, '["c"]', None),
        (81, '["d"]', None),
        (91, "[nul]", None),
        (97, '["last"]', None),
    ]


@pytest.mark.parametrize("block", [1 << 20, 1, 7])
def test_a_byte_order_mark_is_no_part_of_a_row(block: int) -> None:
    assert read('\ufeff["a","b"]\n{"a":1}\n\ufeff ["c"]\n', block) == [
        (3, '["a","b"]', None),
        (13, '{"a":1}', None),
        (25, '["c"]', None),
    ]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('["a",1]\n["b",2]\n', "rows"),
        ('{"a":1}\n["b",2]\n', "rows"),
        ('["a",1]', "rows"),
        ('{"a":1}\n' * 49 + '["b",2]\n', "rows"),
        ('{"a":1}\n' * 50 + '["b",2]\n', "lines"),
        ('[["a",1],["b",2]]\n', "lines"),
        ("[]\n{}\n", "lines"),
        ('[["a",1],\n["b",2]]\n', "stream"),
        ("[\n1,\n2]\n", "stream"),
    ],
)
def test_the_beginning_of_a_file_says_whether_it_has_rows(text: str, form: str) -> None:
    assert sniff(text.encode(), whole=True) == form
