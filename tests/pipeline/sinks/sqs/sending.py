"""Sends an outbox in a process of its own, so that a test can kill it: outbox, queue, ledger's folder, run id."""

from __future__ import annotations

import json
import sys

from pipeline.sinks.sqs.delivery import Outbox, deliver
from pipeline.sinks.sqs.ledger import Ledger
from pipeline.sinks.sqs.queue import Queue, connect

if __name__ == "__main__":
    file, url, folder, run_id = sys.argv[1:]
    outbox = Outbox([file], "20220130", "customer_reference")
    delivery = deliver(outbox, Queue(url, connect(url, 8)), Ledger(folder, run_id))
    print(json.dumps({"sent": delivery.sent, "before": delivery.sent_before, "doubtful": delivery.doubtful}))
