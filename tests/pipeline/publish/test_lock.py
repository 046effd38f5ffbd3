from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from pipeline import storage
from pipeline.errors import BusyError, InputError
from pipeline.publish import concat as compose
from pipeline.publish.lock import Lock
from pipeline.publish.lock.lease import STALE_SECONDS, Lease, store_time
from pipeline.publish.lock.note import LockBackend
from pipeline.storage.s3_client import client
from tests.support.stores import Place

HOLDER = """
import signal, sys
from pipeline import storage
from pipeline.publish import concat as compose
from pipeline.publish.lock import Lock
place = sys.argv[1]
with Lock(place, "killed-run"):
    part = storage.join(place, "_runs", "killed-run", "staged", "a.csv", "part-0")
    storage.write_bytes(part, b"x" * (2 << 20))
    compose.ready([compose.stage([part], storage.join(place, "a.csv"), b"id")])
    print("held", flush=True)
    signal.pause()
"""


def when_stale(place: Place) -> Callable[[Mapping[str, Any]], datetime.datetime]:
    """A clock by which the lease that is there now gave its last sign of life too long ago; not those written later."""
    bucket, _, key = f"{place.path}/_runs/.lock".removeprefix("s3://").partition("/")
    stale = client().head_object(Bucket=bucket, Key=key)["ETag"]

    def clock(answer: Mapping[str, Any]) -> datetime.datetime:
        later = STALE_SECONDS + 2 if answer["ETag"] == stale else 0
        return store_time(answer) + datetime.timedelta(seconds=later)

    return clock


class Contest:
    """Of several threads that want a lock the one that gets it holds it until all others were refused."""

    def __init__(self, contenders: int) -> None:
        self._others, self._refused = contenders - 1, threading.Semaphore(0)
        self.contenders = contenders

    def enter(self, number: int, acquire: Callable[[int], contextlib.AbstractContextManager[object]]) -> bool:
        try:
            with acquire(number):
                return all(self._refused.acquire(timeout=30) for _ in range(self._others))
        except BusyError:
            self._refused.release()
            return False

    def winners(self, acquire: Callable[[int], contextlib.AbstractContextManager[object]]) -> int:
        with ThreadPoolExecutor(self.contenders) as pool:
            return sum(pool.map(lambda number: self.enter(number, acquire), range(self.contenders)))


@pytest.fixture
def holder(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock of the place, with a staged file."""
    command = [sys.executable, "-c", HOLDER, place.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def refused(place: Place) -> str:
    with pytest.raises(BusyError) as error, Lock(place.path, "second"):
        pass
    return str(error.value)


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
    assert Contest(8).winners(lambda number: Lock(place.path, f"r{number}")) == 1


def test_a_run_is_held_by_a_process_that_lives(holder: subprocess.Popen[bytes], place: Place) -> None:
    assert "in use by run killed-run since " in refused(place)


def test_a_lease_is_renewed_for_as_long_as_its_holder_lives(s3_endpoint: Place) -> None:
    def beat() -> int:
        return int(json.loads(storage.read_bytes(s3_endpoint / "_runs/.lock"))["beat"])

    with Lock(s3_endpoint.path, "first", Lease(s3_endpoint.path, "first", beat=0.02)) as lock:
        begun, patience = beat(), time.monotonic() + 30
        while beat() < begun + 3:
            assert time.monotonic() < patience
            time.sleep(0.02)
        lock.check()


def test_a_killed_run_frees_it_and_the_next_one_cleans_up(holder: subprocess.Popen[bytes], place: Place) -> None:
    holder.kill()
    holder.wait()
    if place.kind != "local":
        assert re.search(r"Last sign of life \d+ s ago; its lease can be taken in \d+ s", refused(place))
    backend = None if place.kind == "local" else Lease(place.path, "next", clock=when_stale(place))
    with Lock(place.path, "next", backend):
        left = [file.path for file in storage.list_prefix(place.path)]
        assert left == [place / "_runs/.lock"]
    with Lock(place.path, "last"):
        pass


def test_of_many_that_find_a_dead_lease_one_takes_it_over(s3_endpoint: Place) -> None:
    dead = '{"run_id": "dead", "since": "2019-08-15", "process": 1, "host": "h", "killed": ["older"]}'
    storage.write_bytes(s3_endpoint / "_runs/.lock", dead.encode())
    clock, killed = when_stale(s3_endpoint), []

    @contextlib.contextmanager
    def lease(number: int) -> Iterator[None]:
        backend: LockBackend = Lease(s3_endpoint.path, f"r{number}", clock=clock)
        killed.append(backend.acquire())
        yield
        backend.release()

    assert Contest(8).winners(lease) == 1
    assert killed == [["dead", "older"]]


def test_a_lease_that_was_taken_away_is_noticed_and_left_alone(s3_endpoint: Place) -> None:
    with Lock(s3_endpoint.path, "first") as lock:
        lock.check()
        other = '{"run_id": "other", "since": "2019-08-15", "process": 1, "host": "h", "killed": [], "token": "t"}'
        storage.write_bytes(s3_endpoint / "_runs/.lock", other.encode())
        with pytest.raises(BusyError, match=r"lease was lost \(taken over by run other"):
            lock.check()
    assert storage.read_bytes(s3_endpoint / "_runs/.lock") == other.encode()


def test_a_deleted_lease_is_noticed(s3_endpoint: Place) -> None:
    with Lock(s3_endpoint.path, "first") as lock:
        storage.delete(s3_endpoint / "_runs/.lock")
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
    if "If-Match" not in request.headers:
        return None

    class Raw:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield b"<Error><Code>NotImplemented</Code><Message>no If-Match</Message></Error>"

    return AWSResponse(request.url, 501, {}, Raw())


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize(("when", "change"), [("before-sign", ignored), ("before-send", not_implemented)])
def test_a_store_without_if_match_is_refused_in_one_line(
    s3_moto: Place, before_put: Callable[..., None], when: str, change: Callable[..., Any], stale: bool
) -> None:
    before_put(when, change)
    backend = None
    if stale:
        storage.write_bytes(s3_moto / "_runs/.lock", b"{}")
        backend = Lease(s3_moto.path, "first", clock=when_stale(s3_moto))
    with pytest.raises(InputError) as error, Lock(s3_moto.path, "first", backend):
        pass
    assert str(error.value) == (
        f"{s3_moto.path}: this store does not know conditional writes (If-None-Match and If-Match on PutObject),"
        " which keep two runs apart; use one that does, such as Amazon S3"
    )
    assert storage.list_prefix(s3_moto.path) == []


def test_a_lock_file_that_makes_no_sense_is_taken_as_released(place: Place) -> None:
    storage.write_bytes(place / "_runs/.lock", b"\xff{")
    if place.kind != "local":
        assert "in use by another run" in refused(place)
        return
    with Lock(place.path, "r1"):
        compose.discard(compose.stage_bytes(b"", place / "a"))
