"""People: an id that follows from the row, one row per id, and ages that a person can have."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from transforms.kernels.batches import add_texts
from transforms.people.names import split_names
from transforms.render import json_texts, texts
from transforms.row_errors import exclude, is_valid, reject

PEOPLE = StructType(
    [
        StructField("fullname", StringType(), nullable=False),
        StructField("age", IntegerType(), nullable=False),
        StructField("location", StringType(), nullable=True),
    ]
)
KEY_COLUMNS = tuple(PEOPLE.fieldNames())
# The published columns and their types in PostgreSQL.
OUTPUT_COLUMNS = {"id": "uuid", "first_name": "text", "last_name": "text", "age": "integer", "location": "text"}
# Chosen once and never changed: every id in every table is made with it.
NAMESPACE = uuid.UUID("5c3cbf3e-8d0c-5a52-9d6f-0f2f2bb7f1de")
OLDEST = 150


def add_ids(frame: DataFrame, key: Sequence[str]) -> DataFrame:
    """Adds the id of each cleaned row, and `_content`, the text by which rows of one id are compared.

    In: `fullname` string, `age` int, `location` string. Out: the same rows and columns with `id` and `_content`
    (string), neither of them null. The id is the UUID of version 5 (RFC 9562) of the key columns as a JSON array of
    strings, in the order of the file: `["John Doe","25",null]` for John Doe, 25, from nowhere. `_content` is that array
    of all three columns.

    >>> frame = spark.createDataFrame([("John Doe", 25, None)], "fullname string, age int, location string")
    >>> add_ids(frame, ["fullname"]).select("id", "_content").show(truncate=False)
    +------------------------------------+----------------------+
    |id                                  |_content              |
    +------------------------------------+----------------------+
    |a0ec70a0-4a7c-519e-8204-603f44d407b4|["John Doe","25",null]|
    +------------------------------------+----------------------+
    <BLANKLINE>
    """
    names = [name for name in KEY_COLUMNS if name in key]

    def ids_and_content(batch: pa.RecordBatch) -> list[pa.Array]:
        """The ids of the rows, and what they are compared by."""
        ids = [str(uuid.uuid5(NAMESPACE, text)) for text in _json_arrays(batch, names).to_pylist()]
        return [pa.array(ids, pa.string()), _json_arrays(batch, KEY_COLUMNS)]

    return add_texts(frame, ["id", "_content"], ids_and_content)


def _json_arrays(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """The named columns of each row as a JSON array of strings."""
    values = pc.binary_join_element_wise(*[json_texts(texts(batch.column(name))) for name in names], ",")
    return pc.binary_join_element_wise("[", values, "]", "")


def tag_people(rows: DataFrame, key: Sequence[str] = KEY_COLUMNS) -> DataFrame:
    """Names, ids and problems of the people of one input.

    In: tagged frame with `fullname`, `age`, `location`. Out: the same rows with cleaned texts and `id`, `first_name`,
    `last_name` (string). Rejected: `missing_value` (a name of nothing but blanks), `age_out_of_range` (not 0 to 150),
    `ambiguous_person` (all rows of an id that come with different content). Excluded: `duplicate` (all but the first
    row of an id). Rows that already have a problem take no part in the comparison.

    >>> rows = spark.createDataFrame([("John Doe", 25, "Rome", 0, 9), ("Eve", 999, "Rome", 0, 30)],
    ...     "fullname string, age int, location string, _source_file int, _source_offset long")
    >>> tag_people(rows).select("first_name", "last_name", "age", "_error.code").orderBy("age").show()
    +----------+---------+---+----------------+
    |first_name|last_name|age|            code|
    +----------+---------+---+----------------+
    |      John|      Doe| 25|            NULL|
    |       Eve|     NULL|999|age_out_of_range|
    +----------+---------+---+----------------+
    <BLANKLINE>
    """
    named = split_names(rows, "fullname", also_clean=["location"])
    named = reject(named, F.col("fullname").isNull(), "missing_value", "fullname: blank, expected a name")
    age = F.concat(F.lit("age: "), F.col("age").cast("string"), F.lit(f", expected 0 to {OLDEST}"))
    named = reject(named, ~F.col("age").between(0, OLDEST), "age_out_of_range", age)
    return _one_row_per_id(add_ids(named, key)).drop("_content")


def _one_row_per_id(named: DataFrame) -> DataFrame:
    # Only rows without an error are compared, so that a bad row never makes a good one a duplicate. Parted by id first:
    # on Spark grouping and joining then move no row again, and the rows are made once.
    keyed = named.repartition("id")
    place = F.struct("_source_file", "_source_offset")
    differs = (F.min("_content") != F.max("_content")).alias("_differs")
    groups = keyed.where(is_valid()).groupBy("id")
    found = groups.agg(F.count(F.lit(1)).alias("_rows"), differs, F.min(place).alias("_first"))
    joined = keyed.join(found.where("_rows > 1").hint("shuffle_hash"), on="id", how="left")
    detail = F.concat(F.lit("other rows of this input have the same key and different values; id "), F.col("id"))
    rejected = reject(joined, F.col("_differs"), "ambiguous_person", detail)
    repeated = exclude(rejected, F.col("_first") != place, "duplicate", F.concat(F.lit("id "), F.col("id")))
    return repeated.select(*named.columns)


def people_table(used: DataFrame) -> DataFrame:
    """The published columns: id (UUID as text), first_name, last_name, age (years), location; one row per person."""
    return used.select(*OUTPUT_COLUMNS)
