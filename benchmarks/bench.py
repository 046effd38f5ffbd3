"""The benchmark: each contender does the same work on the same two cores, in turn, and all results are compared.

    make bench                               # 500 MB of pages, 1,000,000 customers, three alternating runs
    python -m benchmarks.bench --megabytes 200 --customers 200000 --only restaurants,orders

Prints a table of medians and writes it to benchmarks/RESULTS.md (`--write`). Inputs are generated, the same bytes each time.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import generate_orders, generate_pages, measure, orders, restaurants

ROOT = Path(__file__).resolve().parents[1]
SUBMIT = ["spark-submit", "--master", "local[2]", "--driver-memory", "4g", "--conf", "spark.ui.enabled=false"]
CONTENDERS = ("ours", "floor", "plain", "pandas", "duckdb", "polars")


@dataclass
class Scenario:
    """One piece of work: its input, a command for each contender, and how results are compared (None: nothing to compare)."""

    name: str
    size: int
    commands: dict[str, list[str]]
    outputs: Callable[[Path], Any]
    out: Path
    silent: tuple[str, ...] = ("floor",)
    runs: dict[str, list[measure.Measured]] = field(default_factory=dict)
    equal: dict[str, bool] = field(default_factory=dict)


def environment() -> dict[str, str]:
    """This environment, its programs first on PATH, two threads for engines that take more."""
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "POLARS_MAX_THREADS": "2"}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}


def contender(module: str, name: str, *arguments: str) -> list[str]:
    """The command of a contender; the ones that use Spark are submitted as our job is."""
    file = str(ROOT / "benchmarks" / f"{module}.py")
    if name in ("floor", "plain"):
        return [*SUBMIT, file, name, *arguments]
    return [sys.executable, "-m", f"benchmarks.{module}", name, *arguments]


def pages_scenario(work: Path, megabytes: float, names: Sequence[str]) -> Scenario:
    """Restaurants, all outputs. Floor and job read a page a line, the others the same pages as arrays."""
    for form in ("lines", "array"):
        if not (work / form).exists():
            generate_pages.generate(work / form, megabytes, 8, form)
    codes, out = work / "country_codes.csv", work / "out"
    job = ["--restaurants", str(work / "lines"), "--country-codes", str(codes), "--destination", str(out / "ours")]
    commands = {"ours": [*SUBMIT, str(ROOT / "jobs" / "restaurants.py"), *job, "--quiet"]}
    for name in names:
        if name != "ours":
            source = work / ("lines" if name == "floor" else "array")
            arguments = ("--pages", str(source), "--codes", str(codes), "--out", str(out / name))
            commands[name] = contender("restaurants", name, *arguments)
    size = sum(p.stat().st_size for p in (work / "lines").iterdir())
    return Scenario("restaurants", size, commands, restaurants.outputs, out)


def orders_scenario(work: Path, customers: int, names: Sequence[str]) -> Scenario:
    """Customer orders, messages written in order."""
    day, out = work / "day", work / "out_orders"
    if not day.exists():
        words = ["--destination", str(day), "--customers", str(customers), "--damaged", "0"]
        subprocess.run([sys.executable, "-m", generate_orders.__name__, *words], check=True, cwd=ROOT)
    job = ["--source", str(day), "--destination", str(out / "ours"), "--quiet"]
    commands = {"ours": [*SUBMIT, str(ROOT / "jobs" / "customer_orders.py"), *job]}
    for name in names:
        if name != "ours":
            commands[name] = contender("orders", name, "--day", str(day), "--out", str(out / name))
    size = sum(p.stat().st_size for p in day.glob("*.csv"))
    return Scenario("customer_orders", size, commands, orders.outputs, out)


def run(scenario: Scenario, times: int) -> None:
    """Runs all contenders in turn, `times` over, and compares what they made with the first one's result."""
    for turn in range(times):
        for name, command in scenario.commands.items():
            shutil.rmtree(scenario.out / name, ignore_errors=True)
            log = str(scenario.out.parent / f"{scenario.name}-{name}.log")
            measured = measure.run(command, environment(), log)
            scenario.runs.setdefault(name, []).append(measured)
            print(
                f"{scenario.name} {turn + 1}/{times} {name}: {measured.seconds:.1f} s, {measured.megabytes:.0f} MB",
                flush=True,
            )
            if measured.exit_code:
                print(f"  exit code {measured.exit_code}, see {log}", flush=True)
    reference: Any = None
    for name in scenario.commands:
        if name not in scenario.silent and not any(m.exit_code for m in scenario.runs[name]):
            found = scenario.outputs(scenario.out / name)
            reference = found if reference is None else reference
            scenario.equal[name] = found == reference


def rows(scenario: Scenario) -> list[list[str]]:
    """The table's rows: medians and ratios to our job and to the floor."""
    medians = {name: statistics.median(m.seconds for m in runs) for name, runs in scenario.runs.items()}
    found = []
    for name, runs in scenario.runs.items():
        failed = any(m.exit_code for m in runs)
        seconds = medians[name]
        ratio = seconds / medians["ours"]
        floor = f"{seconds / medians['floor']:.2f}" if "floor" in medians else ""
        spread = f"{min(m.seconds for m in runs):.1f}-{max(m.seconds for m in runs):.1f}"
        memory = statistics.median(m.megabytes for m in runs)
        result = "failed" if failed else {True: "equal", False: "differs"}.get(scenario.equal.get(name, None), "")  # type: ignore[arg-type]
        speed = scenario.size / 1e6 / seconds
        found.append(
            [
                scenario.name,
                name,
                f"{seconds:.1f}",
                spread,
                f"{speed:.0f}",
                f"{memory:.0f}",
                f"{ratio:.2f}",
                floor,
                result,
            ]
        )
    return found


HEADERS = ["work", "contender", "seconds", "min-max", "MB/s", "peak MB", "to ours", "to floor", "result"]


def versions() -> str:
    """What was compared, on what."""
    import importlib.metadata as metadata

    names = ("pyspark", "pandas", "duckdb", "polars", "pyarrow")
    found = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return f"{found}; Python {platform.python_version()}; {os.cpu_count()} cores, {platform.machine()}"


def markdown(table: list[list[str]], note: str) -> str:
    """The results page."""
    lines = [
        "# Results of the last benchmark",
        "",
        note,
        "",
        "| " + " | ".join(HEADERS) + " |",
        "|" + "---|" * len(HEADERS),
    ]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table)]) + "\n"


def main() -> int:
    """The command line; exit code 1 when results differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="restaurants,orders")
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--work", type=Path, help="keeps inputs and outputs here")
    parser.add_argument("--write", action="store_true", help="writes benchmarks/RESULTS.md")
    chosen = parser.parse_args()
    work = chosen.work or Path(tempfile.mkdtemp(prefix="bench-"))
    work.mkdir(parents=True, exist_ok=True)
    names = chosen.contenders.split(",")
    scenarios = []
    if "restaurants" in chosen.only:
        scenarios.append(pages_scenario(work, chosen.megabytes, names))
    if "orders" in chosen.only:
        scenarios.append(orders_scenario(work, chosen.customers, names))
    table = []
    for scenario in scenarios:
        run(scenario, chosen.runs)
        table += rows(scenario)
    for row in [HEADERS, *table]:
        print("  ".join(f"{cell:>14}" for cell in row))
    if chosen.write:
        note = f"Medians of {chosen.runs} alternating runs. {versions()}."
        (ROOT / "benchmarks" / "RESULTS.md").write_text(markdown(table, note), encoding="utf-8")
    if not chosen.work:
        shutil.rmtree(work)
    return int(any(not equal for scenario in scenarios for equal in scenario.equal.values()))


if __name__ == "__main__":
    sys.exit(main())
