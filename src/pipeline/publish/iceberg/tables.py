"""The tables of one run in an Iceberg catalog: one commit each, the root's last.

A run whose commit of the root is there is whole: every table has a snapshot with its run id. What a run leaves that
was killed before is taken back by the next run on the destination: DIR/_runs/.CATALOG.json says what it was about.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table, Transaction
from pyspark.sql import SparkSession

from pipeline import storage
from pipeline.errors import AccountingError, InputError, PipelineError, UsageError
from pipeline.publish.concat import joint_sha256
from pipeline.publish.iceberg.catalog import answering, find_catalog, open_catalog, split_name
from pipeline.publish.iceberg.history import (
    RUN_ID,
    files_of,
    forget,
    has_committed,
    in_order,
    run_ids,
    run_of,
    take_back,
)
from pipeline.publish.iceberg.schema import conflicts
from pipeline.publish.iceberg.without_keys import write_without
from pipeline.publish.part_files import PartFile
from pipeline.publish.table_target import DAY, FileShape, TableTarget
from transforms.nested.schema.plan import ROOT

TABLES = "partner-jobs.tables"  # property of a root: the names of its tables
_KEEPS_METADATA = {"write.metadata.delete-after-commit.enabled": "true"}


def listed(root: Table | None) -> list[str]:
    """The names of the tables of a root, as its last run left them."""
    found: list[str] = json.loads(root.properties.get(TABLES, "[]")) if root is not None else []
    return found


def open_tables(target: TableTarget, destination: str, run_id: str, dry_run: bool) -> IcebergTables | None:
    """The tables of a run; None for a dry run where the catalog is still to be made."""
    if not dry_run:
        return IcebergTables(target, destination, run_id)
    found = find_catalog(split_name(target.catalog)[0], destination)
    return IcebergTables(target, destination, run_id, found) if found else None


@dataclass
class _Pending:
    """What becomes of one table: its transaction, and the files that go and come. `table`: None for a new one.

    `kept`: files with the rows that a merge leaves of replaced ones.
    """

    name: str
    table: Table | None
    change: Transaction
    shape: FileShape
    replaced: list[DataFile] = field(default_factory=list)
    parts: list[PartFile] = field(default_factory=list)
    kept: list[PartFile] = field(default_factory=list)


class IcebergTables:
    """The tables of a run: `open` refuses what does not fit, `add` takes what tasks wrote, `commit` shows it."""

    def __init__(self, target: TableTarget, destination: str, run_id: str, catalog: Catalog | None = None) -> None:
        self.target, self.run_id = target, run_id
        name, self.namespace = split_name(target.catalog)
        self.catalog = catalog or open_catalog(name, destination, new=True)
        self._marker = storage.join(destination, "_runs", f".{target.catalog}.json")
        self._pending: dict[str, _Pending] = {}
        self._finished: Collection[str] | None = None
        self._replaces: Collection[str] = ()
        self._in_doubt = False

    def keep_rows(self, finished: Collection[str], replaces: Collection[str]) -> None:
        """Rows of the finished runs stay, but for these. A run is finished by its manifest, not by its last commit."""
        self._finished, self._replaces = finished, replaces

    def open(self, schemas: Mapping[str, pa.Schema]) -> list[FileShape]:
        """How the files of these tables look; `InputError` or `UsageError` when a table cannot take such rows.

        Tables of the root that the run has no rows for take part: rows that the run replaces go from them, too.
        """
        with answering(self.catalog.name):
            if not self.catalog.namespace_exists(self.namespace):
                self.catalog.create_namespace(self.namespace)
        if storage.exists(self._marker):
            self._repair()
        tables, wanted = self._check(schemas)
        for name in [*schemas, *self._other_tables(tables.get(self.target.root), schemas)]:
            self._pending[name] = self._prepare(name, tables.get(name) or self._load(name), wanted.get(name))
        self._mark()
        return [self._pending[name].shape for name in schemas]

    def preview(self, schemas: Mapping[str, pa.Schema]) -> list[str]:
        """What a run would do, a line for each table; refuses what `open` refuses, and changes nothing."""
        is_left = storage.exists(self._marker)
        if is_left and self._finished is not None:  # nothing is taken back here: the files of that run are still there
            self._finished = {*self._finished, json.loads(storage.read_bytes(self._marker))["run_id"]}
        tables, wanted = self._check(schemas)
        others = self._other_tables(tables.get(self.target.root), schemas)
        lines = [
            self._preview(name, tables.get(name) or self._load(name), wanted.get(name)) for name in [*schemas, *others]
        ]
        if is_left:
            lines.append("a run before did not end: what it committed is taken back first, and is in these figures")
        return [f"{self.target.catalog}: {line}" for line in lines]

    def _preview(self, name: str, table: Table | None, wanted: pa.Schema | None) -> str:
        if table is None:
            return f"{name} is a new table"
        there = sum(file.record_count for file in self._files(table))
        if self.target.merge:
            going = "those with the keys of this run"
        else:
            going = f"{sum(file.record_count for file in self._replaced(table)):,}"
        parts = [f"{name} has {there:,} rows, replaced are {going}"]
        known = {column.name: str(column.field_type) for column in table.schema().fields}
        change = table.transaction().update_schema().union_by_name(wanted or schema_to_pyarrow(table.schema()))
        columns = {column.name: str(column.field_type) for column in change._apply().fields}
        new = [column for column in columns if column not in known]
        wider = [
            f"{column} ({known[column]} to {columns[column]})" for column in known if columns[column] != known[column]
        ]
        parts += [f"new columns: {', '.join(new)}"] if new else []
        parts += [f"wider columns: {', '.join(wider)}"] if wider else []
        return "; ".join(parts)

    def _check(self, schemas: Mapping[str, pa.Schema]) -> tuple[dict[str, Table | None], dict[str, pa.Schema]]:
        """The tables that are there, and the columns that each is to have; refuses what does not fit."""
        with answering(self.catalog.name):
            tables = {name: self._load(name) for name in schemas}
        self._check_days(tables)
        if self.target.day and (own := [name for name, schema in schemas.items() if DAY in schema.names]):
            raise UsageError(f"--day: {', '.join(own)} has a column {DAY} of its own")
        days = pa.schema([(DAY, pa.date32())] if self.target.day else [])
        wanted = {name: pa.schema([*schema, *days]) for name, schema in schemas.items()}
        found = [
            line
            for name, schema in wanted.items()
            if (table := tables[name]) is not None
            for line in conflicts(name, table.schema(), Catalog._convert_schema_if_needed(schema))
        ]
        if found:
            raise InputError(f"{self.target.catalog}: {'; '.join(found)}; columns can be added and widened only")
        return tables, wanted

    def _mark(self) -> None:
        """Writes what `_repair` needs: for each table the folder of new files, and the snapshot that is current."""
        tables = {
            name: (one.shape.folder, one.table.metadata.current_snapshot_id if one.table else None)
            for name, one in self._pending.items()
        }
        kind = {"counts_from_manifest": self._finished is not None}
        left = {"run_id": self.run_id, "root": self.target.root, "tables": tables, **kind}
        storage.write_bytes(self._marker, json.dumps(left).encode())

    def _load(self, name: str) -> Table | None:
        try:
            return self.catalog.load_table((self.namespace, name))
        except NoSuchTableError:
            return None

    def _check_days(self, tables: Mapping[str, Table | None]) -> None:
        """Rows of days and rows without one do not stand in one table."""
        for name, table in tables.items():
            if table is not None and (DAY in [one.name for one in table.spec().fields]) != bool(self.target.day):
                raise UsageError(
                    f"{self.target.catalog}: {name} was made without days, --day does not go with it"
                    if self.target.day
                    else f"{self.target.catalog}: the rows of {name} have days: --day YYYY-MM-DD is missing"
                )

    def _other_tables(self, root: Table | None, known: Iterable[str]) -> list[str]:
        if not self._replaces:  # a run that replaces rows of others replaces what these rejected, too
            known = [*known, self.target.unused_table]
        return [name for name in listed(root) if name not in known and self._load(name) is not None]

    def _prepare(self, name: str, table: Table | None, wanted: pa.Schema | None) -> _Pending:
        """Begins the table's transaction: made, or its schema changed, where that is needed."""
        if table is None:
            assert wanted is not None
            change: Transaction = self.catalog.create_table_transaction(
                (self.namespace, name), wanted, properties=_KEEPS_METADATA
            )
            if self.target.day:
                with change.update_spec() as spec:
                    spec.add_identity(DAY)
        else:
            change = table.transaction()
            if wanted is not None:
                with change.update_schema() as schema:
                    schema.union_by_name(wanted)
        metadata = change.table_metadata
        ids = {one.name: one for one in schema_to_pyarrow(metadata.schema())}
        columns = pa.schema([ids[column] for column in (wanted.names if wanted is not None else ())])
        constants = {DAY: self.target.day} if self.target.day else {}
        folder = storage.join(metadata.location, "data", self.run_id)
        return _Pending(name, table, change, FileShape(folder, columns, constants))

    def add(self, name: str, parts: Sequence[PartFile]) -> None:
        """Takes the files that tasks wrote for a table."""
        self._pending[name].parts = list(parts)

    def merge(self, spark: SparkSession, keys: Mapping[str, Sequence[str]]) -> None:
        """Lets rows go whose keys the run has new rows of; by default all rows go, or those of the day.

        `keys`: for each table the columns with the key of the root's row.
        """
        new = [part.path for part in self._pending[self.target.root].parts]
        own = keys[self.target.root]
        for name, one in self._pending.items():
            if name == self.target.unused_table:
                continue  # its rows have no keys: they are added
            former = list(self._files(one.table)) if one.table else []
            paths = [file.file_path for file in former]
            for part in write_without(spark, paths, keys.get(name, (ROOT,)), new, own, one.shape.folder):
                file, removed = former[part.part], int(part.group)
                if part.rows + removed != file.record_count:
                    raise AccountingError(f"{name}: {part.rows} rows kept, {removed} removed of {file.record_count}")
                one.replaced.append(file)
                one.kept += [part] if part.rows else []

    def commit(self) -> dict[str, dict[str, Any]]:
        """Commits all tables, the root last; for each its rows, bytes, hash and snapshot.

        Before the first commit the rows in the files' footers are checked against the rows that tasks counted.
        """
        for one in self._pending.values():
            self._stage(one)
        last = [name for name in self._pending if name == self.target.root]
        entries = {}
        for name in [*(name for name in self._pending if name not in last), *last]:
            entries[f"{self.namespace}.{name}"] = self._commit(self._pending[name])
        if self._finished is None:
            self.finish()
        return entries

    def finish(self) -> None:
        """The run is whole, whatever comes: with its last commit, or when its manifest is written."""
        storage.delete(self._marker)

    def _stage(self, one: _Pending) -> None:
        """Adds the snapshot to the table's transaction."""
        change = one.change
        if one.name == self.target.root:
            change.set_properties({TABLES: json.dumps(list(dict.fromkeys([*self._pending, *listed(one.table)])))})
        parts = [*one.parts, *one.kept]
        files = [parquet_file_to_data_file(change._table.io, change.table_metadata, part.path) for part in parts]
        committed, counted = sum(file.record_count for file in files), sum(part.rows for part in parts)
        if committed != counted:
            raise AccountingError(f"{one.name}: {committed} rows in its files, {counted} were written")
        if one.table is not None and not self.target.merge:
            one.replaced = self._replaced(one.table)
        update = change.update_snapshot(snapshot_properties={RUN_ID: self.run_id})
        producer = update.overwrite() if one.replaced else update.fast_append()
        for file in one.replaced:
            producer.delete_data_file(file)
        for file in files:
            producer.append_data_file(file)
        producer.commit()

    def _replaced(self, table: Table) -> list[DataFile]:
        """The table's files that go: all, those of the day, or those in the folders of some runs."""
        files = self._files(table, self.target.day)
        if self._finished is None:
            return list(files)
        folder = storage.normalise(storage.join(table.location(), "data")) + "/"
        replaced = []
        for file in files if self._replaces else ():
            run_id = storage.normalise(file.file_path).removeprefix(folder).partition("/")[0]
            if run_id not in self._finished:
                raise PipelineError(f"{file.file_path}: of no run of this destination; nothing is replaced")
            replaced += [file] if run_id in self._replaces else []
        return replaced

    def _files(self, table: Table, day: datetime.date | None = None) -> Iterator[DataFile]:
        """The table's files, or those of a day."""
        for task in table.scan(row_filter=f"{DAY} == '{day}'" if day else AlwaysTrue()).plan_files():
            if task.residual != AlwaysTrue() or task.delete_files:
                raise PipelineError(f"{task.file.file_path}: not written by this job as it is now; nothing is replaced")
            yield task.file

    def _commit(self, one: _Pending) -> dict[str, Any]:
        with answering(self.catalog.name, PipelineError):
            try:
                table = one.change.commit_transaction()
            except (CommitFailedException, ValidationException) as error:
                changed = f"{self.target.catalog}: {one.name} was changed by somebody else"
                raise PipelineError(f"{changed}: {error}") from error
            except BaseException:
                self._in_doubt = True  # the catalog may have it, or have it in a moment
                raise
        snapshot = table.current_snapshot()
        return {
            "rows": sum(part.rows for part in one.parts),
            "bytes": sum(part.bytes for part in one.parts),
            "sha256": joint_sha256(one.parts),
            "snapshot": snapshot.snapshot_id if snapshot else None,
        }

    def discard(self) -> None:
        """Takes back what was committed while the root was not, and removes the run's files.

        After a commit that was not answered the next run does so: it sees whether the catalog has it.
        """
        if not self._in_doubt and storage.exists(self._marker):
            self._repair()

    def _repair(self) -> None:
        """Makes the tables that the marker names as they were, unless the run is whole: its root's commit is there.

        A run that counts from its manifest on is whole then.
        """
        left = json.loads(storage.read_bytes(self._marker))
        tables = {name: self._load(name) for name in left["tables"]}
        done = {
            name
            for name, (_, before) in left["tables"].items()
            if (table := tables[name]) is not None and has_committed(table, left["run_id"], before)
        }
        is_whole = left["root"] in done and (
            not left.get("counts_from_manifest") or left["run_id"] in (self._finished or ())
        )
        for name, (folder, _) in left["tables"].items():
            table = tables[name]
            if table is not None and name in done and not is_whole and take_back(table):
                self.catalog.purge_table((self.namespace, name))
                table = None
            known = files_of(table, table.snapshots()) if table is not None else set()
            for info in storage.list_prefix(folder):
                if info.path not in known:
                    storage.delete(info.path)
        storage.delete(self._marker)

    def expire(self, keep: int) -> None:
        """Forgets snapshots from before the `keep` newest runs of the root, and deletes what only those had."""
        root = self._load(self.target.root)
        kept = run_ids(root)[-keep:] if root is not None else []
        for name in self._pending:
            table = self._load(name)
            snapshots = in_order(table) if table is not None else []
            first = next((at for at, one in enumerate(snapshots) if run_of(one) in kept), 0)
            if table is None or not first:
                continue
            forget(table, snapshots[:first])
