"""Outputs of a run: written in parallel under the run's folder, then published under their own names, manifest last."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline import storage
from pipeline.engines.registry import engine_of
from pipeline.errors import AccountingError
from pipeline.publish import concat
from pipeline.publish.concat.hashing import spark_hasher
from pipeline.publish.iceberg.unused_rows import COLUMNS, write_unused
from pipeline.publish.old_runs import remove_old_runs
from pipeline.publish.part_files import (
    PartFile,
    write_blocks,
    write_empty_parquet,
    write_grouped,
    write_lines,
    write_parquet,
)
from pipeline.publish.table_target import FileShape, TableTarget
from transforms.kernels.blocks import BlockTable
from transforms.render import Render
from transforms.text import quoted

if TYPE_CHECKING:
    from pipeline.publish.iceberg.tables import IcebergTables

MANIFEST = "_manifest.json"
# Up to so many rows are sorted in one task: more tasks would need a sample first, another look at all of the input.
FEW_ROWS = 500_000


def is_few(rows: int | None) -> bool:
    """Whether so many rows are sorted as one stream; None: nobody knows how many there are."""
    return rows is not None and rows <= FEW_ROWS


@dataclass
class Staged:
    """One file or folder of parts to publish, and what the manifest says of it."""

    parts: list[concat.Staged]
    rows: int
    folder: bool = False

    def entry(self) -> dict[str, Any]:
        """The manifest's entry; a folder's hash is the hash of its parts' hashes, one per line."""
        return {
            "rows": self.rows,
            "bytes": sum(part.bytes for part in self.parts),
            "sha256": concat.joint_sha256(self.parts),
        }


@dataclass
class RunFiles:
    """Stages and publishes the files of one run under `destination`; a dry run only counts rows.

    `folder`: where under the destination, a folder of this run's own (`--new-only`); `read`: the files that it reads,
    for the manifest, which is then written by `finish`, after all deliveries; `replaces`: the runs whose rows in tables
    it replaces, as files of theirs have changed. `idle`: there is nothing to do. `notes`: what a dry run says of
    tables.
    """

    destination: str
    run_id: str
    job: str
    single: bool
    dry_run: bool
    folder: str = ""
    staged: dict[str, Staged] = field(default_factory=dict)
    read: dict[str, dict[str, Any]] = field(default_factory=dict)
    replaces: frozenset[str] = frozenset()
    idle: bool = False
    notes: list[str] = field(default_factory=list)
    _tables: IcebergTables | None = None

    @property
    def run_folder(self) -> str:
        """The folder of this run: DIR/_runs/<run-id>."""
        return storage.join(self.destination, "_runs", self.run_id)

    @property
    def published(self) -> str:
        """The folder of the outputs."""
        return storage.join(self.destination, self.folder) if self.folder else self.destination

    @functools.cached_property
    def before(self) -> dict[str, Any]:
        """The manifest as the last finished run left it; empty without one."""
        path = storage.join(self.destination, MANIFEST)
        is_there = self.destination and storage.exists(path)
        found: dict[str, Any] = json.loads(storage.read_bytes(path)) if is_there else {}
        return found

    def _work_folder(self, name: str) -> str:
        return storage.join(self.run_folder, "staged", name)

    def _concat(self, parts: list[PartFile], target: str, header: bytes, spark: SparkSession) -> concat.Staged:
        paths = [part.path for part in parts]
        if not storage.is_s3(target):
            return concat.stage(paths, target, header)
        # On S3 no byte of a large part comes through the driver: a task hashes what the store puts together.
        return concat.stage(paths, target, header, spark_hasher(spark))

    def write_lines(
        self, name: str, frame: DataFrame, render: Render, order: Sequence[str], header: str, row_count: int | None
    ) -> None:
        """Stages a line for each row of the frame, sorted by `order`, behind the header."""
        if self.dry_run:
            self._add(name, Staged([], frame.count(), folder=not self.single), row_count)
            return
        parts = write_lines(frame, render, order, is_few(row_count), self._work_folder(name))
        self._stage_lines(name, parts, header.encode(), row_count, frame.sparkSession)

    def _stage_lines(
        self, name: str, parts: list[PartFile], header: bytes, row_count: int | None, spark: SparkSession
    ) -> None:
        target, suffix = storage.join(self.published, name), PurePosixPath(name).suffix
        if self.single:
            staged = [self._concat(parts, target, header, spark)]
        else:
            staged = [
                self._concat([part], storage.join(target, f"part-{number:05d}{suffix}"), header, spark)
                for number, part in enumerate(parts)
            ]
        self._add(name, Staged(staged, sum(part.rows for part in parts), folder=not self.single), row_count)

    def _add(self, name: str, staged: Staged, row_count: int | None) -> None:
        self.staged[name] = staged
        if row_count is not None and row_count != staged.rows:
            raise AccountingError(f"{name}: {staged.rows} rows written, {row_count} expected")

    def write_tables(
        self, files: Sequence[tuple[str, str, BlockTable]], frame: DataFrame, into: TableTarget | None = None
    ) -> None:
        """Stages the tables of a frame of blocks, given as file, header and table, in one pass over the frame.

        In: `group` int (index into `files`), `part`, `block` (see `transforms.kernels.blocks`). All files have the same
        suffix: Parquet, or lines. Each is sorted by its key. With `into` they are names of tables there.
        """
        if into is not None:
            self._write_into(into, files, frame)
            return
        suffix = PurePosixPath(files[0][0]).suffix
        is_parquet = suffix == ".parquet"
        if self.dry_run:
            self.staged |= {name: Staged([], table.rows, is_parquet or not self.single) for name, _, table in files}
            return
        folder = self._work_folder(files[0][0])
        written = write_blocks(frame, [table for _, _, table in files], suffix, folder)
        parts: dict[str, list[PartFile]] = {}
        for part in written:
            parts.setdefault(part.group, []).append(part)
        for number, (name, header, table) in enumerate(files):
            own = parts.get(str(number), [])
            if is_parquet:
                own = own or [write_empty_parquet(table.schema.empty_table(), folder)]
                self._stage_parquet(name, own, table.rows, frame.sparkSession)
            else:
                self._stage_lines(name, own, header.encode(), table.rows, frame.sparkSession)

    def _open_tables(self, into: TableTarget, schemas: Mapping[str, pa.Schema]) -> list[FileShape]:
        """How the files of the tables look; a dry run only notes what would become of the tables."""
        from pipeline.publish.iceberg.tables import open_tables  # only a run with such tables has pyiceberg

        tables = open_tables(into, self.destination, self.run_id, self.dry_run)
        schemas = {**schemas, into.unused_table: COLUMNS} if into.unused else schemas
        if tables is None:
            self.notes += [f"{into.catalog}: {name} is a new table" for name in schemas]
            return []
        self._keep_rows(tables)
        if self.dry_run:
            self.notes += tables.preview(schemas)
            return []
        self._tables = tables
        if not into.unused:
            return self._tables.open(schemas)
        *shapes, shape = self._tables.open(schemas)
        self._tables.add(into.unused_table, write_unused(self.run_folder, shape))
        return shapes

    def _keep_rows(self, tables: IcebergTables) -> None:
        if self.folder:
            tables.keep_rows({one["run_id"] for one in self.before.get("read", {}).values()}, self.replaces)

    def _take(self, name: str, parts: list[PartFile], row_count: int | None) -> None:
        """Gives the files of a table to its commit."""
        written = sum(part.rows for part in parts)
        if row_count is not None and row_count != written:
            raise AccountingError(f"{name}: {written} rows written, {row_count} expected")
        assert self._tables is not None
        self._tables.add(name, parts)

    def _write_into(self, into: TableTarget, files: Sequence[tuple[str, str, BlockTable]], frame: DataFrame) -> None:
        tables = [table for _, _, table in files]
        shapes = self._open_tables(into, {name: table.typed for name, _, table in files})
        if self.dry_run:
            self.staged |= {name: Staged([], table.rows, folder=True) for name, _, table in files}
            return
        written = write_blocks(frame, tables, ".parquet", "", shapes)
        for number, (name, _, table) in enumerate(files):
            self._take(name, [part for part in written if part.group == str(number)], table.rows)
        if into.merge and self._tables:
            self._tables.merge(frame.sparkSession, {name: (table.key,) for name, _, table in files})

    def write_parquet(
        self,
        name: str,
        frame: DataFrame,
        columns: Sequence[str],
        order: Sequence[str] = (),
        row_count: int | None = None,
        into: TableTarget | None = None,
    ) -> None:
        """Stages these columns of the frame, sorted by `order`, as a folder of Parquet parts, or for a table."""
        if into is not None:
            rows = engine_of(frame.sparkSession).empty_rows(frame.select(*map(quoted, columns)))
            shapes = self._open_tables(into, {name: rows.schema})
        if self.dry_run:
            self._add(name, Staged([], frame.count(), folder=True), row_count)
            return
        if into is not None:
            [shape] = shapes
            self._take(name, write_parquet(frame, columns, order, is_few(row_count), shape.folder, shape), row_count)
            if into.merge and self._tables:
                self._tables.merge(frame.sparkSession, {name: into.key})
            return
        parts = write_parquet(frame, columns, order, is_few(row_count), self._work_folder(name))
        self._stage_parquet(name, parts, row_count, frame.sparkSession)

    def _stage_parquet(self, name: str, parts: list[PartFile], row_count: int | None, spark: SparkSession) -> None:
        target = storage.join(self.published, name)
        staged = [
            self._concat([part], storage.join(target, f"part-{number:05d}.parquet"), b"", spark)
            for number, part in enumerate(parts)
        ]
        self._add(name, Staged(staged, sum(part.rows for part in parts), folder=True), row_count)

    def write_data(self, name: str, content: bytes, rows: int) -> None:
        """Stages bytes that the driver holds; a table in CSV is a folder of one part where the others are folders."""
        target, folder = storage.join(self.published, name), name.endswith(".csv") and not self.single
        target = storage.join(target, "part-00000.csv") if folder else target
        self.staged[name] = Staged([] if self.dry_run else [concat.stage_bytes(content, target)], rows, folder)

    def publish(self) -> dict[str, dict[str, Any]]:
        """Commits the tables, gives each staged file its name, one after the other, the manifest last.

        Returns what the report says of tables and files.
        """
        concat.ready(part for output in self.staged.values() for part in output.parts)
        tables = self._tables.commit() if self._tables else {}
        entries = {}
        for name, output in sorted(self.staged.items()):
            if output.folder:
                concat.publish_folder(output.parts, storage.join(self.published, name))
            else:
                for part in output.parts:
                    concat.publish(part)
            entries[name] = output.entry()
        if not self.folder:
            self._write_manifest(entries)
        storage.delete_tree(storage.join(self.run_folder, "staged"))
        return entries | tables

    def finish(self) -> None:
        """Says that all is done: only now the files that a run with a folder of its own has read count as read."""
        if self.folder:
            self._write_manifest({f"{self.folder}/{name}": output.entry() for name, output in self.staged.items()})
        if self._tables:
            self._tables.finish()

    def _write_manifest(self, entries: dict[str, dict[str, Any]]) -> None:
        last = {name: entry | {"run_id": self.before["run_id"]} for name, entry in self.before.get("files", {}).items()}
        former = self.before.get("kept", {}) | last
        kept = {name: entry for name, entry in former.items() if name not in entries}
        manifest = {"run_id": self.run_id, "job": self.job, "files": entries, "kept": kept}
        if self.folder:
            manifest["read"] = self.before.get("read", {}) | self.read
        path = storage.join(self.destination, MANIFEST)
        storage.write_bytes(path, (json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def remove_old_runs(self, keep: int) -> None:
        """Keeps the newest runs: their folders on disk, and their snapshots of tables."""
        if not storage.is_s3(self.destination):
            remove_old_runs(self.destination, self.run_id, keep)
        if self._tables:
            self._tables.expire(keep)

    def discard(self) -> None:
        """Drops what was staged and not published."""
        for output in self.staged.values():
            for part in output.parts:
                concat.discard(part)
        if self._tables:
            self.__dict__.pop("before", None)  # the manifest may already be this run's: its rows stay then
            self._keep_rows(self._tables)
            self._tables.discard()
        storage.delete_tree(storage.join(self.run_folder, "staged"))


@dataclass(frozen=True)
class SideFiles:
    """Where a run keeps rows that are not used: files of its own folder, which publishing never touches."""

    files: RunFiles

    def write(self, lines: DataFrame, names: Mapping[str, str], rows: int) -> dict[str, int]:
        """Writes the column `lines` by `group` as the files in `names`, in the order of `file` and `position`.

        Returns the number of lines of each group. In a dry run they are only counted.
        """
        if self.files.dry_run:
            return {row[0]: row[1] for row in lines.groupBy("group").count().collect()}
        folder = storage.join(self.files.run_folder, "staged", "rejected")
        engine = engine_of(lines.sparkSession)
        # Sorting many rows reads its input once more for a sample: kept, so that texts are not fetched again.
        kept = lines if is_few(rows) else engine.cache(lines)
        parts = write_grouped(kept, ("group", "file", "position", "lines"), is_few(rows), folder)
        written: dict[str, int] = {}
        for group, name in names.items():
            own = [part for part in parts if part.group == group]
            written[group] = sum(part.rows for part in own)
            concat.publish(concat.stage([part.path for part in own], storage.join(self.files.run_folder, name)))
        if kept is not lines:
            engine.release(kept)
        storage.delete_tree(folder)
        return written
