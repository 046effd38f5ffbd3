"""A Python as it is where this project is not installed: on Glue, and in Lambda."""

from __future__ import annotations

import functools
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """An environment with the packages of this one; it is removed when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="bare-python-")
    venv.create(folder.name, symlinks=True)
    [packages] = Path(folder.name).glob("lib/python*/site-packages")
    # A folder that is named in a .pth file adds its packages, and not what its own .pth files name: this project.
    named = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "packages.pth").write_text("\n".join(named), encoding="utf-8")
    return folder


def bare_python() -> str:
    """The Python program of that environment."""
    return str(Path(_folder().name, "bin", "python"))


def bare_spark() -> Mapping[str, str]:
    """What makes spark-submit and its tasks use it."""
    return {"PYSPARK_PYTHON": bare_python(), "PYSPARK_DRIVER_PYTHON": bare_python()}
