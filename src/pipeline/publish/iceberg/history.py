"""Snapshots and runs: a table's snapshots carry the id of the run that made them."""

from __future__ import annotations

from collections.abc import Sequence

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline import storage

RUN_ID = "run-id"  # in a snapshot's summary


def in_order(table: Table) -> list[Snapshot]:
    """The table's snapshots, the newest last."""
    return sorted(table.snapshots(), key=lambda one: one.sequence_number or 0)


def run_of(snapshot: Snapshot | None) -> str | None:
    """The run that made a snapshot; None for one of somebody else."""
    return snapshot.summary[RUN_ID] if snapshot and snapshot.summary else None


def run_ids(root: Table) -> list[str]:
    """The runs that the root has snapshots of, each once, the newest last."""
    found = [run for one in reversed(in_order(root)) if (run := run_of(one))]
    return list(dict.fromkeys(found))[::-1]


def files_of(table: Table, snapshots: Sequence[Snapshot]) -> set[str]:
    """The paths of the snapshots' manifest lists, manifests and data files."""
    lists = {one.manifest_list for one in snapshots}
    manifests = {one.manifest_path: one for snapshot in snapshots for one in snapshot.manifests(table.io)}
    entries = (entry for one in manifests.values() for entry in one.fetch_manifest_entry(table.io))
    return set(map(storage.normalise, {entry.data_file.file_path for entry in entries} | manifests.keys() | lists))


def forget(table: Table, snapshots: Sequence[Snapshot]) -> None:
    """Removes snapshots from the table's history, and deletes the files that only they had."""
    former = files_of(table, snapshots)
    table.maintenance.expire_snapshots().by_ids([one.snapshot_id for one in snapshots]).commit()
    for path in former - files_of(table, table.refresh().snapshots()):
        storage.delete(path)


def has_committed(table: Table, run_id: str, before: int | None) -> bool:
    """Whether the current snapshot is the run's, and not `before`, the one that was current when the run began."""
    current = table.current_snapshot()
    return current is not None and current.snapshot_id != before and run_of(current) == run_id


def take_back(table: Table) -> bool:
    """Makes the table as it was before its current snapshot; true when it was not there."""
    current = table.current_snapshot()
    assert current is not None
    if current.parent_snapshot_id is None:
        return True
    table.manage_snapshots().rollback_to_snapshot(current.parent_snapshot_id).commit()
    forget(table.refresh(), [current])
    return False
