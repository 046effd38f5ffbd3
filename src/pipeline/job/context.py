"""A run of a job: what a job's body calls to read, settle, write and tell."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.engines import concurrency as beside
from pipeline.job import rejected_rows as quarantine
from pipeline.job import report
from pipeline.job.rejected_rows import Settled
from pipeline.job.report import Report
from pipeline.job.sources import Sources
from pipeline.publish.outputs import Outputs
from transforms.problems import PROBLEM
from transforms.text import csv_header, csv_line, quoted


class Run(Sources):
    """One run: options, session, accounts, outputs and report. Made by `Job`; used by the job's body.

    Attributes: `spark`, `options` (an attribute per option), `job`, `run_id`, `destination`, `dry_run`, `outputs`,
    `report`.
    """

    def __init__(self, job: str, options: argparse.Namespace, run_id: str, outputs: Outputs, told: Report) -> None:
        super().__init__(options, told)
        self.job, self.run_id, self.outputs = job, run_id, outputs
        self.destination, self.dry_run = outputs.destination, outputs.dry_run
        self._kept: dict[str, DataFrame] = {}
        self._figures: dict[str, Mapping[str, Any]] = {}
        self._released: list[DataFrame] = []
        self._unwritten: dict[str, Settled] = {}
        self._flushing = threading.Lock()
        self.before_publish: Callable[[], None] = lambda: None
        self._after: list[Callable[[Run], None]] = []

    # settling

    def settle(
        self,
        name: str,
        tagged: DataFrame,
        *,
        keep: bool = False,
        inside: str = "",
        own_text: Column | None = None,
        may_be_empty: bool = False,
        persist: bool = True,
        figures: Mapping[str, Column] | None = None,
    ) -> DataFrame:
        """Counts an input's rows, keeps the ones with a problem on file, and returns the rows to use.

        One pass fills the cache and counts. `inside`: the rows are elements of the array at these keys of their
        records (`_index` is their place), and their text is the element's. `own_text`: their text is this column.
        `keep=True` leaves `_file` and `_position` on the rows. `may_be_empty` allows an input without any usable
        record. Without `persist` the rows, made of kept ones, are not kept themselves.
        `figures`, aggregates of whole numbers, are for `counted`. Columns that begin with `_` are bookkeeping and go,
        unless kept.
        """
        self.account(name).may_be_empty = may_be_empty
        with self.stage(f"read {name}"):
            kept, found = quarantine.keep(self, tagged, figures=figures, persist=persist)
        self._settled(name, kept, found, inside, own_text)
        used = kept.where(F.col(PROBLEM).isNull())
        return used.drop(PROBLEM) if keep else used.drop(*[name for name in used.columns if name.startswith("_")])

    def settle_parts(
        self,
        name: str,
        tagged: DataFrame,
        explode: Callable[[DataFrame], DataFrame],
        part: str,
        inside: str,
    ) -> DataFrame:
        """Counts an input's rows and the parts that they explode into, in the one pass that keeps the parts.

        `explode` gives a row with its `_problem` and no `_index` for each row that is not used, and a tagged row with
        an `_index` for each part, an element of the array at the keys `inside`. Returns the parts, tagged; they are
        settled under the name `part`.
        """
        with self.stage(f"read {name}"):
            kept, found, parts_found = quarantine.keep_parts(self, tagged, explode)
        self._settled(name, kept.where(F.col("_index").isNull()), found)
        parts = kept.where(F.col("_index").isNotNull())
        self._settled(part, parts, parts_found, inside)
        return parts

    def settle_late(self, name: str, tagged: DataFrame) -> DataFrame:
        """Takes rows, which the account has as used, out of use for the problem they turned out to have; returns them.

        For what is only known when other inputs are settled: a parent that is not used.
        """
        with self.stage(f"read {name}"):
            kept, found = quarantine.keep(self, tagged)
        self._unwritten[f"{name} late"] = Settled(name, kept, found["codes"], found["rows"], quarantine.files(found))
        self.account(name).used -= int(found["rows"])
        return kept

    def _settled(
        self,
        name: str,
        kept: DataFrame,
        found: Mapping[str, Any],
        inside: str = "",
        own_text: Column | None = None,
    ) -> None:
        account, read = self.account(name), self.records_read(name)
        account.read, account.used = int(found["rows"]) if read is None else read, int(found["used"])
        self._kept[name], self._figures[name] = kept, found
        rows, files = found["rows"] - found["used"], quarantine.files(found)
        self._unwritten[name] = Settled(name, kept, found["codes"], rows, files, inside, own_text)

    def counted(self, name: str, figure: str) -> int:
        """A figure that was asked for when the input was settled."""
        return int(self._figures[name][figure])

    def kept(self, name: str) -> DataFrame:
        """All rows of a settled input, tagged, from the cache: for outputs that use some of the excluded rows too."""
        return self._kept[name]

    # writing

    def together(self, *steps: Callable[[], Any]) -> list[Any]:
        """Runs steps that do not need each other at the same time and gives their results, in their order.

        On a large input they share the cores, on a small one their plans are made side by side. All of them end before
        the error of the first one that failed is raised. Outputs in parts (`--files parts`) are written one after the
        other: where Spark cuts a sorted one hangs on the jobs before it, and the same input must give the same bytes.
        """
        return beside.together(steps) if self.outputs.single else [step() for step in steps]

    def _quarantine_first(self) -> None:
        """What is not used is on file before any output is; whoever comes meanwhile waits."""
        with self._flushing:
            if self._unwritten:
                with self.stage("write quarantine"):
                    quarantine.flush(self, self._unwritten.values())
                self._unwritten = {}

    def write_csv(
        self, file: str, frame: DataFrame, *, order: Sequence[str] = (), absent: str = "NA", known: int | None = None
    ) -> int:
        """Writes all columns of the frame as one CSV file (RFC 4180), rows in the given order; returns their number.

        `known` is their number where it is known before: a few are sorted with less ado.
        """
        by = [quoted(column) for column in order]
        header, line = csv_header(frame.columns), csv_line(frame.columns, absent)
        return self.write_lines(file, frame, order=by, header=header, line=line, known=known)

    def write_jsonl(self, file: str, frame: DataFrame, *, order: Sequence[str] = (), line: Column | None = None) -> int:
        """Writes a JSON document a row, in the given order: `line`, or the column `value`; returns their number."""
        return self.write_lines(file, frame, order=order, line=line)

    def write_lines(
        self,
        file: str,
        frame: DataFrame,
        *,
        order: Sequence[str] = (),
        header: str = "",
        line: Column | None = None,
        known: int | None = None,
    ) -> int:
        """Writes one line a row, `line` or the column `value`, after the header, in the given order."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            return self.outputs.lines(file, frame, order, header, F.col("value") if line is None else line, known)

    def write_parquet(self, file: str, frame: DataFrame, *, order: Sequence[str] = ()) -> int:
        """Writes the frame as a folder of Parquet parts; returns the number of rows."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            return self.outputs.parquet(file, frame, order)

    def write_bytes(self, file: str, data: bytes, rows: int) -> None:
        """Writes bytes that the driver holds: small things only (a picture, a table of a fixed handful of rows)."""
        self._quarantine_first()
        with self.stage(f"write {file}"):
            self.outputs.data(file, data, rows)

    # telling

    def note(self, text: str) -> None:
        """Adds a line to the report's notes."""
        self.report.notes.append(text)

    def figure(self, name: str, value: Any) -> None:
        """Adds a figure to the report."""
        self.report.figures[name] = value

    def show(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Prints a table on the terminal, unless the run is quiet."""
        if not self.options.quiet:
            report.table(title, headers, rows)

    def after_publish(self, action: Callable[[Run], None]) -> None:
        """Calls `action(run)` when the files are published (messages, tables); not in a dry run."""
        self._after.append(action)

    def keep(self, frame: DataFrame) -> DataFrame:
        """Keeps the frame's rows, once they are made, until the run ends."""
        self._released.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return frame

    # the end

    def finish(self) -> None:
        """Checks the accounts, publishes, and does what comes after; raises before anything is published."""
        self._quarantine_first()
        for account in self.report.accounts.values():
            account.check(self.options.max_rejected)
        if self.dry_run:
            self.report.outputs = {name: {"rows": o.rows, "bytes": None} for name, o in self.outputs.staged.items()}
            return
        self.before_publish()
        with self.stage("publish"):
            self.report.outputs = self.outputs.publish()
        for action in self._after:
            action(self)

    def release(self) -> None:
        """Gives back the kept rows."""
        for frame in self._released:
            frame.unpersist()
