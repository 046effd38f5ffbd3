"""What was sent to a queue for a day: small objects next to the published files, an intent before each answer.

    DIR/_messages/<day>/<queue>/<run>-000012.intent     ids about to be sent
    DIR/_messages/<day>/<queue>/<run>-000012.answer     the ids that were accepted; a refused one has a ! before it

An id with an intent and no answer is in doubt: its sender was stopped between the two. Objects are written once and
never changed, as S3 has no append; a finished delivery puts them together into one.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipeline import storage

REFUSED = "!"
INTENT, ANSWER = ".intent", ".answer"


@dataclass
class History:
    """What earlier runs left: the ids that were accepted, and the ones in doubt."""

    accepted: set[bytes] = field(default_factory=set)
    doubtful: set[bytes] = field(default_factory=set)


def ledger_folder(destination: str, day: str, queue_url: str) -> str:
    """The folder of a destination's ledger for one day and queue; the queue's name and a hash of its whole address."""
    name = queue_url.rstrip("/").rpartition("/")[2]
    return storage.join(destination, "_messages", day, f"{name}-{hashlib.sha256(queue_url.encode()).hexdigest()[:8]}")


class Ledger:
    """The ledger of one delivery. `run_id` keeps the names of its objects apart from those of other runs."""

    def __init__(self, folder: str, run_id: str) -> None:
        self.folder, self._run_id = folder, run_id
        self._numbers = itertools.count(1)
        # A note that is safe on disk takes as long as a batch, on S3 as several: one covers some batches.
        self.batches_per_note = 40 if storage.is_s3(folder) else 10

    def read(self) -> History:
        """All that earlier runs noted: accepted ids, and the ids of intents that nothing answers."""
        answers, open_intents, _ = self._notes()
        history = History()
        with ThreadPoolExecutor(16) as pool:
            for ids in pool.map(_ids, answers):
                history.accepted.update(bytes.fromhex(name) for name in ids if not name.startswith(REFUSED))
            for ids in pool.map(_ids, open_intents):
                history.doubtful.update(map(bytes.fromhex, ids))
        history.doubtful -= history.accepted
        return history

    def _notes(self) -> tuple[list[str], list[str], list[str]]:
        """Paths of answers, of intents without an answer, and of the other intents."""
        paths = [info.path for info in storage.list_prefix(self.folder)]
        answers = [path for path in paths if path.endswith(ANSWER)]
        answered = {path.removesuffix(ANSWER) + INTENT for path in answers}
        intents = [path for path in paths if path.endswith(INTENT)]
        return (
            answers,
            [path for path in intents if path not in answered],
            [path for path in intents if path in answered],
        )

    def intend(self, ids: Iterable[str]) -> str:
        """Notes ids that are about to be sent; returns the note's name."""
        name = f"{self._run_id}-{next(self._numbers):07d}"
        storage.write_bytes(storage.join(self.folder, name + INTENT), "\n".join(ids).encode())
        return name

    def answer(self, name: str, accepted: Iterable[str], refused: Iterable[str]) -> None:
        """Notes what the queue said to the ids of an intent."""
        ids = [*accepted, *(REFUSED + one for one in refused)]
        storage.write_bytes(storage.join(self.folder, name + ANSWER), "\n".join(ids).encode())

    def put_together(self) -> None:
        """One note instead of the many, written before the many go; intents that are still in doubt stay."""
        answers, open_intents, answered = self._notes()
        if len(answers) < 2 and not open_intents:
            return
        history = self.read()
        whole = storage.join(self.folder, f"{self._run_id}-whole{ANSWER}")
        storage.write_bytes(whole, "\n".join(sorted(one.hex() for one in history.accepted)).encode())
        done = [*answered, *([] if history.doubtful else open_intents), *(path for path in answers if path != whole)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(storage.delete, done))


def _ids(path: str) -> list[str]:
    return storage.read_bytes(path).decode().split()
