"""What the steps of the rehearsal stand on: the stand-in, waiting for things to happen, and the alerts that came."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.standin.control import Terraform
from tests.support.servers import Endpoint

WAIT_SECONDS = 900.0


@dataclass
class Stage:
    """The stand-in, what Terraform says of it, and the alerts that came so far."""

    aws: Endpoint
    terraform: Terraform
    variables: list[str]
    outputs: dict[str, Any] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line of the log, with the seconds since the start."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        """Waits until `look` gives something."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"{what}: not seen within {WAIT_SECONDS:.0f} seconds; alerts so far: {self.alerts}")

    def watch(self) -> None:
        """A queue that gets every alert, as a mail box would."""
        sqs, sns = self.aws.client("sqs"), self.aws.client("sns")
        sqs.create_queue(QueueName="watch")
        sns.subscribe(
            TopicArn=self.outputs["alerts_topic"], Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:watch"
        )

    def new_alerts(self) -> list[str]:
        """The alerts that came since the last look."""
        bodies = self.take(self.aws.client("sqs").get_queue_url(QueueName="watch")["QueueUrl"])
        texts = [str(json.loads(body)["Message"]) for body in bodies]
        for text in texts:
            self.say("alert: " + text.replace("\n", " | ")[:400])
        self.alerts += texts
        return texts

    def alert(self, *words: str) -> str:
        """Waits for an alert with these words."""

        def look() -> str:
            self.new_alerts()
            return next((text for text in self.alerts if all(word in text for word in words)), "")

        return str(self.until(f"an alert with {words}", look))

    def take(self, url: str) -> list[str]:
        sqs, bodies = self.aws.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                bodies.append(str(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def upload(self, day: str, **files: str) -> None:
        """Puts files into the source bucket, in random order."""
        names = sorted(files)
        random.shuffle(names)
        for name in names:
            key = f"customer_orders/{name}_{day}.csv"
            self.aws.client("s3").put_object(
                Bucket=self.outputs["buckets"]["source"], Key=key, Body=files[name].encode()
            )
            self.say(f"uploaded {key}")

    def ended(self, set_: str, revision: int) -> str:
        """Waits for the end of a set's run: succeeded or failed."""
        table = self.aws.client("dynamodb")

        def look() -> str:
            found = table.get_item(TableName=self.outputs["sets_table"], Key={"id": {"S": f"{set_}#r{revision}"}})
            return str(found.get("Item", {}).get("state", {}).get("S", ""))

        state = str(self.until(f"the end of {set_} revision {revision}", look))
        self.say(f"set {set_}, revision {revision}: {state}")
        return state

    def published(self, day: str) -> dict[str, str]:
        """The published files of a day."""
        s3, bucket = self.aws.client("s3"), self.outputs["buckets"]["destination"]
        prefix = f"customer_orders/{day}/"
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        files = {key.removeprefix(prefix): key for key in keys if not key.startswith(f"{prefix}_")}
        return {name: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for name, key in files.items()}

    def files_of(self, set_: str) -> int:
        item = (
            self.aws.client("dynamodb")
            .get_item(TableName=self.outputs["sets_table"], Key={"id": {"S": set_}})
            .get("Item", {})
        )
        return sum(name.startswith("file:") for name in item)

    def empty_buckets(self) -> None:
        """Deletes every version of every object."""
        s3 = self.aws.client("s3")
        for bucket in self.outputs["buckets"].values():
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    s3.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])


def check(held: bool, otherwise: str) -> None:
    """Raises with the text when something does not hold."""
    if not held:
        raise AssertionError(otherwise)


def canonical(text: str) -> str:
    """A JSON text without regard to the order of keys."""
    return json.dumps(json.loads(text), sort_keys=True)
