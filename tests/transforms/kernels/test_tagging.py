"""Rows that share a number, and errors put on rows by their places."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from transforms.kernels import tagging
from transforms.kernels.tagging import repeated, tagged
from transforms.row_errors import ERROR, ERROR_FIELDS, REJECTED, error_array, error_value

WRONG, ORPHAN = error_value(REJECTED, "wrong_type", "id"), error_value(REJECTED, "unknown_order", "o9")


def rows(places: list[tuple[int, int]], errors: list[dict[str, str] | None]) -> pa.RecordBatch:
    files, offsets = zip(*places, strict=True)
    columns = [pa.array(files, pa.int32()), pa.array(offsets, pa.int64()), error_array(errors)]
    return pa.RecordBatch.from_arrays(columns, names=["_source_file", "_source_offset", ERROR])


def test_rows_get_the_errors_of_their_places_and_the_others_stay_as_they_are() -> None:
    first = rows([(0, 0), (0, 9), (1, 0)], [None, WRONG, None])
    second = rows([(1, 9), (2, 5_000_000_000)], [None, None])
    found = rows([(2, 5_000_000_000), (1, 0)], [ORPHAN, ORPHAN])
    one, other = tagged([first, second], pa.Table.from_batches([found]))
    assert one.column(ERROR).to_pylist() == [None, WRONG, ORPHAN]
    assert other.column(ERROR).to_pylist() == [None, ORPHAN]
    assert one.column("_source_offset").to_pylist() == [0, 9, 0]


def test_a_row_without_an_error_has_no_texts_in_it_either() -> None:
    [one] = tagged([rows([(0, 0), (0, 9)], [None, None])], pa.Table.from_batches([rows([(0, 9)], [ORPHAN])]))
    assert one.column(ERROR).null_count == 1
    assert [one.column(ERROR).field(name)[0].as_py() for name in ERROR_FIELDS] == [None, None, None]


def test_only_the_errors_of_its_own_rows_are_copied_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows([(0, offset) for offset in range(8, -1, -1)], [error_value(REJECTED, f"e{n}", "") for n in range(9)])
    copied = list[int]()

    def concat(arrays: list[pa.Array]) -> pa.Array:
        """Counts the errors that are copied."""
        copied.append(len(arrays[0]))
        return pa.concat_arrays(arrays)

    monkeypatch.setattr(tagging, "pa", SimpleNamespace(**vars(pa) | {"concat_arrays": concat}))
    [one] = tagged([rows([(1, 0), (0, 7), (0, 90), (0, 2)], [None, None, WRONG, None])], pa.Table.from_batches([found]))
    codes = [error and error["code"] for error in one.column(ERROR).to_pylist()]
    assert (codes, copied) == ([None, "e1", "wrong_type", "e6"], [2])


def test_a_batch_without_any_of_the_rows_is_not_copied() -> None:
    batch = rows([(0, 0), (0, 9)], [None, WRONG])
    [same] = tagged([batch], pa.Table.from_batches([rows([(1, 0)], [ORPHAN])]))
    assert same is batch


def numbered(numbers: list[int | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"digest": pa.array(numbers, pa.int64()), "row": range(len(numbers))})


def test_rows_that_share_a_number_with_one_of_another_batch_are_found_and_nulls_are_not() -> None:
    batches = [numbered([7, None, -3, None, 0]), numbered([1, 2]), numbered([-3, 0, 9, 0])]
    found = [list(zip(*one.to_pydict().values(), strict=True)) for one in repeated(batches, "digest")]
    assert found == [[(-3, 2), (0, 4)], [(-3, 0), (0, 1), (0, 3)]]


def test_no_row_is_found_where_all_numbers_differ_and_none_without_rows() -> None:
    assert list(repeated([numbered([1, 2, None]), numbered([3])], "digest")) == []
    assert list(repeated([], "digest")) == []
