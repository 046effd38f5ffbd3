"""One run at a time on a destination: a kernel lock on disk, a lease with a heartbeat on S3."""

from __future__ import annotations

from types import TracebackType

from pipeline import storage
from pipeline.publish import concat
from pipeline.publish.lock.local import LocalLock
from pipeline.publish.lock.note import LockBackend


class Lock:
    """`with Lock(DIR, run_id):` one run at a time on DIR; a second gets `BusyError` naming the holder and since when.

    On entering, what killed runs left there is removed. `check()` raises when the lock was lost: call it before a step
    that cannot be taken back. `backend` is the lock of DIR's store when it is not given.
    """

    def __init__(self, directory: str, owner: str, backend: LockBackend | None = None) -> None:
        self.directory = storage.normalise(directory).rstrip("/")
        self._backend = backend or _backend(self.directory, owner)

    def __enter__(self) -> Lock:
        killed = self._backend.acquire()
        try:
            if killed:
                concat.remove_stale(self.directory, killed)
                self._backend.clean()
        except BaseException:
            self._backend.release()
            raise
        return self

    def check(self) -> None:
        """Raises `BusyError` when another run has taken the lock over."""
        self._backend.check()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.release()


def _backend(directory: str, owner: str) -> LockBackend:
    if not storage.is_s3(directory):
        return LocalLock(directory, owner)
    from pipeline.publish.lock.lease import Lease  # only for s3://: boto3 takes its time to load

    return Lease(directory, owner)
