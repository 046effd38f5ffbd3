"""A day appended to Iceberg tables against the same rows as Parquet files: `python -m benchmarks.iceberg --megabytes 200`.

Both are whole runs of explode_json over generated pages, in turn; the tables have three days before. CPU seconds and the
most memory are those of the process, and do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import generate_pages
from benchmarks.harness import ROOT

DAYS_BEFORE = 3


def run(source: Path, out: Path, *more: str) -> tuple[float, float, float]:
    """Seconds of CPU and of the clock that a run takes, and the most megabytes it holds."""
    command = [sys.executable, "jobs/explode_json.py", "--source", str(source), "--root", "pages", "--quiet"]
    started = time.monotonic()
    process = subprocess.Popen([*command, "--destination", str(out), *more], cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the run over {source} failed")
    return used.ru_utime + used.ru_stime, time.monotonic() - started, used.ru_maxrss / 1024


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--runs", type=int, default=3, help="of each kind, in turn")
    asked = parser.parse_args()
    (ROOT / "out").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        work = Path(folder)
        small, source = work / "small", work / "pages"
        generate_pages.generate(small, 1, 1, "lines")
        generate_pages.generate(source, asked.megabytes, 4, "lines")
        tables = ["--format", "iceberg", "--catalog", "bench", "--day"]
        for day in range(1, DAYS_BEFORE + 1):
            run(small, work / "tables", *tables, f"2026-01-{day:02d}")
        found: dict[str, list[tuple[float, float, float]]] = {"parquet": [], "iceberg": []}
        for number in range(asked.runs):
            found["parquet"].append(run(source, work / "files", "--format", "parquet"))
            shutil.rmtree(work / "files")
            found["iceberg"].append(run(source, work / "tables", *tables, f"2026-02-{number + 1:02d}"))
    cpu, clock, memory = [
        {name: statistics.median(one[at] for one in figures) for name, figures in found.items()} for at in (0, 1, 2)
    ]
    print(f"{asked.megabytes:g} MB, median of {asked.runs}, {sys.platform}, Python {sys.version.split()[0]}")
    for name, one in (("CPU", cpu), ("clock", clock)):
        ratio = one["iceberg"] / one["parquet"]
        print(f"{name:6} parquet {one['parquet']:.1f} s, iceberg {one['iceberg']:.1f} s, ratio {ratio:.2f}")
    print(f"memory parquet {memory['parquet']:.0f} MB, iceberg {memory['iceberg']:.0f} MB")


if __name__ == "__main__":
    main()
