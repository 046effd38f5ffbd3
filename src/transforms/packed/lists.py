"""Cells that pack values without a header for each: lists of one attribute, `key=value` pairs.

Action|Drama|War                  ->  [Action, Drama, War], or a row each
DP=14;DB;AF=0.5;AF=0.3            ->  {DP: [14], DB: [null], AF: [0.5, 0.3]}, or chosen columns
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.kernels.row_steps import (
    BatchErrors,
    Mask,
    RowStep,
    apply_steps,
    as_mask,
    replaced,
    replaced_schema,
    text_column,
)
from transforms.kernels.typed_text import POINT, typed
from transforms.kernels.types import arrow_type, known_type, spark_type
from transforms.packed.cells import lengths, nth
from transforms.packed.model import WRONG_TYPE
from transforms.text import quoted

EMPTY_KEY = "empty_key"
TEXTS = T.ArrayType(T.StringType())
Counts = NDArray[np.int64]


def list_to_array(frame: DataFrame, column: str, separator: str = "|") -> DataFrame:
    """A list in one cell as an array, in its place.

    In: `column` string. Out: array<string>, items unchanged; an empty cell is an empty array, null stays null.
    Grain: unchanged.

    >>> frame = spark.createDataFrame([(1, "Drama|War"), (2, "")], "id int, genres string")
    >>> list_to_array(frame, "genres").show()
    +---+------------+
    | id|      genres|
    +---+------------+
    |  1|[Drama, War]|
    |  2|          []|
    +---+------------+
    <BLANKLINE>
    """
    return apply_steps(frame, [list_step(frame.schema, column, separator)])


def list_step(schema: T.StructType, column: str, separator: str) -> RowStep:
    """`list_to_array` for batches of frames with this schema."""
    fields = [T.StructField(f.name, TEXTS) if f.name == column else f for f in schema.fields]
    return RowStep(T.StructType(fields), functools.partial(_list_batch, column=column, separator=separator))


def _list_batch(batch: pa.RecordBatch, column: str, separator: str) -> pa.RecordBatch:
    cells = text_column(batch, column)
    items = pc.split_pattern(cells, separator)
    is_empty = as_mask(pc.equal(cells, ""))
    if is_empty.any():
        # An empty cell was split into one empty item: it goes.
        counts = np.where(is_empty, 0, lengths(items))
        kept = ~np.repeat(is_empty, lengths(items))
        items = _as_lists(items.values.filter(pa.array(kept)), counts, as_mask(cells.is_null()))
    columns = [items if name == column else batch.column(name) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _as_lists(values: pa.Array, counts: Counts, is_null: Mask) -> pa.Array:
    """The values as lists of `counts` values each; null where there is none at all."""
    return pa.ListArray.from_arrays(_offsets(counts, is_null), values)


def _offsets(counts: Counts, is_null: Mask) -> pa.Array:
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.array(ends, mask=np.append(is_null, False) if is_null.any() else None)


def list_to_rows(frame: DataFrame, column: str, place: str = "") -> DataFrame:
    """A row for each item of an array column, the other columns repeated; no item or null: one row with null.

    `place`: the name of one more column, int, the item's number from 0; null without an item.

    >>> frame = spark.createDataFrame([(1, ["Drama", "War"]), (2, [])], "id int, genres array<string>")
    >>> list_to_rows(frame, "genres").show()
    +---+------+
    | id|genres|
    +---+------+
    |  1| Drama|
    |  1|   War|
    |  2|  NULL|
    +---+------+
    <BLANKLINE>
    """
    items = F.col(quoted(column))
    item = F.posexplode_outer(items).alias(place, column) if place else F.explode_outer(items).alias(column)
    return frame.select(*[item if name == column else F.col(quoted(name)) for name in frame.columns])


def pairs_to_map(frame: DataFrame, column: str, separator: str = ";", assign: str = "=") -> DataFrame:
    """`key=value` pairs in one cell as a map, in its place.

    In: `column` string. Out: map<string, array<string>>: a repeated key keeps all its values in order, a key without
    `=` has null for its value, blanks around a key are dropped. A pair without a key is rejected `empty_key`. Null
    stays null. Grain: unchanged.

    >>> frame = spark.createDataFrame([("DP=14;DB;AF=0.5;AF=0.3",)], "info string")
    >>> pairs_to_map(frame, "info").select("info").show(truncate=False)
    +--------------------------------------------+
    |info                                        |
    +--------------------------------------------+
    |{DP -> [14], DB -> [NULL], AF -> [0.5, 0.3]}|
    +--------------------------------------------+
    <BLANKLINE>
    """
    return apply_steps(frame, [pairs_step(frame.schema, column, separator, assign)])


def pairs_step(schema: T.StructType, column: str, separator: str, assign: str = "=") -> RowStep:
    """`pairs_to_map` for batches of frames with this schema."""
    found = replaced_schema(schema, {column: [(column, T.MapType(T.StringType(), TEXTS))]})
    return RowStep(found, functools.partial(_pairs_batch, column=column, separator=separator, assign=assign))


def _pairs_batch(batch: pa.RecordBatch, column: str, separator: str, assign: str) -> pa.RecordBatch:
    cells = text_column(batch, column)
    pairs = pc.split_pattern(cells, separator)
    rows = np.repeat(np.arange(len(cells)), lengths(pairs))
    is_pair = as_mask(pc.not_equal(pc.utf8_trim(pairs.values, " "), ""))
    rows = rows[is_pair]
    parts = pc.split_pattern(pairs.values.filter(pa.array(is_pair)), assign, max_splits=1)
    keys, values = pc.utf8_trim(nth(parts, 0, lengths(parts) > 0), " "), nth(parts, 1, lengths(parts) > 1)
    errors = BatchErrors.of(batch)
    without_key = np.bincount(rows[as_mask(pc.equal(keys, ""))], minlength=len(cells)) > 0
    errors.reject(
        without_key, EMPTY_KEY, lambda row: f"column {column}: '{cells[row].as_py()}' has a value without a key"
    )
    return replaced(batch, {column: [(column, _as_maps(rows, keys, values, as_mask(cells.is_null())))]}, errors)


def _as_maps(rows: Counts, keys: pa.Array, values: pa.Array, is_null: Mask) -> pa.Array:
    """Keys and values, with the number of their row, as a map per row: the values of a repeated key are joined."""
    indices = keys.dictionary_encode().indices.to_numpy()
    _, first, group = np.unique(rows * (len(keys) + 1) + indices, return_index=True, return_inverse=True)
    # Groups in the order in which their keys come first.
    rank = np.argsort(np.argsort(first))[group]
    first = np.sort(first)
    by_key = values.take(pa.array(np.argsort(rank, kind="stable")))
    lists = _as_lists(by_key, np.bincount(rank, minlength=len(first)), np.zeros(len(first), bool))
    counts = np.bincount(rows[first], minlength=len(is_null))
    return pa.MapArray.from_arrays(_offsets(counts, is_null), keys.take(pa.array(first)), lists)


def map_to_columns(frame: DataFrame, column: str, keys: Mapping[str, str], separator: str = ";") -> DataFrame:
    """Chosen keys of a map<string, array<string>> as typed columns, in the place of the map.

    `keys` maps a key to its type. A key that is not there is null. Several values of a key stay in one text, joined by
    `separator` (which no value holds); as another type they are rejected `wrong_type`, as is a value that is not of the
    type. A key without a value is the empty text, and true as boolean. Grain: unchanged.

    >>> info = {"DP": ["14"], "DB": [None], "AF": ["0.5", "0.3"]}
    >>> frame = spark.createDataFrame([(info,)], "info map<string,array<string>>")
    >>> map_to_columns(frame, "info", {"DP": "int", "AF": "string", "DB": "boolean"}).drop("_error").show()
    +---+-------+----+
    | DP|     AF|  DB|
    +---+-------+----+
    | 14|0.5;0.3|true|
    +---+-------+----+
    <BLANKLINE>
    """
    return apply_steps(frame, [keys_step(frame.schema, column, keys, separator)])


def keys_step(
    schema: T.StructType,
    column: str,
    keys: Mapping[str, str],
    separator: str,
    marks: tuple[str, str] = POINT,
    others: str = "",
) -> RowStep:
    """`map_to_columns` for batches of frames with this schema.

    `others`: the name of one more column, array<string>, the keys that are not chosen.
    """
    kinds = {key: known_type(kind) for key, kind in keys.items()}
    if taken := sorted(set(kinds) & (set(schema.fieldNames()) - {column})):
        raise ValueError(f"key {', '.join(taken)} of column '{column}' is the name of another column")
    new = [*[(key, spark_type(kind)) for key, kind in kinds.items()], *([(others, TEXTS)] if others else [])]
    run = functools.partial(_keys_batch, column=column, kinds=kinds, separator=separator, marks=marks, others=others)
    return RowStep(replaced_schema(schema, {column: new}), run)


def _keys_batch(
    batch: pa.RecordBatch,
    column: str,
    kinds: Mapping[str, str],
    separator: str,
    marks: tuple[str, str],
    others: str,
) -> pa.RecordBatch:
    maps, errors, values = batch.column(column), BatchErrors.of(batch), []
    for key, kind in kinds.items():
        bare = "true" if kind == "boolean" else ""
        text = _joined(_values_of(maps, key), bare, separator)
        values.append((key, typed(text, arrow_type(kind), marks)))
        wrong = as_mask(values[-1][1].is_null()) & as_mask(text.is_valid())
        errors.reject(wrong, WRONG_TYPE, functools.partial(_misfit, key, kind, text))
    if others:
        values.append((others, _other_keys(maps, kinds)))
    return replaced(batch, {column: values}, errors)


def _other_keys(maps: pa.Array, chosen: Mapping[str, str]) -> pa.Array:
    """The keys of each map that are not chosen."""
    keys = pa.ListArray.from_arrays(maps.offsets, maps.keys)
    rows, keys = pc.list_parent_indices(keys), keys.flatten()
    others = pc.invert(pc.is_in(keys, pa.array(chosen, pa.string())))
    counts = np.bincount(rows.filter(others), minlength=len(maps))
    return _as_lists(keys.filter(others), counts, np.zeros(len(maps), bool))


def _values_of(maps: pa.Array, key: str) -> pa.Array:
    """The values of a key in each map; null where it is not there."""
    offsets = maps.offsets.to_numpy()
    entries = np.flatnonzero(as_mask(pc.equal(maps.keys, key)))
    entries = entries[(entries >= offsets[0]) & (entries < offsets[-1])]
    places = np.full(len(maps), -1)
    places[np.searchsorted(offsets, entries, side="right") - 1] = entries
    return maps.items.take(pa.array(places, mask=(places < 0) | as_mask(maps.is_null())))


def _joined(lists: pa.Array, bare: str, separator: str) -> pa.Array:
    """The values of each list as one text; null values as `bare`."""
    filled = _as_lists(lists.values.fill_null(bare), lengths(lists), as_mask(lists.is_null()))
    return pc.binary_join(filled, separator)


def _misfit(key: str, kind: str, text: pa.Array, row: int) -> str:
    return f"column {key}: '{text[row].as_py()}' is not {kind}"
