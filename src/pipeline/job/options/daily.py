"""Options of a job whose inputs come as a set of files per day, given one by one or as a folder of daily drops."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.errors import UsageError
from pipeline.job.options import JobOptions, csv_input, option
from pipeline.readers.daily_files import day_of, pick_day


def daily_input(help: str, *, columns: Sequence[str] = ()) -> Any:
    """As `csv_input`, for an input that can also come from the folder of daily drops."""
    return csv_input(help, required=False, columns=columns)


@dataclass
class DailyOptions(JobOptions):
    """The options of these jobs other than their inputs."""

    source: str | None = option("folder of daily drops, instead of the inputs", metavar="DIR")
    date: str | None = option(
        "the day: which files of --source (default: the newest complete day), and part of message ids",
        metavar="YYYYMMDD",
    )


Options = TypeVar("Options", bound=DailyOptions)


def with_daily_files(options: Options, *names: str, day_needed_by: str = "") -> Options:
    """The options with the files of the day as the named inputs, and the day as `date`.

    In: `source`, a folder of files named after input and day, or the inputs themselves. The day is `date`, else the
    newest complete one of the folder, else what the files' names say. `UsageError` when both or neither are given, and
    when there is no day although the option `day_needed_by` is given.
    """
    inputs = {name: getattr(options, name) for name in names}
    given, missing = [n for n, one in inputs.items() if one], [f"--{n}" for n, one in inputs.items() if not one]
    if options.source and given:
        raise UsageError(f"--source and --{given[0]} exclude each other")
    if options.source:
        day, files, notes = pick_day(options.source, names, options.date)
        found: dict[str, Any] = {name: dataclasses.replace(one, paths=(files[name],)) for name, one in inputs.items()}
        return dataclasses.replace(options, **found, date=day, notes=notes)
    if missing:
        raise UsageError(f"{', '.join(missing)} is missing: give all inputs, or --source DIR")
    date = options.date or day_of([path for one in inputs.values() for path in one.paths])
    if day_needed_by and getattr(options, day_needed_by) and not date:
        flag = day_needed_by.replace("_", "-")
        raise UsageError(f"--{flag} needs the day: --date YYYYMMDD, or files named like {names[0]}_20220130.csv")
    return dataclasses.replace(options, date=date)
