"""What becomes of each column of a file with packed columns, decided by its header and by what was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.checks import PLACE
from transforms.kernels.row_steps import RowStep, apply_steps
from transforms.kernels.typed_text import POINT
from transforms.kernels.types import spark_type
from transforms.packed.lists import keys_step, list_step, list_to_rows, pairs_step
from transforms.packed.model import Packed
from transforms.packed.splitting import check_expression, packed_column, split, split_step
from transforms.packed.tables import Cells, cells_step, header_parts, narrow, wide
from transforms.row_errors import ERROR
from transforms.text import listed, quoted, suggest

# What rows have next to the columns of their file; `_part` is of those that write them.
OWN_COLUMNS = (*PLACE, ERROR, "_part")
OTHER_NAMES = "; --skip-lines 1 --header a,b,c gives the columns of the file other names"


@dataclass(frozen=True)
class SplitOptions:
    """What was asked for.

    `columns`: headers of packed columns, or `header=pieces` (none: each that holds the separator). `lists`: column ->
    rows or array. `pairs`: column -> map or columns, of the `keys`. `flag`: the names of value and flag in cells
    under the other headers. `shape`: narrow, wide, or empty for what the header says. `held`: the types of the columns
    of a locked schema; a column that it has may be absent. `marks`: what is before the decimals and between thousands.
    """

    columns: tuple[str, ...] = ()
    separator: str | None = None
    regex: bool = False
    delimiter: str = ","
    quote: str = '"'
    greedy: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    shape: str = ""
    list_separator: str = ""
    pairs_separator: str = ""
    held: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, str] = POINT

    @property
    def all_types(self) -> dict[str, str]:
        """The types of a locked schema, and those that were asked for; lists and maps are made of texts."""
        texts = {name: kind for name, kind in self.held.items() if not kind.startswith(("array<", "map<"))}
        return {**texts, **self.types}


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

    @property
    def cell_names(self) -> tuple[str, ...]:
        """What value and flag of a cell are called."""
        return tuple(self.options.flag) or ("value",)

    @property
    def is_narrow(self) -> bool:
        """Whether cells of value and flag become rows."""
        return bool(self.cells) and (self.options.shape or ("narrow" if self.across else "wide")) == "narrow"

    @property
    def lists_to_rows(self) -> list[str]:
        """The columns of lists whose items become rows."""
        return [name for name, shape in self.options.lists.items() if shape == "rows"]

    @property
    def other_keys(self) -> dict[str, str]:
        """Columns of pairs of which keys become columns, each with the column of the keys that do not."""
        columns = [name for name, shape in self.options.pairs.items() if shape == "columns"]
        return {name: f"_other_keys_{number}" for number, name in enumerate(columns)}

    @property
    def places(self) -> list[str]:
        """The columns that `unfold` adds: a row's place among those made of one."""
        lists = [f"_place_{number}" for number in range(len(self.lists_to_rows))]
        return ["_place_cell", *lists] if self.is_narrow else lists

    @property
    def rows_per_row(self) -> int | None:
        """How many rows `unfold` makes of each; None where that differs from row to row."""
        return None if self.lists_to_rows else len(self.cells) if self.is_narrow else 1


def _packed_headers(header: list[str], options: SplitOptions, separator: str) -> dict[str, str]:
    """The packed columns, and the text that names the pieces of each: its header, or what was given for it."""
    if not options.columns:
        special = {*options.lists, *options.pairs}
        cut = separator if options.regex else re.escape(separator)
        return {name: name for name in header if re.search(cut, name) and name not in special}
    # A header may hold commas itself: the whole text is looked for first.
    found: dict[str, str] = {}
    for text in options.columns:
        name, _, pieces = text.partition("=")
        if text not in header and name in header:
            found[name] = pieces
        else:
            found |= {one.strip(): one.strip() for one in ([text] if text in header else text.split(","))}
    return found


def make_plan(header: list[str], options: SplitOptions) -> Plan:
    """The plan for a header. Raises ValueError for a column that is missing, and when there is nothing to split.

    >>> plan = make_plan(["id", "name size"], SplitOptions(types={"size": "int"}))
    >>> plan.packed["name size"].fields
    (Field(name='name', type='string'), Field(name='size', type='int'))
    """
    absent = set(options.held) - set(header)
    options = replace(options, lists=_without(options.lists, absent), pairs=_without(options.pairs, absent))
    separator = options.separator or " "
    if options.regex:
        check_expression(separator)
    named = _packed_headers(header, options, separator)
    packed: dict[str, Packed] = {}
    across = None
    if both := [name for name in named if name in {**options.lists, **options.pairs}]:
        raise ValueError(f"--column {', '.join(both)}: --list and --pairs name their columns alone, without --column")
    _check_names("--column", named, header)
    for name, text in named.items():
        keys, key_name = header_parts(text)
        across = key_name or across
        packed[name] = packed_column(
            keys, separator=separator, regex=options.regex, greedy=options.greedy, types=options.all_types,
            marks=options.marks,
        )  # fmt: skip
    pieces = [piece for column in packed.values() for piece in column.names]
    _check_names("--list", options.lists, header)
    _check_names("--pairs", options.pairs, header)
    _check_names("--elastic", options.greedy, [*header, *pieces, *options.held])
    values = options.flag or (("value",) if across else ())
    _check_types([*header, *pieces, *options.keys, *values, *options.held], packed, options)
    _check_pieces(header, packed, options)
    row = None
    if set(options.greedy) & set(header):
        row = packed_column(
            options.delimiter.join(header), separator=options.delimiter, greedy=options.greedy,
            types=options.all_types, quote=options.quote, marks=options.marks,
        )  # fmt: skip
    taken = {*named, *options.lists, *options.pairs, *options.types}
    cells = tuple(name for name in header if name not in taken) if across or options.flag else ()
    if not (named or options.lists or options.pairs or cells or row or options.held):
        raise ValueError(f"nothing to split: no header holds '{separator}'; have {listed(header)}")
    plan = Plan(header, options, packed, across, cells, row)
    _check_taken([*header, *pieces, *options.keys, *([*plan.cell_names, across or ""] if cells else [])], plan)
    return plan


def _without(chosen: Mapping[str, str], absent: Set[str]) -> dict[str, str]:
    return {name: how for name, how in chosen.items() if name not in absent}


def _check_names(option: str, names: Iterable[str], known: Sequence[str]) -> None:
    known = list(dict.fromkeys(known))
    missing = [name for name in names if name not in known]
    if missing:
        near = "".join(suggest(name, known) for name in missing)
        raise ValueError(f"{option}: missing column {', '.join(missing)}; have {listed(known)}{near}")


def _check_types(names: Sequence[str], packed: Mapping[str, Packed], options: SplitOptions) -> None:
    """Types are of what is in columns at the end: not of packed columns, lists and pairs."""
    pieces = {name for one in packed.values() for name in one.names}
    whole = {*packed, *options.lists, *options.pairs} - pieces
    known = [name for name in dict.fromkeys(names) if name not in whole]
    for name in options.types:
        if name in whole:
            what = f"is packed in {', '.join(packed[name].names)}" if name in packed else "is a list or pairs, of texts"
            raise ValueError(f"--types: column {name} {what}; types are for {listed(known)}")
    _check_names("--types", options.types, known)


def _check_taken(names: Iterable[str], plan: Plan) -> None:
    """No column has a name that rows have in the job, in any case: Spark sees none."""
    own = {*OWN_COLUMNS, *plan.places, *plan.other_keys.values()}
    if taken := [name for name in names if name.casefold() in own]:
        raise ValueError(f"column {', '.join(taken)}: rows have a column of this name in the job{OTHER_NAMES}")


def _check_pieces(header: Sequence[str], packed: Mapping[str, Packed], options: SplitOptions) -> None:
    """Every column and piece has a name of its own."""
    if empty := [str(place) for place, name in enumerate(header, 1) if not name]:
        raise ValueError(f"column {', '.join(empty)} of {len(header)} has no name in the header{OTHER_NAMES}")
    if double := sorted({name for name in header if header.count(name) > 1}):
        raise ValueError(f"duplicate column {', '.join(double)} in the header{OTHER_NAMES}")
    owners = {name: name for name in header if name not in packed}
    for column, one in packed.items():
        for piece in one.names:
            if piece in owners:
                found = (
                    "" if options.columns else "; --column says which columns are packed, the others stay as they are"
                )
                raise ValueError(f"piece {piece} of column '{column}' is the name of another column{found}")
            owners[piece] = column


def split_all(frame: DataFrame, plan: Plan) -> DataFrame:
    """Everything that leaves one row per row: pieces, arrays, maps, values and flags. Grain: unchanged.

    In: a tagged frame with the columns of the plan's header as text. Out: the columns in their order, each replaced by
    what it holds, and those of `plan.other_keys`; rows that do not fit are rejected in `_error`.
    """
    for name, packed in plan.packed.items():
        frame = frame.withColumnRenamed(name, packed.column)
    return apply_steps(frame, steps_of(frame.schema, plan))


def steps_of(schema: T.StructType, plan: Plan) -> list[RowStep]:
    """The steps of `split_all`, in order."""
    options = plan.options
    steps: list[RowStep] = []
    # Without a packed column the separator is that of the lists and pairs.
    own = "" if plan.packed else options.separator or ""

    def add(make: Callable[..., RowStep], *arguments: Any) -> None:
        """The step, which takes what the step before it gives."""
        steps.append(make(steps[-1].schema if steps else schema, *arguments))

    for packed in plan.packed.values():
        add(split_step, packed)
    for name in options.lists:
        add(list_step, name, options.list_separator or own or "|")
    for name, shape in options.pairs.items():
        separator = options.pairs_separator or own or ";"
        add(pairs_step, name, separator)
        if shape == "columns":
            add(
                keys_step,
                name,
                {key: options.all_types.get(key, "string") for key in options.keys},
                separator,
                options.marks,
                plan.other_keys[name],
            )
    if plan.cells:
        names = plan.cell_names
        add(cells_step, plan.cells, Cells(names, options.all_types.get(names[0], "double"), marks=options.marks))
    return steps


def keys_found(rows: DataFrame, plan: Plan) -> DataFrame:
    """One row: for each of the keys that become columns, how many rows have it."""
    return rows.agg(*[F.count(quoted(key)).alias(key) for key in plan.options.keys])


def others_found(rows: DataFrame, column: str) -> DataFrame:
    """`key`, `rows`: in how many rows each of these keys is that do not become columns, the most frequent first."""
    keys = rows.select(F.explode(column).alias("key"))
    return keys.groupBy("key").agg(F.count(F.lit(1)).alias("rows")).orderBy(F.desc("rows"), "key")


def check_keys(counts: Mapping[str, int], cells: Sequence[str | None], plan: Plan) -> None:
    """ValueError for a key that no row has, with the nearest ones of these cells of pairs."""
    separator = plan.options.pairs_separator or (not plan.packed and plan.options.separator) or ";"
    pairs = [pair for cell in cells if cell for pair in cell.split(separator)]
    known = list(dict.fromkeys(pair.partition("=")[0].strip() for pair in pairs))
    if missing := [key for key, count in counts.items() if not count]:
        near = "".join(suggest(key, known) for key in missing)
        raise ValueError(f"--keys: no row has {', '.join(missing)}; have {listed(known)}{near}")


def unfold(frame: DataFrame, plan: Plan) -> DataFrame:
    """What makes several rows or columns of one: lists to rows, cells of value and flag narrow or wide.

    Out: a row's place among those made of one row in the columns `plan.places`, int, to be sorted by in their order;
    without `plan.other_keys`.
    """
    places = iter(plan.places)
    frame = frame.drop(*plan.other_keys.values())
    if plan.cells:
        across = plan.across or "column"
        frame = narrow(frame, plan.cells, across, next(places)) if plan.is_narrow else wide(frame, plan.cells)
    for name in plan.lists_to_rows:
        frame = list_to_rows(frame, name, next(places))
    return frame


def split_rows(lines: DataFrame, row: Packed) -> DataFrame:
    """Whole lines (`_raw`), whose values were not quoted, as the columns of the header."""
    return split(lines.withColumnRenamed("_raw", row.column), row)


def schema_of(plan: Plan) -> T.StructType:
    """The columns of the header as they are read: text, those with a type of their own typed."""
    types = {name: kind for name, kind in plan.options.all_types.items() if name not in plan.packed}
    return T.StructType([T.StructField(name, spark_type(types.get(name, "string"))) for name in plan.header])


def columns_of(plan: Plan) -> list[tuple[str, str]]:
    """Names and types of the columns that `split_all` and `unfold` give, without the job's own."""
    names = {name: packed.column for name, packed in plan.packed.items()}
    read = T.StructType([T.StructField(names.get(one.name, one.name), one.dataType) for one in schema_of(plan)])
    steps = steps_of(read, plan)
    found: list[tuple[str, str]] = []
    cells: list[tuple[str, str]] = []
    for one in steps[-1].schema if steps else read:
        kind = one.dataType
        if one.name in plan.cells and isinstance(kind, T.StructType):
            cells = [(part.name, part.dataType.simpleString()) for part in kind]
            found += [] if plan.is_narrow else [(f"{one.name} {name}", type_name) for name, type_name in cells]
        elif one.name in plan.lists_to_rows and isinstance(kind, T.ArrayType):
            found.append((one.name, kind.elementType.simpleString()))
        else:
            found.append((one.name, kind.simpleString()))
    across = [(plan.across or "column", "string"), *cells] if plan.is_narrow else []
    own = (ERROR, *plan.other_keys.values())
    return [(name, type_name) for name, type_name in [*found, *across] if name not in own]


def described(plan: Plan) -> list[list[str]]:
    """The packed columns and their fields, for a person."""
    packed = [one for one in [*plan.packed.values(), plan.row] if one]
    found = [[one.column, ", ".join(f"{field.name} {field.type}" for field in one.fields)] for one in packed]
    return found + [[name, "cells"] for name in plan.cells]
