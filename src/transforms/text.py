"""Names of columns: for an engine, and as the header of a CSV file."""

from __future__ import annotations

import difflib
import functools
import itertools
from collections.abc import Iterable, Sequence

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


def suggest(name: str, names: Iterable[str]) -> str:
    """`; near: a, b`: the names that are written most like this one, in any case; empty without any.

    >>> suggest("E-Mail", ["id", "email"])
    '; near: email'
    """
    return _suggest(name, tuple(itertools.islice(names, MOST_NAMES)))


@functools.lru_cache(256)  # many records lack the same key
def _suggest(name: str, names: tuple[str, ...]) -> str:
    by_case = {one.casefold(): one for one in reversed(names)}
    near = difflib.get_close_matches(name.casefold(), by_case, n=3)
    return f"; near: {', '.join(by_case[one] for one in near)}" if near else ""
