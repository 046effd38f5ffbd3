"""The terminal behind a process whose own streams are pipes, as those of a job under spark-submit are."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

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
    assert os.read(here, 100).split() == [b"before", b"True"]
    os.close(here)
    os.close(there)
