"""Progress: plain lines where there is no terminal."""

from __future__ import annotations

import io
import sys

import pytest

from pipeline.reports.progress import log


def test_log_lines_of_threads_are_one_write_each(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Stream())
    log("prices", "read prices")
    assert [text.partition(" ")[2] for text in written] == ["prices: read prices\n"]
