"""`make package`, under dist/: a wheel with the jobs, and the packages of src/ as the .zip for --py-files and Glue.

The same sources give the same bytes: sorted names, one fixed time. The .zip is what Spark and Glue put on the path of
the executors as it is; a wheel given to --py-files does not reach them.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile

from pipeline import __version__

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "services", "transforms")
MOMENT = (2020, 1, 1, 0, 0, 0)
EPOCH = "1577836800"  # the same moment for the wheel


def sources() -> list[pathlib.Path]:
    """Every file of the packages, sorted by its name in the archive."""
    found = [path for package in PACKAGES for path in (ROOT / "src" / package).rglob("*") if path.is_file()]
    kept = [path for path in found if "__pycache__" not in path.parts and not path.name.startswith(".")]
    return sorted(kept, key=lambda path: path.relative_to(ROOT / "src").as_posix())


def write_zip(target: pathlib.Path) -> None:
    """Writes the sources as they are imported: packages at the top."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sources():
            entry = zipfile.ZipInfo(path.relative_to(ROOT / "src").as_posix(), MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def write_wheel(folder: pathlib.Path) -> pathlib.Path:
    """Builds the wheel from a copy, so that nothing is left among the sources."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / "project"
        shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copytree(ROOT / "jobs", copy / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, copy)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        subprocess.run([*command, "--wheel-dir", scratch, str(copy)], env=environment, check=True)
        built = next(pathlib.Path(scratch).glob("*.whl"))
        return pathlib.Path(shutil.move(built, folder / built.name))


def main(folder: pathlib.Path) -> None:
    """Writes both files and says where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    archive = folder / f"{project['name'].replace('-', '_')}-{__version__}.zip"
    (folder / archive.name).unlink(missing_ok=True)
    for old in folder.glob(f"{archive.stem}-*.whl"):
        old.unlink()
    write_zip(archive)
    for path in (archive, write_wheel(folder)):
        shown = path.resolve()
        print(f"{shown.relative_to(ROOT) if shown.is_relative_to(ROOT) else shown}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
