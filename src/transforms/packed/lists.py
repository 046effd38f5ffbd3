"""Cells that pack values without a header for each: lists of one attribute, `key=value` pairs.

Action|Drama|War                  ->  [Action, Drama, War], or a row each
DP=14;DB;AF=0.5;AF=0.3            ->  {DP: [14], DB: [null], AF: [0.5, 0.3]}, or chosen columns
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.packed.cells import separator_pattern
from transforms.packed.model import WRONG_TYPE
from transforms.packed.types import known_type, typed
from transforms.row_errors import ERROR, REJECTED, no_error, reject, row_error
from transforms.text import quoted

EMPTY_KEY = "empty_key"
_PAIRS = "_pairs"


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
    items = F.split(F.col(quoted(column)), separator_pattern(separator), -1)
    empty = F.array().cast("array<string>")
    return frame.withColumn(column, F.when(F.col(quoted(column)) == "", empty).otherwise(items))


def list_to_rows(frame: DataFrame, column: str) -> DataFrame:
    """A row for each item of an array column, the other columns repeated; no item or null: one row with null.

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
    item = F.explode_outer(F.col(quoted(column))).alias(column)
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
    pairs = F.filter(F.split(F.col(quoted(column)), separator_pattern(separator), -1), lambda pair: F.trim(pair) != "")
    parted = frame.withColumn(_PAIRS, F.transform(pairs, lambda pair: _pair(pair, assign)))
    keys = F.array_distinct(F.col(_PAIRS)["key"])

    def values_of(key: Column) -> Column:
        same = F.filter(F.col(_PAIRS), lambda pair: pair["key"] == key)
        return F.transform(same, lambda pair: pair["value"])

    no_key = F.exists(F.col(_PAIRS), lambda pair: pair["key"] == "")
    detail = F.concat(F.lit(f"column {column}: '"), F.col(quoted(column)), F.lit("' has a value without a key"))
    tagged = reject(parted, F.coalesce(no_key, F.lit(False)), EMPTY_KEY, detail)
    return tagged.withColumn(column, F.map_from_arrays(keys, F.transform(keys, values_of))).drop(_PAIRS)


def _pair(text: Column, assign: str) -> Column:
    at = F.instr(text, assign)
    key = F.when(at > 0, text.substr(F.lit(1), at - 1)).otherwise(text)
    value = F.when(at > 0, text.substr(at + len(assign), F.length(text)))
    return F.struct(F.trim(key).alias("key"), value.alias("value"))


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
    kinds = {key: known_type(kind) for key, kind in keys.items()}
    if taken := sorted(set(kinds) & (set(frame.columns) - {column})):
        raise ValueError(f"key {', '.join(taken)} of column '{column}' is the name of another column")
    texts = {_text_name(key): _joined(F.col(quoted(column))[key], kind, separator) for key, kind in kinds.items()}
    checks = [_value_check(key, kind) for key, kind in kinds.items()]
    chosen = [typed(_text_name(key), kind).alias(key) for key, kind in kinds.items()]
    columns: list[Column] = []
    for name in frame.columns:
        if name != ERROR:
            columns += chosen if name == column else [F.col(quoted(name))]
    before = [F.col(ERROR)] if ERROR in frame.columns else []
    return frame.withColumns(texts).select(*columns, F.coalesce(*before, *checks, no_error()).alias(ERROR))


def _text_name(key: str) -> str:
    return f"_text of {key}"


def _joined(values: Column, kind: str, separator: str) -> Column:
    bare = F.lit("true" if kind == "boolean" else "")
    texts = F.transform(values, lambda value: F.coalesce(value, bare))
    return F.when(values.isNotNull(), F.array_join(texts, separator))


def _value_check(key: str, kind: str) -> Column:
    text = F.col(quoted(_text_name(key)))
    detail = F.concat(F.lit(f"column {key}: '"), text, F.lit(f"' is not {kind}"))
    return F.when(text.isNotNull() & typed(_text_name(key), kind).isNull(), row_error(REJECTED, WRONG_TYPE, detail))
