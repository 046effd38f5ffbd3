"""Options of a job that splits packed columns: which they are, their pieces, lists, pairs, values with flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.job.options import comma_separated, named_values, separator, words
from pipeline.job.options.fields import option
from pipeline.job.tables.options import ICEBERG, TableOptions
from pipeline.readers.csv.typed import other_delimiter
from transforms.kernels.types import known_type
from transforms.nested import TablePlan
from transforms.packed import lock
from transforms.packed import plan as packed
from transforms.text import suggest

_NO_KEYS = ("array", "map", "double", "float")


@dataclass
class PackedOptions(TableOptions):
    """The options of such a job other than its input."""

    column: tuple[str, ...] = option(
        "packed column, or its header and the names of its pieces: 'Ticket=prefix number' (default: each column whose"
        " header holds the separator)", split=tuple, metavar="NAME[=PIECES]",
    )  # fmt: skip
    separator: str | None = option("what separates the pieces (default: a blank; | in lists, ; between pairs)")
    regex: bool = option("the separator is a regular expression", False)
    elastic: tuple[str, ...] = option("pieces, or unquoted columns, that may hold the separator", split=words)
    types: dict[str, str] = option("types of pieces and columns: 'b=int,c=decimal(18,2)'", split=named_values())
    list: dict[str, str] = option(
        "columns of lists: 'genres=rows', 'genres=array'", split=named_values("rows", "array")
    )
    pairs: dict[str, str] = option(
        "columns of key=value;flag: 'info=map', 'info=columns'", split=named_values("map", "columns")
    )
    list_separator: str = option("what separates the items of lists", "")
    pairs_separator: str = option("what separates key=value pairs", "")
    keys: tuple[str, ...] = option("the keys that --pairs NAME=columns makes columns of", split=words)
    flag: str = option("names for cells of a value and a flag: 'value flag'", "")
    shape: str = option(
        "cells of value and flag as rows or as columns (default: narrow if a header is 'keys\\name')", "",
        choices=("narrow", "wide"),
    )  # fmt: skip
    table: str = option("name of the table in the catalog", "rows", metavar="NAME")
    key: tuple[str, ...] = option("columns that tell rows apart, for --merge", split=comma_separated, metavar="COLUMN")
    merge: bool = option("rows replace those with the same --key in the table of Iceberg; the others stay", False)

    def check_header(self, header: Sequence[str], hint: str = "") -> None:
        """`UsageError` for what cannot be meant, with this header or at all."""
        if self.table != "rows" and self.format != ICEBERG:
            raise UsageError("--table goes with --format iceberg")
        if self.merge != bool(self.key) or (self.merge and self.format != ICEBERG):
            raise UsageError("--merge needs --key COLUMN and --format iceberg, and --key goes with --merge")
        plan, schema = self.plan(header, hint)
        chosen = self.column or self.separator
        if plan.packed and len(header) == 1 and not chosen and other_delimiter(header[0]):
            raise UsageError(f"the only column seems to be several{hint}; --column '{header[0]}' splits it as it is")
        types = {column.name: column.type for column in schema.tables[0].columns}
        if unknown := [f"{name}{suggest(name, types)}" for name in self.key if name not in types]:
            raise UsageError(f"--key: there is no column {', '.join(unknown)}")
        if odd := [f"{name} is {types[name]}" for name in self.key if types[name].startswith(_NO_KEYS)]:
            raise UsageError(f"--key: {', '.join(odd)}; such values cannot tell rows apart")

    @property
    def merges(self) -> bool:
        """As the option says."""
        return self.merge

    @property
    def makes_key_columns(self) -> bool:
        """Whether keys of pairs become columns."""
        return "columns" in self.pairs.values()

    def plan(self, header: Sequence[str], hint: str = "") -> tuple[packed.Plan, TablePlan]:
        """What becomes of the columns; `UsageError` where the options or a locked schema do not fit the header."""
        locked = self.locked(lock.ROWS)
        try:
            plan = packed.make_plan([*header], self.split_options(lock.held_types(locked)))
            return plan, lock.plan_with_lock(plan, locked, self.on_drift)
        except ValueError as error:
            raise UsageError(f"{error}{hint}") from error

    def split_options(self, held: dict[str, str]) -> packed.SplitOptions:
        """The options as the transform takes them; `UsageError` for what cannot be meant."""
        if len(self.flag.split()) > 2:
            raise UsageError("--flag takes the name of the value and the name of the flag: 'value flag'")
        if self.makes_key_columns and not self.keys:
            raise UsageError("--pairs NAME=columns needs --keys: the keys that become columns")
        for name, kind in self.types.items():
            try:
                known_type(kind)
            except ValueError as error:
                raise UsageError(f"--types {name}={kind}: {error}") from None
        own = self.separator if self.regex or self.separator is None else separator(self.separator)
        return packed.SplitOptions(
            columns=self.column, separator=own, regex=self.regex, delimiter=self.delimiter, quote=self.quote,
            greedy=self.elastic, types=self.types, lists=self.list, pairs=self.pairs, keys=self.keys,
            flag=tuple(self.flag.split()), shape=self.shape, list_separator=self.list_separator,
            pairs_separator=self.pairs_separator, held=held, marks=(self.decimal, self.thousands),
        )  # fmt: skip
