"""Daily drops in one folder: files named after what they hold and their day, customers_20220130.csv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline import storage
from pipeline.errors import InputError, UsageError

_NAME = re.compile(r"(.+)_(\d{8})\.csv(?i:\.(?:gz|zst|bz2))?")


def day_of(paths: Sequence[str]) -> str | None:
    """The one day in the files' names; None when they have none, or several."""
    days = {match[2] for path in paths if (match := _NAME.fullmatch(PurePosixPath(path).name))}
    return days.pop() if len(days) == 1 else None


def pick_day(folder: str, names: Sequence[str], day: str | None) -> tuple[str, dict[str, str], list[str]]:
    """A day with a file for each name: (day, name -> path, notes for the report).

    Without `day` the newest complete one. Raises `InputError` naming the files that are missing, `UsageError` for
    something that is not a day.
    """
    if day and not re.fullmatch(r"\d{8}", day):
        raise UsageError(f"--date {day}: expected YYYYMMDD")
    found: dict[str, dict[str, str]] = {}
    for info in storage.list_files(folder):
        match = _NAME.fullmatch(PurePosixPath(info.path).name)
        if match and match[1] in names:
            found.setdefault(match[2], {})[match[1]] = info.path
    if day is None:
        complete = [known for known, files in sorted(found.items()) if len(files) == len(names)]
        if not complete:
            hint = _incomplete(found, names) or f"nothing named like {names[0]}_20220130.csv"
            raise InputError(f"{folder}: no complete day; {hint}")
        newer = {known: files for known, files in found.items() if known > complete[-1]}
        notes = [f"day {complete[-1]}: the newest complete day in {folder}"]
        return (
            complete[-1],
            found[complete[-1]],
            notes + ([f"newer but not complete: {_incomplete(newer, names)}"] if newer else []),
        )
    files = found.get(day, {})
    if len(files) < len(names):
        others = f"; complete days: {', '.join(d for d, f in sorted(found.items()) if len(f) == len(names)) or 'none'}"
        raise InputError(f"{folder}: missing {_missing(day, files, names)}{others}")
    return day, files, []


def _missing(day: str, files: dict[str, str], names: Sequence[str]) -> str:
    return ", ".join(f"{name}_{day}.csv" for name in names if name not in files)


def _incomplete(found: dict[str, dict[str, str]], names: Sequence[str]) -> str:
    return "; ".join(
        f"{day} lacks {_missing(day, files, names)}" for day, files in sorted(found.items(), reverse=True)[:3]
    )
