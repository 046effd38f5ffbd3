"""Fixtures of the readers' tests."""

from __future__ import annotations

import pytest

from pipeline.readers import splits


@pytest.fixture
def tiny_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred bytes are split as big ones are."""
    monkeypatch.setattr(splits, "RANGE_BYTES", 300)
    monkeypatch.setattr(splits, "SMALL_BYTES", 300)
