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


def on_small_disk(size: str, disk: Path, run: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a command with a disk of this size mounted at `disk`, and copies its report.json next to it."""
    script = f"mount -t tmpfs -o size={size} tmpfs {disk} && {{ {shlex.join(run)}; code=$?; }}"
    script += f"; cp {disk}/report.json {disk}.json; exit $code"
    return subprocess.run([*NAMESPACE, script], capture_output=True, text=True, env=clean_environment(), check=False)


@pytest.mark.each_engine
def test_a_full_disk_is_one_line_exit_code_1_and_in_the_report(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    probe = subprocess.run([*NAMESPACE, f"mount -t tmpfs tmpfs {disk}"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("mount namespaces are switched off here")
    source = tmp_path / "in.csv"
    source.write_text("id,name size\n" + "".join(f"{number},pen{number} {number}\n" for number in range(20_000)))
    given = ("--source", source, "--destination", disk, "--run-id", "r1", "--quiet")
    done = on_small_disk("256k", disk, command("split_columns", given))
    assert done.returncode == 1, done.stdout + done.stderr
    [line] = own_lines(done.stdout + done.stderr)
    assert line.startswith(f"split_columns: {disk}/_runs/r1/staged/rows.csv/part-00000-")
    assert line.endswith(".txt: cannot be written: No space left on device")
    report = json.loads((tmp_path / "disk.json").read_text())
    assert (report["status"], report["exit_code"]) == ("failed", 1)
    assert f"split_columns: {report['message']}" == line
