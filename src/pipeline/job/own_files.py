"""A run does not read what runs have written to its destination, and replaces no file that it reads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from pipeline import storage
from pipeline.errors import PipelineError, UsageError
from pipeline.job.options import JobOptions
from pipeline.job.outputs import FileOutput, Outputs, ParquetOutput, TablesOutput
from pipeline.publish.outputs import MANIFEST, RunFiles

_REPORTS = ("report.json", "report.html", MANIFEST)


def check_reports(options: JobOptions, files: RunFiles) -> None:
    """`UsageError` where the reports would replace an input."""
    for option, path, name, _ in _inputs_below(options, files.destination):
        if name in _REPORTS:
            raise _own(option, path, files)


def check_not_own(options: JobOptions, files: RunFiles) -> None:
    """`UsageError` where a folder or glob holds what runs published, or an unfinished one left with `--new-only`."""
    published = {name for part in ("files", "kept") for name in files.before.get(part, {})}
    for option, path, name, is_named in _inputs_below(options, files.destination):
        left = options.new_only and name.startswith("run=")
        if not is_named and (left or _holds(published, name)):
            raise _own(option, path, files)


def _own(option: str, path: str, files: RunFiles) -> UsageError:
    return UsageError(
        f"{option}: {path} is where runs write to {files.destination}, it would be read as an input;"
        " take a destination outside of the input, or name the files to read"
    )


def check_not_replaced(options: JobOptions, files: RunFiles, outputs: Outputs) -> None:
    """`UsageError` where an output would replace an input."""
    written = {name for one in outputs.files for name in _names(one)}
    for option, path, name, _ in _inputs_below(options, files.published):
        if _holds(written, name):
            raise UsageError(f"{option}: {path} would be replaced by an output; take another destination")


def _names(one: FileOutput) -> list[str]:
    if isinstance(one, TablesOutput | ParquetOutput) and one.into is not None:
        return []  # names of tables
    return [name for name, _, _ in one.files] if isinstance(one, TablesOutput) else [one.file]


def _holds(names: set[str], path: str) -> bool:
    """Whether the path is one of these files, or in one of these folders."""
    steps = path.split("/")
    return any("/".join(steps[:end]) in names for end in range(1, len(steps) + 1))


def _inputs_below(options: JobOptions, folder: str) -> Iterator[tuple[str, str, str, bool]]:
    """The inputs' files in the folder: option, path, path from the folder, and whether it was named as it is."""
    if not folder:
        return
    root = _real(storage.normalise(folder)).rstrip("/") + "/"
    for one in filter(None, options.inputs()):
        with contextlib.suppress(PipelineError):  # what is wrong with any input is one message, later
            named = {storage.normalise(path) for path in one.paths}
            for info in one.files():
                real = _real(info.path)
                if real.startswith(root):
                    yield f"--{one.name.replace('_', '-')}", info.path, real.removeprefix(root), info.path in named


def _real(path: str) -> str:
    """The path without links."""
    return path if storage.is_s3(path) else os.path.realpath(path)
