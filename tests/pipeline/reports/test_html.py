"""report.html: one page without network that shows a person what report.json holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import JobResult

Call = Callable[..., JobResult]
BROWSER = shutil.which("chromium")


def run_people(call_job: Call, folder: Path) -> str:
    (folder / "people.csv").write_text("fullname,age,location\nAnn Lee,7,Rome\n<b>Bo</b> Cy,old,Oslo\nDee Foy,9,Kiel\n")
    done = call_job(
        "people", "--people", folder / "people.csv", "--max-rejected", "1", "--destination", folder / "out",
        "--run-id", "r1", "--quiet",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.read("report.html") == done.read("_runs/r1/report.html")
    return done.read("report.html")


def test_the_page_shows_counts_reasons_with_their_first_record_and_files(call_job: Call, tmp_path: Path) -> None:
    page = run_people(call_job, tmp_path)
    assert "<h1>people: succeeded</h1>" in page
    assert "<b>people</b>: 3 read, 2 used, 1 rejected" in page
    assert '<i class="used" style="flex:2"></i><i class="rejected" style="flex:1"></i>' in page
    assert "<b>people</b>: 1 rejected, wrong_type<br><code>people.csv, line 3: " in page
    assert "| &lt;b&gt;Bo&lt;/b&gt; Cy,old,Oslo</code>" in page
    assert '<td>people.csv</td><td class="n">2</td>' in page


def test_the_page_needs_no_network(call_job: Call, tmp_path: Path) -> None:
    page = run_people(call_job, tmp_path)
    assert re.findall(r"https?://|<script|<link|url\(", page) == []


def test_a_failed_run_has_a_page_with_its_message(call_job: Call, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("fullname,age,location\nAnn Lee,old,Rome\nBo Cy,8,Oslo\n")
    done = call_job("people", "--people", tmp_path / "people.csv", "--destination", tmp_path / "out", "--quiet")
    assert done.exit_code == 3
    page = done.read("report.html")
    assert "<h1>people: failed</h1>" in page
    assert done.report["message"].split("(")[0] in page


if BROWSER:  # a skipped test would fail the unattended run

    @pytest.mark.slow
    def test_a_browser_shows_it_on_a_phone(call_job: Call, tmp_path: Path) -> None:
        run_people(call_job, tmp_path)
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=400,900", "--dump-dom"]
        place = (tmp_path / "out/report.html").as_uri()
        shown = subprocess.run([*command, place], check=True, capture_output=True, text=True, timeout=60).stdout
        assert "<h1>people: succeeded</h1>" in shown
