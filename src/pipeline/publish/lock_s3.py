"""A lease on S3: an object that is written anew every some seconds for as long as its holder lives.

Who may write it is decided by the store: the first by If-None-Match, every later writer by If-Match on what it has
seen, so of two that want it at once one wins. Age is taken from the store's own clock. A store that does not know
If-Match still keeps the first rule; there a lease whose holder died is never taken over, as two could do so at once:
the message says which object to delete by hand once it is certain that its run is over.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import json
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from pipeline import storage
from pipeline.errors import BusyError, PipelineError
from pipeline.publish.lock import LOCK_FILE, left_behind, note, who
from pipeline.storage.paths import split_s3
from pipeline.storage.s3 import missing, put_if
from pipeline.storage.s3_client import client, error_code, translate_errors

BEAT_SECONDS = 15.0
STALE_SECONDS = 60.0


@dataclass(frozen=True)
class Seen:
    """A lease as it was read; its age is in seconds by the store's clock."""

    text: bytes
    version: str
    age: float


class Lease:
    """The lock of a destination on S3."""

    def __init__(self, directory: str, owner: str) -> None:
        self.path = storage.join(directory, "_runs", LOCK_FILE)
        self.directory, self.owner = directory, owner
        self._beat, self._stale = BEAT_SECONDS, STALE_SECONDS
        self._note: dict[str, Any] = {}
        self._version, self._lost = "", ""
        self._guard, self._over = threading.Lock(), threading.Event()
        self._heart = threading.Thread(target=self._beats, name="lease", daemon=True)

    def take(self) -> list[str]:
        """Raises `BusyError` while the holder lives; takes over after `stale` seconds without a sign of it."""
        self._note = note(self.owner, []) | {"token": secrets.token_hex(16), "beat": 0}
        seen = self._look()
        if seen is None:
            version = put_if(self.path, self._text(), IfNoneMatch="*")
            killed: list[str] = []
        else:
            if seen.age < self._stale:
                raise BusyError(self._busy(seen))
            killed = left_behind(seen.text)
            self._note["killed"] = killed
            version = self._take_over(seen)
        now = self._look()
        # A request whose answer was lost is repeated and then refused: the token tells whose lease it is.
        if now is None or json.loads(now.text or b"{}").get("token") != self._note["token"]:
            raise BusyError(self._busy(now) if now else f"{self.directory}: another run began at the same moment")
        self._version = version or now.version
        self._heart.start()
        return killed

    def _take_over(self, seen: Seen) -> str | None:
        if not self._replaces_conditionally():
            raise BusyError(
                f"{self._busy(seen)}; this store cannot replace it safely: if that run is over, delete {self.path}"
            )
        return put_if(self.path, self._text(), IfMatch=seen.version)

    def _replaces_conditionally(self) -> bool:
        """True when the store refuses a write over a version that is not there."""
        probe = f"{self.path}-probe-{self._note['token']}"
        storage.write_bytes(probe, b"")
        try:
            return put_if(probe, b"x", IfMatch="0" * 32) is None
        except PipelineError:
            return False
        finally:
            storage.delete(probe)

    def _busy(self, seen: Seen) -> str:
        left = max(0, round(self._stale - seen.age))
        when = f"can be taken in {left} s if nothing more comes" if left else "can be taken now"
        return (
            f"{self.directory}: in use by {who(seen.text)}; one run at a time. "
            f"Last sign of life {round(seen.age)} s ago; its lease {when}"
        )

    def clean(self) -> None:
        """Nothing of killed runs is left."""
        self._note["killed"] = []
        self._renew()

    def check(self) -> None:
        """Raises `BusyError` when the lease was lost, or could not be renewed for as long as others wait."""
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
            version = self._put()
            if version is None:
                now = self._look()
                if now and json.loads(now.text or b"{}").get("token") == self._note["token"]:
                    version = now.version  # an earlier beat had arrived, only its answer had not
                else:
                    self._lost = f"taken over by {who(now.text)}" if now else "its object was deleted"
                    return
            self._version = version

    def _put(self) -> str | None:
        try:
            return put_if(self.path, self._text(), IfMatch=self._version)
        except PipelineError as error:
            cause = error.__cause__
            if not isinstance(cause, Exception) or error_code(cause) not in ("NotImplemented", "501"):
                raise
        # No If-Match here: nobody takes over on such a store, so the lease is this run's for as long as it is there.
        now = self._look()
        if now is None or now.version != self._version:
            return None
        storage.write_bytes(self.path, self._text())
        again = self._look()
        return again.version if again else None

    def _text(self) -> bytes:
        return json.dumps(self._note, sort_keys=True).encode()

    def _look(self) -> Seen | None:
        from botocore.exceptions import ClientError

        bucket, key = split_s3(self.path)
        with translate_errors(self.path, "read"):
            try:
                got = client().get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if missing(self.path, error):
                    return None
                raise
            text = got["Body"].read()
        date = got["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        now = email.utils.parsedate_to_datetime(date) if date else datetime.datetime.now(datetime.UTC)
        return Seen(text, got["ETag"].strip('"'), (now - got["LastModified"]).total_seconds())
