"""customer_orders from the command line: one message per customer, every odd row named, nothing counted again."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from tests.support import jobs
from tests.support.jobs import JobResult

Call = Callable[..., JobResult]

CUSTOMERS = "id,first_name,last_name,customer_reference status"
ORDERS = "id,customer_reference,order_status order_reference order_timestamp"
ITEMS = "id,order_reference,item_name quantity total_price"


def day(
    folder: pathlib.Path, customers: list[str], orders: list[str], items: list[str], date: str = "20220130"
) -> pathlib.Path:
    """A day's three files, with CR LF line ends as they come."""
    folder.mkdir(exist_ok=True)
    for name, header, rows in (
        ("customers", CUSTOMERS, customers),
        ("orders", ORDERS, orders),
        ("items", ITEMS, items),
    ):
        (folder / f"{name}_{date}.csv").write_text("\r\n".join([header, *rows]) + "\r\n", encoding="utf-8", newline="")
    return folder


def error(customer: str, order: str, message: str) -> str:
    """An error message with the references as JSON."""
    references = f'"customer_reference":{customer},"order_reference":{order}'
    return f'{{"type":"error_message",{references},"message":"{message}"}}'


def kept_apart(destination: pathlib.Path) -> set[tuple[str, int, str]]:
    """Input, line and reason of everything in quarantine/ and excluded/ of the runs."""
    files = [*destination.glob("_runs/*/quarantine/*.jsonl"), *destination.glob("_runs/*/excluded/*.jsonl")]
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return {(row["input"], row["position"], row["reason"]) for row in rows}


def test_the_real_sample_gives_the_published_messages(
    call_job: Call, real_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = call_job("customer_orders", "--source", real_data / "customer_orders", "--destination", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.read("customer_messages.jsonl") == (
        '{"type":"customer_message","customer_reference":"ade3-11ed","number_of_orders":2,"total_amount_spent":87.5}\n'
    )
    assert done.read("error_messages.jsonl") == (
        '{"type":"error_message","customer_reference":"ade3-12ed","order_reference":null,'
        '"message":"Something went wrong!"}\n'
    )
    assert done.report["notes"] == [f"day 20220130: the newest complete day in {real_data / 'customer_orders'}"]


# Each row of a day, from line 2 on, with the reason why it is not used.
ODD_DAY: dict[str, list[tuple[str, str]]] = {
    "customers": [
        ("1,A,B,c1 Active", ""),
        ("1,A,B,c1 Active", "duplicate"),
        ("9,Other,B,c1 Active", "conflicting_reference"),
        ("2,C,D,c2 Active", ""),
        ("x,E,F,c3 Active", "wrong_type"),
        ("4,G,H,Zoë Active", ""),
        ("5,I,J,c5", "too_few_pieces"),
        ('6,K,L,"q""6 Active"', ""),
    ],
    "orders": [
        ("1,c1,Delivered o1 10", ""),
        ("2,c1,On Hold o2 11", ""),
        ("2,c1,On Hold o2 11", "duplicate"),
        ("3,c2,Delivered o1 12", "conflicting_reference"),
        ("4,c9,Delivered o4 13", "unknown_customer"),
        ("5,c3,Delivered o5 14", "parent_rejected"),
        ("6,Zoë,Delivered o6 late", "wrong_type"),
        ('7,"q""6",New o7 15', ""),  # an order without items
    ],
    "items": [
        ("1,o1,Blue Widget XL 2 0.10", ""),
        ("2,o1,Lamp 1 0.20", ""),
        ("2,o1,Lamp 1 0.20", "duplicate"),
        ("3,o2,Lamp 1 100", ""),
        ("4,o4,Lamp 1 5", "parent_rejected"),
        ("5,o6,Lamp 1 5", "parent_rejected"),  # o6 does not parse, but its reference is known
        ("6,o99,Lamp 1 5", "unknown_order"),
        ("7,o99,Rug 1 5", "unknown_order"),
        ("8,o1,Lamp", "too_few_pieces"),
        ("9,o1,Lamp 1 1.005", "wrong_type"),  # more decimals than money has
    ],
}


@pytest.fixture(scope="module")
def odd_day(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> JobResult:
    """The run of a day with a row of every odd kind."""
    folder = tmp_path_factory.mktemp("odd")
    source = day(folder / "drops", **{name: [row for row, _ in rows] for name, rows in ODD_DAY.items()})
    done = jobs.call_job(
        "customer_orders", "--source", source, "--max-rejected", "90%", "--destination", folder / "out"
    )
    assert done.exit_code == 0, done.output
    return done


def test_every_odd_row_is_named(odd_day: JobResult) -> None:
    assert odd_day.destination is not None
    assert kept_apart(odd_day.destination) == {
        (name, line, reason) for name, rows in ODD_DAY.items() for line, (_, reason) in enumerate(rows, 2) if reason
    }


def test_nothing_of_an_odd_day_is_counted_more_than_once(odd_day: JobResult) -> None:
    assert odd_day.read("customer_messages.jsonl").splitlines() == [
        '{"type":"customer_message","customer_reference":"c1","number_of_orders":2,"total_amount_spent":100.3}',
        '{"type":"customer_message","customer_reference":"q\\"6","number_of_orders":1,"total_amount_spent":0}',
    ]


def test_the_error_messages_of_an_odd_day_stand_in_order(odd_day: JobResult) -> None:
    assert odd_day.read("error_messages.jsonl").splitlines() == [
        error("null", '"o99"', "Items of an unknown order"),
        error('"Zoë"', "null", "Something went wrong!"),
        error('"c2"', "null", "Something went wrong!"),
        error('"c9"', '"o4"', "Order of an unknown customer"),
    ]


def test_the_report_of_an_odd_day_accounts_for_every_row(odd_day: JobResult) -> None:
    assert odd_day.report["inputs"]["items"] == {
        "read": 10,
        "used": 3,
        "excluded": {"duplicate": 1},
        "rejected": {"parent_rejected": 2, "too_few_pieces": 1, "unknown_order": 2, "wrong_type": 1},
    }
    assert odd_day.report["figures"]["orders_without_items"] == 1


def test_messages_reach_the_queue_once_however_often_the_day_is_run(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = day(
        tmp_path / "drops", ["1,A,B,c1 Active", "2,C,D,c2 Active"], ["1,c1,Delivered o1 10"], ["1,o1,Lamp 1 2.50"]
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        sqs = boto3.client("sqs", region_name="eu-west-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        url = sqs.create_queue(QueueName="messages")["QueueUrl"]
        arguments = ["--source", source, "--queue-url", url, "--destination", tmp_path / "out"]
        first, second = call_job("customer_orders", *arguments), call_job("customer_orders", *arguments)
        got: Any = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    published = first.read("customer_messages.jsonl") + first.read("error_messages.jsonl")
    assert sorted(one["Body"] for one in got) == sorted(published.splitlines())
    assert (second.report["figures"]["messages_sent"], second.report["figures"]["messages_sent_before"]) == (0, 2)


def test_a_queue_that_is_not_there_is_known_before_anything_is_read(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = day(tmp_path / "drops", ["1,A,B,c1 Active"], ["1,c1,Delivered o1 10"], ["1,o1,Lamp 1 2.50"])
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/nowhere"
    with mock_aws():
        done = call_job("customer_orders", "--source", source, "--queue-url", url, "--destination", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"customer_orders: --queue-url {url}: ")
    assert "NonExistentQueue" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_queue_that_does_not_answer_is_known_before_anything_is_read(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    source = day(tmp_path / "drops", ["1,A,B,c1 Active"], ["1,c1,Delivered o1 10"], ["1,o1,Lamp 1 2.50"])
    url = "http://127.0.0.1:9/123456789012/messages"  # the port that discards: nobody listens
    done = call_job("customer_orders", "--source", source, "--queue-url", url, "--destination", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Could not connect to the endpoint URL" in done.stderr


def test_a_missing_column_is_reported_with_what_is_there(call_job: Call, tmp_path: pathlib.Path) -> None:
    source = day(tmp_path / "drops", ["1,A,B,c1 Active"], ["1,c1,Delivered o1 10"], [])
    (source / "items_20220130.csv").write_text("id,order_reference,item_name amount\n", encoding="utf-8")
    done = call_job("customer_orders", "--source", source, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert "missing column 'item_name quantity total_price'; have id, order_reference, item_name amount" in done.output


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        (
            ["customers_20220130", "items_20220130"],
            ["--date", "20220130"],
            "missing orders_20220130.csv; complete days: none",
        ),
        (
            ["customers_20220130", "items_20220131"],
            [],
            "no complete day; 20220131 lacks customers_20220131.csv, orders_20220131.csv",
        ),
        (["customers_20220130"], ["--date", "30 January"], "expected YYYYMMDD"),
        (["customers_20220130"], ["--orders", "x.csv"], "--source and --orders exclude each other"),
    ],
)
def test_a_day_that_is_not_complete_is_refused(
    call_job: Call, tmp_path: pathlib.Path, files: list[str], options: list[str], message: str
) -> None:
    for name in files:
        (tmp_path / f"{name}.csv").write_text("id\n", encoding="utf-8")
    done = call_job("customer_orders", "--source", tmp_path, *options, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.output


def test_messages_need_a_day(call_job: Call, tmp_path: pathlib.Path) -> None:
    inputs = [word for name in ("customers", "orders", "items") for word in (f"--{name}", f"{name}.csv")]
    done = call_job("customer_orders", *inputs, "--queue-url", "https://queue/q", "--destination", tmp_path)
    assert done.exit_code == 2
    assert "--queue-url needs the day" in done.output
    assert call_job("customer_orders", "--customers", "c.csv", "--destination", tmp_path).exit_code == 2


def test_an_elastic_piece_that_no_header_has_is_refused_with_the_nearest(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    args = [*sample_args("customer_orders"), "--destination", tmp_path, "--elastic", "item_nam"]
    done = call_job("customer_orders", *args)
    assert done.exit_code == 2
    assert "--elastic: no column has item_nam" in done.output
    assert "near: item_name" in " ".join(done.output.split())


def test_with_new_only_a_day_is_sent_from_its_run_s_folder_and_a_day_that_was_read_is_not_run_again(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = day(tmp_path / "drops", ["1,A,B,c1 Active"], ["1,c1,Delivered o1 10"], ["1,o1,Lamp 1 2.50"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        sqs = boto3.client("sqs", region_name="eu-west-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        url = sqs.create_queue(QueueName="messages")["QueueUrl"]
        words = ["--source", source, "--queue-url", url, "--destination", tmp_path / "out", "--new-only"]
        first, second = (call_job("customer_orders", *words, "--run-id", name) for name in ("r1", "r2"))
        [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert message["Body"] == first.read("run=r1/customer_messages.jsonl").strip()
    assert not (tmp_path / "out" / "run=r2").exists()
