"""Scenario `small-files`: the same lines as very many files and as eight on disk, and many small objects on S3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.harness import HEADERS, Contender, Contest, Settings, bytes_of, concluded, job, made, published
from benchmarks.results import Section, Target
from benchmarks.scenario_tables import codes, pages
from benchmarks.slow_store import slow_store
from tests.support.servers import moto_server

# What S3 takes to answer a request for a small object, about.
ANSWER_SECONDS = 0.05
BUCKET = "incoming"


def scatter(source: Path, target: Path, files: int, most: int | None = None) -> int:
    """Writes the lines of a folder (`most`: the first so many) into so many files, one line each at least.

    Returns the number of files.
    """
    lines = [line for path in sorted(source.iterdir()) for line in path.read_bytes().splitlines(keepends=True)][:most]
    files = min(files, len(lines))
    target.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        part = lines[number * len(lines) // files : (number + 1) * len(lines) // files]
        (target / f"pages_{number:06d}.jsonl").write_bytes(b"".join(part))
    return files


def on_disk(settings: Settings) -> tuple[Contest, int]:
    """Very many files against eight."""
    eight, out = pages(settings), settings.work / "out_small"
    name = f"small_{settings.small_files}_{settings.megabytes:g}"
    many = made(settings.work / name, lambda folder: scatter(eight, folder, settings.small_files))
    count = len(list(many.iterdir()))
    found = []
    for name, source in ((f"{count} files", many), ("8 files", eight)):
        given = ("--restaurants", str(source), "--country-codes", codes(settings), "--destination", str(out / name))
        found.append(Contender(name, job("restaurants", *given), bytes_of(source), out / name))
    return Contest("small files", found, settings).run().compare(published), count


def on_s3(settings: Settings) -> tuple[list[list[str]], list[Target], list[str], bool]:
    """Small objects read once by the job through a stand-in that answers slowly and counts."""
    source, most, out = pages(settings), settings.objects, settings.work / "out_objects"
    folder = made(settings.work / f"objects_{most}", lambda folder: scatter(source, folder, most, most))
    count = len(list(folder.iterdir()))
    with moto_server() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda p: s3.put_object(Bucket=BUCKET, Key=f"in/{p.name}", Body=p.read_bytes()), folder.iterdir()
                )
            )
        with slow_store(aws.url, ANSWER_SECONDS) as (url, traffic):
            given = ("--restaurants", f"s3://{BUCKET}/in/", "--country-codes", codes(settings))
            command = job("restaurants", *given, "--destination", str(out / "s3"))
            own = {**aws.environment, "AWS_ENDPOINT_URL": url}
            one = Contender(f"{count} objects on S3", command, bytes_of(folder), out / "s3", environment=own)
            contest = Contest("small files", [one], settings).run(1)
    local = ("--restaurants", str(folder), "--country-codes", codes(settings), "--destination", str(out / "disk"))
    disk = Contender(f"{count} files on disk", job("restaurants", *local), bytes_of(folder), out / "disk")
    disk_contest = Contest("small files", [disk], settings).run(1)
    equal = contest.equal and disk_contest.equal and published(out / "s3") == published(out / "disk")
    share = traffic.busy / traffic.seconds if traffic.seconds else None
    least = count * ANSWER_SECONDS
    notes = [
        f"S3: {traffic.requests} requests for objects, up to {traffic.most} at once; {traffic.busy:.1f} s with any"
        f" under way, {traffic.seconds:.1f} s one after the other. Each answer takes {ANSWER_SECONDS * 1000:.0f} ms longer"
        f" than the server needs, {least:.0f} s for {count} objects in a row.",
        f"Results from S3 and from disk are {'equal' if equal else 'different'}.",
    ]
    targets = [Target("S3: time with requests under way to the same one after the other", 0.25, share)]
    return [*contest.rows(one.name), *disk_contest.rows(disk.name)], targets, notes, equal


def section(settings: Settings) -> Section:
    """Both stores."""
    disk, count = on_disk(settings)
    rows, targets, notes, equal = on_s3(settings)
    result = Section(
        "Many small files",
        "The restaurants job on the same lines in very many files and in eight, and on small objects in S3.",
        HEADERS,
        [*disk.rows("8 files"), *rows],
        [Target(f"{count} files to eight, on disk", 2.0, disk.ratio(f"{count} files", "8 files")), *targets],
        notes,
        equal=equal and disk.equal,
    )
    return concluded(
        result,
        settings,
        f"{settings.megabytes:.0f} MB of pages on disk; one page per object on S3 (moto)",
        disk,
        sizes=("megabytes", "small_files"),
    )
