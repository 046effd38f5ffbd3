"""Rows that are kept: in memory as long as they are few, else in a temporary file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.engines import kept_rows
from pipeline.engines.kept_rows import KeptRows
from pipeline.errors import PipelineError

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string()), ("money", pa.decimal128(38, 2))])


def kept(*rows: list[tuple[int | None, str]]) -> KeptRows:
    """Kept batches of these rows."""
    found = KeptRows()
    for own in rows:
        made = [{"n": n, "text": text, "money": Decimal("1.50")} for n, text in own]
        found.add(pa.RecordBatch.from_pylist(made, SCHEMA))
    found.close()
    return found


def texts(batches: object) -> list[str]:
    """The texts of batches."""
    return [text for batch in batches for text in batch.column("text").to_pylist()]  # type: ignore[attr-defined]


@pytest.fixture(params=["memory", "file", "both"])
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are kept."""
    monkeypatch.setattr(kept_rows, "_IN_MEMORY", {"memory": 1 << 20, "file": 0, "both": 40}[request.param])
    monkeypatch.setattr(kept_rows, "_LOOKED_AT", 0)


@pytest.mark.usefixtures("_place")
def test_portions_are_all_batches_in_their_order_as_often_as_they_are_asked_for() -> None:
    rows = kept([(1, "a"), (2, "b")], [(3, "c")], [(None, "d")])
    assert [texts(rows.portion(number, 2)) for number in (0, 1, 0)] == [["a", "b"], ["c", "d"], ["a", "b"]]
    assert [batch.column("money")[0].as_py() for batch in rows.batches] == [Decimal("1.50")] * 3


@pytest.mark.usefixtures("_place")
@pytest.mark.parametrize("large", [0, 1 << 20])
def test_rows_are_sorted_nulls_first_and_equal_ones_stay_as_they_are(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_LARGE_ROWS", large)
    rows = kept([(2, "b1"), (1, "a")], [(2, "b2")], [(None, "null")])
    assert texts(rows.sorted(["n"])) == ["null", "a", "b1", "b2"]
    assert texts(rows.sorted([])) == ["b1", "a", "b2", "null"]
    assert texts(KeptRows().sorted(["n"])) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_named_with_the_option_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "_IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda prefix: Path("/dev/full").open("wb"))  # noqa: SIM115
    with pytest.raises(
        PipelineError, match=r"^rows cannot be kept in .* \(TMPDIR names another folder\): No space left"
    ):
        kept([(1, "a" * 100_000)])
