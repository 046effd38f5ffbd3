"""What becomes of each column of a file with packed columns, decided by its header and by what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from transforms.packed.lists import list_to_array, list_to_rows, map_to_columns, pairs_to_map
from transforms.packed.model import Packed
from transforms.packed.splitting import packed_column, split
from transforms.packed.tables import header_parts, narrow, split_cells, wide
from transforms.packed.types import spark_type


@dataclass(frozen=True)
class SplitOptions:
    """What was asked for.

    `columns`: headers of packed columns (none: every header that holds the separator). `lists`: column -> rows or
    array. `pairs`: column -> map or columns, of the `keys`. `flag`: the names of value and flag in cells under
    the other headers. `shape`: narrow, wide, or empty for what the header says.
    """

    columns: tuple[str, ...] = ()
    separator: str | None = None
    regex: bool = False
    delimiter: str = ","
    greedy: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    shape: str = ""
    list_separator: str = ""
    pairs_separator: str = ""


@dataclass(frozen=True)
class Plan:
    """What becomes of each column: `packed` by header; `cells` of value and flag, whose headers are values of `across`.

    `row` is set when whole rows are packed, because values were not quoted.
    """

    header: list[str]
    options: SplitOptions
    packed: dict[str, Packed]
    across: str | None = None
    cells: tuple[str, ...] = ()
    row: Packed | None = None


def _packed_headers(header: list[str], options: SplitOptions, separator: str) -> list[str]:
    if not options.columns:
        special = {*options.lists, *options.pairs}
        cut = separator if options.regex else re.escape(separator)
        return [name for name in header if re.search(cut, name) and name not in special]
    # A header may hold commas itself: the whole text is looked for first.
    named = [name for text in options.columns for name in ([text] if text in header else text.split(","))]
    return [name.strip() for name in named]


def make_plan(header: list[str], options: SplitOptions) -> Plan:
    """The plan for a header. Raises ValueError for a column that is missing, and when there is nothing to split.

    >>> plan = make_plan(["id", "name size"], SplitOptions(types={"size": "int"}))
    >>> plan.packed["name size"].fields
    (Field(name='name', type='string'), Field(name='size', type='int'))
    """
    separator = options.separator or " "
    named = _packed_headers(header, options, separator)
    packed: dict[str, Packed] = {}
    across = None
    _check_names(named, header)
    for name in named:
        keys, key_name = header_parts(name)
        across = key_name or across
        packed[name] = packed_column(
            keys, separator=separator, regex=options.regex, greedy=options.greedy, types=options.types
        )
    known = [*header, *(piece for column in packed.values() for piece in column.names)]
    _check_names([*options.lists, *options.pairs, *options.greedy], known)
    row = None
    if set(options.greedy) & set(header):
        row = packed_column(
            options.delimiter.join(header), separator=options.delimiter, greedy=options.greedy, quote='"'
        )
    taken = {*named, *options.lists, *options.pairs, *options.types}
    cells = tuple(name for name in header if name not in taken) if across or options.flag else ()
    if not (named or options.lists or options.pairs or cells or row):
        raise ValueError(f"nothing to split: no header holds '{separator}'; have {', '.join(header)}")
    return Plan(header, options, packed, across, cells, row)


def _check_names(names: list[str], known: list[str]) -> None:
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"missing column {', '.join(missing)}; have {', '.join(known)}")


def split_all(frame: DataFrame, plan: Plan) -> DataFrame:
    """Everything that leaves one row per row: pieces, arrays, maps, values and flags. Grain: unchanged.

    In: a tagged frame with the columns of the plan's header as text. Out: the columns in their order, each replaced by
    what it holds; rows that do not fit are rejected in `_error`.
    """
    options = plan.options
    # Without a packed column the separator is that of the lists and pairs.
    own = "" if plan.packed else options.separator or ""
    for name, packed in plan.packed.items():
        frame = split(frame.withColumnRenamed(name, packed.column), packed)
    for name in options.lists:
        frame = list_to_array(frame, name, options.list_separator or own or "|")
    for name, shape in options.pairs.items():
        separator = options.pairs_separator or own or ";"
        frame = pairs_to_map(frame, name, separator)
        if shape == "columns":
            keys = {key: options.types.get(key, "string") for key in options.keys}
            frame = map_to_columns(frame, name, keys, separator)
    if plan.cells:
        names = options.flag or ("value",)
        frame = split_cells(frame, plan.cells, names, value_type=options.types.get(names[0], "double"))
    return frame


def unfold(frame: DataFrame, plan: Plan) -> DataFrame:
    """What makes several rows or columns of one: lists to rows, cells of value and flag narrow or wide."""
    if plan.cells:
        shape = plan.options.shape or ("narrow" if plan.across else "wide")
        across = plan.across or "column"
        frame = narrow(frame, plan.cells, across) if shape == "narrow" else wide(frame, plan.cells)
    for name, shape in plan.options.lists.items():
        if shape == "rows":
            frame = list_to_rows(frame, name)
    return frame


def split_rows(lines: DataFrame, row: Packed) -> DataFrame:
    """Whole lines (`_raw`), whose values were not quoted, as the columns of the header."""
    return split(lines.withColumnRenamed("_raw", row.column), row)


def schema_of(plan: Plan) -> T.StructType:
    """The columns of the header as they are read: text, those with a type of their own typed."""
    types = plan.options.types
    return T.StructType([T.StructField(name, spark_type(types.get(name, "string"))) for name in plan.header])


def described(plan: Plan) -> list[list[str]]:
    """The packed columns and their fields, for a person."""
    packed = [one for one in [*plan.packed.values(), plan.row] if one]
    found = [[one.column, ", ".join(f"{field.name} {field.type}" for field in one.fields)] for one in packed]
    return found + [[name, "cells"] for name in plan.cells]
