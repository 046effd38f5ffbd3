"""A day appended to Iceberg tables against the same rows as Parquet files: `python -m benchmarks.iceberg --megabytes 200`.

Both are whole runs of explode_json over generated pages, in turn; the tables have three days before. CPU seconds are those
of the process and of all it started, and do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import generate_pages
from benchmarks.harness import ROOT

DAYS_BEFORE = 3


def run(source: Path, out: Path, *more: str) -> tuple[float, float]:
    """Seconds of CPU and of the clock that a run takes."""
    command = [sys.executable, "jobs/explode_json.py", "--source", str(source), "--root", "pages", "--quiet"]
    used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*command, "--destination", str(out), *more], check=True, cwd=ROOT)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return cpu, time.monotonic() - started


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        work = Path(folder)
        small, source = work / "small", work / "pages"
        generate_pages.generate(small, 1, 1, "lines")
        generate_pages.generate(source, asked.megabytes, 4, "lines")
        tables = ["--format", "iceberg", "--catalog", "bench", "--day"]
        for day in range(1, DAYS_BEFORE + 1):
            run(small, work / "tables", *tables, f"2026-01-{day:02d}")
        found: dict[str, list[tuple[float, float]]] = {"parquet": [], "iceberg": []}
        for number in range(asked.runs):
            found["parquet"].append(run(source, work / f"files-{number}", "--format", "parquet"))
            found["iceberg"].append(run(source, work / "tables", *tables, f"2026-02-{number + 1:02d}"))
    cpu, clock = [
        {name: statistics.median(one[at] for one in figures) for name, figures in found.items()} for at in (0, 1)
    ]
    print(f"{asked.megabytes:g} MB, median of {asked.runs}, {sys.platform}, Python {sys.version.split()[0]}")
    for name, one in (("CPU", cpu), ("clock", clock)):
        ratio = one["iceberg"] / one["parquet"]
        print(f"{name:6} parquet {one['parquet']:.1f} s, iceberg {one['iceberg']:.1f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
