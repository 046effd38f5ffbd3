"""What each role may do, and that it may do nothing else. After a wanted change: python -m tests.cloud.write_roles."""

from __future__ import annotations

import pathlib

import pytest

from tests.cloud.policies import (
    ACCOUNT,
    ARTIFACTS,
    DESTINATION,
    PREFIX,
    REGION,
    SOURCE,
    Layout,
    allowed,
    listing,
    read_layout,
)

pytestmark = pytest.mark.cloud

JOBS = ("restaurants", "customer_orders", "race_stats", "carparks", "people", "explode_json", "split_columns")
LISTING = pathlib.Path(__file__).with_name("roles.txt")
# Actions that AWS knows no resource for, or where Lambda itself asks for every resource (the code is denied them).
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints",
    "ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute",
}  # fmt: skip
LAMBDA_NETWORK = {
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}  # fmt: skip


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return read_layout(tmp_path_factory.mktemp("terraform"))


def test_the_listing_of_roles_is_what_the_policies_say(layout: Layout) -> None:
    assert listing(layout.roles()) == LISTING.read_text(encoding="utf-8")


@pytest.mark.parametrize("job", JOBS)
def test_a_job_reads_its_own_inputs_and_no_other_jobs(layout: Layout, job: str) -> None:
    mine = layout.roles()[f"{PREFIX}-{job}-job"]
    assert allowed(mine, "s3:GetObject", f"{SOURCE}/{job}/2024/a b+c.csv")
    assert allowed(mine, "s3:ListBucket", SOURCE, s3__prefix=f"{job}/")
    assert not allowed(mine, "s3:ListBucket", SOURCE, s3__prefix="")
    assert not allowed(mine, "s3:PutObject", f"{SOURCE}/{job}/x.csv")
    assert not allowed(mine, "s3:DeleteObject", f"{SOURCE}/{job}/x.csv")
    for other in set(JOBS) - {job}:
        assert not allowed(mine, "s3:GetObject", f"{SOURCE}/{other}/x.csv")
        assert not allowed(mine, "s3:ListBucket", SOURCE, s3__prefix=f"{other}/")


@pytest.mark.parametrize("job", JOBS)
def test_a_job_writes_its_own_results_and_touches_no_other_jobs(layout: Layout, job: str) -> None:
    mine = layout.roles()[f"{PREFIX}-{job}-job"]
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert allowed(mine, action, f"{DESTINATION}/{job}/20240229/_runs/r/x")
        assert allowed(mine, action, f"{ARTIFACTS}/runs/{job}/temp/x")
        for other in set(JOBS) - {job}:
            assert not allowed(mine, action, f"{DESTINATION}/{other}/20240229/x")
            assert not allowed(mine, action, f"{ARTIFACTS}/runs/{other}/temp/x")
    assert allowed(mine, "s3:GetObject", f"{ARTIFACTS}/jobs/{job}-0123456789ab.py")
    assert not allowed(mine, "s3:PutObject", f"{ARTIFACTS}/jobs/{job}-0123456789ab.py")
    assert not allowed(mine, "s3:PutObject", f"{ARTIFACTS}/code/code-0.zip")


def test_only_the_jobs_that_need_them_use_queue_tables_and_secret(layout: Layout) -> None:
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{PREFIX}-messages"
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-mocked"
    tables = {job: f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{PREFIX}-lookup-{job}" for job in JOBS}
    roles = {job: layout.roles()[f"{PREFIX}-{job}-job"] for job in JOBS}
    assert {job for job in JOBS if allowed(roles[job], "sqs:SendMessage", queue)} == {"customer_orders"}
    assert {job for job in JOBS if allowed(roles[job], "secretsmanager:GetSecretValue", secret)} == {"people"}
    writers = {
        (job, table) for job in JOBS for table in JOBS if allowed(roles[job], "dynamodb:BatchWriteItem", tables[table])
    }
    assert writers == {("restaurants", "restaurants"), ("carparks", "carparks")}
    for job, table in writers:
        assert not allowed(roles[job], "dynamodb:DeleteItem", tables[table])
        assert not allowed(roles[job], "dynamodb:Scan", f"{tables[table]}/index/x")


def test_the_key_serves_a_job_only_through_the_services_it_uses(layout: Layout) -> None:
    mine = layout.roles()[f"{PREFIX}-race_stats-job"]
    key = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    assert allowed(mine, "kms:Decrypt", key, kms__ViaService="s3.eu-west-1.amazonaws.com")
    assert not allowed(mine, "kms:Decrypt", key, kms__ViaService="secretsmanager.eu-west-1.amazonaws.com")
    assert not allowed(mine, "kms:Decrypt", key)


def test_the_arrivals_function_starts_sets_and_never_sees_results(layout: Layout) -> None:
    mine = layout.roles()[f"{PREFIX}-arrivals"]
    assert allowed(mine, "states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}-sets")
    assert allowed(mine, "s3:GetObject", f"{SOURCE}/people/people_20240229.csv")
    assert not allowed(mine, "s3:GetObject", f"{DESTINATION}/people/x")
    assert not allowed(mine, "s3:PutObject", f"{SOURCE}/people/x")
    assert not allowed(mine, "glue:StartJobRun", f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{PREFIX}-people")


def test_the_state_machine_runs_the_seven_jobs_and_nothing_else(layout: Layout) -> None:
    mine = layout.roles()[f"{PREFIX}-sets-machine"]
    jobs = f"arn:aws:glue:{REGION}:{ACCOUNT}:job"
    assert all(allowed(mine, "glue:StartJobRun", f"{jobs}/{PREFIX}-{job}") for job in JOBS)
    assert not allowed(mine, "glue:StartJobRun", f"{jobs}/{PREFIX}-other")
    assert not allowed(mine, "s3:GetObject", f"{SOURCE}/people/x")


def test_the_read_api_reads_and_its_code_cannot_touch_the_network(layout: Layout) -> None:
    mine = layout.roles()[f"{PREFIX}-read-api"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{PREFIX}-lookup-carparks"
    me = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{PREFIX}-read-api"
    assert allowed(mine, "dynamodb:GetItem", table)
    assert not allowed(mine, "dynamodb:PutItem", table)
    assert allowed(mine, "ec2:CreateNetworkInterface", "*")
    assert not allowed(mine, "ec2:CreateNetworkInterface", "*", lambda__SourceFunctionArn=me)


def test_no_role_has_a_wildcard_action_or_an_unexplained_wildcard_resource(layout: Layout) -> None:
    for role, statements in layout.roles().items():
        for statement in statements:
            actions = set(statement["Action"])
            assert not any("*" in action for action in actions), role
            if "*" in statement["Resource"] and isinstance(statement["Resource"], str):
                more = LAMBDA_NETWORK if role == f"{PREFIX}-read-api" else set()
                assert actions <= WITHOUT_RESOURCE | more, (role, actions)


def test_every_job_and_function_has_a_role_of_its_own(layout: Layout) -> None:
    roles = layout.of_type("aws_iam_role")
    assert len({values["name"] for values in roles.values()}) == len(roles)
    assert {f"{PREFIX}-{job}-job" for job in JOBS} <= set(layout.roles())


def test_runs_of_a_job_wait_for_one_another_and_nothing_is_retried(layout: Layout) -> None:
    jobs = layout.of_type("aws_glue_job")
    assert len(jobs) == 7
    for values in jobs.values():
        assert (values["max_retries"], values["job_run_queuing_enabled"]) == (0, True)
        assert values["execution_property"] == [{"max_concurrent_runs": 1}]
        assert values["glue_version"] == "5.1"
        assert 5 <= values["timeout"] <= 1440
