"""`--keep-runs N` removes the folders of older finished runs."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.publish.old_runs import remove_old_runs


def test_the_newest_finished_runs_stay_with_the_one_that_is_published_and_the_unfinished(tmp_path: Path) -> None:
    for age, run in enumerate(["now", "third", "second", "first"]):
        report = tmp_path / "_runs" / run / "report.json"
        (report.parent / "quarantine").mkdir(parents=True)
        (report.parent / "quarantine" / "report.json").write_text("not a run's")
        report.write_text("{}")
        os.utime(report, ns=(10**18 - age, 10**18 - age))
    (tmp_path / "_runs" / "killed" / "staged").mkdir(parents=True)
    remove_old_runs(str(tmp_path), "now", 2)
    assert sorted(path.name for path in (tmp_path / "_runs").iterdir()) == ["killed", "now", "third"]
    remove_old_runs(str(tmp_path), "now", 1)
    assert sorted(path.name for path in (tmp_path / "_runs").iterdir()) == ["killed", "now"]


def test_the_published_run_stays_although_it_is_the_oldest(tmp_path: Path) -> None:
    for run in ("a", "b"):
        (tmp_path / "_runs" / run).mkdir(parents=True)
        (tmp_path / "_runs" / run / "report.json").write_text("{}")
    os.utime(tmp_path / "_runs" / "a" / "report.json", ns=(1, 1))
    remove_old_runs(str(tmp_path), "a", 1)
    assert [path.name for path in (tmp_path / "_runs").iterdir()] == ["a"]
