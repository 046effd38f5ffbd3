"""Outputs of a run: written in parallel under the run's folder, then published under their own names, manifest last."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from pipeline import storage
from pipeline.publish import concat as compose

MANIFEST = "_manifest.json"


@dataclass
class Output:
    """One file or folder of parts to publish: where it is staged, and what the manifest says of it."""

    name: str
    staged: list[compose.Staged]
    rows: int
    folder: bool = False

    def entry(self) -> dict[str, Any]:
        """The manifest's entry; a folder's hash is the hash of its parts' hashes, one a line."""
        return {
            "rows": self.rows,
            "bytes": sum(part.bytes for part in self.staged),
            "sha256": compose.joint_sha256(self.staged),
        }


# Up to so many rows are sorted in one task: more tasks would need a sample first, another look at all of the input.
_FEW = 500_000


def is_few(rows: int | None) -> bool:
    """Whether so many rows are sorted in one task; None: nobody knows how many there are."""
    return rows is not None and rows <= _FEW


def _sorted(frame: DataFrame, order: Sequence[str], rows: int | None = None) -> DataFrame:
    if order and is_few(rows):
        return frame.repartition(1).sortWithinPartitions(*order)
    return frame.orderBy(*order) if order else frame


@dataclass
class Outputs:
    """Stages and publishes the outputs of one run under `destination`."""

    destination: str
    run_id: str
    job: str
    single: bool
    dry_run: bool
    staged: dict[str, Output] = field(default_factory=dict)

    @property
    def run_folder(self) -> str:
        """The folder of this run: DIR/_runs/<run-id>."""
        return storage.join(self.destination, "_runs", self.run_id)

    def _write_text(
        self, frame: DataFrame, folder: str, order: Sequence[str], line: Column, known: int | None
    ) -> tuple[list[str], int]:
        counts = Observation(f"write {folder}")
        # Sorting makes its input twice, once for a sample: the lines are made behind it.
        lines = (
            _sorted(frame, order, known).select(line.alias("value")).observe(counts, F.count(F.lit(1)).alias("rows"))
        )
        if self.dry_run:
            lines.write.format("noop").mode("overwrite").save()
            return [], int(counts.get["rows"])
        lines.write.mode("overwrite").option("lineSep", "\n").text(storage.to_spark_path(folder))
        return self._parts(folder), int(counts.get["rows"])

    def _parts(self, folder: str) -> list[str]:
        return [f.path for f in storage.list_prefix(folder) if PurePosixPath(f.path).name.startswith("part-")]

    def _stage(self, parts: list[str], target: str, header: bytes = b"") -> compose.Staged:
        if not storage.is_s3(target):
            return compose.stage(parts, target, header)
        # On S3 no byte of a large part comes through the driver: a task hashes what the store puts together.
        spark = SparkSession.builder.getOrCreate()
        return compose.stage(parts, target, header, compose.spark_hasher(spark))

    def _work_folder(self, name: str) -> str:
        return storage.join(self.run_folder, "staged", name)

    def side_files(
        self, frame: DataFrame, counted: Callable[[DataFrame], DataFrame], files: dict[tuple[str, str], str], rows: int
    ) -> None:
        """Writes lines (`value`) by `kind` and `input` as single files of the run's own folder, at once, in order.

        `files` names the file of each (kind, input); `counted` observes the rows. In a dry run they are only counted.
        """
        # Sorting reads its input twice (once for a sample), so rows are counted behind it.
        by = ("kind", "input", "_path", "_place", "value")
        ordered = counted(_sorted(frame, by, rows)).select("kind", "input", "value")
        if self.dry_run:
            ordered.write.format("noop").mode("overwrite").save()
            return
        folder = self._work_folder("problems")
        ordered.write.mode("overwrite").partitionBy("kind", "input").text(storage.to_spark_path(folder))
        for (kind, name), file in files.items():
            parts = self._parts(storage.join(folder, f"kind={kind}", f"input={name}"))
            compose.publish(compose.stage(parts, storage.join(self.run_folder, file)))
        storage.delete_tree(folder)

    def lines(
        self, name: str, frame: DataFrame, order: Sequence[str], header: str, line: Column, known: int | None = None
    ) -> int:
        """Stages a line a row, in the given order, as the output `name`; returns the number of rows, `known` or not."""
        parts, rows = self._write_text(frame, self._work_folder(name), order, line, known)
        staged: list[compose.Staged] = []
        if not self.dry_run:
            target, head = storage.join(self.destination, name), header.encode()
            if self.single:
                staged = [self._stage(parts, target, head)]
            else:
                staged = [
                    self._stage([part], storage.join(target, self._part_name(i, name)), head)
                    for i, part in enumerate(parts)
                ]
        self.staged[name] = Output(name, staged, rows, folder=not self.single)
        return rows

    @staticmethod
    def _part_name(index: int, name: str) -> str:
        return f"part-{index:05d}{PurePosixPath(name).suffix}"

    def parquet(self, name: str, frame: DataFrame, order: Sequence[str]) -> int:
        """Stages the frame as a folder of Parquet parts; returns the number of rows."""
        counts = Observation(f"write {name}")
        counted = _sorted(frame, order).observe(counts, F.count(F.lit(1)).alias("rows"))
        folder = self._work_folder(name)
        if self.dry_run:
            counted.write.format("noop").mode("overwrite").save()
            staged = []
        else:
            counted.write.mode("overwrite").parquet(storage.to_spark_path(folder))
            target = storage.join(self.destination, name)
            parts = self._parts(folder)
            staged = [
                self._stage([part], storage.join(target, f"part-{i:05d}.parquet")) for i, part in enumerate(parts)
            ]
        rows = int(counts.get["rows"])
        self.staged[name] = Output(name, staged, rows, folder=True)
        return rows

    def data(self, name: str, data: bytes, rows: int) -> None:
        """Stages bytes that the driver holds: a picture, a table with a fixed handful of rows."""
        staged = [] if self.dry_run else [compose.stage_bytes(data, storage.join(self.destination, name))]
        self.staged[name] = Output(name, staged, rows)

    def publish(self) -> dict[str, dict[str, Any]]:
        """Gives each staged file its name, one after the other, the manifest last; returns its entries."""
        compose.ready(part for output in self.staged.values() for part in output.staged)
        entries = {}
        for name, output in sorted(self.staged.items()):
            if output.folder:
                compose.publish_folder(output.staged, storage.join(self.destination, name))
            else:
                for part in output.staged:
                    compose.publish(part)
            entries[name] = output.entry()
        self._write_manifest(entries)
        storage.delete_tree(storage.join(self.run_folder, "staged"))
        return entries

    def _write_manifest(self, entries: dict[str, dict[str, Any]]) -> None:
        path = storage.join(self.destination, MANIFEST)
        kept: dict[str, Any] = {}
        if storage.exists(path):
            before = json.loads(storage.read_bytes(path))
            former = before.get("kept", {}) | {n: e | {"run_id": before["run_id"]} for n, e in before["files"].items()}
            kept = {name: entry for name, entry in former.items() if name not in entries}
        manifest = {"run_id": self.run_id, "job": self.job, "files": entries, "kept": kept}
        storage.write_bytes(path, (json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def discard(self) -> None:
        """Drops what was staged and not published."""
        for output in self.staged.values():
            for part in output.staged:
                compose.discard(part)
        storage.delete_tree(storage.join(self.run_folder, "staged"))
