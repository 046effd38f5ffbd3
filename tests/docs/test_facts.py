"""What pages say of the code is what the code has."""

from __future__ import annotations

import re
import tomllib

from services.api.cursor import PATTERN, parse
from tests.support.paths import ROOT


def test_the_table_of_marks_has_every_mark() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    marks = [line.partition(":")[0] for line in settings["tool"]["pytest"]["ini_options"]["markers"]]
    page = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    table = page[page.index("| mark |") : page.index("Fixtures that all tests share")]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(marks)


def test_the_printed_cursor_is_one_that_the_api_gives() -> None:
    page = (ROOT / "docs/read-api.md").read_text(encoding="utf-8")
    [shown] = re.findall(r'"next_cursor": "([^"]+)"', page)
    found = parse(shown)
    assert re.match(PATTERN, shown)
    assert found is not None
    assert found.num_records == 2
    assert "32 letters, digits, `-` and `_`" in page
