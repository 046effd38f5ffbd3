"""The Python examples of the documentation run as printed, and print what the page shows."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.support.paths import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
JOB = re.compile(r"# jobs/(\w+)\.py\n")


def blocks(page: str) -> list[tuple[str, str]]:
    """The page's Python blocks, each with the text that follows it as its output ("" without one)."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def job_texts(page: str) -> dict[str, str]:
    """The blocks that are the file of a job, by the job's name."""
    return {found[1]: code for code, _ in blocks(page) if (found := JOB.match(code))}


def lines_of(text: str) -> list[str]:
    """The lines without blanks at their ends and without empty lines."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def load_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`load_job("README.md", "prices")`: the job's example written to a file and imported."""

    def load(page: str, name: str) -> ModuleType:
        file = tmp_path / f"{name}.py"
        file.write_text(job_texts(page)[name], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"documented_{name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_examples_of_the_python_api_print_what_the_page_shows(spark: SparkSession) -> None:
    namespace: dict[str, Any] = {"spark": spark}
    examples = [(code, shown) for code, shown in blocks("docs/python-api.md") if not JOB.match(code)]
    assert len(examples) == 8
    for code, shown in examples:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "docs/python-api.md", "exec"), namespace)
        assert lines_of(printed.getvalue()) == lines_of(shown), code


def test_the_job_of_the_readme_writes_clean_prices_and_reports_the_rest(
    spark: SparkSession, load_job: Any, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text("price,id\n9.50,2\n,3\n20,1\n7.0,4\n", encoding="utf-8")
    out = tmp_path / "out"
    job = load_job("README.md", "prices")
    assert job.JOB.call(["--prices", str(tmp_path / "prices.csv"), "--destination", str(out), "--run-id", "r1"]) == 0
    assert (out / "prices.csv").read_text() == "id,price\n1,20.00\n2,9.50\n4,7.00\n"
    [left_out] = (out / "_runs/r1/excluded/prices.jsonl").read_text().splitlines()
    assert '"position":3,"reason":"no_price","detail":"","raw":",3"' in left_out


def test_the_job_of_the_python_api_checks_rejects_and_totals(
    spark: SparkSession, load_job: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stock = "sku,shop,pieces\npen,York,3\npen,York,3\nink,York,4\ninkwell,Leeds,0\nlamp,Leeds,9\n"
    (tmp_path / "stock.csv").write_text(stock, encoding="utf-8")
    out = tmp_path / "out"
    job = load_job("docs/python-api.md", "stock")
    arguments = ["--stock", str(tmp_path / "stock.csv"), "--destination", str(out), "--run-id", "r1"]
    assert job.JOB.call(arguments) == 0
    assert (out / "shops.csv").read_text() == "shop,articles,pieces\nLeeds,1,9\nYork,2,7\n"
    excluded = (out / "_runs/r1/excluded/stock.jsonl").read_text()
    assert '"reason":"duplicate","detail":"sku pen is a duplicate key","raw":"pen,York,3"' in excluded
    assert '"reason":"out_of_stock","detail":"","raw":"inkwell,Leeds,0"' in excluded
    capsys.readouterr()
    assert job.JOB.call([*arguments, "--least", "-1"]) == 2
    assert capsys.readouterr().err == "stock: --least -1 is below 0\n"
