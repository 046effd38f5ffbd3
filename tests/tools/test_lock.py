"""The lists that are installed hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
LISTS = {
    "run": [*PROJECT["project"]["dependencies"], *EXTRAS["spark"], *EXTRAS["people"]],
    "dev": [
        *PROJECT["project"]["dependencies"],
        *(line for name, lines in EXTRAS.items() if name != "spark4" for line in lines),
    ],
    "spark4": [
        *PROJECT["project"]["dependencies"],
        *(line for name, lines in EXTRAS.items() if name != "spark" for line in lines),
    ],
    **GROUPS,
}


def plain(requirement: str) -> str:
    """`psycopg[binary]==3.3.9` as name and version, the way lists spell names."""
    name, version = re.sub(r"\[.*?\]", "", requirement).split("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_up_to_date_otherwise_make_lock(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pinned = {plain(line.split(" ")[0]) for line in lines if "==" in line and not line.startswith(" ")}
    assert {plain(line) for line in LISTS[name]} - pinned == set()


def test_every_package_of_a_list_has_hashes_and_none_names_a_place() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        packages = re.findall(r"^\S.*?==.*(?:\n    .*)*", text, re.MULTILINE)
        assert packages
        assert [package for package in packages if "--hash=sha256:" not in package] == []
        assert "://" not in text
