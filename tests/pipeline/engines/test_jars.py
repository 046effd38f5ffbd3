"""Java libraries: pinned by content, fetched once, never half there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.engines.jars import Jar, cache_folder, fetch, jars_for, parse, pinned

# The smallest of the pinned files: fetched for real.
SMALLEST = pinned("3.5.6", "s3a")[0]


def test_a_line_is_coordinates_and_a_hash() -> None:
    assert parse("g:a:1.0 abc") == Jar("g", "a", "1.0", "abc")
    assert parse("g:a:1.0:linux abc") == Jar("g", "a", "1.0", "abc", "linux")


@pytest.mark.parametrize(
    ("spark_version", "expected"),
    [
        ("3.5.6", ["hadoop-aws:3.3.4", "aws-java-sdk-bundle:1.12.262"]),
        ("4.1.1", ["hadoop-aws:3.4.2", "bundle:2.29.52"]),
    ],
)
def test_each_spark_has_the_s3a_of_its_own_hadoop(spark_version: str, expected: list[str]) -> None:
    assert [f"{jar.artifact}:{jar.version}" for jar in pinned(spark_version, "s3a")] == expected


def test_an_unknown_spark_or_need_is_named() -> None:
    known = r"there is: s3a \(Spark 3\.5, 4\.1\)"
    with pytest.raises(PipelineError, match=rf"no Java library is pinned for s3a on Spark 2\.4\.8; {known}"):
        pinned("2.4.8", "s3a")
    with pytest.raises(PipelineError, match=r"no Java library is pinned for oracle on Spark 3\.5\.6"):
        pinned("3.5.6", "oracle")


def test_the_cache_is_one_folder_of_the_user_or_the_one_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIPELINE_JARS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "partner-data-jobs" / "jars"
    monkeypatch.setenv("PIPELINE_JARS", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_a_file_that_is_there_is_used_without_java_or_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = [tmp_path / jar.file for jar in pinned("3.5.6", "s3a")]
    for file in files:
        file.write_bytes(b"put here by hand")
    monkeypatch.setenv("PIPELINE_JARS", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert jars_for("3.5.6", "s3a") == [str(file) for file in files]


def test_two_processes_that_need_the_same_file_fetch_it_once(tmp_path: Path) -> None:
    code = "from pipeline.engines.jars import fetch, pinned; print(*fetch(pinned('3.5.6', 's3a')[:1]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PIPELINE_JARS": str(tmp_path)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    path = tmp_path / SMALLEST.file
    assert [out for out, _ in said] == [f"{path}\n", f"{path}\n"]
    assert "".join(err for _, err in said) == f"fetching {SMALLEST.file}, once, into {tmp_path}\n"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SMALLEST.sha256
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", SMALLEST.file]


def test_other_content_than_the_pinned_one_is_refused_and_not_kept(tmp_path: Path) -> None:
    wrong = Jar(SMALLEST.group, SMALLEST.artifact, SMALLEST.version, "0" * 64)
    with pytest.raises(PipelineError, match=f"what came has SHA-256 {SMALLEST.sha256}"):
        fetch([wrong], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]


def test_a_missing_file_says_where_to_put_it_by_hand(tmp_path: Path) -> None:
    absent = Jar(SMALLEST.group, SMALLEST.artifact, "0.0.0", "0" * 64)
    file = rf"{tmp_path}/org\.apache\.hadoop-hadoop-aws-0\.0\.0\.jar"
    with pytest.raises(PipelineError, match=rf"Put it by hand as {file} \(SHA-256 0+\)"):
        fetch([absent], tmp_path)
