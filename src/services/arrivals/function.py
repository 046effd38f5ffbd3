"""The arrivals function: takes what the queue, the scheduler and people send, and hands it to `services.arrivals.work`.

Needs boto3 only, which every Lambda has. Three kinds of event:

    {"Records": [...]}                          from the queue: S3's "Object Created" events
    {"missing": "customer_orders", "time": T}   from the scheduler: a set's hour has come
    {"redrive": "customer_orders/20220130"}     from a person: start a set again
    {"arrived": "customer_orders/x.csv"}        from a person: handle a file again
"""

from __future__ import annotations

import functools
import json
import logging
import os
from typing import Any

import boto3
from botocore.config import Config

from services.arrivals.sets import read_rules
from services.arrivals.store import SetStore
from services.arrivals.work import Arrivals, Settings

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


@functools.cache
def work() -> Arrivals:
    """The configured work, made once per process."""
    env = os.environ
    settings = Settings(
        rules=read_rules(env["SETS"]),
        jobs=json.loads(env["JOBS"]),
        source=env["SOURCE_BUCKET"],
        destination=env["DESTINATION_BUCKET"],
        state_machine=env["STATE_MACHINE"],
        topic=env["TOPIC"],
        max_object_bytes=int(env["MAX_OBJECT_BYTES"]),
        reference_files=frozenset(json.loads(env.get("REFERENCE_FILES") or "[]")),
    )
    config = Config(retries={"mode": "standard", "max_attempts": 5})
    table = boto3.resource("dynamodb", config=config).Table(env["SETS_TABLE"])
    s3, sns, states = (boto3.client(name, config=config) for name in ("s3", "sns", "stepfunctions"))
    return Arrivals(settings, SetStore(table), s3, sns, states)


def handle_record(arrivals: Arrivals, body: str) -> str:
    """One message of the queue: an event of EventBridge about one object."""
    event = json.loads(body)
    bucket, file = event["detail"]["bucket"]["name"], event["detail"]["object"]
    if bucket != arrivals.settings.source:
        raise ValueError(f"an event of bucket {bucket}; this function knows {arrivals.settings.source}")
    # EventBridge gives the key as it is: blanks and plus signs are themselves.
    return arrivals.arrived(
        file["key"], file.get("version-id") or "", int(file.get("size", 0)), file.get("sequencer", "")
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The entry point. Messages that could not be handled are named, so that the queue delivers only these again."""
    arrivals = work()
    if "missing" in event:
        return {"done": arrivals.due(event["missing"], event["time"])}
    if "redrive" in event:
        return {"done": arrivals.restart(event["redrive"])}
    if "arrived" in event:
        return {"done": arrivals.receive(event["arrived"])}
    failed = []
    for record in event["Records"]:
        try:
            log.info("%s", handle_record(arrivals, record["body"]))
        except Exception:  # one bad message must not hold up the others
            log.exception("message %s was not handled", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
