"""JSON records: raw text to the declared columns, every record that does not fit tagged with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.kernels.json_typed import RecordParser, record_schema
from transforms.row_errors import ERROR, EXCLUDED, NO_FAULTS, REJECTED, row_error


def reader_error() -> Column:
    """The problem that the record reader itself found (`_read_error`), null where it found none."""
    error = F.col("_read_error")
    found = F.when(error.isin(*NO_FAULTS), row_error(EXCLUDED, error, ""))
    return found.when(error.isNotNull(), row_error(REJECTED, error, ""))


def tag_raw(records: DataFrame) -> DataFrame:
    """The records with `_error` in place of `_read_error`; nothing is parsed."""
    around = ["_around"] if "_around" in records.columns else []
    return records.select("_source_file", "_source_offset", "_raw", *around, reader_error().alias(ERROR))


def parse_records(records: DataFrame, schema: T.StructType) -> DataFrame:
    """Raw records as the declared columns: one row per record, none lost.

    In: `_source_file` int, `_source_offset` long, `_raw` string, `_read_error` string. Out: the schema's columns,
    `_source_file`, `_source_offset`, `_error`. Reasons: the reader's own, `not_an_object`, `malformed_json`,
    `wrong_type` (the detail names the top-level fields that do not fit), `missing_value` for a null in a field that is
    not nullable. What fits a type: see `transforms.kernels.json_typed`.

    >>> rows = [(0, 0, '{"id": 1}', None), (0, 10, '{"id": "x"}', None), (0, 22, "[7]", None)]
    >>> frame = spark.createDataFrame(rows, "_source_file int, _source_offset long, _raw string, _read_error string")
    >>> parse_records(frame, T.StructType([T.StructField("id", T.LongType())])).select("id", "_error").show()
    +----+--------------------+
    |  id|              _error|
    +----+--------------------+
    |   1|                NULL|
    |NULL|{rejected, wrong_...|
    |NULL|{rejected, not_an...|
    +----+--------------------+
    <BLANKLINE>
    """

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The typed rows of each batch of records."""
        return map(RecordParser(schema).parse, batches)

    chosen = records.select("_source_file", "_source_offset", "_raw", "_read_error")
    return chosen.mapInArrow(parse, record_schema(schema))
