"""An SQS queue as the sender sees it: its limits, batches within them, and entries that fail sent again alone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlparse

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)
from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_attempt, wait_exponential
from tenacity import wait_random_exponential as wait_random

from pipeline.errors import DeliveryError, UsageError

ID_ATTRIBUTE = "message_id"
BATCH_ENTRIES = 10
ATTEMPTS = 8
# From 0.1 to 0.2 s before the second attempt, then double each time, up to 5 s.
WAIT = wait_exponential(multiplier=0.1, max=2.5) + wait_random(multiplier=0.1, max=2.5)
_ATTRIBUTE_BYTES = len(ID_ATTRIBUTE) + len("String")
_PASSING = re.compile(
    r"throttl|toomanyrequests|requestlimit|serviceunavailable|internal|timeout|overlimit", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its id, its text, its FIFO group, and its place in the outbox."""

    id: str
    body: str
    group: str
    place: str

    @property
    def bytes(self) -> int:
        """What it counts in a batch: body and attribute in UTF-8."""
        return len(self.body.encode()) + _ATTRIBUTE_BYTES + len(self.id)


@dataclass
class SendResult:
    """What became of a batch: accepted ids, refused messages with the reason, ids that may be queued more than once."""

    accepted: list[str] = field(default_factory=list)
    refused: list[tuple[Message, str]] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def check_queue(queue_url: str) -> None:
    """`UsageError` when the queue does not answer within seconds: asked before a run reads anything."""
    try:
        connect(queue_url, 1, seconds=5).get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f"--queue-url {queue_url}: {_words(error)}") from error


def connect(queue_url: str, threads: int, seconds: float = 60) -> Any:
    """A client of SQS by the usual AWS chain; a queue of another host than AWS's is talked to at that host.

    `seconds`: how long it waits for a connection, and for an answer.
    """
    place = urlparse(queue_url)
    host = place.hostname or ""
    session = boto3.Session()
    own = re.match(r"(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com", host)
    region = session.region_name or (own and (own[1] or own[2])) or "us-east-1"
    endpoint = os.environ.get("AWS_ENDPOINT_URL_SQS") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint and not re.search(r"\.amazonaws\.com(\.cn)?$", host):
        endpoint = f"{place.scheme}://{place.netloc}"
    # A request repeated after a lost answer may arrive again: this module decides and reports that, not the library.
    config = Config(
        max_pool_connections=threads,
        retries={"total_max_attempts": 1},
        parameter_validation=False,
        connect_timeout=seconds,
        read_timeout=seconds,
    )
    return session.client("sqs", region_name=region, endpoint_url=endpoint, config=config)


class Queue:
    """A queue with the limits that it gives for itself; `DeliveryError` when it cannot be asked."""

    def __init__(self, url: str, client: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.url, self._client, self._pause = url, client, pause
        try:
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        except (BotoCoreError, ClientError) as error:
            raise DeliveryError(f"queue {url}: {_words(error)}") from error
        self.limit = int(attributes.get("MaximumMessageSize", 262144))
        self.fifo = attributes.get("FifoQueue") == "true" or url.endswith(".fifo")

    def batches(self, messages: Iterable[Message], refused: list[tuple[Message, str]]) -> Iterator[list[Message]]:
        """Batches of at most ten messages and the queue's own limit of bytes; too large ones go to `refused`."""
        batch: list[Message] = []
        size = 0
        for message in messages:
            bytes_ = message.bytes
            if bytes_ > self.limit:
                refused.append((message, f"{bytes_} bytes, the queue takes {self.limit}"))
                continue
            if len(batch) == BATCH_ENTRIES or size + bytes_ > self.limit:
                yield batch
                batch, size = [], 0
            batch.append(message)
            size += bytes_
        if batch:
            yield batch

    def _entry(self, index: int, message: Message) -> dict[str, Any]:
        attribute = {"DataType": "String", "StringValue": message.id}
        entry: dict[str, Any] = {
            "Id": str(index),
            "MessageBody": message.body,
            "MessageAttributes": {ID_ATTRIBUTE: attribute},
        }
        if self.fifo:
            entry |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.id}
        return entry

    def send(self, batch: list[Message]) -> SendResult:
        """Sends a batch; entries that fail are sent again without the others, with growing pauses.

        Raises `DeliveryError` when the queue does not answer or does not let this sender in.
        """
        result = SendResult(refused=[(message, "") for message in batch])
        retrying = Retrying(
            retry=retry_if_exception(_may_pass) | retry_if_result(bool),
            stop=stop_after_attempt(ATTEMPTS),
            wait=WAIT,
            sleep=self._pause,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        try:
            retrying(self._send_once, result)
        except (BotoCoreError, ClientError) as error:
            raise DeliveryError(f"queue {self.url}: {_words(error)}") from error
        return result

    def _send_once(self, result: SendResult) -> list[tuple[Message, str]]:
        """Sends what is refused so far, and returns what still is."""
        waiting = [message for message, _ in result.refused]
        entries = [self._entry(i, message) for i, message in enumerate(waiting)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            if _may_have_arrived(error):
                result.doubtful += [message.id for message in waiting]
            raise
        failed = {int(entry["Id"]): _refusal(entry) for entry in answer.get("Failed", ())}
        result.accepted += [message.id for i, message in enumerate(waiting) if i not in failed]
        result.refused = [(message, failed[i]) for i, message in enumerate(waiting) if i in failed]
        return result.refused


def _refusal(entry: dict[str, Any]) -> str:
    return " ".join(str(entry.get(key, "")) for key in ("Code", "Message")).strip()


def _may_pass(error: BaseException) -> bool:
    """True for what may be otherwise in a moment: no connection, a busy or failing server."""
    if not isinstance(error, ClientError):
        return isinstance(error, HTTPClientError)
    return _server_failed(error) or bool(_PASSING.search(str(error.response.get("Error", {}).get("Code", ""))))


def _may_have_arrived(error: Exception) -> bool:
    """True when the queue may have taken the batch although no good answer came."""
    if isinstance(error, ClientError):
        return _server_failed(error)
    return not isinstance(error, (ConnectTimeoutError, EndpointConnectionError))


def _server_failed(error: Any) -> bool:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
