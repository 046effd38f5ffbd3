"""People: an id that follows from the row, one row per id, and ages that a person can have."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from transforms.names import split_names
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


def uuid5(namespace: uuid.UUID, name: Column) -> Column:
    """The UUID of version 5 (RFC 9562) of a string column as text; null for a null name.

    >>> frame = spark.createDataFrame([("python.org",)], "name string")
    >>> frame.select(uuid5(uuid.NAMESPACE_DNS, F.col("name")).alias("id")).show(truncate=False)
    +------------------------------------+
    |id                                  |
    +------------------------------------+
    |886313e1-3b8a-5372-9b90-0c9aee199e5d|
    +------------------------------------+
    <BLANKLINE>
    """
    digest = F.sha1(F.concat(F.lit(namespace.bytes), F.encode(name, "UTF-8")))
    # The two highest bits of the clock's nibble say that this is a UUID of RFC 9562.
    variant = F.translate(F.substring(digest, 17, 1), "0123456789abcdef", "89ab89ab89ab89ab")
    groups = [
        F.substring(digest, 1, 8),
        F.substring(digest, 9, 4),
        F.concat(F.lit("5"), F.substring(digest, 14, 3)),
        F.concat(variant, F.substring(digest, 18, 3)),
        F.substring(digest, 21, 12),
    ]
    return F.when(name.isNotNull(), F.concat_ws("-", *groups))


def person_id(key: Sequence[str]) -> Column:
    """The id of a cleaned row: UUIDv5 of the key columns as a JSON array of strings, in the order of the file.

    `["John Doe","25",null]` is what is hashed for John Doe, 25, from nowhere, with the key fullname, age, location.
    """
    ordered = [F.col(name).cast("string") for name in KEY_COLUMNS if name in key]
    return uuid5(NAMESPACE, F.to_json(F.array(*ordered)))


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
    return _one_row_an_id(named.withColumn("id", person_id(key)))


def _one_row_an_id(named: DataFrame) -> DataFrame:
    # Rows with a problem are groups of their own, so that a bad row never makes a good one a duplicate.
    alone = F.when(~is_valid(), F.struct("_source_file", "_source_offset"))
    same_id = Window.partitionBy("id", alone)
    content = F.struct(*KEY_COLUMNS)
    compared = named.withColumns(
        {
            "_differs": F.min(content).over(same_id) != F.max(content).over(same_id),
            "_nth": F.row_number().over(same_id.orderBy("_source_file", "_source_offset")),
        }
    )
    detail = F.concat(F.lit("other rows of this input have the same key and different values; id "), F.col("id"))
    rejected = reject(compared, F.col("_differs"), "ambiguous_person", detail)
    return exclude(rejected, F.col("_nth") > 1, "duplicate", F.concat(F.lit("id "), F.col("id"))).drop(
        "_differs", "_nth"
    )


def people_table(used: DataFrame) -> DataFrame:
    """The published columns: id (UUID as text), first_name, last_name, age (years), location; one row per person."""
    return used.select(*OUTPUT_COLUMNS)
