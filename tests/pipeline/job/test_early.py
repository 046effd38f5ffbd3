"""What is wrong with inputs is known before an engine starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import engines
from tests.support.jobs import JobResult

RACES = "raceId,year,round,name,date,time\n1,2020,1,A,2020-01-01,10:00:00\n"
RESULTS = "resultId,raceId,driverId,position,fastestLapTime\n1,1,1,1,1:20.0\n"


@pytest.mark.parametrize(
    ("races", "results", "message"),
    [
        (RACES, RESULTS.replace("position", "positon"), "{results}, line 1: missing column position; have resultId, "),
        (RACES, "", "{results}: empty, there is not even a header line"),
        (RACES, None, "{results}: no such file or folder; "),
        ("", "a,b\n", "{races}: empty, there is not even a header line; {results}, line 1: missing column resultId, "),
    ],
)
def test_wrong_inputs_exit_2_in_one_message_before_an_engine_starts(
    call_job: Callable[..., JobResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    races: str,
    results: str | None,
    message: str,
) -> None:
    def start(*_: object) -> engines.Engine:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(engines, "start", start)
    paths = {name: tmp_path / f"{name}.csv" for name in ("races", "results")}
    for path, text in zip(paths.values(), (races, results), strict=True):
        if text is not None:
            path.write_text(text)
    inputs = [word for name, path in paths.items() for word in (f"--{name}", path)]
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out", "--quiet")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("race_stats: " + message.format(**paths)), done.stderr
