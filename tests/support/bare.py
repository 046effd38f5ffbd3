"""A Python as it is where this project is not installed: on Glue, and in Lambda."""

from __future__ import annotations

import functools
import importlib.metadata
import shutil
import subprocess
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


# boto3 and what it needs: the one library that every Lambda function has without bringing it.
ON_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")


@functools.cache
def _lambda_folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="lambda-python-")
    for name in ON_LAMBDA:
        found = importlib.metadata.distribution(name)
        for top in {path.parts[0] for path in found.files or () if ".." not in path.parts}:
            Path(folder.name, top).symlink_to(Path(str(found.locate_file(top))))
    return folder


@functools.cache
def python_of(version: str) -> str:
    """A Python program of this version (`3.13`) on the PATH that starts; empty when there is none."""
    program = shutil.which(f"python{version}") or ""
    works = program and subprocess.run([program, "-V"], capture_output=True, check=False).returncode == 0
    return program if works else ""


def lambda_python(runtime: str) -> tuple[str, str]:
    """The Python of a Lambda runtime, else this one, and a folder with what Lambda brings."""
    program = python_of(runtime.removeprefix("python")) if runtime.startswith("python") else ""
    return program or sys.executable, _lambda_folder().name
