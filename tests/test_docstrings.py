"""The examples in docstrings are true, on both engines."""

from __future__ import annotations

import doctest
import importlib

import pytest
from pyspark.sql import SparkSession

from tests.support.paths import SRC

# The part of a run that is Spark's alone is not imported where there is none.
SPARK_ONLY = {"pipeline.engines.session"}
NAMES = sorted(
    ".".join(path.relative_to(SRC).with_suffix("").parts)
    for path in SRC.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
MODULES = [pytest.param(name, marks=[pytest.mark.spark_only] if name in SPARK_ONLY else []) for name in NAMES]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_print_what_they_say(module: str, spark: SparkSession) -> None:
    found = importlib.import_module(module)
    done = doctest.testmod(found, extraglobs={"spark": spark}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted > 0
    assert done.failed == 0, "see the differences above"
