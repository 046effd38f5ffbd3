"""What the benchmark generates, and how it reads what was measured."""

from __future__ import annotations

import json
import pathlib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import big_array, generate_documents
from benchmarks.scenario_array import death
from benchmarks.scenario_files import scatter
from benchmarks.scenario_start import first_task
from benchmarks.slow_store import slow_store


def test_a_huge_array_holds_the_pages_of_the_lines_and_no_repeated_restaurant(tmp_path: pathlib.Path) -> None:
    array, lines = tmp_path / "pages.json", tmp_path / "pages.jsonl"
    count = big_array.write(array, lines, 0.4)
    pages = json.loads(array.read_text(encoding="utf-8"))
    assert len(pages) == count
    assert pages == [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    restaurants = [one["restaurant"] for page in pages for one in page["restaurants"]]
    assert len({one["id"] for one in restaurants}) == len(restaurants) == 20 * count
    events = [e["event"]["event_id"] for one in restaurants for e in one.get("zomato_events", [])]
    assert len(set(events)) == len(events) > 0
    assert 400_000 <= array.stat().st_size < 800_000


def test_documents_have_every_level_and_are_the_same_each_time(tmp_path: pathlib.Path) -> None:
    for name in ("a", "b"):
        generate_documents.generate(tmp_path / name, 0.2, files=2)
    texts = [[path.read_text(encoding="utf-8") for path in sorted((tmp_path / n).iterdir())] for n in ("a", "b")]
    assert texts[0] == texts[1]
    for name, _ in generate_documents.LEVELS:
        assert any(f'"{name}": [{{' in text for text in texts[0])
    assert generate_documents.schema().startswith(
        "id bigint, region string, matrix array<array<array<bigint>>>, divisions array<struct<code:string,"
    )


def test_lines_are_scattered_in_order_over_at_most_as_many_files_as_lines(tmp_path: pathlib.Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"1\n2\n")
    (tmp_path / "in" / "b").write_bytes(b"3\n")
    assert scatter(tmp_path / "in", tmp_path / "two", 2) == 2
    assert [p.read_bytes() for p in sorted((tmp_path / "two").iterdir())] == [b"1\n", b"2\n3\n"]
    assert scatter(tmp_path / "in", tmp_path / "ten", 10) == 3
    assert scatter(tmp_path / "in", tmp_path / "first", 10, most=1) == 1


def test_the_first_task_is_the_earliest_in_the_event_log_that_does_some_of_the_work(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "local-1"
    job = '{{"Event":"SparkListenerJobStart","Stage IDs":{},"Properties":{}}}\n'
    warming = job.format([0], '{"spark.job.description":"start Python workers"}')
    working = job.format([1, 2], "{}")
    task = '{{"Event":"SparkListenerTaskStart","Stage ID":{},"Task Info":{{"Launch Time":{}}}}}\n'
    log.write_text(warming + task.format(0, 3000) + working + task.format(2, 5250) + task.format(1, 4500))
    assert first_task(log) == 4.5
    log.write_text(warming + task.format(0, 3000))
    assert first_task(log) is None


def test_a_log_tells_of_memory_before_anything_else(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    log.write_text("starting\nJob aborted due to stage failure\n  java.lang.OutOfMemoryError: Java heap space\n")
    assert death(log) == "java.lang.OutOfMemoryError: Java heap space"
    log.write_text("all is well\n")
    assert death(log) == ""


def test_requests_under_way_are_counted() -> None:
    # Nothing listens behind it: the answers are errors, the counts are right.
    with slow_store("http://127.0.0.1:9", 0.2) as (url, traffic):

        def ask(number: int) -> None:
            with pytest.raises(urllib.error.HTTPError, match="502"):
                urllib.request.urlopen(f"{url}/bucket/{number}", timeout=5)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(4)))
    assert (traffic.requests, traffic.most) == (4, 4)
    assert 0.2 <= traffic.busy < traffic.seconds / 2
