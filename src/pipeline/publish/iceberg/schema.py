"""How a table's schema follows the rows of a run: columns are added and widened; anything else is refused by name."""

from __future__ import annotations

from pyiceberg.schema import Schema
from pyiceberg.types import DecimalType, DoubleType, FloatType, IcebergType, IntegerType, LongType


def _widens(narrow: IcebergType, wide: IcebergType) -> bool:
    """Whether Iceberg reads all values of the one type as the other."""
    if isinstance(narrow, DecimalType) and isinstance(wide, DecimalType):
        return narrow.scale == wide.scale and narrow.precision <= wide.precision
    pairs = ((IntegerType, LongType), (FloatType, DoubleType))
    return str(narrow) == str(wide) or any(isinstance(narrow, a) and isinstance(wide, b) for a, b in pairs)


def conflicts(table: str, known: Schema, wanted: Schema) -> list[str]:
    """A line for each column whose type the table neither takes nor can be widened to."""
    former = {column.name: column.field_type for column in known.fields}
    return [
        f"{table}.{column.name} is {former[column.name]} in the table, {column.field_type} in these rows"
        for column in wanted.fields
        if column.name in former
        and not _widens(former[column.name], column.field_type)
        and not _widens(column.field_type, former[column.name])
    ]
