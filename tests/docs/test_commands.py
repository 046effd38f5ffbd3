"""The commands on the pages run as they are printed, in a fresh clone."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from jobs.__main__ import SERVICES
from pipeline import engines
from pipeline.job.options import parse
from tests.support.jobs import clean_environment, job_module
from tests.support.paths import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "benchmarks/NOTES.md", *(ROOT / "docs").glob("*.md")])
BEGINS = re.compile(r"^(?:\$ |    )?((?:partner-jobs|tools/with\.sh|spark-submit|python|make) ?.*)$")
# What only a reader can fill in, and hosts that do not exist.
NOT_HERE = re.compile(r"<\w+>|\.\.\.|\[options\]|example\.com|ARTIFACTS")


def commands(page: Path) -> list[list[str]]:
    """The commands in a page's blocks of code, lines that end with a backslash joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    fenced = re.findall(r"^```(?:sh|text)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    lines += [line for line in text.splitlines() if line.startswith("    ")]
    found = [match[1] for line in lines if (match := BEGINS.match(line)) and not NOT_HERE.search(match[1])]
    return [shlex.split(line, comments=True) for line in found]


COMMANDS = [command for page in PAGES for command in commands(page)]
JOBS = [
    command
    for command in COMMANDS
    if (command[0] == "partner-jobs" and len(command) > 1) or command[2:3] == ["spark-submit"]
]


def test_the_pages_have_commands_of_every_job() -> None:
    assert {Path(word).stem for command in JOBS for word in command[1:4]} >= {
        "carparks", "customer_orders", "explode_json", "people", "race_stats", "restaurants", "split_columns", "lookup",
        "tables",
    }  # fmt: skip


def test_what_make_and_python_are_asked_for_is_there() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {word for command in COMMANDS if command[0] == "make" for word in command[1:] if word.isidentifier()}
    assert wanted - targets - {"make"} == set()
    modules = [command[2] for command in COMMANDS if command[:2] == ["python", "-m"]]
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize("command", JOBS, ids=" ".join)
def test_a_printed_job_has_known_options_and_inputs_that_a_clone_has(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, arguments = (
        (command[1], command[2:]) if command[0] == "partner-jobs" else (Path(command[3]).stem, command[4:])
    )
    if name in SERVICES:
        return
    monkeypatch.chdir(ROOT)
    options = parse(name, job_module(name).JOB.options, arguments).prepare()
    assert all(source.files() for source in options.inputs() if source)


@pytest.mark.slow
def test_every_printed_job_runs(tmp_path: Path) -> None:
    for name in ("data", "jobs", "tools", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    here = "partner-jobs" if engines.chosen("auto") == "embedded" else "tools/with.sh"
    ended = {
        shlex.join(command): subprocess.run(
            command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False
        ).returncode
        for command in sorted(JOBS, key=lambda words: words[1] in SERVICES)
        if command[0] == here
    }
    print(ended)
    assert ended
    assert {line for line, code in ended.items() if code} == set()
    if here == "partner-jobs":
        shown = (ROOT / "docs/packed-columns.md").read_text(encoding="utf-8")
        assert (tmp_path / "out/split_columns/rows.csv").read_text(encoding="utf-8") in shown
