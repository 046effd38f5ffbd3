"""The page about differences between engines names tests that are there."""

from __future__ import annotations

import ast
import re

from tests.support.paths import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_difference_between_engines_has_a_test_that_is_there() -> None:
    page = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert rows
    for row in rows:
        named = NAMED.findall(row)
        assert named, row
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, (path, name)
