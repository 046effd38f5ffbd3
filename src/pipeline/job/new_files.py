"""`--new-only`: reads the files that no finished run of the destination has read; rows of earlier runs stay.

The outputs of each run are in a folder of their own, `DIR/run=<run-id>/`, so that nothing replaces the rows of earlier
files. The manifest has every file that was read, with size and version, and is written when all deliveries are done:
what a run without an entry there left is removed, and its files are new again. Tables of Iceberg keep the rows of all
runs; where a file changed, those of its run are replaced, and all files of that run are read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline import storage
from pipeline.errors import InputError, UsageError
from pipeline.job.options import JobOptions
from pipeline.publish.outputs import RunFiles
from pipeline.storage import FileInfo

_SHOWN = 20


def check_destination(options: JobOptions, files: RunFiles) -> None:
    """`UsageError` where runs with and without `--new-only` would share a destination."""
    if not files.before or options.new_only == ("read" in files.before):
        return
    if options.new_only:
        raise UsageError(f"{options.destination} has files of a run without --new-only: take another destination")
    raise UsageError(f"{options.destination} is filled with --new-only, a folder per run: go on so, or take another")


def keep_new_files(options: JobOptions, files: RunFiles) -> list[str]:
    """Leaves each input its new files, as `files.read` has them; returns a note about each input.

    `InputError` for files that changed since they were read; with tables of Iceberg their runs are in `files.replaces`,
    and `InputError` is for files of these runs that are gone. `UsageError` when only some inputs have new files.
    """
    known = files.before.get("read", {})
    sources = [one for one in options.inputs() if one and one.name not in options.reference_inputs]
    notes = []
    there = [info for one in sources for info in one.files()]
    if changed := [info for info in there if _is_changed(info, known)]:
        notes.append(_check_changed(options, changed, there, known))
        files.replaces = frozenset(_run(info, known) for info in changed)
    for mended in options.all_corrections:
        before = known.get(mended.file)
        if before and before["run_id"] not in files.replaces:
            raise UsageError(
                f"{mended.place}: {mended.file} was read in run {before['run_id']} and is not read again;"
                " send the mended record in a new file"
            )
    new = {one.name: [info for info in one.files() if _run(info, known) in ("", *files.replaces)] for one in sources}
    if any(new.values()) and not all(new.values()):
        some, none = (", ".join(f"--{name}" for name in new if bool(new[name]) == has) for has in (True, False))
        raise UsageError(f"there are new files for {some} and none for {none}: they belong together")
    if any(new.values()) and files.run_id in {entry["run_id"] for entry in known.values()}:
        raise UsageError(f"run {files.run_id} is published in {options.destination}: take another --run-id")
    for one in sources:
        found, before = new[one.name], len(one.files()) - len(new[one.name])
        shown = ", ".join(info.path for info in found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        notes.append(f"{one.name}: {len(found)} new files, {before} were read before{': ' if found else ''}{shown}")
        one.keep(found)
        entry = {"run_id": files.run_id}
        files.read |= {info.path: entry | {"size": info.size, "version": info.version} for info in found}
    return notes


def _check_changed(
    options: JobOptions, changed: Sequence[FileInfo], there: Sequence[FileInfo], known: Mapping[str, Any]
) -> str:
    """A note about changed files; `InputError` where their rows cannot be replaced."""
    before = [(info, known[info.path]) for info in changed]
    texts = [f"{one.path} ({was['size']} bytes in run {was['run_id']}, {one.size} now)" for one, was in before]
    text = f"changed since they were read: {_first(texts)}"
    if not options.has_snapshots:
        where = f"their rows are in {options.destination}/run=...: send them under other names"
        raise InputError(f"{text}; {where}")
    runs = sorted({_run(info, known) for info in changed})
    paths = {info.path for info in there}
    if gone := [path for path, entry in known.items() if entry["run_id"] in runs and path not in paths]:
        raise InputError(f"{text}; of the same run, and not among the inputs now: {_first(gone)}")
    return f"{text}; rows of {', '.join(runs)} are replaced, all files of these runs read again"


def _run(info: FileInfo, known: Mapping[str, Any]) -> str:
    """The run that has read the file; empty for a new one."""
    return str(known[info.path]["run_id"]) if info.path in known else ""


def _is_changed(info: FileInfo, known: Mapping[str, Any]) -> bool:
    before = known.get(info.path)
    return before is not None and (before["size"], before["version"]) != (info.size, info.version)


def _first(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more


def remove_unfinished(files: RunFiles) -> None:
    """Removes what runs that did not finish published: no row of them counts, and their files are read again."""
    finished = {name.partition("/")[0] for part in ("files", "kept") for name in files.before.get(part, {})}
    root = storage.normalise(files.destination).rstrip("/") + "/"
    found = {tuple(info.path.removeprefix(root).split("/")[:2]) for info in storage.list_prefix(root)}
    for folder in {first for first, *_ in found if first.startswith("run=")} - finished:
        # A folder in a destination that is used so for the first time may be somebody else's.
        if files.before or ("_runs", folder.removeprefix("run=")) in found:
            storage.delete_tree(storage.join(files.destination, folder))
