"""The folders of finished runs that nobody wants to keep."""

from __future__ import annotations

from pathlib import PurePosixPath

from pipeline import storage


def remove_old_runs(destination: str, run_id: str, keep: int) -> None:
    """Deletes the folders of a local destination's finished runs but `run_id` and the `keep` - 1 newest others.

    A run is finished when it has a report.json; a folder without one may belong to a run that goes on.
    """
    runs = storage.normalise(storage.join(destination, "_runs"))
    reports = [info for info in storage.list_prefix(runs) if PurePosixPath(info.path).name == "report.json"]
    found = {PurePosixPath(info.path).parent: int(info.version) for info in reports}
    others = [path for path in found if path.parent == PurePosixPath(runs) and path.name != run_id]
    for path in sorted(others, key=lambda one: found[one], reverse=True)[keep - 1 :]:
        storage.delete_tree(str(path))
