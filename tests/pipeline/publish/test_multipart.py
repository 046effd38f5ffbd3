from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.publish.concat.multipart import LARGEST, MIB, MOST_PARTS, SMALLEST, BufferedPart, Part, Range, plan

GIB = 1 << 30


def objects(*sizes: int) -> list[Range]:
    return [Range(f"s3://b/{at}", 0, size, size) for at, size in enumerate(sizes)]


def shape(parts: list[Part]) -> list[tuple[str, int]]:
    return [("buffered" if isinstance(part, BufferedPart) else "copy", part.length) for part in parts]


def test_a_large_object_is_copied_whole() -> None:
    assert shape(plan(objects(100 * MIB), b"")) == [("copy", 100 * MIB)]


def test_a_header_takes_along_what_makes_it_large_enough() -> None:
    assert shape(plan(objects(100 * MIB), b"head\n")) == [("buffered", 5 * MIB), ("copy", 95 * MIB + 5)]


def test_small_objects_are_buffered_and_the_last_may_stay_small() -> None:
    assert shape(plan(objects(2 * MIB, 2 * MIB, 2 * MIB, 1 * MIB), b"")) == [("buffered", 6 * MIB), ("copy", 1 * MIB)]


def test_nothing_gives_no_part() -> None:
    assert plan(objects(0, 0), b"") == []


def test_an_object_over_the_limit_of_a_copy_is_copied_in_ranges() -> None:
    parts = plan(objects(12 * GIB), b"", copy=20 * GIB)
    assert shape(parts) == [("copy", 4 * GIB)] * 3
    assert [part.start for part in parts if isinstance(part, Range)] == [0, 4 * GIB, 8 * GIB]


def test_many_objects_stay_within_ten_thousand_parts() -> None:
    parts = plan(objects(*[6 * MIB] * 12_000), b"")
    assert len(parts) <= MOST_PARTS
    assert sum(part.length for part in parts) == 72_000 * MIB


def test_too_many_large_objects_are_refused_with_the_way_out() -> None:
    with pytest.raises(PipelineError, match="use --files parts"):
        plan(objects(*[128 * MIB] * 10_001), b"")


_SIZES = st.integers(0, 40) | st.sampled_from([4, 5, 6, 9, 10, 11, 63, 64, 65])


@given(st.lists(_SIZES, max_size=12), st.integers(0, 20), st.integers(5, 30))
def test_every_plan_has_all_bytes_in_order_and_keeps_the_rules(sizes: list[int], head: int, copy: int) -> None:
    parts = plan(objects(*sizes), b"h" * head, smallest=5, copy=copy)
    wanted = [("", at) for at in range(head)] + [
        (f"s3://b/{i}", at) for i, size in enumerate(sizes) for at in range(size)
    ]
    found: list[tuple[str, int]] = []
    for part in parts:
        found += [("", at) for at in range(len(part.header))] if isinstance(part, BufferedPart) else []
        for piece in part.ranges if isinstance(part, BufferedPart) else [part]:
            found += [(piece.path, at) for at in range(piece.start, piece.start + piece.length)]
    assert found == wanted
    assert all(part.length >= 5 for part in parts[:-1])
    assert all(part.length < head + 15 for part in parts if isinstance(part, BufferedPart))
    assert all(part.length < 2 * copy + 5 for part in parts if isinstance(part, Range))


def test_the_limits_are_those_of_s3() -> None:
    assert (SMALLEST, LARGEST, MOST_PARTS) == (5_242_880, 5_368_709_120, 10_000)
