"""A run's schema file: written by the first run, kept by later ones, every difference noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline import storage
from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import JobOptions, option
from pipeline.job.outputs import Delivery, saved_file
from transforms import nested
from transforms.nested import Drift, Table


@dataclass
class SchemaOptions(JobOptions):
    """The options of jobs whose tables can be held to a schema file."""

    schema: str = option("locked schema: written by the first run, kept by later ones", "", metavar="FILE")
    on_drift: str = option("what the locked schema lacks: add, keep in _rest, fail", "add", choices=nested.DRIFT_MODES)

    def prepare(self) -> Self:
        """Refuses what cannot be meant."""
        if self.on_drift != nested.ADD and not self.schema:
            raise UsageError(f"--on-drift {self.on_drift} needs --schema FILE")
        if self.schema.endswith("/") or (self.schema and Path(storage.normalise(self.schema)).is_dir()):
            raise UsageError(f"--schema {self.schema}: this is a folder, a file is expected")
        return super().prepare()

    def locked(self, root: str) -> list[Table] | None:
        """The locked tables; None without --schema or when there is no such file yet; `UsageError` for any other."""
        if not self.schema or not storage.exists(self.schema):
            return None
        try:
            return nested.parse_lock(storage.read_bytes(self.schema), self.schema, root)
        except nested.SchemaError as error:
            raise UsageError(str(error)) from None

    def new_lock(self, root: str, plan: nested.TablePlan) -> Delivery | None:
        """The schema file, where it is new or may have grown."""
        if not self.schema or plan.is_locked:
            return None
        return saved_file(self.schema, nested.lock_bytes(plan.tables, root))


def note_drift(job: JobContext, drift: Sequence[Drift] | None) -> None:
    """Notes each difference from the locked schema, and their number; nothing without a locked schema."""
    for item in drift or ():
        job.note(f"schema: {item.message()}")
    if drift is not None:
        job.metric("schema differences", len(drift))
