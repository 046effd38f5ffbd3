"""Workers, minutes and cost of a job on Glue, from what a run takes whatever its size and the MB/s of one core.

python -m benchmarks.sizing --gb 500 --job customer_orders [--minutes 30] [--worker-type G.1X]

Formula and prices are those of tools/cloud_costs.py, which answers the other question: what a run costs.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import results
from tools import cloud_costs as costs

WORKER_TYPES = ("G.1X", "G.2X")
LEAST_WORKERS, MOST_WORKERS = 2, 200


@dataclass(frozen=True)
class Measured:
    """MB of input a second on one core, how much of every further core is left (1: all of it), the seconds that a run takes
    whatever its size (0: not measured), and where that is from.
    """

    mb_per_second_per_core: float
    efficiency: float
    start_seconds: float = 0.0
    origin: str = "measured with one core and with two, on two sizes each (benchmarks/RESULTS.md)"


def line(small: tuple[float, float], big: tuple[float, float]) -> tuple[float, float]:
    """Seconds that a run takes whatever its size, and MB a second of the rest, from MB and seconds of two runs.

    >>> line((125, 30), (500, 60))
    (20.0, 12.5)
    """
    rate = (big[0] - small[0]) / max(big[1] - small[1], 0.1)
    return max(0.0, small[1] - small[0] / rate), rate


@dataclass(frozen=True)
class Plan:
    """One way to run a job: its workers (one of them the driver), minutes and dollars."""

    worker_type: str
    workers: int
    minutes: float
    dollars: float


def plan(gigabytes: float, measured: Measured, worker_type: str, workers: int) -> Plan:
    """What a run with so many workers takes; one worker is the driver and reads nothing."""
    rate, efficiency = measured.mb_per_second_per_core, measured.efficiency
    found = costs.cost(gigabytes, workers, worker_type, rate, efficiency, measured.start_seconds)
    return Plan(worker_type, workers, found.seconds / 60, found.standard)


def workers_for(gigabytes: float, measured: Measured, worker_type: str, minutes: float) -> int:
    """The fewest workers that are done in the given minutes, start-up included; the most there may be when none are."""
    left = minutes * 60 - costs.START_SECONDS - measured.start_seconds
    if left <= 0:
        return MOST_WORKERS
    a_worker = costs.worker_rate(worker_type, measured.mb_per_second_per_core, measured.efficiency)
    needed = math.ceil(round(gigabytes * 1000 / (a_worker * left), 9)) + 1
    return min(max(needed, LEAST_WORKERS), MOST_WORKERS)


def measured_jobs(sections: Mapping[str, results.Section], rates: Mapping[str, float]) -> dict[str, Measured]:
    """The recorded figures of jobs: of the scenario `cores`, else `rates` with the least efficiency found there."""
    found = {
        job: Measured(kept["mb_per_second_per_core"], kept["efficiency"], kept["start_seconds"])
        for section in sections.values()
        for job, kept in section.figures.items()
        if {"mb_per_second_per_core", "efficiency", "start_seconds"} <= set(kept)
    }
    least = min((one.efficiency for one in found.values()), default=costs.EFFICIENCY)
    origin = f"measured with two cores, start-up left out ({costs.THROUGHPUT.name}); efficiency is " + (
        "the least of the jobs in RESULTS.md" if found else "assumed"
    )
    return {**{job: Measured(rate, least, origin=origin) for job, rate in rates.items()}, **found}


def advice(gigabytes: float, job: str, measured: Measured, worker_type: str, minutes: float) -> list[str]:
    """What is printed: the advice, other ways, the assumptions."""
    advised = workers_for(gigabytes, measured, worker_type, minutes)
    best = plan(gigabytes, measured, worker_type, advised)
    late = (
        "" if best.minutes <= minutes + 1e-9 else f" (not in {minutes:g} minutes: {MOST_WORKERS} workers are the most)"
    )
    lines = [
        f"{job}, {gigabytes:g} GB: {advised} workers {worker_type}, {best.minutes:.0f} minutes, {best.dollars:.2f} USD{late}",
        "",
        f"{'type':6} {'workers':>7} {'minutes':>8} {'USD':>8}",
    ]
    for kind in WORKER_TYPES:
        for share in (0.5, 1, 2):
            other = plan(gigabytes, measured, kind, min(max(round(advised * share), LEAST_WORKERS), MOST_WORKERS))
            lines.append(f"{kind:6} {other.workers:7d} {other.minutes:8.1f} {other.dollars:8.2f}")
    return [*lines, "", "Assumptions:", *(f"- {one}" for one in assumptions(measured))]


def assumptions(measured: Measured) -> list[str]:
    """What the figures assume."""
    kinds = ", ".join(f"{kind} is {costs.DPU[kind]} DPU" for kind in WORKER_TYPES)
    start = f" and {measured.start_seconds:.0f} s that a run takes whatever its size" if measured.start_seconds else ""
    return [
        f"{measured.mb_per_second_per_core:.1f} MB/s of input on one core: {measured.origin}",
        f"{measured.efficiency * 100:.0f} % of it on each of many cores: as from one core to two, and no worse with more",
        "a vCPU of Glue is as fast as a core of the machine that was measured; S3 delivers as fast as the cores read",
        f"{kinds}; a DPU has {costs.CORES_A_DPU} vCPU; one worker is the driver and reads nothing",
        f"{costs.START_SECONDS:.0f} s before the job starts{start}; {costs.STANDARD} USD a DPU hour, by the second,"
        " a minute at least",
        "workers of a run stay the same from start to end; the input is in files or parts that spread over the cores",
    ]


def main() -> int:
    """The command line; exit code 2 for a job that was not measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--gb", type=float, required=True, help="size of the input, 10^9 bytes")
    parser.add_argument("--job", required=True)
    parser.add_argument("--minutes", type=float, default=30, help="to be done in (default: 30)")
    parser.add_argument("--worker-type", choices=WORKER_TYPES, default="G.1X")
    chosen = parser.parse_args()
    if chosen.gb <= 0 or chosen.minutes <= 0:
        parser.error("--gb and --minutes are above 0")
    known = measured_jobs(results.read(), costs.measured_rates())
    if chosen.job not in known:
        there = ", ".join(sorted(known)) or "none; run the benchmark with --only cores --write"
        print(f"no measured MB/s for {chosen.job}; measured: {there}", file=sys.stderr)
        return 2
    print("\n".join(advice(chosen.gb, chosen.job, known[chosen.job], chosen.worker_type, chosen.minutes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
