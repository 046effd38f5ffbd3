"""Output files made from parts in two steps: `stage` prepares under no name, `publish` gives the name at once.

    staged = [concat.stage(parts, "DIR/a.csv", b"id,name\\n"), concat.stage(others, "DIR/b.csv")]
    concat.ready(staged)            # all whole and hashed, or an error before anything has changed
    for one in staged:
        concat.publish(one)

On disk a staged file has a temporary name and publication is a rename. On S3 parts are copied inside the store into a
multipart upload, and publication completes it. Work goes on behind `stage`: parts must stay until `ready` or `publish`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from pipeline import storage
from pipeline.errors import PipelineError
from pipeline.publish.concat.hashing import Hasher, sha256_of_parts, spark_hasher
from pipeline.publish.concat.local import LocalStaged
from pipeline.storage.local import TEMPORARY, temporary_name
from pipeline.storage.paths import is_s3

__all__ = [
    "Hasher", "Staged", "discard", "joint_sha256", "publish", "publish_folder", "ready", "remove_stale",
    "sha256_of_parts", "spark_hasher", "stage", "stage_bytes",
]  # fmt: skip


class Staged(Protocol):
    """A file that is prepared and has not got its name: its target, its size, and (when it is known) its SHA-256."""

    target: str
    bytes: int

    @property
    def sha256(self) -> str: ...
    def wait(self) -> None: ...
    def publish(self) -> None: ...
    def discard(self) -> None: ...


class Hashed(Protocol):
    """What has a SHA-256."""

    @property
    def sha256(self) -> str: ...


def stage(parts: Sequence[str], target: str, header: bytes = b"", hasher: Hasher = sha256_of_parts) -> Staged:
    """Starts to prepare the header and the parts, in order, as one file for `target`; no parts give the header alone.

    On S3 the copy stays inside the store but for the header and parts under 5 MiB; `hasher(parts, header)` says where
    the SHA-256 is computed (`spark_hasher`), by default as a stream through this process. `InputError` when a part
    is missing; what goes wrong later is raised by `ready` and `publish`.
    """
    target = storage.normalise(target)
    paths = [storage.normalise(part) for part in parts]
    if not is_s3(target):
        return LocalStaged(target, paths, header)
    from pipeline.publish.concat.s3 import S3Staged  # only for s3://: boto3 takes its time to load

    return S3Staged(target, paths, header, hasher)


def stage_bytes(data: bytes, target: str) -> Staged:
    """Prepares bytes as a file for `target`."""
    return stage([], target, data)


def ready(staged: Iterable[Staged]) -> None:
    """Waits until all are whole and hashed, so that an error comes before the first takes its name."""
    for one in staged:
        one.wait()


def publish(staged: Staged) -> None:
    """Gives a staged file its name, over what was there, in one step. A folder of parts under that name goes.

    `PipelineError` when the folder has other files than parts, or when a part changed since `stage`.
    """
    staged.wait()
    if is_s3(staged.target):
        staged.publish()
        _drop_parts(staged.target, set())
        return
    away = ""
    if os.path.isdir(staged.target):
        away = temporary_name(os.path.dirname(staged.target))
        _parts_only(staged.target)
        os.rename(staged.target, away)
    staged.publish()
    if away:
        storage.delete_tree(away)


def publish_folder(staged: Sequence[Staged], folder: str) -> None:
    """Gives staged files their names inside `folder`, then removes its parts of earlier runs.

    A file that has the folder's name goes.
    """
    ready(staged)
    if storage.exists(folder):
        storage.delete(folder)
    if not is_s3(folder):
        os.makedirs(storage.normalise(folder), exist_ok=True)
    for one in staged:
        one.publish()
    _drop_parts(folder, {one.target for one in staged})


def discard(staged: Staged) -> None:
    """Removes what was prepared and not published; never fails, as it runs when something else has."""
    with contextlib.suppress(PipelineError, OSError):
        staged.discard()


def joint_sha256(staged: Sequence[Hashed]) -> str:
    """One file: its SHA-256. Several: the SHA-256 of their SHA-256s in order, a line each."""
    if len(staged) == 1:
        return staged[0].sha256
    return hashlib.sha256("".join(f"{one.sha256}\n" for one in staged).encode()).hexdigest()


def _is_part(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.startswith(("part-", ".part-", "_SUCCESS", "._SUCCESS")) or TEMPORARY.fullmatch(name) is not None


def _parts_only(folder: str) -> None:
    others = [file.path for file in storage.list_prefix(folder) if not _is_part(file.path)]
    if others:
        raise PipelineError(f"{folder}: is a folder with other files than parts ({others[0]}): not replaced by a file")


def _drop_parts(folder: str, kept: set[str]) -> None:
    for file in storage.list_prefix(folder):
        if file.path not in kept and _is_part(file.path):
            storage.delete(file.path)


def remove_stale(directory: str, runs: Iterable[str]) -> None:
    """Removes what killed runs left under `directory`: staged files, unfinished uploads and the work folders of `runs`.

    Only for the holder of the directory's lock. Folders inside that are destinations themselves are left alone.
    """
    for run in runs:
        storage.delete_tree(storage.join(directory, "_runs", run, "staged"))
    path = storage.normalise(directory)
    if is_s3(path):
        from pipeline.publish.concat.s3 import abort_uploads

        abort_uploads(path)
        return
    _remove_stale_local(path)
    for run in runs:
        _remove_stale_local(os.path.join(path, "_runs", run))


def _remove_stale_local(folder: str, top: bool = True) -> None:
    with contextlib.suppress(FileNotFoundError):
        entries = list(os.scandir(folder))
        if not top and any(entry.name == "_runs" for entry in entries):
            return
        for entry in entries:
            if TEMPORARY.fullmatch(entry.name):
                is_folder = stat.S_ISDIR(entry.stat(follow_symlinks=False).st_mode)
                storage.delete_tree(entry.path) if is_folder else storage.delete(entry.path)
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "_runs")):
                _remove_stale_local(entry.path, top=False)
