"""Joining random pieces and splitting gives them back, or a named reason: never a wrong split.

Each example is a batch of rows in one call of Spark, so that hundreds of rows take seconds.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from transforms.packed.lists import list_to_array, pairs_to_map
from transforms.packed.splitting import TOO_FEW, TOO_MANY, WRONG_TYPE, Packed, packed_column, split

BATCH = settings(
    max_examples=4,
    # A batch is big: making a failing one small would take longer than reading it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEPARATORS = [" ", ",", "|", "; ", "ab", ".", "||"]
LETTERS = st.text(alphabet="ab |;,.é0=9\\", max_size=6)
NAMES = ["first", "second", "third", "fourth"]


@st.composite
def batches(draw: Any) -> tuple[Packed, list[list[str]]]:
    """A packed column of two to four pieces with a greedy one, and rows of pieces for it."""
    separator = draw(st.sampled_from(SEPARATORS))
    names = NAMES[: draw(st.integers(2, 4))]
    greedy = draw(st.sampled_from(names))
    kinds = {name: draw(st.sampled_from(["string", "int"])) for name in names if name != greedy}
    plain = {
        "string": LETTERS.filter(lambda text: separator not in text),
        "int": st.integers(-(2**31), 2**31 - 1).map(str),
    }
    row = st.tuples(*[LETTERS if name == greedy else plain[kinds[name]] for name in names]).map(list)
    header = separator.join(names)
    rows = draw(st.lists(row, min_size=100, max_size=150))
    return packed_column(header, separator=separator, greedy=[greedy], types=kinds), rows


def outcome(spark: SparkSession, packed: Packed, cells: list[str]) -> list[list[str] | str]:
    """For each cell its pieces as text, or the reason."""
    frame = spark.createDataFrame([(cell,) for cell in cells], f"`{packed.column}` string")
    rows = split(frame, packed).collect()
    return [
        [str(row[name]) for name in packed.names] if row["_error"] is None else row["_error"]["code"] for row in rows
    ]


@BATCH
@given(batches())
def test_pieces_come_back_from_their_cell(spark: SparkSession, batch: tuple[Packed, list[list[str]]]) -> None:
    packed, rows = batch
    found = outcome(spark, packed, [packed.separator.join(row) for row in rows])
    # A separator that overlaps itself cannot always be kept apart from its neighbours: then a code is the right answer.
    sure = packed.separator != "||"
    assert [
        pieces for pieces, row in zip(found, rows, strict=True) if pieces != row and (sure or pieces != TOO_MANY)
    ] == []


@BATCH
@given(batches())
def test_without_a_declared_greedy_piece_they_come_back_or_are_refused(
    spark: SparkSession, batch: tuple[Packed, list[list[str]]]
) -> None:
    packed, rows = batch
    undeclared = Packed(packed.column, packed.fields, packed.separator)
    found = outcome(spark, undeclared, [packed.separator.join(row) for row in rows])
    assert [pieces for pieces, row in zip(found, rows, strict=True) if pieces not in (row, TOO_MANY, WRONG_TYPE)] == []


@BATCH
@given(batches(), st.lists(LETTERS, min_size=100, max_size=150))
def test_any_text_is_rejected_by_name_or_its_pieces_join_to_it(
    spark: SparkSession, batch: tuple[Packed, list[list[str]]], cells: list[str]
) -> None:
    strings = packed_column(batch[0].column, separator=batch[0].separator, greedy=[batch[0].greedy or ""])
    for cell, pieces in zip(cells, outcome(spark, strings, cells), strict=True):
        assert pieces in (TOO_FEW, TOO_MANY) if isinstance(pieces, str) else strings.separator.join(pieces) == cell


@BATCH
@given(
    st.lists(st.lists(LETTERS.filter(lambda text: "|" not in text), min_size=1, max_size=5), min_size=100, max_size=150)
)
def test_a_list_comes_back_from_its_cell(spark: SparkSession, rows: list[list[str]]) -> None:
    frame = spark.createDataFrame([("|".join(row),) for row in rows], "items string")
    found = [row["items"] for row in list_to_array(frame, "items").collect()]
    assert found == [[] if row == [""] else row for row in rows]


PAIR = st.tuples(st.sampled_from(["a", "b", "key"]), st.one_of(st.none(), LETTERS.filter(lambda text: ";" not in text)))


@BATCH
@given(st.lists(st.lists(PAIR, max_size=5), min_size=100, max_size=150))
def test_pairs_come_back_from_their_cell_with_repeated_keys(
    spark: SparkSession, rows: list[list[tuple[str, str | None]]]
) -> None:
    cells = [";".join(key if value is None else f"{key}={value}" for key, value in row) for row in rows]
    found = pairs_to_map(spark.createDataFrame([(cell,) for cell in cells], "info string"), "info").collect()
    assert [row["info"] for row in found] == [{key: [v for k, v in row if k == key] for key, _ in row} for row in rows]
