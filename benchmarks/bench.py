"""The benchmark: scenarios that each run their contenders in turn on the same two cores and compare what they made.

    make bench                                   # every scenario at full size: some hours
    make bench ARGS="--table --write"            # those of the summary at the top of RESULTS.md, in 40 minutes
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
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    results,
    scenario_array,
    scenario_compose,
    scenario_cores,
    scenario_damaged,
    scenario_files,
    scenario_growth,
    scenario_samples,
    scenario_start,
    scenario_tables,
)
from benchmarks.harness import BusyError, Settings
from benchmarks.results import Section

SCENARIOS: dict[str, Callable[[Settings], Section]] = {
    "restaurants": scenario_tables.restaurants_section,
    "orders": scenario_tables.orders_section,
    "explode": scenario_tables.explode_section,
    "documents": scenario_tables.documents_section,
    "dlt": scenario_tables.dlt_section,
    "damaged": scenario_damaged.section,
    "samples": scenario_samples.section,
    "make-run": scenario_samples.environment_section,
    "array-embedded": scenario_array.embedded_section,
    "array": scenario_array.section,
    "small-files": scenario_files.section,
    "growth": scenario_growth.section,
    "skew": scenario_growth.skew_section,
    "start-up": scenario_start.section,
    "compose": scenario_compose.section,
    "cores": scenario_cores.section,
}
# The scenarios of the summary and the minutes that three rounds of each take: with --minutes each gets its share.
TABLE = {
    "restaurants": 7, "orders": 9, "explode": 5, "documents": 5, "dlt": 2, "samples": 6, "make-run": 3, "array-embedded": 4,
    "array": 8, "damaged": 2,
}  # fmt: skip
TABLE_MINUTES = 40.0
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
    "dlt_megabytes": "MB of pages for dlt",
    "heap": "heap of all that run on Spark in the summary's scenarios (the array: 1g)",
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
    parser.add_argument("--table", action="store_true", help="the scenarios of the summary, without the floor")
    parser.add_argument(
        "--minutes", type=float, help=f"fewer rounds when they would take longer; {TABLE_MINUTES:g} with --table"
    )
    parser.add_argument("--busy", action="store_true", help="measure although something else runs")
    parser.add_argument("--contenders", default=",".join(Settings.contenders), help="with commas; ours is always there")
    parser.add_argument("--work", type=Path, help="folder that keeps inputs and logs; default: one that is removed")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md and measured.json")
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    for name, words in HELP.items():
        kind = str if name == "heap" else float if "megabytes" in name or name == "timeout" else int
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=defaults[name], help=words)
    return parser


def until(name: str, names: list[str], ends: float | None) -> float | None:
    """When a scenario begins no further round: the time that is left is shared by what each takes."""
    if ends is None:
        return None
    now, left = time.monotonic(), names[names.index(name) :]
    return now + (ends - now) * TABLE.get(name, 5) / sum(TABLE.get(one, 5) for one in left)


def run(names: list[str], settings: Settings, write: bool, minutes: float | None = None) -> bool:
    """Runs the scenarios, prints and writes each as soon as it is done; returns whether all results were as expected.

    One that ended because the machine became busy is printed, written if everybody has run, and the last: BusyError.
    """
    good, ends = True, None if minutes is None else time.monotonic() + 60 * minutes
    for name in names:
        found = SCENARIOS[name](dataclasses.replace(settings, until=until(name, names, ends)))
        print("\n" + "\n".join(results.section_lines(found)), flush=True)
        good &= found.equal
        if write and (found.runs or not settings.stopped):
            results.write({name: found}, list(SCENARIOS))
        if settings.stopped:
            raise BusyError(f"{name}: {settings.stopped[0]}")
    return good


def main() -> int:
    """The command line; exit code 1 when results differ or a contender failed that had to work, 3 on a busy machine."""
    parser = options()
    chosen = parser.parse_args()
    names = list(TABLE) if chosen.table else [name for name in chosen.only.split(",") if name]
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    work = (chosen.work or Path(tempfile.mkdtemp(prefix="bench-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    given = {name: getattr(chosen, name) for name in HELP}
    contenders = tuple(one for one in chosen.contenders.split(",") if not (chosen.table and one == "floor"))
    settings = Settings(work=work, contenders=contenders, busy=chosen.busy, **given)
    minutes = chosen.minutes or (TABLE_MINUTES if chosen.table else None)
    try:
        return 0 if run(names, settings, chosen.write, minutes) else 1
    except BusyError as error:
        print(error, file=sys.stderr)
        return 3
    finally:
        if not chosen.work:
            shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
