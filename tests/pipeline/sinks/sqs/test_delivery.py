"""The sender: published files into a queue, each message once as far as SQS allows, and nothing lost in silence."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from pipeline.errors import DeliveryError
from pipeline.sinks.sqs.delivery import Delivery, Outbox, deliver, message_id
from pipeline.sinks.sqs.ledger import Ledger, ledger_folder
from pipeline.sinks.sqs.queue import Message, Queue, connect

DAY = "20220130"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-west-1")


def outbox(folder: pathlib.Path, *bodies: str, name: str = "messages.jsonl") -> Outbox:
    (folder / name).write_text("".join(body + "\n" for body in bodies), encoding="utf-8")
    return Outbox([str(folder / name)], DAY, "customer_reference")


def message(number: int, amount: int = 1) -> str:
    return json.dumps({"customer_reference": f"c{number}", "amount": amount}, separators=(",", ":"))


def send(folder: pathlib.Path, box: Outbox, url: str, run_id: str = "run", client: Any = None) -> Delivery:
    queue = Queue(url, client or connect(url, 2), pause=lambda seconds: None)
    return deliver(box, queue, Ledger(ledger_folder(str(folder), DAY, url), run_id), threads=2)


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Everything in the queue; what is taken does not come back."""
    found: list[dict[str, Any]] = []
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        if "Messages" not in answer:
            return found
        for one in answer["Messages"]:
            found.append(one)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])


class Failing:
    """A queue in front of another that refuses entries, or answers with errors, as the test says."""

    def __init__(
        self, client: Any, refuses: Any = lambda body, attempt: False, errors: list[Exception] | None = None
    ) -> None:
        self._client, self._refuses, self._errors = client, refuses, errors or []
        self.attempts: dict[str, int] = {}
        self.batches: list[list[str]] = []

    def get_queue_attributes(self, **arguments: Any) -> Any:
        return self._client.get_queue_attributes(**arguments)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.batches.append([entry["MessageBody"] for entry in Entries])
        if self._errors:
            raise self._errors.pop(0)
        failed = []
        for entry in Entries:
            attempt = self.attempts[entry["MessageBody"]] = self.attempts.get(entry["MessageBody"], 0) + 1
            if self._refuses(entry["MessageBody"], attempt):
                failed.append(
                    {"Id": entry["Id"], "Code": "InternalError", "Message": "try again", "SenderFault": False}
                )
        bad = {entry["Id"] for entry in failed}
        good = [entry for entry in Entries if entry["Id"] not in bad]
        answer = self._client.send_message_batch(QueueUrl=QueueUrl, Entries=good) if good else {}
        return answer | ({"Failed": failed} if failed else {})


def test_every_line_becomes_one_message_with_its_id_as_attribute(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    bodies = [message(n) for n in range(25)] + ['{"customer_reference":"Zoë","text":"\\"quoted\\" \U0001f600"}']
    delivery = send(tmp_path, outbox(tmp_path, *bodies), url)
    got = received(sqs, url)
    assert (delivery.sent, delivery.sent_before, delivery.doubtful, delivery.refused) == (26, 0, [], [])
    assert sorted(one["Body"] for one in got) == sorted(bodies)
    assert {one["MessageAttributes"]["message_id"]["StringValue"] for one in got} == {
        message_id(body, DAY) for body in bodies
    }


def test_an_id_follows_from_content_and_day() -> None:
    assert message_id("a", DAY) == message_id("a", DAY) != message_id("b", DAY)
    assert message_id("a", DAY) != message_id("a", "20220131")
    assert len(message_id("a", DAY)) == 32


def test_a_repeated_run_sends_only_what_is_new_or_changed(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    send(tmp_path, outbox(tmp_path, message(1), message(2)), url, "run1")
    received(sqs, url)
    delivery = send(tmp_path, outbox(tmp_path, message(1), message(2, amount=9), message(3)), url, "run2")
    assert (delivery.sent, delivery.sent_before) == (2, 1)
    assert sorted(one["Body"] for one in received(sqs, url)) == [message(2, amount=9), message(3)]


def test_another_queue_has_a_ledger_of_its_own(sqs: Any, tmp_path: pathlib.Path) -> None:
    one, other = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("one", "other"))
    box = outbox(tmp_path, message(1))
    assert [send(tmp_path, box, url).sent for url in (one, other, one)] == [1, 1, 0]


def test_batches_hold_at_most_ten_messages_and_the_queues_own_limit_of_bytes(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    bodies = [f'{{"n":{n},"text":"{"é" * (n * 13 % 400)}"}}' for n in range(60)]
    client = Failing(sqs)
    assert send(tmp_path, outbox(tmp_path, *bodies), url, client=client).sent == 60
    # 48 bytes an entry: the attribute message_id (10), its type String (6) and its value (32).
    assert max(sum(len(body.encode()) + 48 for body in batch) for batch in client.batches) <= 1024
    assert max(len(batch) for batch in client.batches) <= 10
    assert len(client.batches) < 60


def test_a_message_that_is_too_large_is_named_after_everything_else_was_sent(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    delivery = send(tmp_path, outbox(tmp_path, message(1), f'{{"x":"{"é" * 500}"}}', message(2)), url)
    assert delivery.sent == 2
    with pytest.raises(
        DeliveryError, match=r"1 messages were not sent, 2 were: .*line 2, id .*: 1056 bytes, the queue takes 1024"
    ):
        delivery.check()


def test_entries_that_fail_are_sent_again_without_the_others(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    client = Failing(sqs, refuses=lambda body, attempt: body in (message(3), message(7)) and attempt < 3)
    assert send(tmp_path, outbox(tmp_path, *[message(n) for n in range(10)]), url, client=client).sent == 10
    assert client.batches[1:] == [[message(3), message(7)], [message(3), message(7)]]
    assert sorted(one["Body"] for one in received(sqs, url)) == [message(n) for n in range(10)]


def test_what_the_queue_never_takes_is_named_and_tried_again_by_the_next_run(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    box = outbox(tmp_path, *[message(n) for n in range(20)])
    delivery = send(tmp_path, box, url, "run1", Failing(sqs, refuses=lambda body, attempt: body == message(3)))
    assert delivery.sent == 19
    with pytest.raises(
        DeliveryError, match=r"1 messages were not sent, 19 were: .*line 4, id [0-9a-f]{32}: InternalError try again"
    ):
        delivery.check()
    again = send(tmp_path, box, url, "run2")
    assert (again.sent, again.sent_before, again.doubtful) == (1, 19, [])


def test_an_intent_without_an_answer_is_sent_again_and_named(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    killed = Ledger(ledger_folder(str(tmp_path), DAY, url), "run1")
    killed.answer(killed.intend([message_id(message(1), DAY)]), [message_id(message(1), DAY)], [])
    killed.intend([message_id(message(2), DAY)])
    delivery = send(tmp_path, outbox(tmp_path, message(1), message(2), message(3)), url, "run2")
    assert (delivery.sent, delivery.sent_before) == (2, 1)
    assert delivery.doubtful == [message_id(message(2), DAY)]
    assert send(tmp_path, outbox(tmp_path, message(2)), url, "run3").doubtful == []


def test_an_answer_that_got_lost_leaves_ids_in_doubt_that_are_named(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    client = Failing(sqs, errors=[ReadTimeoutError(endpoint_url=url)])
    delivery = send(tmp_path, outbox(tmp_path, message(1)), url, client=client)
    assert (delivery.sent, delivery.doubtful) == (1, [message_id(message(1), DAY)])


def test_a_finished_delivery_leaves_one_note(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    send(tmp_path, outbox(tmp_path, *[message(n) for n in range(250)]), url)
    notes = list(pathlib.Path(ledger_folder(str(tmp_path), DAY, url)).iterdir())
    assert [note.name for note in notes] == ["run-whole.answer"]
    assert len(notes[0].read_text().split()) == 250


def test_a_fifo_queue_gets_a_group_and_a_deduplication_id(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="messages.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    bodies = [message(1), message(2), message(1, amount=2)]
    assert send(tmp_path, outbox(tmp_path, *bodies), url).sent == 3
    got = {one["Body"]: one["Attributes"] for one in received(sqs, url)}
    assert {body: got[body]["MessageDeduplicationId"] for body in bodies} == {
        body: message_id(body, DAY) for body in bodies
    }
    groups = [got[body]["MessageGroupId"] for body in bodies]
    assert groups[0] == groups[2] != groups[1]


def test_a_queue_that_is_not_there_is_reported_in_one_line(sqs: Any, tmp_path: pathlib.Path) -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/nowhere"
    with pytest.raises(
        DeliveryError,
        match=r"queue https://.*/nowhere: .*NonExistentQueue.*|queue https://.*/nowhere: .*does not exist",
    ):
        send(tmp_path, outbox(tmp_path, message(1)), url)


def test_a_queue_that_stops_letting_the_sender_in_ends_the_run_with_what_was_sent_noted(
    sqs: Any, tmp_path: pathlib.Path
) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    denied = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}},
        "SendMessageBatch",
    )  # type: ignore[arg-type]
    box = outbox(tmp_path, *[message(n) for n in range(40)])
    with pytest.raises(
        DeliveryError, match=r"sent \d+ messages, then stopped: .*AccessDenied.*; run again to continue"
    ):
        send(tmp_path, box, url, "run1", Failing(sqs, errors=[denied]))
    again = send(tmp_path, box, url, "run2")
    assert again.sent + again.sent_before == 40
    assert len(received(sqs, url)) == 40


def test_pauses_grow_and_a_queue_that_stays_busy_ends_the_sending(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    busy = ClientError(
        {"Error": {"Code": "ThrottlingException", "Message": "slow"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
        "SendMessageBatch",
    )  # type: ignore[arg-type]
    client, pauses = Failing(sqs, errors=[busy] * 8), list[float]()
    queue = Queue(url, client, pause=pauses.append)
    with pytest.raises(DeliveryError, match=r"queue .*ThrottlingException.*slow"):
        queue.send([Message("id", "body", "group", "place")])
    assert len(client.batches) == 8
    longest = (0.2, 0.4, 0.8, 1.6, 3.2, 5, 5)
    assert all(high / 2 <= pause <= high for pause, high in zip(pauses, longest, strict=True))
