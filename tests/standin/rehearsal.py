"""`make cloud-demo`: the real Terraform on the stand-in, a set of files from arrival to messages, failures and alerts.

Every step prints what it did and raises when something is not as it should be. Usage:

    python -m tests.standin.rehearsal [--everything] [--keep FOLDER]

--everything also sets up the database's network and the deployment pipeline (two minutes more).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from pyiceberg.catalog import load_catalog

from tests.standin.control import Terraform, standin
from tests.standin.stage import Stage, canonical, check
from tests.support import athena
from tests.support.bare import python_of
from tests.support.paths import ROOT
from tests.support.servers import REGION
from tools import cloud_package

CUSTOMERS = "id,first_name,last_name,customer_reference status\n1,Nina,Berg,c-1 Active\n2,Ivy,Hale,c-2 Active\n"
# One order of 25 is of a customer that nobody sent: under the 5 % that a job allows, and reported in a message.
ORDERS = "id,customer_reference,order_status order_reference order_timestamp\n" + "".join(
    f"{n},{'c-9' if n == 25 else f'c-{n % 2 + 1}'},On Hold o-{n} {1709164800 + n}\n" for n in range(1, 26)
)
ITEMS = "id,order_reference,item_name quantity total_price\n1,o-1,Blue Lamp 2 20\n2,o-1,Ink 1 5.5\n3,o-2,Table 1 12\n"
BAD_ITEMS = (
    "id,order_reference,item_name quantity total_price\n1,o-1,Blue Lamp two 20\n2,o-1,Ink 1 much\n3,o-2,Table 1 12\n"
)

RECORDS = {
    "20240228": '{"id": 1, "total": 2.5, "items": [{"sku": "pen"}, {"sku": "ink"}]}\n{"id": 2, "total": 3}\n',
    "20240229": '{"id": 3, "total": 0.5, "city": "Oslo", "items": [{"sku": "pen"}]}\n',
}
ORDERS_TABLE = {"_id": "string", "id": "bigint", "total": "double", "city": "string"}
ORDERS_ROWS = [("2024-02-28", 1, 2.5, None), ("2024-02-28", 2, 3.0, None), ("2024-02-29", 3, 0.5, "Oslo")]
# The same day, sent again with other rows.
PACKED = ("id,code size\n1,pen 2\n2,ink 3\n", "id,code size\n1,pen 5\n3,cap 1\n")
PACKED_ROWS = [("1", "pen", "5", "2024-02-28"), ("3", "cap", "1", "2024-02-28")]
# What is set up here in place of the variables' defaults.
SETS = {
    "customer_orders": {
        "job": "customer_orders",
        "expected_at": "06:00",
        "files": {name: f"customer_orders/{name}_{{day}}.csv" for name in ("customers", "orders", "items")},
    },
    "explode_json": {
        "job": "explode_json",
        "files": {"source": "explode_json/records_{day}.json"},
        "arguments": {"--root": "orders", "--format": "parquet", "--key": "id"},
    },
    "split_columns": {
        "job": "split_columns",
        "files": {"source": "split_columns/rows_{day}.csv"},
        "arguments": {"--format": "iceberg", "--table": "parts"},
    },
}


class Rehearsal(Stage):
    """The steps."""

    def apply(self) -> None:
        """Everything is set up by the Terraform of the repository."""
        self.terraform.run("init", "-input=false")
        done = self.terraform.run("apply", "-auto-approve", "-input=false", "-parallelism=20", *self.variables)
        self.outputs = self.terraform.outputs()
        self.say(next(line for line in done.stdout.splitlines() if line.startswith("Apply complete")))
        for line in ("customer_orders", "people"):
            self.say(f"started by hand with: {self.outputs['start'][line][:150]}...")

    def good_set(self) -> None:
        """Three files in any order: one run, files in the bucket, the same messages in the queue."""
        day = "20240229"
        self.upload(day, customers=CUSTOMERS, orders=ORDERS, items=ITEMS)
        check(self.ended(f"customer_orders/{day}", 1) == "succeeded", "the set's run did not succeed")
        files = self.published(day)
        lines = files["customer_messages.jsonl"].splitlines() + files["error_messages.jsonl"].splitlines()
        sent = self.take(self.outputs["messages_queue_url"])
        check(sorted(map(canonical, lines)) == sorted(map(canonical, sent)), f"files say {lines}, the queue {sent}")
        runs = self.aws.client("glue").get_job_runs(JobName=self.outputs["jobs"]["customer_orders"])["JobRuns"]
        check([run["JobRunState"] for run in runs] == ["SUCCEEDED"], f"expected one run, have {len(runs)}")
        self.say(f"published {', '.join(sorted(files))}; {len(sent)} messages in the queue, the same as in the files")

    def failing_set(self) -> None:
        """Too many rejected records: two alerts that say what to do; the mended file starts the next revision."""
        day = "20240301"
        self.upload(day, customers=CUSTOMERS, orders=ORDERS, items=BAD_ITEMS)
        check(self.ended(f"customer_orders/{day}", 1) == "failed", "the run with bad items did not fail")
        self.alert("Job ", "FAILED", "exit code 3")
        self.alert(f"Set customer_orders/{day}", f"make redrive SET=customer_orders/{day}")
        check("customer_messages.jsonl" not in self.published(day), "a failed run published files")
        self.upload(day, items=ITEMS)
        check(self.ended(f"customer_orders/{day}", 2) == "succeeded", "the mended file did not start a good run")

    def missing_file(self) -> None:
        """A file that does not come is named at the set's hour (the scheduler's payload is sent by hand)."""
        day = "20240302"
        self.upload(day, customers=CUSTOMERS, orders=ORDERS)
        self.until("both files noted", lambda: self.files_of(f"customer_orders/{day}") == 2)
        payload = self.outputs["schedules"]["customer_orders"].replace(
            "<aws.scheduler.scheduled-time>", "2024-03-02T06:00:00Z"
        )
        answer = self.aws.client("lambda").invoke(FunctionName=self.outputs["arrivals_function"], Payload=payload)
        check("FunctionError" not in answer, f"the function failed: {answer['Payload'].read().decode()}")
        self.alert("not complete", f"customer_orders/items_{day}.csv")

    def bad_input(self) -> None:
        """A key nobody expects, and dead letters (the alarm's state is set by hand)."""
        key = "customer_orders/customers 2024+03+02.csv"
        self.aws.client("s3").put_object(Bucket=self.outputs["buckets"]["source"], Key=key, Body=b"x")
        self.say(f"uploaded {key}")
        self.alert(key, "What to do")
        alarm = f"{self.outputs['arrivals_function']}".replace("-arrivals", "-dead-letters-arrivals")
        self.aws.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="rehearsal")
        self.alert(alarm, "start-message-move-task")

    def redrive(self) -> None:
        """A person starts a set again, by the line that the alert gave."""
        command = [sys.executable, str(ROOT / "tools" / "redrive.py"), "set", "customer_orders/20240229"]
        environment = {**os.environ, **self.aws.environment, "FUNCTION": self.outputs["arrivals_function"]}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stderr)
        self.say(f"redrive: {done.stdout.strip()}")
        check(self.ended("customer_orders/20240229", 2) == "succeeded", "the set did not succeed when started again")
        files = self.published("20240229")
        self.say(f"published again: {', '.join(sorted(files))}")

    def read_api(self) -> None:
        """The read API's own package answers from a lookup table, and refuses a wrong key."""
        prefix = self.outputs["arrivals_function"].removesuffix("-arrivals")
        self.aws.client("secretsmanager").put_secret_value(SecretId=f"{prefix}/read-api-key", SecretString="k" * 32)
        item = {"id": {"S": "7"}, "restaurant_name": {"S": "Blue Lamp"}}
        self.aws.client("dynamodb").put_item(TableName=self.outputs["lookup_tables"]["restaurants"], Item=item)
        for key, expected in (("k" * 32, 200), ("wrong", 401)):
            event = api_event("/restaurants/7", key)
            answer = self.aws.client("lambda").invoke(FunctionName=f"{prefix}-read-api", Payload=json.dumps(event))
            answered = json.loads(answer["Payload"].read())
            check(answered.get("statusCode") == expected, f"expected {expected}, have {answered}")
            self.say(f"GET /restaurants/7: {answered['statusCode']} {answered['body'][:120]}")

    def catalog(self) -> None:
        """Records of two days, the second with a new column, are a table of the catalog, read as it says."""
        database = self.outputs["catalog"]["database"]
        for day, text in RECORDS.items():
            key = f"explode_json/records_{day}.json"
            self.aws.client("s3").put_object(Bucket=self.outputs["buckets"]["source"], Key=key, Body=text.encode())
            self.say(f"uploaded {key}")
            check(self.ended(f"explode_json/{day}", 1) == "succeeded", f"the run of {day} did not succeed")
        found = athena.types(athena.table(self.aws, database, "orders"))
        check(found == ORDERS_TABLE, f"the catalog says {found}")
        rows = athena.select(self.aws, database, "orders")
        read = [(row["day"], row["id"], row["total"], row.get("city")) for row in rows]
        check(sorted(read, key=str) == ORDERS_ROWS, f"DuckDB reads {read}")
        items = athena.select(self.aws, database, "orders__items")
        check(len(items) == 3, f"DuckDB reads {len(items)} items")
        self.say(f"{database}.orders {found}: {read}; {database}.orders__items: {len(items)} rows")

    def iceberg(self) -> None:
        """A day that is sent again has its rows replaced in a table of Iceberg, which pyiceberg reads."""
        database, bucket = self.outputs["catalog"]["database"], self.outputs["buckets"]["source"]
        for revision, text in enumerate(PACKED, 1):
            key = "split_columns/rows_20240228.csv"
            self.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
            self.say(f"uploaded {key}")
            check(self.ended("split_columns/20240228", revision) == "succeeded", f"run {revision} did not succeed")
        opened = load_catalog(
            database,
            **{"type": "glue", "glue.endpoint": self.aws.url, "s3.endpoint": self.aws.url, "client.region": REGION},
            **{"client.access-key-id": self.aws.access_key, "client.secret-access-key": self.aws.secret_key},
        )
        table = opened.load_table((database, "parts"))
        rows = sorted(tuple(map(str, row.values())) for row in table.scan().to_arrow().to_pylist())
        check(rows == PACKED_ROWS, f"pyiceberg reads {rows}")
        place = self.outputs["catalog"]["iceberg"]["split_columns"]
        check(table.location().startswith(f"{place}/"), f"the table is at {table.location()}, not under {place}")
        self.say(f"{database}.parts at {table.location()}, {len(table.snapshots())} snapshots: {rows}")

    def second_plan(self) -> None:
        """Terraform sees nothing to change."""
        done = self.terraform.run(
            "plan", "-detailed-exitcode", "-input=false", "-parallelism=20", *self.variables, accept=(0, 2)
        )
        check(done.returncode == 0, f"a second plan wants to change something:\n{done.stdout[-4000:]}")
        self.say("a second plan shows no change")

    def destroy(self) -> None:
        """Everything goes."""
        # The stand-in lists names unescaped: Terraform would read a plus sign in them as a blank.
        self.empty_buckets()
        done = self.terraform.run("destroy", "-auto-approve", "-input=false", "-parallelism=20", *self.variables)
        self.say(next(line for line in done.stdout.splitlines() if line.startswith("Destroy complete")))


def api_event(path: str, key: str) -> dict[str, Any]:
    """A request as an HTTP API gives it to its function (payload 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "GET /{path+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"x-api-key": key, "host": "api.example.com"},
        "requestContext": {"http": {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}},
        "isBase64Encoded": False,
    }


def rehearse(folder: pathlib.Path, everything: bool = False) -> Rehearsal:
    """The whole rehearsal in a folder of its own; logs of the server and the jobs stay there."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not python_of(cloud_package.TARGETS["api"][0]):
        print(f"no Python {cloud_package.TARGETS['api'][0]} here: the read API is packaged for {own}", flush=True)
        cloud_package.TARGETS["api"] = (own, cloud_package.TARGETS["api"][1])
    cloud_package.build(folder / "build")
    variables = ["-var=environment=dev", f"-var=build={folder / 'build'}", "-var=force_destroy=true"]
    variables += ['-var=catalog={iceberg=["split_columns"]}', f"-var=sets={json.dumps(SETS)}"]
    if everything:
        settings = {
            "database": {"multi_az": False, "deletion_protection": False},
            "delivery": {
                "connection_arn": "arn:aws:codeconnections:eu-west-1:123456789012:connection/rehearsal",
                "repository": "example/partner-data",
                "state_bucket": "partner-data-terraform-state",
            },
        }
        variables += [f"-var={name}={json.dumps(value)}" for name, value in settings.items()]
    with standin(folder / "logs") as aws:
        one = Rehearsal(aws, Terraform.copy_to(folder), [*variables, f"-var=endpoint={aws.url}"])
        one.say(f"the stand-in listens on {aws.url}; its log and the jobs' are in {folder / 'logs'}")
        for step in (
            one.apply, one.watch, one.good_set, one.failing_set, one.missing_file,
            one.bad_input, one.redrive, one.catalog, one.iceberg, one.read_api, one.second_plan, one.destroy,
        ):  # fmt: skip
            one.say(f"-- {step.__name__.replace('_', ' ')}: {step.__doc__}")
            step()
    one.say("done")
    return one


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Rehearses the cloud layout on this machine.", allow_abbrev=False)
    parser.add_argument(
        "--everything", action="store_true", help="also the database's network and the deployment pipeline"
    )
    parser.add_argument("--keep", type=pathlib.Path, help="folder for state and logs; default: a temporary one")
    chosen = parser.parse_args()
    if chosen.keep:
        rehearse(chosen.keep.resolve(), chosen.everything)
        return 0
    with tempfile.TemporaryDirectory(prefix="cloud-demo-") as folder:
        rehearse(pathlib.Path(folder), chosen.everything)
    return 0


if __name__ == "__main__":
    sys.exit(main())
