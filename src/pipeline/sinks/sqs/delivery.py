"""Sends the messages of published files to a queue: the files are the outbox, a ledger says what was sent before.

Outside of Spark and its task retries. Every message has an id derived from its content and day, so that what was sent
stays sent however often the run is repeated, and a changed message is a new one.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline import storage
from pipeline.errors import DeliveryError
from pipeline.sinks.sqs.ledger import History, Ledger
from pipeline.sinks.sqs.queue import Message, Queue

THREADS = 8


@dataclass(frozen=True)
class Outbox:
    """The files whose lines are messages, the day they are of, and the JSON key whose value is the FIFO group."""

    files: Sequence[str]
    day: str
    group_key: str = ""

    def messages(self) -> Iterator[Message]:
        """All messages, in the order of the files and their lines."""
        for file in self.files:
            for number, line in enumerate(storage.read_lines(file), start=1):
                if line:
                    yield Message(message_id(line, self.day), line, self._group(line), f"{file}, line {number}")

    def _group(self, line: str) -> str:
        value = json.loads(line).get(self.group_key) if self.group_key else None
        # Any text may be a reference; a group id takes few characters and at most 128.
        return hashlib.sha256(str(value).encode()).hexdigest()[:32]


def message_id(body: str, day: str) -> str:
    """The id of a message: 32 hex digits from its day and its content."""
    return hashlib.sha256(f"{day}\n{body}".encode()).hexdigest()[:32]


@dataclass
class Delivery:
    """What became of the messages of an outbox."""

    sent: int = 0
    sent_before: int = 0
    doubtful: list[str] = field(default_factory=list)
    refused: list[tuple[Message, str]] = field(default_factory=list)

    def check(self) -> None:
        """Raises `DeliveryError` naming messages that the queue did not take."""
        if self.refused:
            named = "; ".join(f"{message.place}, id {message.id}: {reason}" for message, reason in self.refused[:3])
            more = f" and {len(self.refused) - 3} more" if len(self.refused) > 3 else ""
            raise DeliveryError(f"{len(self.refused)} messages were not sent, {self.sent} were: {named}{more}")


class _Feed:
    """Batches of what is not sent yet, handed out to several threads."""

    def __init__(self, outbox: Outbox, queue: Queue, history: History, delivery: Delivery) -> None:
        self._lock = threading.Lock()
        self._history, self._delivery = history, delivery
        self._batches = queue.batches(self._unsent(outbox), delivery.refused)

    def _unsent(self, outbox: Outbox) -> Iterator[Message]:
        seen: set[bytes] = self._history.accepted
        for message in outbox.messages():
            key = bytes.fromhex(message.id)
            if key in seen:
                self._delivery.sent_before += 1
                continue
            if key in self._history.doubtful:
                self._delivery.doubtful.append(message.id)
            yield message

    def next(self, count: int) -> list[list[Message]]:
        with self._lock:
            return [batch for _, batch in zip(range(count), self._batches, strict=False)]


def deliver(
    outbox: Outbox,
    queue: Queue,
    ledger: Ledger,
    *,
    threads: int = THREADS,
    progress: Callable[[int], object] = lambda done: None,
) -> Delivery:
    """Sends what the ledger does not know as accepted, in `threads` threads; `progress` gets the number done so far.

    Returns what became of the messages; raises `DeliveryError` when the queue stops answering, with what was sent until
    then noted. Ids in doubt are sent again and named in `doubtful`.
    """
    delivery, failures, stop = Delivery(), [], threading.Event()
    feed = _Feed(outbox, queue, ledger.read(), delivery)
    counting = threading.Lock()

    def work() -> None:
        """One thread: sends what the feed still has, until one of the threads fails."""
        try:
            while not stop.is_set() and (batches := feed.next(ledger.batches_per_note)):
                _send_noted(batches, queue, ledger, delivery, counting)
                progress(delivery.sent + delivery.sent_before)
        except BaseException as error:  # raised by the caller below, whatever it was
            failures.append(error)
            stop.set()

    _run_all(work, threads, stop)
    if failures:
        first = failures[0]
        if isinstance(first, DeliveryError):
            raise DeliveryError(
                f"sent {delivery.sent} messages, then stopped: {first}; run again to continue"
            ) from first
        raise first
    ledger.put_together()
    return delivery


def _run_all(work: Callable[[], None], threads: int, stop: threading.Event) -> None:
    """Runs the work in threads until all have ended; when interrupted, as soon as they see `stop`."""
    workers = [threading.Thread(target=work, name=f"sender-{i}", daemon=True) for i in range(threads)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:
        stop.set()
        for worker in workers:
            worker.join()
        raise


def _send_noted(
    batches: list[list[Message]], queue: Queue, ledger: Ledger, delivery: Delivery, counting: threading.Lock
) -> None:
    """Sends some batches between their intent and their answer."""
    note = ledger.intend([message.id for batch in batches for message in batch])
    accepted: list[str] = []
    refused: list[str] = []
    for batch in batches:
        answer = queue.send(batch)
        accepted += answer.accepted
        refused += [message.id for message, _ in answer.refused]
        with counting:
            delivery.sent += len(answer.accepted)
            delivery.refused += answer.refused
            delivery.doubtful += answer.doubtful
    ledger.answer(note, accepted, refused)
