"""docs/first-steps.ipynb runs from top to bottom and prints what it shows."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

from pyspark.sql import SparkSession

from pipeline import engines
from tests.docs.test_python_api import lines_of
from tests.support.paths import ROOT


def test_the_notebook_prints_what_it_shows(spark: SparkSession) -> None:
    cells = json.loads((ROOT / "docs/first-steps.ipynb").read_text(encoding="utf-8"))["cells"]
    start, *code = [cell for cell in cells if cell["cell_type"] == "code"]
    namespace: dict[str, Any] = {"spark": spark}
    if engines.chosen("auto") == "embedded":  # Spark's session is the tests' own
        exec("".join(start["source"]), namespace)
    for cell in code:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec("".join(cell["source"]), namespace)
        shown = "".join(line for output in cell["outputs"] for line in output["text"])
        assert lines_of(printed.getvalue()) == lines_of(shown)
    assert len(code) == 4
