from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline import storage
from pipeline.errors import BusyError
from pipeline.publish import concat as compose
from pipeline.publish import lock_s3
from pipeline.publish.lock import Lock
from pipeline.storage.s3_client import client
from tests.support.paths import SRC
from tests.support.stores import Place

HOLDER = """
import sys, time
from pipeline import storage
from pipeline.publish import concat as compose
from pipeline.publish import lock_s3
from pipeline.publish.lock import Lock
lock_s3.STALE_SECONDS, lock_s3.BEAT_SECONDS = 2.0, 0.5
place = sys.argv[1]
with Lock(place, "killed-run"):
    part = storage.join(place, "_runs", "killed-run", "staged", "a.csv", "part-0")
    storage.write_bytes(part, b"x" * (2 << 20))
    compose.ready([compose.stage([part], storage.join(place, "a.csv"), b"id")])
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that are stale after two seconds."""
    monkeypatch.setattr(lock_s3, "STALE_SECONDS", 2.0)
    monkeypatch.setattr(lock_s3, "BEAT_SECONDS", 0.5)


@pytest.fixture
def holder(place: Place, quick: None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock of the place, with a staged file."""
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", HOLDER, place.path]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def refused(place: Place) -> str:
    with pytest.raises(BusyError) as told, Lock(place.path, "second"):
        pass
    return str(told.value)


def test_a_second_run_is_refused_with_the_first_ones_id_and_since_when(place: Place) -> None:
    with Lock(place.path, "20190815T1200-abcd"):
        message = refused(place)
    assert re.match(
        rf"{re.escape(place.path)}: in use by run 20190815T1200-abcd since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 "
        rf"\(process {os.getpid()} on \S+\); one run at a time",
        message,
    )
    assert BusyError.exit_code == 2


def test_it_is_free_again_afterwards_also_after_an_error(place: Place) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), Lock(place.path, "r1"):
            raise ZeroDivisionError
    with Lock(place.path, "r2") as lock:
        lock.check()


def test_a_refused_run_does_not_touch_the_holder(place: Place) -> None:
    with Lock(place.path, "first") as lock:
        refused(place)
        refused(place)
        lock.check()


def test_other_destinations_are_free(place: Place) -> None:
    with Lock(place / "a", "r1"), Lock(place / "b", "r2"), Lock(place.path, "r3"):
        pass


def test_of_many_that_begin_at_once_one_gets_it(place: Place) -> None:
    def begin(number: int) -> bool:
        try:
            with Lock(place.path, f"r{number}"):
                time.sleep(2)
            return True
        except BusyError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 1


@pytest.mark.slow
def test_a_run_is_held_by_a_process_that_lives(holder: subprocess.Popen[bytes], place: Place) -> None:
    time.sleep(3)
    assert "in use by run killed-run since " in refused(place)


def test_a_killed_run_frees_it_and_the_next_one_cleans_up(holder: subprocess.Popen[bytes], place: Place) -> None:
    holder.kill()
    holder.wait()
    if place.kind != "local":
        assert re.search(r"Last sign of life \d+ s ago; its lease can be taken in \d+ s", refused(place))
        time.sleep(3.2)
    with Lock(place.path, "next"):
        left = [file.path for file in storage.list_prefix(place.path)]
        assert left == [place / "_runs/.lock"]
    with Lock(place.path, "last"):
        pass


def test_of_many_that_find_a_dead_lease_one_takes_it_over(s3_endpoint: Place, quick: None) -> None:
    dead = '{"run_id": "dead", "since": "2019-08-15", "process": 1, "host": "h", "killed": ["older"]}'
    storage.write_bytes(s3_endpoint / "_runs/.lock", dead.encode())
    time.sleep(3.2)
    begun: list[list[str]] = []

    def begin(number: int) -> bool:
        lease = lock_s3.Lease(s3_endpoint.path, f"r{number}")
        try:
            begun.append(lease.take())
        except BusyError:
            return False
        time.sleep(2)
        lease.release()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 1
    assert begun == [["dead", "older"]]


def test_a_lease_that_was_taken_away_is_noticed_and_left_alone(s3_endpoint: Place, quick: None) -> None:
    with Lock(s3_endpoint.path, "first") as lock:
        lock.check()
        other = '{"run_id": "other", "since": "2019-08-15", "process": 1, "host": "h", "killed": [], "token": "t"}'
        storage.write_bytes(s3_endpoint / "_runs/.lock", other.encode())
        with pytest.raises(BusyError, match=r"lease was lost \(taken over by run other"):
            lock.check()
    assert storage.read_bytes(s3_endpoint / "_runs/.lock") == other.encode()


def test_a_deleted_lease_is_noticed(s3_endpoint: Place, quick: None) -> None:
    with Lock(s3_endpoint.path, "first") as lock:
        storage.delete(s3_endpoint / "_runs/.lock")
        time.sleep(1.2)
        with pytest.raises(BusyError, match=r"lease was lost \(its object was deleted\)"):
            lock.check()
    assert not storage.exists(s3_endpoint / "_runs/.lock")


@pytest.fixture
def before_put(s3_moto: Place) -> Iterator[Callable[[str, Callable[..., Any]], None]]:
    """Changes requests or answers of PutObject on their way, as a store without If-Match would."""
    events, registered = client().meta.events, []

    def register(when: str, change: Callable[..., Any]) -> None:
        events.register(f"{when}.s3.PutObject", change)
        registered.append((f"{when}.s3.PutObject", change))

    yield register
    for name, change in registered:
        events.unregister(name, change)


def ignored(request: Any, **_: Any) -> None:
    del request.headers["If-Match"]


def not_implemented(request: Any, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    if "If-Match" not in request.headers:
        return None

    class Raw:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield b"<Error><Code>NotImplemented</Code><Message>no If-Match</Message></Error>"

    return AWSResponse(request.url, 501, {}, Raw())


@pytest.mark.slow
@pytest.mark.parametrize(("when", "change"), [("before-sign", ignored), ("before-send", not_implemented)])
def test_without_if_match_a_dead_lease_is_not_taken_and_the_way_out_is_told(
    s3_moto: Place, quick: None, before_put: Callable[..., None], when: str, change: Callable[..., Any]
) -> None:
    before_put(when, change)
    with Lock(s3_moto.path, "first") as lock:
        time.sleep(3)  # some beats
        lock.check()
        assert "in use by run first" in refused(s3_moto)
    storage.write_bytes(s3_moto / "_runs/.lock", b"{}")
    time.sleep(3.2)
    assert f"cannot replace it safely: if that run is over, delete {s3_moto / '_runs/.lock'}" in refused(s3_moto)
    assert [file.path for file in storage.list_prefix(s3_moto.path)] == [s3_moto / "_runs/.lock"]


def test_a_lock_file_that_makes_no_sense_is_taken_as_released(place: Place) -> None:
    storage.write_bytes(place / "_runs/.lock", b"\xff{")
    if place.kind != "local":
        assert "in use by another run" in refused(place)
        return
    with Lock(place.path, "r1"):
        compose.discard(compose.stage_bytes(b"", place / "a"))
