"""Scenario `compose`: parts joined into one named file, against writing the parts and against `cat`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
from collections.abc import Iterator, Mapping

from benchmarks.harness import ROOT, Contender, Contest, Settings, concluded, submit
from benchmarks.results import Section, Target
from benchmarks.slow_store import slow_store
from pipeline.publish import concat
from tests.support.servers import moto_server

HEADERS = ["work", "seconds", "min-max", "MB/s", "to writing"]


# The header has to be joined to 5 MiB of the first part: these come in and go out, with some words around them.
LEAST_THROUGH = 10.6
PART, SMALL, PARTS = 16_000_000, 1_000_000, 4


@contextlib.contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def on_s3() -> tuple[int, bool]:
    """Bytes that go through the process that joins the parts, and whether the file is right.

    The SHA-256 is left out: in a job a task computes it.
    """
    bodies = [bytes([65 + number]) * PART for number in range(PARTS)] + [b"z" * SMALL]
    with moto_server() as aws, slow_store(aws.url, 0.0) as (url, traffic):
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        parts = [f"parts/{number}" for number in range(len(bodies))]
        for key, body in zip(parts, bodies, strict=True):
            s3.put_object(Bucket="results", Key=key, Body=body)
        with _variables({**aws.environment, "AWS_ENDPOINT_URL": url}):
            paths = [f"s3://results/{key}" for key in parts]
            concat.publish(concat.stage(paths, "s3://results/whole", b"head\n", lambda *_: "0" * 64))
        whole = s3.get_object(Bucket="results", Key="whole")["Body"].read()
    return traffic.bytes, whole == b"head\n" + b"".join(bodies)


def on_disk(found: list[dict[str, float]]) -> tuple[list[list[str]], list[Target]]:
    """Rows and targets of what compose_parts.py measured; targets without a figure when it measured nothing."""
    targets = [Target("joining to writing the parts", 1.2, None), Target("joining to cat and fsync", 1.2, None)]
    if not found:
        return [], targets
    size = found[0]["bytes"] / 1e6
    shown = {"write": f"Spark writes {found[0]['parts']} parts", "concat": "one file of them", "cat": "cat and fsync"}
    seconds = {name: [one[name] for one in found] for name in shown}
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    targets[0].measured, targets[1].measured = (middle["concat"] / middle[name] for name in ("write", "cat"))
    return [
        [
            text,
            f"{middle[name]:.2f}",
            f"{min(seconds[name]):.2f}-{max(seconds[name]):.2f}",
            f"{size / middle[name]:.0f}",
            f"{middle[name] / middle['write']:.2f}",
        ]
        for name, text in shown.items()
    ], targets


def section(settings: Settings) -> Section:
    """All times, in one process and in turn."""
    out = settings.work / "out_compose"
    given = ("--megabytes", str(settings.compose_megabytes), "--runs", str(settings.runs), "--out", str(out))
    command = submit(str(ROOT / "benchmarks" / "compose_parts.py"), *given)
    contest = Contest("compose", [Contender("parts", command, 0, out)], settings).run(1)
    rows, targets = on_disk(json.loads((out / "seconds.json").read_text(encoding="utf-8")) if contest.equal else [])
    shutil.rmtree(out, ignore_errors=True)
    through, whole = on_s3()
    targets.append(
        Target(f"S3: MB through the driver, of {(PARTS * PART + SMALL) / 1e6:.0f} MB", LEAST_THROUGH, through / 1e6)
    )
    note = (
        f"S3 (moto): {PARTS} parts of {PART / 1e6:.0f} MB, one of {SMALL / 1e6:.0f} MB and a header made one object with"
        f" {through / 1e6:.1f} MB through the process that joins them; the object is {'right' if whole else 'WRONG'}. What is"
        " under the store's least size of 5 MiB has to go through it, and what is joined to it to get there."
    )
    result = Section(
        "One named file from parts",
        "Spark writes lines as parts; they are joined, hashed with SHA-256 and synced to disk, which Spark's own parts"
        " are not; `cat` does not hash. In a job this goes on behind the work that follows.",
        HEADERS,
        rows,
        targets,
        [note],
        equal=contest.equal and whole,
    )
    return concluded(
        result,
        settings,
        f"{settings.compose_megabytes:.0f} MB of lines, on disk",
        contest,
        sizes=("compose_megabytes",),
    )
