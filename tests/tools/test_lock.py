"""The lists that are installed hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT
from tools.cloud_package import requirements

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
ENGINES = ("embedded", "spark", "spark4")
ALL = tuple(name for name in EXTRAS if name not in ENGINES)
OF_LISTS = {
    "run": ("spark", "people"),
    "dev": ("spark", *ALL),
    "spark4": ("spark4", *ALL),
    "embedded": ("embedded", "people"),
    "embedded-dev": ("embedded", "people", "test"),
}


def constraints(engine: str) -> list[str]:
    """The versions of an engine's environments."""
    name = "embedded" if engine == "embedded" else "spark"
    lines = (ROOT / "requirements" / "constraints" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def pinned(name: str) -> set[str]:
    """All packages of requirements/NAME.txt with their versions."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {plain(line.split(" ")[0]) for line in lines if "==" in line and not line.startswith((" ", "#"))}


def packaged(name: str) -> set[str]:
    """What the cloud package brings along for Glue or for the read API; without what only tables of Iceberg need."""
    return {plain(pin) for group, pins in requirements(name).items() for pin in pins if group != "iceberg"}


def wanted(extras: tuple[str, ...]) -> list[str]:
    """The exact versions that an environment with these extras is asked to have."""
    return [*constraints(extras[0]), *(line for name in extras for line in EXTRAS[name])]


LISTS = {**{name: wanted(extras) for name, extras in OF_LISTS.items()}, **GROUPS}


def plain(requirement: str) -> str:
    """`psycopg[binary]==3.3.9` as name and version, the way lists spell names."""
    name, version = re.sub(r"\[.*?\]", "", requirement).split("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_up_to_date_otherwise_make_lock(name: str) -> None:
    assert {plain(line) for line in LISTS[name]} - pinned(name) == set()


@pytest.mark.parametrize("name", OF_LISTS)
def test_every_environment_has_versions_in_the_ranges_of_the_wheel(name: str) -> None:
    versions = dict(line.split("==") for line in pinned(name))
    wrong = []
    for needed in map(Requirement, PROJECT["project"]["dependencies"]):
        found = versions.get(needed.name)
        if not (needed.specifier.contains(found) if found else needed.name in ("pysail", "pyspark-client")):
            wrong.append(f"{needed}: {found}")
    assert wrong == []
    assert ("pysail" in versions) == name.startswith("embedded")


# 9. Glue Developer Guide, "Python modules already provided in AWS Glue", version 5.1: every line of the constraints.
def test_the_environment_of_spark_3_5_is_what_glue_5_1_brings_and_the_cloud_package_is_the_rest() -> None:
    brought = {plain(line) for line in constraints("spark")}
    assert {"numpy==2.3.4", "pandas==2.3.3", "pyarrow==22.0.0", "boto3==1.40.61", "matplotlib==3.10.7"} <= brought
    engine = {line for line in pinned("run") if line.startswith(("pyspark==", "py4j=="))}
    assert len(engine) == 2
    assert pinned("run") - engine - brought == packaged("glue")
    assert brought - pinned("run") == set()


@pytest.mark.spark_only
def test_what_pyiceberg_needs_comes_with_it_or_is_brought_by_glue() -> None:
    wheels = {plain(pin) for pin in requirements("glue")["iceberg"]}
    assert wheels - pinned("dev") == set()
    had = dict(one.split("==") for one in wheels | packaged("glue") | {plain(line) for line in constraints("spark")})
    needs = [Requirement(line) for one in wheels for line in metadata.requires(one.split("==")[0]) or []]
    base = [one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert "pydantic" in {one.name for one in base}
    assert [str(one) for one in base if not one.specifier.contains(had.get(canonicalize_name(one.name), "0"))] == []


def test_the_read_api_s_package_has_the_versions_that_its_tests_use() -> None:
    assert packaged("api") - pinned("dev") == set()


def test_every_package_of_a_list_has_hashes_and_none_names_a_place() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        packages = re.findall(r"^\S.*?==.*(?:\n    .*)*", text, re.MULTILINE)
        assert packages
        assert [package for package in packages if "--hash=sha256:" not in package] == []
        assert "://" not in text
