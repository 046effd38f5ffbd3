"""What Terraform uploads, in one folder: code/, jobs/ and wheels/ as in their bucket, functions, artifacts.json.

    python -m tools.cloud_package [FOLDER] [--no-wheels] [--earlier s3://ARTIFACTS-BUCKET]

The same sources give the same bytes: sorted names, one fixed time. A content's hash is part of its file name, and
what is left of the two releases before stays in the folder and so in the bucket: a run under way keeps the code it
started with. A new folder gets it from the bucket with `--earlier`. Wheels are for the machines of Glue 5.1 and of
Lambda; `--no-wheels` leaves them out (a rehearsal on this machine has the packages already).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from typing import Any

from tools.package import MOMENT, ROOT, write_zip

PACKAGES = ROOT / "terraform" / "packages"
ARRIVALS = ("services/__init__.py", "services/arrivals/*.py")
# Neither Spark nor anything that needs it goes into a function.
API = ("services/**/*.py", "pipeline/**/*.py", "pipeline/**/*.pem")
_LINUX = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
# Both run on Amazon Linux 2023, whose C library is 2.34.
TARGETS = {"glue": ("3.11", _LINUX), "api": ("3.13", _LINUX)}
UPLOADED = ("code", "jobs", "wheels")
RELEASES = 3


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


def hashed(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Moves the file into the folder, with its content's hash in its name; of the same stem the newest few stay."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    folder.mkdir(exist_ok=True)
    target = path.rename(folder / f"{path.stem}-{digest}{path.suffix}")
    os.utime(target)
    same = [other for other in folder.glob(f"{path.stem}-*") if other.stem[: -len(digest) - 1] == path.stem]
    for old in sorted(same, key=lambda other: other.stat().st_mtime, reverse=True)[RELEASES:]:
        old.unlink()
    return target


def requirements(name: str) -> dict[str, list[str]]:
    """A list of packages: `group: name==version name==version ...`, one group per line; exact versions only."""
    groups = {}
    for line in (PACKAGES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            group, _, pins = line.partition(":")
            groups[group.strip()] = pins.split()
    return groups


def download(target: str, pins: Iterable[str], folder: pathlib.Path) -> list[str]:
    """Fetches wheels for a target's machines: exactly these, without their dependencies. Returns their names."""
    version, platforms = TARGETS[target]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", version, "--implementation", "cp"]
    command += [part for platform in platforms for part in ("--platform", platform)]
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        subprocess.run([*command, "--dest", scratch, *pins], check=True)
        return sorted(path.replace(folder / path.name).name for path in pathlib.Path(scratch).glob("*.whl"))


def unpacked(folder: pathlib.Path) -> dict[str, bytes]:
    """The files of all wheels of a folder."""
    entries = {}
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            entries |= {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return entries


def fetch_earlier(s3: Any, bucket: str, folder: pathlib.Path) -> list[str]:
    """What the bucket holds of earlier releases and the folder lacks; nothing where there is no bucket yet."""
    fetched = []
    for part in UPLOADED:
        try:
            pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{part}/"))
        except s3.exceptions.NoSuchBucket:
            return []
        for item in (item for page in pages for item in page.get("Contents", ())):
            target = folder / item["Key"]
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, item["Key"], str(target))
                os.utime(target, (item["LastModified"].timestamp(),) * 2)
                fetched.append(item["Key"])
    return fetched


def build(folder: pathlib.Path, wheels: bool = True) -> dict[str, object]:
    """Fills the folder and returns what artifacts.json says; files for the bucket are named by their keys."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.zip"):
        old.unlink()
    groups = requirements("glue")
    files: dict[str, list[str]] = {group: [] for group in groups}
    dependencies: dict[str, bytes] = {}
    if wheels:
        files = {
            group: [f"wheels/{name}" for name in download("glue", pins, folder / "wheels")]
            for group, pins in groups.items()
        }
        with tempfile.TemporaryDirectory() as scratch:
            into = pathlib.Path(scratch, "api")
            download("api", [pin for pins in requirements("api").values() for pin in pins], into)
            dependencies = unpacked(into)
    write_zip(folder / "code.zip")
    write_archive(folder / "arrivals.zip", sources(ARRIVALS).items())
    write_archive(folder / "api.zip", {**dependencies, **sources(API)}.items())
    artifacts: dict[str, object] = {"code": f"code/{hashed(folder / 'code.zip', folder / 'code').name}"}
    artifacts |= {name: hashed(folder / f"{name}.zip", folder).name for name in ("arrivals", "api")}
    scripts = {}
    for script in sorted((ROOT / "jobs").glob("[a-z]*.py")):
        (folder / script.name).write_bytes(script.read_bytes())
        scripts[script.stem] = f"jobs/{hashed(folder / script.name, folder / 'jobs').name}"
    artifacts |= {"scripts": scripts, "wheels": files}
    (folder / "artifacts.json").write_text(json.dumps(artifacts, indent=2) + "\n", encoding="utf-8")
    return artifacts


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Builds what Terraform uploads.", allow_abbrev=False)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build" / "cloud")
    parser.add_argument("--no-wheels", action="store_true", help="leave third-party packages out")
    parser.add_argument(
        "--earlier", metavar="s3://BUCKET", help="keep what this artifacts bucket has of earlier releases"
    )
    chosen = parser.parse_args()
    if chosen.earlier:
        # Not at the top: a build for a new account needs no AWS.
        import boto3

        bucket = chosen.earlier.removeprefix("s3://").strip("/")
        print(f"{len(fetch_earlier(boto3.client('s3'), bucket, chosen.folder))} files of earlier releases")
    build(chosen.folder, not chosen.no_wheels)
    for path in sorted(chosen.folder.rglob("*")):
        if path.is_file():
            print(f"{path.relative_to(chosen.folder)}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
