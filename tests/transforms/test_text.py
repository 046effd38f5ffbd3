"""Values as the text of published files."""

from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.text import json_cells, json_row, json_text


def test_arrays_and_maps_become_json_text_and_other_columns_stay(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, ["a", 'b"'], {"k": ["1", None]}), (2, [], {}), (3, None, None)],
        "id int, `the tags` array<string>, info map<string,array<string>>",
    )
    expected = spark.createDataFrame(
        [(1, '["a","b\\""]', '{"k":["1",null]}'), (2, "[]", "{}"), (3, None, None)],
        "id int, `the tags` string, info string",
    )
    assert_df_equality(json_cells(frame), expected, ignore_nullable=True)


def test_a_row_as_json_has_all_its_columns_in_order_and_its_nulls(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(2, "x", [1]), (None, None, None)], "`b.c` int, a string, list array<int>")
    expected = spark.createDataFrame(
        [('{"b.c":2,"a":"x","list":[1]}',), ('{"b.c":null,"a":null,"list":null}',)], "value string"
    )
    assert_df_equality(json_row(frame), expected, ignore_nullable=True)


def test_a_text_is_a_json_string_and_escaped_only_where_it_must_be(spark: SparkSession) -> None:
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
    frame = spark.createDataFrame([(text,) for text, _ in cases], "text string")
    found = [row[0] for row in frame.select(json_text(F.col("text"))).collect()]
    assert found == [document for _, document in cases]
