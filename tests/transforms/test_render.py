"""Values as the text of published files, made of Arrow columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.render import block_of, csv_lines, json_text, json_texts


def test_a_text_is_a_json_string_and_escaped_only_where_it_must_be() -> None:
    cases = [
        ("ade3-11ed_x.y:z", '"ade3-11ed_x.y:z"'),
        ("", '""'),
        ("a b", '"a b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("a\\b", '"a\\\\b"'),
        ("a\nb", '"a\\nb"'),
        ("ends with a line break\n", '"ends with a line break\\n"'),
        ("c1\n", '"c1\\n"'),
        ("é 漢 😀", '"é 漢 😀"'),
        (None, "null"),
    ]
    found = json_texts(pa.array([text for text, _ in cases], pa.string()))
    assert found.to_pylist() == [document for _, document in cases]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('a "b" \\ c', r'"a \"b\" \\ c"'),
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("a\x1f\x7f\n", '"a\\u001F\x7f\\n"'),  # as Spark: capital digits, DEL as it is
        (r"\u001f stays a text", r'"\\u001f stays a text"'),
        ("\x0b" + r"\u001f", r'"\u000B\\u001f"'),
        ("été \u2028", '"été \u2028"'),
    ],
)
def test_a_text_is_a_json_string_as_spark_writes_it(text: str, shown: str) -> None:
    assert json_text(text) == shown


def test_no_text_at_all_is_no_line_whatever_its_buffers_are() -> None:
    empty = pa.Array.from_buffers(pa.string(), 0, [None, pa.py_buffer(b""), pa.py_buffer(b"")])
    assert csv_lines(["a"])(pa.RecordBatch.from_arrays([empty], ["a"])).to_pylist() == []
    assert block_of(empty) == b""
