"""The sender against a second implementation of SQS: killed, refused and raced.

Killed means SIGKILL at random moments, ten times on 50,000 messages, then run once more.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.sinks.sqs.delivery import THREADS, Outbox, deliver, message_id
from pipeline.sinks.sqs.ledger import Ledger, ledger_folder
from pipeline.sinks.sqs.queue import BATCH_ENTRIES, Queue, connect
from tests.pipeline.sinks.sqs.test_delivery import Failing
from tests.support.servers import Endpoint, elasticmq

DAY = "20220130"
pytestmark = [pytest.mark.slow, pytest.mark.standin]


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with elasticmq() as found:
        yield found


@pytest.fixture
def sqs(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return connect(server.url, 16)


def outbox(folder: pathlib.Path, count: int) -> pathlib.Path:
    file = folder / "customer_messages.jsonl"
    lines = (
        f'{{"type":"customer_message","customer_reference":"c{n % 1000}",'
        f'"number_of_orders":{n},"total_amount_spent":1.5}}\n'
        for n in range(count)
    )
    file.write_text("".join(lines), encoding="utf-8")
    return file


def drain(server: Endpoint, url: str) -> collections.Counter[str]:
    """How often each id is in the queue, which is empty afterwards."""
    sqs = server.client("sqs")
    found: collections.Counter[str] = collections.Counter()
    counting = threading.Lock()

    def take() -> None:
        while True:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            messages = answer.get("Messages")
            if not messages:
                return
            entries = [{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]} for i, one in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            with counting:
                found.update(one["MessageAttributes"]["message_id"]["StringValue"] for one in messages)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def kill_and_finish(
    server: Endpoint, file: pathlib.Path, url: str, ledger: str, kills: int
) -> tuple[list[set[str]], set[str]]:
    """Kills the sender at random moments, then lets it finish: what was in doubt after each, what the end named."""
    command = [sys.executable, str(pathlib.Path(__file__).with_name("sending.py")), str(file), url, ledger]
    environment = {**os.environ, **server.environment}
    rng, in_doubt = random.Random(7), []
    for number in range(kills):
        before = len(list(pathlib.Path(ledger).glob("*")))
        process = subprocess.Popen([*command, f"run{number}"], env=environment, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(list(pathlib.Path(ledger).glob("*"))) == before:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 1.0))
        process.kill()
        process.wait()
        in_doubt.append({one.hex() for one in Ledger(ledger, "look").read().doubtful})
    done = subprocess.run([*command, "last"], env=environment, capture_output=True, text=True, timeout=900, check=True)
    return in_doubt, set(json.loads(done.stdout)["doubtful"])


@pytest.mark.parametrize("fifo", [True, False], ids=["fifo", "standard"])
def test_a_sender_killed_ten_times_loses_nothing(
    server: Endpoint, sqs: Any, tmp_path: pathlib.Path, fifo: bool
) -> None:
    count, kills = 50_000, 10
    name = "killed.fifo" if fifo else "killed"
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
    file, ledger = outbox(tmp_path, count), ledger_folder(str(tmp_path), DAY, url)
    in_doubt, named_at_the_end = kill_and_finish(server, file, url, ledger, kills)
    found = drain(server, url)
    expected = {message_id(line, DAY) for line in file.read_text(encoding="utf-8").splitlines()}
    assert set(found) == expected
    repeated = {one for one, times in found.items() if times > 1}
    flights = THREADS * Ledger(ledger, "look").batches_per_note * BATCH_ENTRIES
    if fifo:
        assert repeated == set()
    else:
        assert sum(found.values()) - count <= kills * flights
        assert repeated <= set().union(*in_doubt)
    assert named_at_the_end >= in_doubt[-1]
    assert all(len(newly - before) <= flights for newly, before in zip(in_doubt, [set(), *in_doubt], strict=False))


def test_a_queue_that_refuses_five_percent_loses_nothing(server: Endpoint, sqs: Any, tmp_path: pathlib.Path) -> None:
    url = sqs.create_queue(QueueName="refusing")["QueueUrl"]
    file, rng = outbox(tmp_path, 5_000), random.Random(3)
    client = Failing(sqs, refuses=lambda body, attempt: rng.random() < 0.05)
    queue = Queue(url, client, pause=lambda seconds: None)
    delivery = deliver(Outbox([str(file)], DAY), queue, Ledger(ledger_folder(str(tmp_path), DAY, url), "run"))
    found = drain(server, url)
    assert (delivery.sent, delivery.refused) == (5_000, [])
    assert len(found) == sum(found.values()) == 5_000
    assert sum(client.attempts.values()) > 5_000


def bare_loop(sqs: Any, url: str, bodies: list[str], threads: int) -> float:
    """Seconds that full batches take with nothing around them."""
    batches = iter([bodies[at : at + 10] for at in range(0, len(bodies), 10)])
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                batch = next(batches, None)
            if batch is None:
                return
            entries = [
                {
                    "Id": str(i),
                    "MessageBody": body,
                    "MessageAttributes": {"message_id": {"DataType": "String", "StringValue": "0" * 32}},
                }
                for i, body in enumerate(batch)
            ]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)

    started = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


@pytest.mark.measures
def test_a_hundred_thousand_messages_go_at_four_fifths_of_the_rate_of_a_bare_loop(
    sqs: Any, tmp_path: pathlib.Path
) -> None:
    count, rounds = 100_000, 5
    file = outbox(tmp_path, count)
    bodies = file.read_text(encoding="utf-8").splitlines()
    share = count // rounds
    ours = bare = 0.0
    # In turns on parts of the same messages, so that what else the machine does meets both alike.
    for number in range(rounds):
        part = tmp_path / f"part{number}.jsonl"
        part.write_text(
            "".join(body + "\n" for body in bodies[number * share : (number + 1) * share]), encoding="utf-8"
        )
        one, other = (sqs.create_queue(QueueName=f"{kind}{number}")["QueueUrl"] for kind in ("ours", "bare"))
        bare += bare_loop(sqs, other, bodies[number * share : (number + 1) * share], THREADS)
        queue = Queue(one, sqs)
        started = time.perf_counter()
        assert (
            deliver(Outbox([str(part)], DAY), queue, Ledger(ledger_folder(str(tmp_path), DAY, one), "run")).sent
            == share
        )
        ours += time.perf_counter() - started
        for url in (one, other):
            sqs.delete_queue(QueueUrl=url)
    print(f"{count / ours:.0f} messages a second, a bare loop {count / bare:.0f}")
    assert ours * 0.8 <= bare
