"""Names of columns: for an engine, and as the header of a CSV file."""

from __future__ import annotations

import difflib
import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the list of jobs needs near names, and no engine
    from pyspark.sql import DataFrame

# So many names are compared with a mistyped one.
MOST_NAMES = 5000


def quoted(name: str) -> str:
    """A column name as Spark takes it, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def own_columns(frame: DataFrame) -> list[str]:
    """The columns that are data: the others, such as `_error`, begin with `_`."""
    return [name for name in frame.columns if not name.startswith("_")]


def csv_header(names: Sequence[str]) -> str:
    """The header line, quoted by the same rule as the values, with its line end."""
    fields = ['"' + name.replace('"', '""') + '"' if any(c in name for c in '",\r\n') else name for name in names]
    return ",".join(fields) + "\n"


def listed(names: Sequence[str], most: int = 30) -> str:
    """Names for a message: the first ones, long ones cut.

    >>> listed(["id", "name", "size"], 2)
    'id, name and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name if len(name) <= 60 else f"{name[:60]}..." for name in names[:most]) + more


def suggest(name: str, names: Iterable[str]) -> str:
    """`; near: a, b`: the names that are written most like this one, in any case; empty without any.

    >>> suggest("E-Mail", ["id", "email"])
    '; near: email'
    """
    found = near_names(name, names)
    return f"; near: {', '.join(found)}" if found else ""


def near_names(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that are written most like this one, in any case, the nearest first.

    >>> near_names("Prise", ["id", "price", "size"], 1)
    ['price']
    """
    return _near(name.casefold(), tuple(itertools.islice(names, MOST_NAMES)))[:most]


@functools.lru_cache(256)  # many records lack the same key
def _near(name: str, names: tuple[str, ...]) -> list[str]:
    by_case = {one.casefold(): one for one in reversed(names)}
    return [by_case[one] for one in difflib.get_close_matches(name, by_case, n=3)]
