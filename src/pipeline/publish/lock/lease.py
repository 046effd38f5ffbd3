"""A lease on S3: an object that is written anew every some seconds for as long as its holder lives.

Who may write it is decided by the store: the first by If-None-Match, every later writer by If-Match on what it has
read, so of two that want it at once one wins. Age is taken from the store's own clock. A store that does not know
these conditions is refused, as nothing there would keep two runs apart.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from pipeline import storage
from pipeline.errors import BusyError, InputError, PipelineError
from pipeline.publish.lock.note import LOCK_FILE, left_behind, note, who
from pipeline.storage.paths import split_s3
from pipeline.storage.s3 import missing, put_if
from pipeline.storage.s3_client import client, error_code, translate_errors

BEAT_SECONDS = 15.0
STALE_SECONDS = 60.0
_NO_VERSION = "0" * 32  # the ETag of no object


@dataclass(frozen=True)
class LeaseState:
    """A lease as it was read; its age is in seconds by the store's clock."""

    text: bytes
    version: str
    age: float

    @property
    def token(self) -> str:
        """What tells one run's lease from all others; empty when the text is none of ours."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return str(json.loads(self.text)["token"])
        return ""


def store_time(answer: Mapping[str, Any]) -> datetime.datetime:
    """The store's clock when it gave this answer; this machine's when the answer has no date."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    return email.utils.parsedate_to_datetime(date) if date else datetime.datetime.now(datetime.UTC)


class Lease:
    """The lock of a destination on S3: renewed every `beat` seconds, taken over after `stale` seconds without."""

    def __init__(
        self,
        directory: str,
        owner: str,
        beat: float = BEAT_SECONDS,
        stale: float = STALE_SECONDS,
        clock: Callable[[Mapping[str, Any]], datetime.datetime] = store_time,
    ) -> None:
        self.path = storage.join(directory, "_runs", LOCK_FILE)
        self.directory, self.owner = directory, owner
        self._beat, self._stale, self._clock = beat, stale, clock
        self._note: dict[str, Any] = {}
        self._version, self._lost = "", ""
        self._guard, self._over = threading.Lock(), threading.Event()
        self._heart = threading.Thread(target=self._beats, name="lease", daemon=True)

    def acquire(self) -> list[str]:
        """The ids of killed runs whose lease was taken over.

        Raises `BusyError` while the holder lives, `InputError` when the store does not know conditional writes.
        """
        self._note = note(self.owner, []) | {"token": secrets.token_hex(16), "beat": 0}
        before = self._read_state()
        killed = left_behind(before.text) if before else []
        if before is None:
            version = self._put(IfNoneMatch="*")
        else:
            if before.age < self._stale:
                raise BusyError(self._busy(before))
            self._note["killed"] = killed
            version = self._put(IfMatch=before.version)
        now = self._read_state()
        # A request whose answer was lost is repeated and then refused: the token tells whose lease it is.
        if now is None or not self._is_ours(now):
            raise BusyError(self._busy(now) if now else f"{self.directory}: another run began at the same moment")
        self._version = version or now.version
        if self._put(IfMatch=_NO_VERSION) is not None:
            self._refuse_store()
        self._heart.start()
        return killed

    def _is_ours(self, state: LeaseState) -> bool:
        return bool(state.token == self._note["token"])

    def _busy(self, state: LeaseState) -> str:
        left = max(0, round(self._stale - state.age))
        when = f"can be taken in {left} s if nothing more comes" if left else "can be taken now"
        return (
            f"{self.directory}: in use by {who(state.text)}; one run at a time. "
            f"Last sign of life {round(state.age)} s ago; its lease {when}"
        )

    def clean(self) -> None:
        """Nothing of killed runs is left."""
        self._note["killed"] = []
        self._renew()

    def check(self) -> None:
        """Raises `BusyError` when the lease was lost, `PipelineError` when it cannot be renewed."""
        self._renew()
        if self._lost:
            raise BusyError(
                f"{self.directory}: this run's lease was lost ({self._lost}); nothing more is written there"
            )

    def release(self) -> None:
        """Stops the heart and deletes the lease, if it is still this run's."""
        self._over.set()
        if self._heart.ident is not None:
            self._heart.join()
        # When S3 cannot be reached any more the lease grows old by itself.
        with contextlib.suppress(PipelineError):
            self._renew()
            if not self._lost:
                storage.delete(self.path)

    def _beats(self) -> None:
        while not self._over.wait(self._beat):
            try:
                self._renew()
            except PipelineError:
                continue  # the next beat tries again; others wait longer than a few beats

    def _renew(self) -> None:
        with self._guard:
            if self._lost:
                return
            self._note["beat"] += 1
            version = self._put(IfMatch=self._version)
            if version is None:
                now = self._read_state()
                if now and self._is_ours(now):
                    version = now.version  # an earlier beat had arrived, only its answer had not
                else:
                    self._lost = f"taken over by {who(now.text)}" if now else "its object was deleted"
                    return
            self._version = version

    def _put(self, **condition: str) -> str | None:
        try:
            return put_if(self.path, json.dumps(self._note, sort_keys=True).encode(), **condition)
        except PipelineError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and error_code(cause) in ("NotImplemented", "501"):
                self._refuse_store()
            raise

    def _refuse_store(self) -> NoReturn:
        # Nobody can hold a lease in such a store: without deletion the next run would wait for this one.
        storage.delete(self.path)
        raise InputError(
            f"{self.directory}: this store does not know conditional writes (If-None-Match and If-Match on PutObject),"
            " which keep two runs apart; use one that does, such as Amazon S3"
        )

    def _read_state(self) -> LeaseState | None:
        bucket, key = split_s3(self.path)
        with translate_errors(self.path, "read"):
            try:
                got = client().get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if missing(self.path, error):
                    return None
                raise
            text = got["Body"].read()
        return LeaseState(text, got["ETag"].strip('"'), (self._clock(got) - got["LastModified"]).total_seconds())
