"""The stand-ins answer as their tests expect, on this machine only, and leave no process behind."""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from botocore.exceptions import ClientError
from valkey import Valkey
from valkey.exceptions import AuthenticationError

from tests.support import servers
from tests.support.servers import Endpoint


def port_of(endpoint: Endpoint) -> int:
    return int(endpoint.url.rpartition(":")[2])


def listening_addresses(port: int) -> set[str]:
    """The local addresses on which some process listens on the port (from /proc: 0100007F is 127.0.0.1)."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.rpartition(":")[2], 16) == port:
                found.add(address.rpartition(":")[0])
    return found


STARTS: list[Callable[[], AbstractContextManager[Endpoint]]] = [
    servers.moto_server,
    pytest.param(servers.elasticmq, marks=pytest.mark.standin),
    pytest.param(servers.s3proxy, marks=pytest.mark.standin),
    pytest.param(servers.dynalite, marks=pytest.mark.standin),
]


@pytest.mark.parametrize("start", STARTS)
def test_a_server_listens_on_the_loopback_only_and_ends_with_its_block(
    start: Callable[[], AbstractContextManager[Endpoint]],
) -> None:
    with start() as endpoint:
        addresses = listening_addresses(port_of(endpoint))
        assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}
        assert addresses
    assert listening_addresses(port_of(endpoint)) == set()


def test_a_server_that_does_not_start_says_why(tmp_path: pathlib.Path) -> None:
    start = servers.server_process([sys.executable, "-m", "absent"], "http://127.0.0.1:9", tmp_path)
    with pytest.raises(RuntimeError, match=re.compile("did not start on .*No module named", re.DOTALL)), start:
        pass


@pytest.mark.standin
def test_valkey_listens_on_the_loopback_only_and_asks_for_its_password() -> None:
    with servers.valkey_server() as server:
        assert listening_addresses(server.port) == {"0100007F"}
        assert server.client().ping()
        with pytest.raises(AuthenticationError):
            Valkey(port=server.port).ping()
    assert listening_addresses(server.port) == set()


@pytest.mark.standin
def test_elasticmq_keeps_the_limits_of_a_batch() -> None:
    with servers.elasticmq() as aws:
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        entries = [
            {"Id": str(n), "MessageBody": "{}", "MessageGroupId": "g", "MessageDeduplicationId": str(n % 5)}
            for n in range(10)
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
        counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        assert counted["Attributes"] == {"ApproximateNumberOfMessages": "5"}
        with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
            sqs.send_message_batch(QueueUrl=url, Entries=[*entries, {**entries[0], "Id": "10"}])


@pytest.mark.standin
def test_s3proxy_refuses_a_wrong_key() -> None:
    with servers.s3proxy() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="incoming")
        s3.put_object(Bucket="incoming", Key="a b+c.csv", Body=b"1")
        assert s3.get_object(Bucket="incoming", Key="a b+c.csv")["Body"].read() == b"1"
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            Endpoint(aws.url, aws.access_key, "wrong").client("s3").get_object(Bucket="incoming", Key="a b+c.csv")


@pytest.mark.standin
def test_dynalite_writes_once_under_a_condition() -> None:
    with servers.dynalite() as aws:
        table = aws.client("dynamodb")
        table.create_table(
            TableName="sets",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        table.get_waiter("table_exists").wait(TableName="sets", WaiterConfig={"Delay": 1})
        put = {"TableName": "sets", "Item": {"id": {"S": "day"}}, "ConditionExpression": "attribute_not_exists(id)"}
        table.put_item(**put)
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            table.put_item(**put)
