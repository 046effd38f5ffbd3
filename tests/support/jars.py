"""Java programs that tests start as servers: pinned jars, fetched once on first need, then local files.

They are fetched with Ivy, which is part of every Spark, so that nothing but Java is needed. A file counts only when
its SHA-256 is the pinned one; it appears in the cache in one step, so runs that start together never see half of it.
Without network: put the files that the error message names into the folder it names.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pyspark

from pipeline.errors import PipelineError

CACHE_VARIABLE = "PIPELINE_JARS"  # another folder for the files
IVY_VARIABLE = "IVY_SETTINGS"  # an ivysettings.xml, where the libraries come from a mirror
_TIMEOUT = 1200
_SYSTEM_TRUST = Path("/etc/ssl/certs/java/cacerts")


@dataclass(frozen=True)
class Jar:
    """One file: Maven coordinates (with a classifier where it has one) and the SHA-256 of its content."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""

    @property
    def file(self) -> str:
        """The name in the cache; the group is in it because artifact names repeat."""
        tail = f"-{self.classifier}" if self.classifier else ""
        return f"{self.group}-{self.artifact}-{self.version}{tail}.jar"


def parse(line: str) -> Jar:
    """Reads `group:artifact:version[:classifier] sha256`."""
    coordinates, sha256 = line.split()
    group, artifact, version, *classifier = coordinates.split(":")
    return Jar(group, artifact, version, sha256, *classifier)


def cache_folder() -> Path:
    """Where the files are kept, shared by all clones of one user."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partner-data-jobs" / "jars"


def fetch(jars: Sequence[Jar], folder: Path | None = None) -> list[Path]:
    """Local paths of `jars` in their order; what the folder (default: the cache) lacks is fetched first."""
    folder = folder or cache_folder()
    if any(not (folder / jar.file).is_file() for jar in jars):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / ".lock"):
            # Another process may have fetched them in the meantime.
            missing = [jar for jar in jars if not (folder / jar.file).is_file()]
            if missing:
                _download(missing, folder)
    return [folder / jar.file for jar in jars]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _download(jars: Sequence[Jar], folder: Path) -> None:
    names = jars[0].file if len(jars) == 1 else f"{jars[0].file} and {len(jars) - 1} more"
    print(f"fetching {names}, once, into {folder}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        problem = _run_ivy(jars, Path(scratch))
        for jar in jars:
            found = Path(scratch) / jar.file
            if not found.is_file():
                raise PipelineError(_help(jar, folder, problem or "it was not found"))
            if (actual := _sha256(found)) != jar.sha256:
                raise PipelineError(_help(jar, folder, f"what came has SHA-256 {actual}"))
            found.replace(folder / jar.file)


def _help(jar: Jar, folder: Path, problem: str) -> str:
    return (
        f"cannot fetch the Java library {jar.group}:{jar.artifact}:{jar.version}: {problem}. "
        f"Put it by hand as {folder / jar.file} (SHA-256 {jar.sha256}), "
        f"or name a mirror in an ivysettings.xml with {IVY_VARIABLE}"
    )


def _run_ivy(jars: Iterable[Jar], scratch: Path) -> str:
    """Fetches into scratch; returns the last line of what went wrong, or an empty text."""
    settings = scratch / "ivysettings.xml"
    # No POM and no checksum file is asked for: the list is complete and each file is checked against its SHA-256.
    settings.write_text(
        '<ivysettings><property name="ivy.checksums" value=""/><settings defaultResolver="central"/><resolvers>'
        '<ibiblio name="central" m2compatible="true" usepoms="false" useMavenMetadata="false"/>'
        "</resolvers></ivysettings>"
    )
    description = scratch / "ivy.xml"
    description.write_text(_description(jars))
    trust = [f"-Djavax.net.ssl.trustStore={_SYSTEM_TRUST}"] if _SYSTEM_TRUST.is_file() else []
    pattern = f"{scratch}/[organisation]-[artifact]-[revision](-[classifier]).[ext]"
    command = [_java(), *trust, "-jar", str(_ivy()), "-settings", os.environ.get(IVY_VARIABLE) or str(settings)]
    command += ["-ivy", str(description), "-cache", str(scratch / "cache"), "-retrieve", pattern, "-confs", "default"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    errors = [line for line in lines if "rror" in line and "ERRORS" not in line]
    return errors[-1] if errors else ""


def _description(jars: Iterable[Jar]) -> str:
    rows = []
    for jar in jars:
        classifier = f" e:classifier={quoteattr(jar.classifier)}" if jar.classifier else ""
        name = quoteattr(jar.artifact)
        rows.append(
            f"<dependency org={quoteattr(jar.group)} name={name} rev={quoteattr(jar.version)}"
            f' transitive="false" conf="default->*">'
            f'<artifact name={name} type="jar" ext="jar"{classifier}/></dependency>'
        )
    return (
        '<ivy-module version="2.0" xmlns:e="http://ant.apache.org/ivy/extra">'
        '<info organisation="local" module="jars"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{''.join(rows)}</dependencies></ivy-module>"
    )


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not found:
        raise PipelineError("there is no Java: set JAVA_HOME or put java on PATH")
    return found


def _ivy() -> Path:

    for home in (os.environ.get("SPARK_HOME"), Path(pyspark.__file__).parent):
        for found in sorted(Path(home or "/nonexistent", "jars").glob("ivy-*.jar")):
            return found
    raise PipelineError("this Spark has no ivy-*.jar among its jars; set SPARK_HOME to a complete Spark")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
