"""The whole rehearsal as a test: what `make cloud-demo` shows, with every part of the layout switched on."""

from __future__ import annotations

import pathlib

import pytest

from tests.standin.rehearsal import rehearse


@pytest.mark.cloud
def test_the_layout_applies_runs_alerts_stays_clean_and_goes(tmp_path: pathlib.Path) -> None:
    done = rehearse(tmp_path, everything=True)
    assert any("exit code 3" in text for text in done.alerts)
    assert any("customer_orders/items_20240302.csv" in text for text in done.alerts)
