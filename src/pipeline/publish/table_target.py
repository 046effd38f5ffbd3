"""Which tables of a catalog take the rows of a run, and how their files look: all that tasks know of Iceberg."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

DAY = "_day"


@dataclass(frozen=True)
class TableTarget:
    """The tables of a run in an Iceberg catalog.

    `catalog`: CATALOG[.NAMESPACE]. `root`: the table that is committed last. `day`: the run's rows replace those of
    the day, None: all rows. `merge`: they replace those with the same keys; `key`: the key's columns, where the
    tables have no keys of their own. `unused`: whether rejected and excluded rows are a table, too.
    """

    catalog: str
    root: str
    day: datetime.date | None = None
    merge: bool = False
    unused: bool = False
    key: tuple[str, ...] = ()

    @property
    def unused_table(self) -> str:
        """The name of the table of rejected and excluded rows."""
        return f"{self.root}_quarantine"


@dataclass(frozen=True)
class FileShape:
    """The data files of a table: their folder, their columns, and values that all rows have."""

    folder: str
    schema: pa.Schema
    constants: Mapping[str, Any] = field(default_factory=dict)

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with these columns and types; `pa.ArrowInvalid` when a value does not fit."""
        columns = [
            pa.repeat(pa.scalar(self.constants[one.name], one.type), batch.num_rows)
            if one.name in self.constants
            else batch.column(one.name).cast(one.type)
            for one in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)
