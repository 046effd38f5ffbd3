"""The restaurants job from and to S3, and killed at any moment."""

from __future__ import annotations

import hashlib
import json
import pathlib
import random
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.jobs.restaurant_forms import OUTPUTS
from tests.pipeline.sinks.test_dynamodb import items, new_table, plain, put_rows
from tests.support.jobs import JobResult, clean_environment, command
from tests.support.servers import moto_server
from tests.support.stores import Servers, s3_place, s3_servers


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with s3_servers() as found:
        yield found


@pytest.mark.standin
@pytest.mark.parametrize("kind", ["moto", "s3proxy"])
def test_from_s3_to_s3_gives_the_bytes_that_the_disk_gives(
    kind: str,
    servers: Servers,
    run_job: Callable[..., JobResult],
    real_data: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    sources = [real_data / "restaurants" / name for name in ("restaurant_data.json", "Country-Code.xlsx")]
    local = run_job(
        "restaurants", "--restaurants", sources[0], "--country-codes", sources[1], "--destination", tmp_path
    )
    assert local.exit_code == 0, local.stderr
    place = s3_place(kind, servers.get(kind))
    assert place.endpoint is not None
    client = place.endpoint.client("s3")
    bucket, _, prefix = place.path.removeprefix("s3://").partition("/")
    for source in sources:
        client.upload_file(str(source), bucket, f"{prefix}/in/{source.name}")
    remote = run_job(
        "restaurants",
        *("--restaurants", place / "in/restaurant_data.json"),
        *("--country-codes", place / "in/Country-Code.xlsx"),
        *("--destination", place / "out"),
        env=place.environment,
    )
    assert remote.exit_code == 0, remote.stderr

    def stored(name: str) -> bytes:
        body: bytes = client.get_object(Bucket=bucket, Key=f"{prefix}/out/{name}")["Body"].read()
        return body

    assert {name: stored(name) for name in OUTPUTS} == {name: (tmp_path / name).read_bytes() for name in OUTPUTS}
    manifest = json.loads(stored("_manifest.json"))
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: hashlib.sha256(stored(name)).hexdigest() for name in OUTPUTS
    }
    left = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/out/").get("Contents", [])
    assert not [entry["Key"] for entry in left if "/staged/" in entry["Key"]]


@pytest.mark.slow
def test_killed_at_ten_random_moments_every_published_file_is_whole_and_the_next_run_repairs(
    run_job: Callable[..., JobResult], sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    words = [*sample_args("restaurants"), "--destination", str(out)]
    other_period = [*words, "--events-from", "2019-05-01", "--events-to", "2019-05-31"]
    versions = []
    started = time.monotonic()
    for arguments in (words, other_period):
        assert run_job("restaurants", *arguments).exit_code == 0
        versions.append({name: (out / name).read_bytes() for name in OUTPUTS})
    length = (time.monotonic() - started) / 2
    chance = random.Random(20190401)
    for turn in range(10):
        arguments = (words, other_period)[turn % 2]
        # A shell leads its own group, so that the kill reaches Spark and its workers too.
        process = subprocess.Popen(
            command("restaurants", arguments),
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(length * (0.3 + 0.7 * chance.random()))
        subprocess.run(["kill", "-KILL", "--", f"-{process.pid}"], check=False, stderr=subprocess.DEVNULL)
        process.wait()
        for name in OUTPUTS:
            assert (out / name).read_bytes() in {version[name] for version in versions}, (turn, name)
    result = run_job("restaurants", *words)
    assert result.exit_code == 0, result.stderr
    assert {name: (out / name).read_bytes() for name in OUTPUTS} == versions[0]
    assert not list(out.glob("_runs/*/staged"))
    known = {*OUTPUTS, "_manifest.json", "_runs", "report.html", "report.json"}
    assert not [path for path in out.iterdir() if path.name not in known]


@pytest.mark.slow
def test_a_second_run_on_the_same_destination_exits_2_and_names_the_first(
    run_job: Callable[..., JobResult], sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    words = [*sample_args("restaurants"), "--destination", str(tmp_path)]
    first = subprocess.Popen(
        command("restaurants", [*words, "--run-id", "first"]),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "_runs" / ".lock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        second = run_job("restaurants", *words)
        assert second.exit_code == 2
        output = second.stdout + second.stderr  # spark-submit may hand a job's stderr on as its own stdout
        assert "first" in output
        assert "Traceback" not in output
    finally:
        assert first.wait(timeout=240) == 0


@pytest.mark.standin
def test_the_details_fill_the_lookup_table_under_their_ids(
    run_job: Callable[..., JobResult], sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    with moto_server() as endpoint:
        table = new_table(endpoint, "restaurants")
        put_rows(plain(endpoint), table, [{"id": "999"}], "yesterday")
        words = [*sample_args("restaurants"), "--lookup-table", table, "--run-id", "today", "--destination", tmp_path]
        done = run_job("restaurants", *words, env=endpoint.environment)
        assert done.exit_code == 0, done.stdout
        found = {item["id"]["S"]: item for item in items(endpoint, table)}
        assert found.pop("#load")["load"]["S"].startswith("today-")
        assert sorted(found) == ["101", "102", "103", "104", "105", "106", "107", "108", "109"]
        assert found["103"]["Cuisines"] == {"S": "Brazilian, Bakery"}
        assert found["103"]["Event Date"] == {"NULL": True}
        assert done.report["figures"]["lookup table restaurants"] == {"written": 9, "removed": 1}
