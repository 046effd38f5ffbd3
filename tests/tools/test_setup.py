"""What a person meets first: the list of targets, a wrong Python, no Java."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

UNSET = ("JAVA_HOME", "MAKEFLAGS", "MAKELEVEL", "SPARK_SUBMIT_OPTS", "WITH_SH_OPTS")


def run(*command: str, path: str = os.environ["PATH"], **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in UNSET}
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PATH": path, **more}, capture_output=True, text=True, timeout=300, check=False
    )


def test_make_alone_lists_the_targets_with_a_line_each() -> None:
    done = run("make")
    assert done.returncode == 0
    names = re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE)
    assert {"run", "test", "test-all", "package", "s3-demo", "lint", "clean"} <= set(names)
    assert len(names) == len(done.stdout.splitlines())


def test_another_python_is_refused_with_what_was_found(tmp_path: Path) -> None:
    python = tmp_path / "python3.12"
    python.write_text("#!/bin/sh\necho 3.12\n")
    python.chmod(0o755)
    done = run("tools/setup.sh", ".venv-none", "run", PYTHON=str(python))
    assert done.returncode == 2
    assert f"This project needs Python 3.11. {python} is 3.12;" in done.stderr
    assert not (ROOT / ".venv-none").exists()


def test_a_job_without_a_sample_is_refused_with_the_known_ones() -> None:
    done = run(sys.executable, "tools/run_jobs.py", "restaurant")
    assert done.returncode == 2
    assert done.stderr.startswith("no job restaurant with a sample (data/JOB/args); there are: restaurants, ")


def test_an_argument_behind_a_job_replaces_the_one_of_its_sample(tmp_path: Path) -> None:
    more = ["--destination", str(tmp_path / "out"), "--max-rejected=90%", "--quiet"]
    done = run(sys.executable, "tools/run_jobs.py", "people", "--", *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith(f" --destination {tmp_path}/out --max-rejected=90% --quiet")
    assert (tmp_path / "out" / "people.csv").is_file()


@pytest.mark.parametrize(
    ("more", "own", "collectors"),
    [
        ([], {}, ["+UseParallelGC"]),
        (["-XX:+UseSerialGC"], {}, []),
        ([], {"JDK_JAVA_OPTIONS": "-XX:+UseG1GC"}, []),
        ([], {"SPARK_SUBMIT_OPTS": "-XX:+UseZGC"}, ["+UseZGC"]),
        ([], {"SPARK_SUBMIT_OPTS": ""}, []),
    ],
)
def test_java_gets_one_collector_that_of_the_person_if_there_is_one(
    more: list[str], own: dict[str, str], collectors: list[str]
) -> None:
    done = run("tools/with.sh", ".venv-embedded", "sh", "-c", "echo $SPARK_SUBMIT_OPTS", "sh", *more, **own)
    assert re.findall(r"-XX:(\+Use\w+GC)", done.stdout) == collectors, done.stderr


@pytest.mark.parametrize(("content", "given"), [(None, False), (b"", False), (b"classes", True)])
def test_java_gets_the_classes_that_were_kept(tmp_path: Path, content: bytes | None, given: bool) -> None:
    environment = tmp_path / ".venv-embedded"  # the one that needs no Java
    environment.mkdir()
    if content is not None:
        (environment / "classes.jsa").write_bytes(content)
    done = run("tools/with.sh", os.path.relpath(environment, ROOT), "sh", "-c", "echo $SPARK_SUBMIT_OPTS")
    assert (".venv-embedded/classes.jsa'" in done.stdout, done.stderr) == (given, "")


def test_a_command_inside_another_one_gets_the_options_of_its_own_environment(tmp_path: Path) -> None:
    (tmp_path / ".venv-embedded").mkdir()
    (tmp_path / ".venv-embedded" / "classes.jsa").write_bytes(b"classes")
    inner = "tools/with.sh .venv-embedded sh -c 'echo $SPARK_SUBMIT_OPTS'"
    done = run("tools/with.sh", os.path.relpath(tmp_path / ".venv-embedded", ROOT), "sh", "-c", inner)
    assert ("UseParallelGC" in done.stdout, str(tmp_path) in done.stdout) == (True, False), done.stderr


def test_classes_of_a_run_that_fails_are_not_kept(tmp_path: Path) -> None:
    package = tmp_path / ".venv-embedded" / "lib" / "python3.11" / "site-packages" / "pyspark"
    package.mkdir(parents=True)
    (package / "version.py").touch()
    done = run("tools/classes.sh", str(tmp_path / ".venv-embedded"))
    assert done.returncode == 0
    assert [path.stat().st_size for path in tmp_path.rglob("classes*")] == [0]


@pytest.mark.slow
def test_without_java_the_pinned_package_brings_one_that_runs_spark(tmp_path: Path) -> None:
    for program in ("sh", "env", "grep", "cat", "cksum", "dirname", "basename", "rm", "chmod"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    (tmp_path / "python3.11").symlink_to(Path(sys.executable).resolve())
    made = run("tools/setup.sh", ".venv-java", "java", path=str(tmp_path))
    assert made.returncode == 0, made.stderr
    home = run("tools/with.sh", ".venv-java", "sh", "-c", "echo $JAVA_HOME; java -version", path=str(tmp_path))
    assert 'version "17.0.9"' in home.stderr
    code = (
        "from pyspark.sql import SparkSession as S;"
        "print(S.builder.master('local[1]').config('spark.ui.enabled', 'false').getOrCreate().range(7).count())"
    )
    counted = run(sys.executable, "-c", code, JAVA_HOME=home.stdout.strip(), SPARK_LOCAL_IP="127.0.0.1")
    assert counted.stdout == "7\n", counted.stderr
