"""What a run of each job costs on Glue, from its measured throughput: `python -m tools.cloud_costs [--write]`.

    seconds = START + gigabytes * 1000 / (MB per second and core * cores of the executors * efficiency)
    dollars = workers * DPU of a worker * price of a DPU hour * seconds / 3600

One worker is the driver and reads nothing. Throughput comes from benchmarks/throughput.json, one figure per job:
`{"customer_orders": {"mb_per_second_per_core": 12.3, "measured": true}}`. A job without a measured figure takes the
assumption below and is marked in the table. `benchmarks.sizing` asks the other way round, from minutes to workers.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[1]
THROUGHPUT = ROOT / "benchmarks" / "throughput.json"
PAGE = ROOT / "docs" / "cloud.md"
BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"

# Public prices of eu-west-1, dollars a DPU hour, billed by the second.
STANDARD, FLEX = 0.44, 0.29
# What is billed before the first byte is read: as long as the minute that every run is billed at least.
START_SECONDS = 60.0
# What S3, the shuffle and uneven parts leave of many cores, where it was not measured.
EFFICIENCY = 0.7
ASSUMED_MB_PER_SECOND_PER_CORE = 5.0

WORKERS = {1: 2, 100: 10, 1000: 20}
DPU = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}
CORES_A_DPU = 4
JOBS = {
    "restaurants": "G.1X", "customer_orders": "G.1X", "race_stats": "G.1X", "carparks": "G.1X", "people": "G.1X",
    "explode_json": "G.2X", "split_columns": "G.1X",
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """One run: how long, with how many workers, and what it costs with standard and with Flex capacity."""

    seconds: float
    workers: int
    standard: float
    flex: float


def worker_rate(worker_type: str, mb_per_second_per_core: float, efficiency: float = EFFICIENCY) -> float:
    """MB per second that one executor reads."""
    return mb_per_second_per_core * efficiency * DPU[worker_type] * CORES_A_DPU


def cost(
    gigabytes: float,
    workers: int,
    worker_type: str,
    mb_per_second_per_core: float,
    efficiency: float = EFFICIENCY,
    start: float = 0.0,
) -> Cost:
    """The formula of this module's head; two workers at least. `start`: what a run takes besides, whatever its size."""
    rate = (workers - 1) * worker_rate(worker_type, mb_per_second_per_core, efficiency)
    seconds = START_SECONDS + start + gigabytes * 1000 / rate
    hours = seconds * workers * DPU[worker_type] / 3600
    return Cost(seconds, workers, hours * STANDARD, hours * FLEX)


def duration(seconds: float) -> str:
    """45 s, 12 min, 3.4 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def table(rates: Mapping[str, float]) -> str:
    """The table for docs/cloud.md, from the measured MB/s of one core by job."""
    head = " | ".join(f"{size} GB, {workers} workers" for size, workers in WORKERS.items())
    lines = [f"| job | workers | MB/s a core | {head} |", "|---|---|---:|" + "---:|" * len(WORKERS)]
    for job, worker_type in JOBS.items():
        rate = rates.get(job, ASSUMED_MB_PER_SECOND_PER_CORE)
        shown = f"{rate:.3g}" + ("" if job in rates else " (assumed)")
        cells = []
        for size, workers in WORKERS.items():
            one = cost(size, workers, worker_type, rate)
            cells.append(f"{duration(one.seconds)}, ${one.standard:.2f} (Flex ${one.flex:.2f})")
        lines.append(f"| {job} | {worker_type} | {shown} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measured_rates() -> dict[str, float]:
    """The measured MB/s of one core by job; empty when there are none yet."""
    if not THROUGHPUT.is_file():
        return {}
    kept = json.loads(THROUGHPUT.read_text(encoding="utf-8"))
    return {job: float(one["mb_per_second_per_core"]) for job, one in kept.items() if one.get("measured")}


def main() -> int:
    """Prints the table, or writes it into docs/cloud.md."""
    parser = argparse.ArgumentParser(description="What a run costs on Glue.", allow_abbrev=False)
    parser.add_argument("--write", action="store_true", help="put the table into docs/cloud.md")
    text = table(measured_rates())
    if not parser.parse_args().write:
        print(text)
        return 0
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
