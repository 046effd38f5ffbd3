"""The terminal behind a process whose own streams are pipes, as those of a job under spark-submit are."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.jobs import clean_environment, command

CHILD = "import sys; from pipeline.reports.terminal import terminal_of; print(terminal_of(sys.stdout) is not None)"
PARENT = f"""
import subprocess, sys
print("before", flush=True)
done = subprocess.run([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE, check=True)
print(done.stdout.decode().strip(), flush=True)
"""
UNDER_SUBMIT = {**os.environ, "PYSPARK_GATEWAY_PORT": "1"}


def test_a_file_that_the_parent_writes_keeps_what_it_has(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        subprocess.run([sys.executable, "-c", PARENT], stdout=log, env=UNDER_SUBMIT, check=True)
    assert (tmp_path / "log").read_bytes() == b"before\nFalse\n"


def test_the_terminal_of_the_parent_is_found(tmp_path: Path) -> None:
    here, there = pty.openpty()
    subprocess.run([sys.executable, "-c", PARENT], stdout=there, env=UNDER_SUBMIT, check=True)
    said = b""
    while said.count(b"\n") < 2:  # the terminal hands over what it has so far
        said += os.read(here, 100)
    assert said.split() == [b"before", b"True"]
    os.close(here)
    os.close(there)


@pytest.mark.parametrize(("options", "code"), [(["--json", "--max-rejected", "1"], 0), (["--max-rejected", "0"], 3)])
def test_a_run_goes_on_when_nobody_reads_what_it_says(tmp_path: Path, options: list[str], code: int) -> None:
    (tmp_path / "in.csv").write_text("id,name size\n1,pen 2\n2,ink\n")
    given = ["--source", tmp_path / "in.csv", "--destination", tmp_path / "out", *options]
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("split_columns", given), stdout=written, stderr=subprocess.PIPE, text=True, env=clean_environment(),
        check=False,
    )  # fmt: skip
    os.close(written)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert (tmp_path / "out" / "rows.csv").exists() is (code == 0)


def test_a_process_without_stdout_and_stderr_gets_some() -> None:
    program = "import sys; from pipeline.reports.terminal import open_missing_streams; open_missing_streams()"
    program += "; sys.exit(sys.stdout.isatty() or sys.stderr.isatty())"
    given = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", program]
    assert subprocess.run(given, env=clean_environment(), check=False).returncode == 0
