"""The benchmark: scenarios that each run their contenders in turn on the same two cores and compare what they made.

    make bench                                   # every scenario at full size: some hours
    make bench ARGS="--only restaurants,orders --megabytes 200 --customers 200000 --write"

Inputs are generated, the same bytes each time, and kept in --work. `--write` puts the results into benchmarks/
(measured.json and RESULTS.md); sections of scenarios that were not run stay as they are.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    results,
    scenario_array,
    scenario_compose,
    scenario_cores,
    scenario_files,
    scenario_growth,
    scenario_start,
    scenario_tables,
)
from benchmarks.harness import Settings
from benchmarks.results import Section

SCENARIOS: dict[str, Callable[[Settings], Section]] = {
    "restaurants": scenario_tables.restaurants_section,
    "orders": scenario_tables.orders_section,
    "explode": scenario_tables.explode_section,
    "array": scenario_array.section,
    "small-files": scenario_files.section,
    "growth": scenario_growth.section,
    "skew": scenario_growth.skew_section,
    "start-up": scenario_start.section,
    "compose": scenario_compose.section,
    "cores": scenario_cores.section,
}
HELP = {
    "runs": "alternating runs of each contender",
    "megabytes": "MB of pages",
    "customers": "customers of a day",
    "array_megabytes": "MB of the one array",
    "small_files": "files on disk",
    "objects": "objects on S3",
    "growth_megabytes": "MB of pages of the smallest size",
    "growth_customers": "customers of the smallest size",
    "skew_restaurants": "restaurants in one page",
    "compose_megabytes": "MB of lines to compose",
    "timeout": "seconds after which a run is ended",
}


def options() -> argparse.ArgumentParser:
    """The command line's options: one for each setting."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--only", default=",".join(SCENARIOS), help="scenarios, with commas")
    parser.add_argument("--contenders", default=",".join(Settings.contenders), help="with commas; ours is always there")
    parser.add_argument("--work", type=Path, help="folder that keeps inputs and logs; default: one that is removed")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md and measured.json")
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    for name, words in HELP.items():
        kind = float if "megabytes" in name or name == "timeout" else int
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=defaults[name], help=words)
    return parser


def run(names: list[str], settings: Settings, write: bool) -> bool:
    """Runs the scenarios, prints and writes each as soon as it is done; returns whether all results were as expected."""
    good = True
    for name in names:
        found = SCENARIOS[name](settings)
        print("\n" + "\n".join(results.section_lines(found)), flush=True)
        good &= found.equal
        if write:
            results.write({name: found}, list(SCENARIOS))
    return good


def main() -> int:
    """The command line; exit code 1 when results differ or a contender failed that had to work."""
    parser = options()
    chosen = parser.parse_args()
    names = [name for name in chosen.only.split(",") if name]
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    work = (chosen.work or Path(tempfile.mkdtemp(prefix="bench-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    given = {name: getattr(chosen, name) for name in HELP}
    settings = Settings(work=work, contenders=tuple(chosen.contenders.split(",")), **given)
    try:
        return 0 if run(names, settings, chosen.write) else 1
    finally:
        if not chosen.work:
            shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
