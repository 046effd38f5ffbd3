"""What Terraform uploads, in one folder: the code's .zip, the functions' .zip files, pinned wheels, artifacts.json.

    python -m tools.cloud_package [FOLDER] [--no-wheels]

The same sources give the same bytes: sorted names, one fixed time. A content's hash is part of its file name, so that
a run that is under way keeps the code it started with. Wheels are for the machines of Glue 5.1 and of Lambda;
`--no-wheels` leaves them out (a rehearsal on this machine has the packages already).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable

from tools.package import MOMENT, ROOT, write_zip

PACKAGES = ROOT / "terraform" / "packages"
ARRIVALS = ("services/__init__.py", "services/arrivals/*.py")
# Neither Spark nor anything that needs it goes into a function.
API = ("services/**/*.py", "pipeline/**/*.py")
TARGETS = {
    "glue": ("3.11", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")),
    "api": ("3.11", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")),
}


def write_archive(target: pathlib.Path, entries: Iterable[tuple[str, bytes]]) -> None:
    """Writes (name, content) pairs: sorted, with one fixed time."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted(entries):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(entry, content, compresslevel=9)


def sources(patterns: Iterable[str]) -> dict[str, bytes]:
    """Files under src/ that fit one of the patterns, by their name in the archive."""
    root = ROOT / "src"
    found = {
        path
        for pattern in patterns
        for path in root.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def hashed(path: pathlib.Path) -> pathlib.Path:
    """Puts the content's hash into the file's name."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return path.rename(path.with_name(f"{path.stem}-{digest}{path.suffix}"))


def requirements(name: str) -> dict[str, list[str]]:
    """A list of packages: `group: name==version name==version ...`, one group per line; exact versions only."""
    groups = {}
    for line in (PACKAGES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            group, _, pins = line.partition(":")
            groups[group.strip()] = pins.split()
    return groups


def download(target: str, pins: Iterable[str], folder: pathlib.Path) -> list[str]:
    """Fetches wheels for a target's machines: exactly these, without their dependencies."""
    version, platforms = TARGETS[target]
    before = set(folder.glob("*.whl"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    command += ["--python-version", version, "--implementation", "cp", "--dest", str(folder)]
    command += [part for platform in platforms for part in ("--platform", platform)]
    subprocess.run([*command, *pins], check=True)
    return sorted(path.name for path in set(folder.glob("*.whl")) - before)


def unpacked(folder: pathlib.Path) -> dict[str, bytes]:
    """The files of all wheels of a folder."""
    entries = {}
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            entries |= {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return entries


def build(folder: pathlib.Path, wheels: bool = True) -> dict[str, object]:
    """Fills the folder and returns what artifacts.json says."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.zip"), *folder.glob("wheels/*.whl")]:
        old.unlink()
    (folder / "wheels").mkdir(exist_ok=True)
    groups = requirements("glue")
    files: dict[str, list[str]] = {group: [] for group in groups}
    dependencies: dict[str, bytes] = {}
    if wheels:
        files = {group: download("glue", pins, folder / "wheels") for group, pins in groups.items()}
        with tempfile.TemporaryDirectory() as scratch:
            download("api", [pin for pins in requirements("api").values() for pin in pins], pathlib.Path(scratch))
            dependencies = unpacked(pathlib.Path(scratch))
    write_zip(folder / "code.zip")
    write_archive(folder / "arrivals.zip", sources(ARRIVALS).items())
    write_archive(folder / "api.zip", {**dependencies, **sources(API)}.items())
    artifacts: dict[str, object] = {name: hashed(folder / f"{name}.zip").name for name in ("code", "arrivals", "api")}
    artifacts["wheels"] = files
    (folder / "artifacts.json").write_text(json.dumps(artifacts, indent=2) + "\n", encoding="utf-8")
    return artifacts


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Builds what Terraform uploads.", allow_abbrev=False)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build" / "cloud")
    parser.add_argument("--no-wheels", action="store_true", help="leave third-party packages out")
    chosen = parser.parse_args()
    build(chosen.folder, not chosen.no_wheels)
    for path in sorted(chosen.folder.rglob("*")):
        if path.is_file():
            print(f"{path.relative_to(chosen.folder)}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
