"""What the arrivals function works with, on a local server: bucket, table, topic with a mail box, state machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

from services.arrivals.sets import read_rules
from services.arrivals.store import SetStore
from services.arrivals.work import Arrivals, Settings
from tests.support.servers import REGION, Endpoint

SOURCE = "incoming"
ACCOUNT = "123456789012"
SETS = {
    "customer_orders": {
        "job": "customer_orders",
        "expected_at": "06:00",
        "files": {
            "customers": "customer_orders/customers_{day}.csv",
            "orders": "customer_orders/orders_{day}.csv",
            "items": "customer_orders/items_{day}.csv",
        },
        "arguments": {"--max-rejected": "1%"},
        "then": [{"job": "explode_json", "arguments": {"--source": "{destination}/customer_messages.jsonl"}}],
    },
    "parcels": {"job": "parcels", "files": {"source": "parcels/all.csv"}},
}
MACHINE = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@dataclass(frozen=True)
class World:
    """The function's work, and the clients to look at what it did."""

    arrivals: Arrivals
    aws: Endpoint
    machine: str
    mail: str

    def put(self, key: str, body: bytes = b"id\n1\n") -> dict[str, Any]:
        """Puts a file and returns the event's part about it."""
        answer = self.aws.client("s3").put_object(Bucket=SOURCE, Key=key, Body=body)
        return {"key": key, "version": answer["VersionId"], "size": len(body)}

    def arrive(self, key: str, sequencer: str = "01", body: bytes = b"id\n1\n") -> str:
        """Puts a file and hands its event to the function."""
        return self.arrivals.arrived(**self.put(key, body), sequencer=sequencer)

    def started(self) -> list[str]:
        """Names of the executions."""
        pages = self.aws.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=self.machine)
        return sorted(item["name"] for page in pages for item in page["executions"])

    def input_of(self, name: str) -> dict[str, Any]:
        """What an execution was given."""
        states = self.aws.client("stepfunctions")
        arn = self.machine.replace(":stateMachine:", ":execution:") + f":{name}"
        found: dict[str, Any] = json.loads(states.describe_execution(executionArn=arn)["input"])
        return found

    def mails(self) -> list[str]:
        """The alerts since the last look."""
        messages = (
            self.aws.client("sqs").receive_message(QueueUrl=self.mail, MaxNumberOfMessages=10).get("Messages", [])
        )
        for message in messages:
            self.aws.client("sqs").delete_message(QueueUrl=self.mail, ReceiptHandle=message["ReceiptHandle"])
        return [str(json.loads(message["Body"])["Message"]) for message in messages]


def make_world(aws: Endpoint, dynamo: Endpoint, name: str) -> World:
    """A world of its own on running servers; `dynamo` may be another one than `aws`."""
    s3, sns, sqs, states = (aws.client(service) for service in ("s3", "sns", "sqs", "stepfunctions"))
    if SOURCE not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=SOURCE, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    topic = sns.create_topic(Name=f"alerts-{name}")["TopicArn"]
    mail = sqs.create_queue(QueueName=f"mail-{name}")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mail-{name}")
    role = f"arn:aws:iam::{ACCOUNT}:role/machine"
    machine = states.create_state_machine(name=f"sets-{name}", definition=json.dumps(MACHINE), roleArn=role)[
        "stateMachineArn"
    ]
    settings = Settings(
        rules=read_rules(json.dumps(SETS)),
        jobs={"customer_orders": "dev-customer_orders", "explode_json": "dev-explode_json"},
        source=SOURCE, destination="results", state_machine=machine, topic=topic, max_object_bytes=1000,
        reference_files=frozenset({"parcels/kinds.csv"}),
    )  # fmt: skip
    work = Arrivals(settings, SetStore(make_table(dynamo, f"sets-{name}")), s3, sns, states, now=lambda: 1709186400.0)
    return World(work, aws, machine, mail)


def make_table(dynamo: Endpoint, name: str) -> Any:
    """The table of sets."""
    resource = boto3.resource(
        "dynamodb", endpoint_url=dynamo.url, region_name=REGION,
        aws_access_key_id=dynamo.access_key, aws_secret_access_key=dynamo.secret_key,
    )  # fmt: skip
    table = resource.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    return table
