from __future__ import annotations

import hashlib
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pipeline import storage
from pipeline.errors import InputError, PipelineError
from pipeline.publish import concat as compose
from pipeline.publish.lock import Lock
from pipeline.publish.lock.lease import Lease
from tests.support.stores import BUCKET, Place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MIB = 1 << 20


def parts(place: Place, *contents: bytes) -> list[str]:
    paths = [place / f"_runs/r1/staged/a.csv/part-{at:05d}" for at in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        storage.write_bytes(path, content)
    return paths


def published_from(paths: list[str], target: str, header: bytes = b"") -> compose.Staged:
    staged = compose.stage(paths, target, header)
    compose.publish(staged)
    return staged


def leftovers(place: Place) -> list[str]:
    """Staged files, and unfinished uploads, that nobody will publish any more."""
    found = [file.path for file in storage.list_prefix(place.path) if ".staged-" in file.path]
    if place.endpoint:
        prefix = place.path.removeprefix(f"s3://{BUCKET}/") + "/"
        answer = place.endpoint.client("s3").list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
        found += [upload["Key"] for upload in answer.get("Uploads", ())]
    return found


def published(place: Place) -> list[str]:
    return [file.path.removeprefix(place.path + "/") for file in storage.list_files(place.path)]


@pytest.mark.parametrize(
    ("header", "contents"),
    [
        (b"id,name\n", [b"1,a\n", b"2,b\n"]),
        (b"id\n", []),
        (b"", []),
        (b"", [b"", b""]),
        (b"", [b"alone\n"]),
        (b"id\n", [b"", b"1\n", b"", b"2\n", b""]),
        ("ünïcode,😀\n".encode(), [b"1\n"]),
        (b"id\n", [b"x" * 3 * MIB, b"y" * 7 * MIB, b"", b"z" * 100, b"w" * 6 * MIB, b"last"]),
        (b"", [b"x" * 6 * MIB]),
        (b"", [b"x" * 2 * MIB]),
    ],
    ids=["two", "header", "nothing", "empty", "one", "gaps", "unicode", "mixed", "large", "middle"],
)
def test_a_file_is_the_header_and_the_parts_in_order(place: Place, header: bytes, contents: list[bytes]) -> None:
    whole = header + b"".join(contents)
    done = published_from(parts(place, *contents), place / "a.csv", header)
    assert storage.read_bytes(place / "a.csv") == whole
    assert (done.bytes, done.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert compose.sha256_of_parts([place / "a.csv"]) == done.sha256
    assert leftovers(place) == []


def test_nothing_is_seen_of_a_staged_file(place: Place) -> None:
    storage.write_bytes(place / "a.csv", b"before")
    staged = compose.stage(parts(place, b"x" * 2 * MIB), place / "a.csv", b"id\n")
    other = compose.stage_bytes(b"png", place / "new/b.png")
    compose.ready([staged, other])
    assert published(place) == ["a.csv"]
    assert storage.read_bytes(place / "a.csv") == b"before"
    compose.publish(staged)
    compose.publish(other)
    assert published(place) == ["a.csv", "new/b.png"]
    assert storage.read_bytes(place / "a.csv") == b"id\n" + b"x" * 2 * MIB


def test_parts_may_go_once_a_file_is_ready(place: Place) -> None:
    staged = compose.stage(parts(place, b"x" * 2 * MIB), place / "a.csv")
    compose.ready([staged])
    storage.delete_tree(place / "_runs/r1/staged")
    compose.publish(staged)
    assert storage.info(place / "a.csv").size == 2 * MIB  # type: ignore[union-attr]


def test_a_discarded_file_leaves_nothing(place: Place) -> None:
    for size in (10, 2 * MIB, 7 * MIB):
        compose.discard(compose.stage(parts(place, b"x" * size, b"y" * size), place / "a.csv", b"id\n"))
    assert leftovers(place) == []
    assert not storage.exists(place / "a.csv")


def test_discarding_a_published_file_does_nothing(place: Place) -> None:
    staged = compose.stage(parts(place, b"x" * 2 * MIB), place / "a.csv")
    compose.publish(staged)
    compose.discard(staged)
    assert storage.exists(place / "a.csv")


def test_a_missing_part_is_reported_before_anything_happens(place: Place) -> None:
    there = parts(place, b"1\n")
    with pytest.raises(InputError, match="part-00009"):
        compose.stage([*there, place / "_runs/r1/staged/a.csv/part-00009"], place / "a.csv")
    assert leftovers(place) == []


def test_a_part_that_goes_away_fails_the_file_and_not_what_is_published(place: Place) -> None:
    storage.write_bytes(place / "a.csv", b"before")
    paths = parts(place, b"x" * 6 * MIB, b"y" * 6 * MIB)
    staged = compose.stage(paths, place / "a.csv", b"id\n")
    compose.ready([staged])
    incomplete = parts(place, b"x" * 6 * MIB, b"y" * 6 * MIB)
    storage.delete(incomplete[1])
    with pytest.raises(PipelineError):
        published_from(incomplete, place / "a.csv", b"id\n")
    assert storage.read_bytes(place / "a.csv") == b"before"
    compose.discard(staged)
    assert leftovers(place) == []


@pytest.mark.parametrize(
    "place", ["local", "moto"], indirect=True
)  # S3Proxy keeps objects as files: not a.csv and a.csv/x
def test_one_file_replaces_a_folder_of_parts_and_the_other_way(place: Place) -> None:
    def folder(*contents: bytes) -> list[compose.Staged]:
        paths = parts(place, *contents)
        return [compose.stage([path], place / f"a.csv/part-{at}.csv", b"id\n") for at, path in enumerate(paths)]

    compose.publish_folder(folder(b"1\n", b"2\n", b"3\n"), place / "a.csv")
    assert published(place) == ["a.csv/part-0.csv", "a.csv/part-1.csv", "a.csv/part-2.csv"]
    compose.publish_folder(folder(b"4\n"), place / "a.csv")
    assert published(place) == ["a.csv/part-0.csv"]
    assert storage.read_bytes(place / "a.csv/part-0.csv") == b"id\n4\n"
    published_from(parts(place, b"5\n"), place / "a.csv", b"id\n")
    assert published(place) == ["a.csv"]
    staged = folder(b"6\n", b"7\n")
    assert storage.read_bytes(place / "a.csv") == b"id\n5\n"
    compose.publish_folder(staged, place / "a.csv")
    assert published(place) == ["a.csv/part-0.csv", "a.csv/part-1.csv"]
    assert leftovers(place) == []


@pytest.mark.parametrize("header", [b"", b"id\n"], ids=["linked", "copied"])
def test_a_part_that_grew_meanwhile_is_an_error(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, header: bytes
) -> None:
    part = tmp_path / "part-0"
    part.write_bytes(b"1\n")
    begin = threading.Event()
    monkeypatch.setattr("pipeline.publish.concat.local._POOL", ThreadPoolExecutor(1, initializer=begin.wait))
    staged = compose.stage([str(part)], f"{tmp_path}/a.csv", header)
    with part.open("ab") as file:
        file.write(b"2\n")
    begin.set()
    with pytest.raises(PipelineError, match=r"bytes written, expected .*: a part changed meanwhile"):
        compose.publish(staged)
    compose.discard(staged)
    assert [path.name for path in tmp_path.iterdir()] == ["part-0"]


def test_a_folder_with_other_files_is_not_replaced(tmp_path: pathlib.Path) -> None:
    storage.write_bytes(f"{tmp_path}/a.csv/letters.txt", b"mine")
    with pytest.raises(PipelineError, match=r"a folder with other files than parts .*letters\.txt"):
        published_from([], f"{tmp_path}/a.csv", b"id\n")
    assert storage.read_bytes(f"{tmp_path}/a.csv/letters.txt") == b"mine"


def test_the_hash_of_a_folder_is_the_hash_of_its_files_hashes(tmp_path: pathlib.Path) -> None:
    staged = [compose.stage_bytes(data, f"{tmp_path}/{data.decode()}") for data in (b"a", b"b")]
    a, b = (hashlib.sha256(data).hexdigest() for data in (b"a", b"b"))
    assert compose.joint_sha256(staged) == hashlib.sha256(f"{a}\n{b}\n".encode()).hexdigest()
    assert compose.joint_sha256(staged[:1]) == a
    for one in staged:
        compose.discard(one)


def test_only_small_parts_and_the_header_pass_through_this_process(
    s3_endpoint: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    real = storage.read_range

    def counted(path: str, start: int, length: int, version: str = "") -> bytes:
        read.append(length)
        return real(path, start, length, version)

    paths = parts(s3_endpoint, b"a" * 12 * MIB, b"b" * 12 * MIB, b"c" * 1000)
    monkeypatch.setattr(storage, "read_range", counted)
    staged = compose.stage(paths, s3_endpoint / "a.csv", b"id\n", lambda _parts, _header: "elsewhere")
    compose.publish(staged)
    assert sorted(read) == [5 * MIB - 3]
    assert staged.sha256 == "elsewhere"
    assert storage.read_bytes(s3_endpoint / "a.csv") == b"id\n" + b"a" * 12 * MIB + b"b" * 12 * MIB + b"c" * 1000


def test_a_task_of_spark_computes_the_same_hash(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    paths = [f"{tmp_path}/{name}" for name in "ab"]
    for path in paths:
        storage.write_bytes(path, path.encode() * 1000)
    assert compose.spark_hasher(spark)(paths, b"id\n") == compose.sha256_of_parts(paths, b"id\n")


def test_what_a_killed_run_left_is_removed_and_nothing_else(place: Place) -> None:
    staged = [
        compose.stage(parts(place, b"x" * 2 * MIB), place / "a.csv", b"id\n"),
        compose.stage(parts(place, b"x" * 2 * MIB), place / "inner/b.csv", b"id\n"),
    ]
    compose.ready(staged)
    storage.write_bytes(place / "_runs/r0/quarantine/a.jsonl", b"{}")
    storage.write_bytes(place / "c.csv", b"published")
    with Lock(place / "inner", "alive"):
        compose.remove_stale(place.path, ["r1"])
        if place.kind != "local":
            assert len(leftovers(place)) == 1, "an upload of the destination inside stays"
    compose.remove_stale(place.path, ["r1"])
    assert leftovers(place) == []
    assert published(place) == ["c.csv"]
    assert storage.exists(place / "_runs/r0/quarantine/a.jsonl")
    assert storage.list_prefix(place / "_runs/r1") == []


WRITER = """
import hashlib, itertools, sys
from pipeline import storage
from pipeline.publish import concat as compose
from pipeline.publish.lock import Lock
from pipeline.publish.lock.lease import Lease
place, size = sys.argv[1], int(sys.argv[2])
# Every lease that is found is one of a killed run.
backend = Lease(place, sys.argv[3], stale=-1.0) if storage.is_s3(place) else None
with Lock(place, sys.argv[3], backend):
    print("begun", flush=True)
    for number in itertools.count():
        work = storage.join(place, "_runs", sys.argv[3], "staged", str(number))
        bodies = [(b"%07d\\n" % number) * (size // 8), b"", (b"%07d\\n" % (number + 1)) * (size // 8)]
        paths = [storage.join(work, f"part-{at}") for at in range(3)]
        for path, body in zip(paths, bodies):
            storage.write_bytes(path, body)
        head = hashlib.sha256(b"".join(bodies)).hexdigest().encode() + b"\\n"
        staged = [compose.stage(paths, storage.join(place, name), head) for name in ("a.csv", "b.csv")]
        compose.ready(staged)
        for one in staged:
            compose.publish(one)
        storage.delete_tree(work)
        print("round", flush=True)
"""


def assert_whole(path: str) -> None:
    content = storage.read_bytes(path)
    head, _, body = content.partition(b"\n")
    assert head.decode() == hashlib.sha256(body).hexdigest(), path


@pytest.mark.slow
@pytest.mark.parametrize("place", ["local", "moto"], indirect=True)
@pytest.mark.parametrize("size", [4096, 3 * MIB])
def test_every_published_file_is_whole_after_each_of_ten_kills(place: Place, size: int) -> None:
    environment = {**os.environ, **place.environment}
    moments, round_seconds = random.Random(size), 0.0
    for attempt in range(11):
        command = [sys.executable, "-c", WRITER]
        with subprocess.Popen(
            [*command, place.path, str(size), f"r{attempt}"], env=environment, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            if not attempt:  # the first one says how long a round takes, and leaves published files
                started = time.monotonic()
                assert child.stdout.readline() == b"round\n"
                round_seconds = time.monotonic() - started
            time.sleep(moments.uniform(0, 2 * round_seconds))
            child.kill()
        for name in ("a.csv", "b.csv"):
            assert_whole(place / name)
    backend = None if place.kind == "local" else Lease(place.path, "last", stale=-1.0)
    with Lock(place.path, "last", backend):
        assert leftovers(place) == []
        assert [path for path in published(place) if path not in ("a.csv", "b.csv")] == []
        assert [file.path for file in storage.list_prefix(place / "_runs") if "/staged/" in file.path] == []
