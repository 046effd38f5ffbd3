"""Kernels that give a row for each row, put together so that rows go through all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from transforms.kernels.batches import map_each
from transforms.row_errors import ERROR, ERROR_ARROW, ERROR_FIELD, kind_of

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RowStep:
    """A kernel and the columns of the batches that it gives; rows keep their order and their number."""

    schema: T.StructType
    run: Callable[[pa.RecordBatch], pa.RecordBatch]


def apply_steps(frame: DataFrame, steps: Sequence[RowStep]) -> DataFrame:
    """The frame after all steps, which follow each other batch by batch; without steps the frame itself."""
    if not steps:
        return frame
    runs = [step.run for step in steps]

    def run(batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch through all steps."""
        for one in runs:
            batch = one(batch)
        return batch

    return map_each(frame, run, steps[-1].schema)


def text_column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column of texts, with 32-bit offsets."""
    column = batch.column(name)
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def as_mask(condition: pa.Array) -> Mask:
    """A boolean array for numpy; null is false."""
    filled = condition.fill_null(False) if condition.null_count else condition
    mask: Mask = filled.to_numpy(zero_copy_only=False)
    return mask


class BatchErrors:
    """The `_error` column of a batch; the first error of a row wins.

    >>> errors = BatchErrors(2)
    >>> errors.reject(np.array([True, False]), "wrong_type", lambda row: f"row {row}")
    >>> errors.reject(np.array([True, False]), "missing_value", lambda row: "later")
    >>> errors.column().to_pylist()
    [{'kind': 'rejected', 'code': 'wrong_type', 'detail': 'row 0'}, None]
    """

    def __init__(self, rows: int, before: pa.Array | None = None) -> None:
        self._before = pa.nulls(rows, ERROR_ARROW) if before is None else before
        self._valid = self._before.is_null().to_numpy(zero_copy_only=False).copy()
        self._rows: list[int] = []
        self._errors: list[tuple[str, str, str]] = []

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> BatchErrors:
        """The errors that the rows of a batch have already."""
        return cls(batch.num_rows, batch.column(ERROR) if ERROR in batch.schema.names else None)

    def reject(self, wrong: Mask, code: str, detail: Callable[[int], str]) -> None:
        """Rejects the rows of the mask that have no error yet, or excludes them for a code that is no fault.

        `detail` is asked for these only, by row number.
        """
        for row in np.flatnonzero(wrong & self._valid).tolist():
            self._rows.append(row)
            self._errors.append((kind_of(code), code, detail(row)))
        self._valid &= ~wrong

    def column(self) -> pa.Array:
        """The errors as an array of structs."""
        if not self._rows:
            return self._before
        texts = [pa.array(values, pa.string()) for values in zip(*self._errors, strict=True)]
        found = pa.StructArray.from_arrays(texts, fields=list(ERROR_ARROW))
        places = np.arange(len(self._before))
        places[self._rows] = len(self._before) + np.arange(len(self._rows))
        return pa.concat_arrays([self._before.cast(ERROR_ARROW), found]).take(pa.array(places))


def replaced(
    batch: pa.RecordBatch, new: Mapping[str, Sequence[tuple[str, pa.Array]]], errors: BatchErrors
) -> pa.RecordBatch:
    """The batch with the named columns replaced by others, each in its place, and `_error` last."""
    columns: list[tuple[str, pa.Array]] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name != ERROR:
            columns += new.get(name, [(name, column)])
    columns.append((ERROR, errors.column()))
    return pa.RecordBatch.from_arrays([column for _, column in columns], names=[name for name, _ in columns])


def replaced_schema(schema: T.StructType, new: Mapping[str, Sequence[tuple[str, T.DataType]]]) -> T.StructType:
    """The schema of what `replaced` gives."""
    fields: list[T.StructField] = []
    for field in schema.fields:
        if field.name != ERROR:
            own = new.get(field.name, [(field.name, field.dataType)])
            fields += [T.StructField(name, kind) for name, kind in own]
    return T.StructType([*fields, ERROR_FIELD])
