"""What becomes of each column of a file with packed columns, decided by its header and by what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame

from transforms.packed.lists import list_to_array, list_to_rows, map_to_columns, pairs_to_map
from transforms.packed.splitting import Packed, packed_column, split
from transforms.packed.tables import header_parts, narrow, split_cells, wide


@dataclass(frozen=True)
class Choices:
    """What was asked for.

    `columns`: headers of packed columns (none: every header that holds the separator). `lists`: column -> rows or
    array. `pairs`: column -> map or columns, of the `keys`. `flag`: the names of value and flag in cells beside a
    packed header.
    `shape`: narrow, wide, or empty for what the header says.
    """

    columns: tuple[str, ...] = ()
    separator: str | None = None
    regex: bool = False
    delimiter: str = ","
    elastic: tuple[str, ...] = ()
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
    choices: Choices
    packed: dict[str, Packed]
    across: str | None = None
    cells: tuple[str, ...] = ()
    row: Packed | None = None


def _packed_headers(header: list[str], choices: Choices, separator: str) -> list[str]:
    if not choices.columns:
        special = {*choices.lists, *choices.pairs}
        cut = separator if choices.regex else re.escape(separator)
        return [name for name in header if re.search(cut, name) and name not in special]
    # A header may hold commas itself: the whole text is looked for first.
    named = [name for text in choices.columns for name in ([text] if text in header else text.split(","))]
    return [name.strip() for name in named]


def make_plan(header: list[str], choices: Choices) -> Plan:
    """The plan for a header. Raises ValueError for a column that is missing, and when there is nothing to split.

    >>> plan = make_plan(["id", "name size"], Choices(types={"size": "int"}))
    >>> plan.packed["name size"].pieces
    (Piece(name='name', type='string'), Piece(name='size', type='int'))
    """
    separator = choices.separator or " "
    named = _packed_headers(header, choices, separator)
    packed: dict[str, Packed] = {}
    across = None
    _check_names(named, header)
    for name in named:
        keys, beside = header_parts(name)
        across = beside or across
        packed[name] = packed_column(
            keys, separator=separator, regex=choices.regex, elastic=choices.elastic, types=choices.types
        )
    known = [*header, *(piece for column in packed.values() for piece in column.names)]
    _check_names([*choices.lists, *choices.pairs, *choices.elastic], known)
    row = None
    if set(choices.elastic) & set(header):
        row = packed_column(
            choices.delimiter.join(header), separator=choices.delimiter, elastic=choices.elastic, quote='"'
        )
    taken = {*named, *choices.lists, *choices.pairs, *choices.types}
    cells = tuple(name for name in header if name not in taken) if across or choices.flag else ()
    if not (named or choices.lists or choices.pairs or cells or row):
        raise ValueError(f"nothing to split: no header holds '{separator}'; have {', '.join(header)}")
    return Plan(header, choices, packed, across, cells, row)


def _check_names(names: list[str], known: list[str]) -> None:
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"missing column {', '.join(missing)}; have {', '.join(known)}")


def split_all(frame: DataFrame, plan: Plan) -> DataFrame:
    """Everything that keeps a row a row: pieces, arrays, maps, values and flags. Grain: unchanged.

    In: a tagged frame with the columns of the plan's header as text. Out: the columns in their order, each replaced by
    what it holds; rows that do not fit are rejected in `_error`.
    """
    choices = plan.choices
    # Without a packed column the separator is that of the lists and pairs.
    own = "" if plan.packed else choices.separator or ""
    for name, packed in plan.packed.items():
        frame = split(frame.withColumnRenamed(name, packed.column), packed)
    for name in choices.lists:
        frame = list_to_array(frame, name, choices.list_separator or own or "|")
    for name, shape in choices.pairs.items():
        separator = choices.pairs_separator or own or ";"
        frame = pairs_to_map(frame, name, separator)
        if shape == "columns":
            keys = {key: choices.types.get(key, "string") for key in choices.keys}
            frame = map_to_columns(frame, name, keys, separator)
    if plan.cells:
        names = choices.flag or ("value",)
        frame = split_cells(frame, plan.cells, names, value_type=choices.types.get(names[0], "double"))
    return frame


def unfold(frame: DataFrame, plan: Plan) -> DataFrame:
    """What makes several rows or columns of one: lists to rows, cells beside a packed header narrow or wide."""
    if plan.cells:
        shape = plan.choices.shape or ("narrow" if plan.across else "wide")
        across = plan.across or "column"
        frame = narrow(frame, plan.cells, across) if shape == "narrow" else wide(frame, plan.cells)
    for name, shape in plan.choices.lists.items():
        if shape == "rows":
            frame = list_to_rows(frame, name)
    return frame
