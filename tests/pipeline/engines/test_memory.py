"""Inputs that cannot fit the memory of the embedded engine."""

from __future__ import annotations

import pytest

from pipeline.engines import memory
from pipeline.errors import UsageError


def test_inputs_of_more_than_half_of_the_memory_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_bytes", lambda: 8_000_000_000)
    memory.check_fits("people", 4_000_000_000)
    with pytest.raises(UsageError, match=r"^inputs of 4\.1 GB do not fit .* there are 8\.0 GB: .*jobs/people\.py"):
        memory.check_fits("people", 4_100_000_000)


def test_the_memory_is_that_of_the_machine_or_less() -> None:
    assert 1 << 28 < memory.memory_bytes() < 1 << 44
