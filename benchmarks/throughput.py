"""Megabytes a second and core of every job, for the cost table: `python -m benchmarks.throughput [--write]`.

Inputs are generated (the same bytes each time). Each job runs on two cores with a small input and one eight times as big;
the figure is what the additional megabytes took, so that what every run takes, whatever its size, is not in it.
`--write` records benchmarks/throughput.json, which `tools.cloud_costs` reads.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import generate_pages, harness
from benchmarks.harness import ROOT, environment
from benchmarks.sizing import line
from tools.cloud_costs import THROUGHPUT

CORES = 2


def _write(path: Path, lines: Iterator[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    return path


def pages(work: Path, scale: float) -> list[str]:
    """Search pages, one a line."""
    generate_pages.generate(work / "pages", 200 * scale, 4, "lines")
    return [str(work / "pages")]


def restaurants(work: Path, scale: float) -> list[str]:
    """The restaurants job on search pages."""
    source = pages(work, scale)[0]
    return ["--restaurants", source, "--country-codes", str(work / "country_codes.csv")]


def explode_json(work: Path, scale: float) -> list[str]:
    """Search pages exploded into Parquet tables."""
    return ["--source", pages(work, scale)[0], "--root", "pages", "--format", "parquet"]


def day(work: Path, scale: float) -> Path:
    """A day of customers, orders and items."""
    words = ["--destination", str(work), "--customers", str(int(400_000 * scale)), "--damaged", "0"]
    subprocess.run([sys.executable, "-m", "benchmarks.generate_orders", *words], check=True, cwd=ROOT)
    return work


def customer_orders(work: Path, scale: float) -> list[str]:
    """One message per customer."""
    return ["--source", str(day(work, scale))]


def split_columns(work: Path, scale: float) -> list[str]:
    """The items of that day, split."""
    found = next(day(work, scale).glob("items_*.csv"))
    for other in work.glob("[co]*_*.csv"):
        other.unlink()
    return ["--source", str(found), "--elastic", "item_name", "--types", "quantity=int,total_price=decimal(18,2)"]


def race_stats(work: Path, scale: float) -> list[str]:
    """Races of 75 years with twenty results each."""
    count = int(100_000 * scale)

    def races() -> Iterator[str]:
        yield "raceId,year,round,name,date,time\n"
        for n in range(count):
            yield f"{n},{1950 + n % 75},{n // 75},Grand Prix {n},{1950 + n % 75}-07-{n % 28 + 1:02},14:00:00\n"

    def results() -> Iterator[str]:
        yield "resultId,raceId,driverId,position,fastestLapTime\n"
        for n in range(20 * count):
            yield f"{n},{n // 20},{n % 997},{n % 20 + 1},1:{n % 60:02}.{n % 1000:03}\n"

    found = [_write(work / "races.csv", races()), _write(work / "results.csv", results())]
    return ["--races", str(found[0]), "--results", str(found[1])]


def carparks(work: Path, scale: float) -> list[str]:
    """Car parks with two lot types each, and their readings."""
    count = int(300_000 * scale)
    header = (ROOT / "data" / "carparks" / "information.csv").read_text(encoding="utf-8").splitlines()[0]

    def information() -> Iterator[str]:
        yield header + "\n"
        for n in range(count):
            yield f"C{n},BLK {n} STREET {n % 90},30314.7,31490.4,SURFACE CAR PARK,ELECTRONIC,WHOLE DAY,NO,YES,0,4.50,N\n"

    def answer() -> Iterator[str]:
        yield '{"items": [{"timestamp": "2024-05-04T09:00:00+08:00", "carpark_data": [\n'
        for n in range(count):
            lots = ", ".join(
                f'{{"lot_type": "{kind}", "total_lots": "60", "lots_available": "{n % 60}"}}' for kind in "CY"
            )
            yield f'{"," if n else ""}{{"carpark_number": "C{n}", "update_datetime": "2024-05-04T08:58:10", '
            yield f'"carpark_info": [{lots}]}}\n'
        yield "]}]}\n"

    found = [_write(work / "information.csv", information()), _write(work / "answer.json", answer())]
    return ["--information", str(found[0]), "--availability", str(found[1])]


def people(work: Path, scale: float) -> list[str]:
    """People with names of two to four words."""
    names = ["Ludwig van der Berg", "Maria de la Rosa", "King, Dr. Martin Luther, Jr.", "Jane Doe", "Li Wei"]

    def rows() -> Iterator[str]:
        yield "fullname,age,location\n"
        for n in range(int(1_000_000 * scale)):
            yield f'"{names[n % 5]}",{n % 100},Town {n}\n'

    return ["--people", str(_write(work / "people.csv", rows()))]


JOBS: tuple[Callable[[Path, float], list[str]], ...] = (
    restaurants, customer_orders, race_stats, carparks, people, explode_json, split_columns,
)  # fmt: skip


def measure(job: Callable[[Path, float], list[str]], scale: float) -> tuple[float, float]:
    """Megabytes of the input, and the seconds of one run without the start of the engine."""
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        work, out = Path(folder, "in"), Path(folder, "out")
        work.mkdir()
        arguments = job(work, scale)
        size = sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) / 1e6
        command = harness.job(job.__name__, *arguments, "--destination", str(out))
        subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = json.loads((out / "report.json").read_text(encoding="utf-8"))["seconds"]
        taken = sum(seconds.values()) - seconds["start the engine"]
        print(f"{job.__name__}: {size:.1f} MB, {taken:.1f} s", flush=True)
        return size, taken


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1: 20 to 240 MB a job")
    parser.add_argument("--only", default=",".join(job.__name__ for job in JOBS))
    parser.add_argument("--write", action="store_true", help="records benchmarks/throughput.json")
    chosen = parser.parse_args()
    found = json.loads(THROUGHPUT.read_text(encoding="utf-8")) if THROUGHPUT.is_file() else {}
    for job in JOBS:
        if job.__name__ in chosen.only.split(","):
            _, both = line(measure(job, chosen.scale / 8), measure(job, chosen.scale))
            found[job.__name__] = {"mb_per_second_per_core": round(both / CORES, 2), "measured": True}
    if chosen.write:
        THROUGHPUT.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
