"""A disk that is full ends a run with one line that says so, exit code 1, and a report."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.jobs import clean_environment, command, own_lines

# In a mount namespace of its own a process may mount a small disk, which goes with it; no rights are needed.
NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-c")


def on_small_disk(disk: Path, run: list[str]) -> tuple[subprocess.CompletedProcess[str], str]:
    """Runs a command with a disk of 256 KiB mounted at `disk`, and copies its report.json next to it; what it lacked.

    Where namespaces are switched off no file may become longer than that: the next best that the kernel refuses.
    """
    if _runs([*NAMESPACE, f"mount -t tmpfs tmpfs {disk}"]).returncode == 0:
        before, shell, lack = f"mount -t tmpfs -o size=256k tmpfs {disk}", NAMESPACE, "No space left on device"
    else:
        before, shell, lack = "ulimit -f 512", ("sh", "-c"), "File too large"  # blocks of 512 bytes
    script = f"{before} && {{ {shlex.join(run)}; code=$?; }}; cp {disk}/report.json {disk}.json; exit $code"
    return _runs([*shell, script]), lack


def _runs(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
    except FileNotFoundError as error:  # unshare is a program of Linux
        return subprocess.CompletedProcess(command, 127, "", str(error))


@pytest.mark.each_engine
def test_a_full_disk_is_one_line_exit_code_1_and_in_the_report(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    source = tmp_path / "in.csv"
    source.write_text("id,name size\n" + "".join(f"{number},{'x' * 200} {number}\n" for number in range(2000)))
    given = ("--source", source, "--destination", disk, "--run-id", "r1", "--quiet")
    done, lack = on_small_disk(disk, command("split_columns", given))
    assert done.returncode == 1, done.stdout + done.stderr
    [line] = own_lines(done.stdout + done.stderr)
    assert line.startswith(f"split_columns: {disk}/_runs/r1/staged/rows.csv/part-00000-")
    assert line.endswith(f".txt: cannot be written: {lack}")
    report = json.loads((tmp_path / "disk.json").read_text())
    assert (report["status"], report["exit_code"]) == ("failed", 1)
    assert f"split_columns: {report['message']}" == line
