"""Answers that processes share in a cache with the Redis protocol (Valkey): each loaded once, none of an earlier load.

A key carries the load that its source shows (`pipeline.sinks.marks`); an answer of a source without a mark is not kept.
Of all that want the same answer one loads it: `OneLoader` sees to that in a process, a lock in the cache among
processes. A server that is gone or slow is a miss, and after it nobody asks for PAUSE_SECONDS.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.sinks.marks import LEASE_SECONDS
from pipeline.sinks.postgres.connection import Credentials, secret, secret_login
from services.api.errors import ApiError
from services.api.settings import CachePlace

if TYPE_CHECKING:
    from valkey import Valkey

_log = logging.getLogger(__name__)
CONNECT_SECONDS = 0.3
READ_SECONDS = 0.2
PAUSE_SECONDS = 2.0
# How long another process may load before this one does so itself, and when its lock is over should it be gone.
WAIT_SECONDS = 1.0
LOCK_MILLISECONDS = 5000
_LOOK_SECONDS = 0.02
# A number for the form of keys and answers: releases of the API that differ in it do not read each other's.
_PREFIX = "read-api:1"


class CacheGoneError(Exception):
    """The cache does not answer, or is left alone for a moment because it did not."""


class CacheServer:
    """GET, SET and DEL with short time limits."""

    def __init__(self, place: CachePlace) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._client: Valkey | None = None
        self._failed, self._closed_until = False, 0.0

    def get(self, key: str) -> bytes | None:
        """The value; None when there is none."""
        value: bytes | None = self._call(lambda client: client.get(key))
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keeps a value for the place's seconds."""
        self._call(lambda client: client.set(key, value, ex=self._place.seconds))

    def lock(self, key: str) -> bool:
        """Whether the lock of this key is now ours."""
        return bool(self._call(lambda client: client.set(f"{key}:lock", b"", nx=True, px=LOCK_MILLISECONDS)))

    def unlock(self, key: str) -> None:
        """Lets another load; the lock of one that came too late may be another's, which costs one more load."""
        self._call(lambda client: client.delete(f"{key}:lock"))

    def _call(self, ask: Callable[[Valkey], Any]) -> Any:
        # Not at the top: an API without a cache must not load it.
        from valkey.exceptions import ValkeyError

        with self._lock:
            if time.monotonic() < self._closed_until:
                raise CacheGoneError
            if self._failed:  # after the pause one tries, the others go on without
                self._closed_until = time.monotonic() + PAUSE_SECONDS
            client = self._client = self._client or self._connected()
        try:
            answer = ask(client)
        except (ValkeyError, OSError, PipelineError) as error:
            _log.warning("cache: %s: %s", type(error).__name__, " ".join(str(error).split()))
            with self._lock:
                self._failed, self._closed_until = True, time.monotonic() + PAUSE_SECONDS
                if self._client is client:
                    self._client = None
            client.connection_pool.disconnect(inuse_connections=False)
            raise CacheGoneError from error
        if self._failed:
            with self._lock:
                self._failed, self._closed_until = False, 0.0
        return answer

    def _connected(self) -> Valkey:
        """A client that connects at its first use, with credentials read anew for it."""
        from valkey import Valkey
        from valkey.backoff import NoBackoff
        from valkey.retry import Retry

        place = self._place
        login: Any = _Login() if place.login else None
        return Valkey(
            host=place.host,
            port=place.port,
            credential_provider=login,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=READ_SECONDS,
            retry=Retry(NoBackoff(), 0),
            lib_name=None,
            lib_version=None,
            ssl=place.tls,
            ssl_check_hostname=place.tls,
        )


class _Login:
    """What the client asks for user and password at each connection; they are read at the first."""

    def __init__(self) -> None:
        self._known: Credentials | None = None

    def get_credentials(self) -> tuple[str, str]:
        """User and password; `DeliveryError` when the secret cannot be had within a second."""
        if self._known is None:
            if arn := os.environ.get("CACHE_SECRET_ARN"):
                self._known = secret_login("CACHE_SECRET_ARN", secret(arn, seconds=1, attempts=1))
            else:
                user = os.environ.get("CACHE_USER") or "default"
                self._known = Credentials(user, os.environ.get("CACHE_PASSWORD", ""))
        return self._known.user, self._known.password


class OneLoader:
    """Of several threads that want the same thing at once, one gets it, for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[Any]] = {}

    def run(self, key: str, load: Callable[[], Any]) -> Any:
        """What `load` gives, or gave the thread that was first; its error too."""
        with self._lock:
            running = self._running.get(key)
            if running is None:
                mine = self._running[key] = Future()
        if running is not None:
            return running.result()
        try:
            mine.set_result(load())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._running[key]
        return mine.result()


class SharedCache:
    """Answers by key, each loaded once."""

    def __init__(self, server: CacheServer) -> None:
        self._server, self._loader = server, OneLoader()

    def get(self, key: str, load: Callable[[], bytes]) -> bytes:
        """The answer that is kept, else what `load` gives, which is then kept."""
        answer: bytes = self._loader.run(key, lambda: self._get(key, load))
        return answer

    def _get(self, key: str, load: Callable[[], bytes]) -> bytes:
        try:
            found = self._server.get(key) or self._found_or_ours(key)
        except CacheGoneError:
            return load()
        if found:
            return found
        answer = None
        try:
            answer = load()
        finally:
            self._leave(key, answer)
        return answer

    def _found_or_ours(self, key: str) -> bytes | None:
        """The answer that another process loads meanwhile; None when it is ours to load."""
        until = time.monotonic() + WAIT_SECONDS
        while not (ours := self._server.lock(key)) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            if found := self._server.get(key):
                return found
        found = self._server.get(key)  # the one before us may have put it there and gone
        if found and ours:
            self._server.unlock(key)
        return found

    def _leave(self, key: str, answer: bytes | None) -> None:
        try:
            if answer is not None:
                self._server.put(key, answer)
            self._server.unlock(key)
        except CacheGoneError:
            pass  # the next one loads


class Mark:
    """Which load a source shows; the source is asked once in LEASE_SECONDS, and one asks for all."""

    def __init__(self, ask: Callable[[], str | None]) -> None:
        self._ask, self._lock = ask, threading.Lock()
        self._load: str | None = None
        self._asked = -LEASE_SECONDS, 0.0

    def current(self) -> str | None:
        """The load's id; None when there is no mark, or the source does not give it within its lease."""
        with self._lock:
            if not self._holds(self._asked):
                asked = _clocks()
                try:
                    self._load = self._ask()
                except ApiError:
                    self._load = None
                # No mark may be believed for longer than that; an old one only from the moment it was asked for.
                if not self._holds(asked):
                    self._load, asked = None, _clocks()
                self._asked = asked
            return self._load

    @staticmethod
    def _holds(asked: tuple[float, float]) -> bool:
        # By both clocks: one of them may have been at rest while this process was frozen.
        return all(0 <= now - then < LEASE_SECONDS for now, then in zip(_clocks(), asked, strict=True))


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.time()


class Answers:
    """The answers of one source: kept in the shared cache where there is one, by the load that the source shows."""

    def __init__(self, cache: SharedCache | None, source: str, ask_mark: Callable[[], str | None]) -> None:
        self._cache, self._source, self._mark = cache, source, Mark(ask_mark)
        self.shared = cache is not None

    def get(self, what: str, load: Callable[[str | None], bytes]) -> bytes:
        """One answer; `load` gets the id of the load it is kept under, None when it is not kept."""
        load_id = self._mark.current() if self._cache else None
        if self._cache is None or load_id is None:
            return load(None)
        return self._cache.get(f"{_PREFIX}:{self._source}:{load_id}:{what}", lambda: load(load_id))
