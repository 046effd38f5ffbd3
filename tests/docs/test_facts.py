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


def test_the_table_of_packages_has_every_package_with_modules_and_the_biggest_has_about_ten() -> None:
    sizes = {
        folder.relative_to(ROOT / "src").as_posix(): len([one for one in folder.glob("*.py") if one.stem != "__init__"])
        for folder in (ROOT / "src").rglob("*")
        if (folder / "__init__.py").is_file()
    }
    page = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    table = page[page.index("| package under `src/` |") : page.index("## A job of your own")]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert sorted(name for row in rows for name in re.findall(r"`([\w/]+)`", row)) == sorted(
        sizes.keys() - {"pipeline"}
    )
    assert max(sizes.values()) <= 11
