"""What AWS documents and no stand-in checks, read off the plan, the policies and the packages.

Each test names the page that says so; "not in the stored pages" marks a fact taken over without seeing its page.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.glue import without_glue_arguments
from tests.cloud.policies import ACCOUNT, DESTINATION, PREFIX, REGION, SOURCE, Layout, allowed, read_layout
from tests.standin.control import TERRAFORM
from tests.standin.patches_events import _filled
from tests.standin.runtime import job_command
from tools import cloud_package

pytestmark = pytest.mark.cloud

KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}"
EVENTS_DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{PREFIX}-events-dead"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return read_layout(tmp_path_factory.mktemp("terraform"))


def only(layout: Layout, kind: str, part: str = "") -> dict[str, Any]:
    """The one resource of a type whose address has this part."""
    [found] = [values for address, values in layout.of_type(kind).items() if part in address]
    return found


def key_policy(layout: Layout) -> list[dict[str, Any]]:
    return list(json.loads(only(layout, "aws_kms_key")["policy"])["Statement"])


def arguments(layout: Layout, job: str) -> dict[str, str]:
    return dict(only(layout, "aws_glue_job", f'["{job}"]')["default_arguments"])


# 1. Glue Developer Guide, "Logging for AWS Glue jobs": PREFIX/error and PREFIX/output. That a security configuration
# which encrypts logs puts NAME-role/ROLE between is no sentence of AWS's guide; public Terraform of Glue 5 jobs makes
# such groups (cds-snc/forms-terraform, aws/glue/locals.tf: the path of the role follows "-role"). "Encrypting data
# written by AWS Glue": the role needs logs:AssociateKmsKey.
def test_the_log_groups_are_the_ones_that_glue_writes_encrypted_logs_to(layout: Layout) -> None:
    groups = {values["name"]: values for values in layout.of_type("aws_cloudwatch_log_group").values()}
    inner = f"/{PREFIX}/jobs/people/{PREFIX}-role/{PREFIX}-people-job"
    assert {f"{inner}/error", f"{inner}/output"} <= groups.keys()
    assert all(values["kms_key_id"] == KEY for values in groups.values())
    assert arguments(layout, "people")["--custom-logGroup-prefix"] == f"/{PREFIX}/jobs/people"
    mine = layout.roles()[f"{PREFIX}-people-job"]
    for group in (f"{inner}/error", f"/{PREFIX}/jobs/people/output"):
        for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "AssociateKmsKey"):
            assert allowed(mine, f"logs:{action}", f"{LOGS}:log-group:{group}:log-stream:jr_1-driver")
    assert not allowed(mine, "logs:PutLogEvents", f"{LOGS}:log-group:/{PREFIX}/jobs/carparks/error:*")
    [statement] = [one for one in key_policy(layout) if one["Sid"] == "LogGroups"]
    pattern = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert re.fullmatch(pattern.replace("*", ".*"), f"{LOGS}:log-group:{inner}/error")


# 2. Hadoop's S3A (DefaultS3ClientFactory): without an endpoint and a region US_EAST_2. "Migrating to AWS Glue 5.1": S3A
# is the default connector. "AWS Glue job parameters": --conf, and variables of the driver begin with CUSTOMER_.
def test_every_job_knows_its_region_in_s3a_in_tasks_and_on_the_driver(layout: Layout) -> None:
    for values in layout.of_type("aws_glue_job").values():
        pairs = values["default_arguments"]["--conf"].split(" --conf ")
        assert f"spark.hadoop.fs.s3a.endpoint.region={REGION}" in pairs
        assert f"spark.executorEnv.AWS_DEFAULT_REGION={REGION}" in pairs
        variables = values["default_arguments"]["--customer-driver-env-vars"].split(",")
        assert f"CUSTOMER_AWS_DEFAULT_REGION={REGION}" in variables
        assert all(variable.startswith("CUSTOMER_") for variable in variables)


# 3. EventBridge User Guide, "Input transformation": values are put in unescaped; <aws.events.event.json> is the event
# as JSON, to be used as a field's value. "Using dead-letter queues": without one, an event that cannot be delivered is
# lost.
def test_an_alert_of_a_job_arrives_whatever_its_message_holds(layout: Layout) -> None:
    target = only(layout, "aws_cloudwatch_event_target", "job_state")
    [transformer] = target["input_transformer"]
    given = {"InputPathsMap": transformer["input_paths"], "InputTemplate": transformer["input_template"]}
    message = 'exit code 2: p.csv, line 3: "age" is "x\\y",\nexpected a number'
    detail = {"jobName": f"{PREFIX}-people", "state": "FAILED", "jobRunId": "jr_1", "message": message}
    event = {"time": 0, "detail": detail}
    sent = json.loads(_filled({"InputTransformer": given}, event))
    assert sent["alert"] == f"Job {PREFIX}-people: FAILED. Run jr_1."
    assert sent["event"]["detail"]["message"] == message
    assert "message" not in transformer["input_paths"]


def test_every_rule_keeps_what_it_could_not_deliver_and_may_do_so(layout: Layout) -> None:
    targets = layout.of_type("aws_cloudwatch_event_target")
    assert len(targets) == 3
    assert all(values["dead_letter_config"][0]["arn"] for values in targets.values())
    policies = layout.of_type("aws_sqs_queue_policy").values()
    [statement] = [
        one
        for values in policies
        for one in json.loads(values["policy"])["Statement"]
        if one["Resource"] == EVENTS_DEAD
    ]
    rules = [
        f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{PREFIX}-{name}" for name in ("arrivals", "job-state", "set-state")
    ]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rules}}


# 4. Step Functions Developer Guide, "Data at rest encryption", logging with a customer managed key: kms:Decrypt for
# delivery.logs.amazonaws.com in the key's policy, kms:GenerateDataKey for the machine's role. The context is SourceArn
# with arn:PARTITION:logs:REGION:ACCOUNT:* (EventBridge User Guide, "Encrypting event bus logs with AWS KMS", names the
# same service; the construct of a state machine in AWS CDK grants the role the same).
def test_the_state_machine_s_logs_can_be_encrypted_and_delivered(layout: Layout) -> None:
    context = f"{LOGS}:*"
    delivery = [one for one in key_policy(layout) if one["Principal"] == {"Service": "delivery.logs.amazonaws.com"}]
    [statement] = delivery
    assert statement["Action"] == ["kms:Decrypt"]
    assert statement["Condition"] == {"StringEquals": {"kms:EncryptionContext:SourceArn": context}}
    mine = layout.roles()[f"{PREFIX}-sets-machine"]
    assert allowed(mine, "kms:GenerateDataKey", KEY, kms__EncryptionContext__SourceArn=context)
    assert not allowed(mine, "kms:GenerateDataKey", KEY, kms__EncryptionContext__SourceArn="arn:aws:logs:x:y:*")


# 5. Glue Developer Guide, auto scaling: workers join a run under way; each fetches code and wheels when it starts.
def test_what_earlier_releases_uploaded_stays_in_the_bucket(layout: Layout) -> None:
    objects = layout.of_type("aws_s3_object")
    keys = {values["key"] for values in objects.values()}
    # The test's build folder holds one release, and a file of the one before.
    assert {"code/code-0.zip", "code/code-earlier.zip", "jobs/people-0.py"} <= keys
    source = (TERRAFORM / "main.tf").read_text(encoding="utf-8")
    [block] = re.findall(r'resource "aws_s3_object" "artifact" \{.*?\n\}', source, re.DOTALL)
    assert "create_before_destroy = true" in block
    assert arguments(layout, "people")["--extra-py-files"].endswith("/code/code-0.zip")
    mine = layout.roles()[f"{PREFIX}-people-job"]
    for key in ("code/code-earlier.zip", "wheels/rich-earlier-py3-none-any.whl", "jobs/people-earlier.py"):
        assert allowed(mine, "s3:GetObject", f"arn:aws:s3:::{PREFIX}-{ACCOUNT}-artifacts/{key}")
    assert not allowed(mine, "s3:GetObject", f"arn:aws:s3:::{PREFIX}-{ACCOUNT}-artifacts/jobs/carparks-0.py")


def test_the_build_folder_keeps_three_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for release in range(4):
        monkeypatch.setattr(
            cloud_package, "write_zip", lambda target, release=release: target.write_bytes(b"%d" % release)
        )
        names.append(Path(str(cloud_package.build(tmp_path, wheels=False)["code"])).name)
    assert len(set(names)) == 4
    assert {path.name for path in (tmp_path / "code").iterdir()} == set(names[1:])
    assert len(list((tmp_path / "jobs").glob("people-*.py"))) == 1


# 6. Lambda Developer Guide, "Lambda quotas": new accounts have reduced concurrency; "Configuring reserved concurrency":
# 100 stay unreserved. So nothing is reserved unless it is asked for.
def test_no_concurrency_is_reserved_by_default(layout: Layout) -> None:
    functions = layout.of_type("aws_lambda_function").values()
    assert [values["reserved_concurrent_executions"] for values in functions] == [-1, -1]


# 10. Glue Developer Guide, "AWS Glue job parameters": JOB_NAME is Glue's own argument; no variable is documented by
# which a script could know Glue. Only names of the list are taken out of a job's arguments.
def test_no_source_file_asks_for_undocumented_variables_of_glue() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in (TERRAFORM.parent / "src").rglob("*.py")}
    assert [str(path) for path, text in texts.items() if "GLUE_VERSION" in text or "GLUE_INSTALLATION" in text] == []


def test_of_the_planned_arguments_a_job_takes_its_own_and_leaves_glue_s(layout: Layout) -> None:
    planned = arguments(layout, "people")
    command = job_command(Path("/x/people.py"), [Path("/x/code.zip")], "people", "jr_1", planned)
    script = command.index("/x/people.py")
    # Glue takes --conf for itself: it goes to Spark and not to the script.
    assert f"spark.executorEnv.AWS_DEFAULT_REGION={REGION}" in command[:script]
    assert "--conf" not in command[script:]
    own, glue = without_glue_arguments(command[script + 1 :])
    assert sorted(own[::2]) == ["--database-url", "--destination", "--reader"]
    assert (glue["JOB_NAME"], glue["JOB_RUN_ID"]) == ("people", "jr_1")
    assert {f"--{name}" for name in glue} | set(own[::2]) | {"--conf"} == planned.keys() | {
        "--JOB_NAME", "--JOB_ID", "--JOB_RUN_ID",
    }  # fmt: skip


# 11. Glue Developer Guide, "AWS Glue job run statuses": a FLEX run is in WAITING for at most 20 minutes; after 15 the
# service tries to start it, and it begins or fails.
def test_a_run_that_never_began_is_run_once_more_on_standard_capacity(layout: Layout) -> None:
    states = json.loads(only(layout, "aws_sfn_state_machine")["definition"])["States"]["Jobs"]["ItemProcessor"][
        "States"
    ]
    assert states["Run job"]["Catch"][0]["Next"] == "Had it begun"
    choice = states["Had it begun"]
    forms = [one["StringMatches"].replace("*", ".*") for one in choice["Choices"][0]["Or"]]
    again = states[choice["Choices"][0]["Next"]]
    assert (again["Parameters"]["ExecutionClass"], again["End"]) == ("STANDARD", True)

    def begun(cause: str) -> bool:
        return not any(re.fullmatch(form.replace("{", r"\{").replace("}", r"\}"), cause) for form in forms)

    assert not begun('{"Attempt":0,"ExecutionTime":0,"JobRunState":"FAILED"}')
    assert not begun('{"Attempt": 0, "ExecutionTime": 0}')
    assert begun('{"Attempt":0,"ExecutionTime":10,"JobRunState":"FAILED"}')
    assert begun("Glue refused the start")


# 12. Lambda Developer Guide, "Lambda runtimes": Python 3.13 is Amazon Linux 2023, 3.11 is Amazon Linux 2.
def test_functions_run_on_amazon_linux_2023(layout: Layout) -> None:
    assert {values["runtime"] for values in layout.of_type("aws_lambda_function").values()} == {"python3.13"}
    assert cloud_package.TARGETS["api"][0] == "3.13"


# 13. RDS User Guide, "IAM database authentication": a role with rds_iam logs in with a token of rds-db:connect.
def test_the_people_job_makes_the_reader_and_the_read_api_logs_in_as_it_without_a_password(layout: Layout) -> None:
    assert arguments(layout, "people")["--reader"] == "people_reader"
    [variables] = only(layout, "aws_lambda_function", "read_api")["environment"]
    assert variables["variables"]["DATABASE_IAM_USER"] == "people_reader"
    assert "DATABASE_SECRET_ARN" not in variables["variables"]
    assert only(layout, "aws_db_instance")["iam_database_authentication_enabled"] is True
    mine, users = layout.roles()[f"{PREFIX}-read-api"], f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:db-MOCKED"
    assert allowed(mine, "rds-db:connect", f"{users}/people_reader")
    assert not allowed(mine, "rds-db:connect", f"{users}/people_owner")
    assert not allowed(
        mine, "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds-mocked"
    )


# 14. RDS User Guide, "Using SSL with a PostgreSQL DB instance": sslmode=verify-full with the bundle of certificates.
def test_the_database_s_certificate_is_verified_with_aws_s_own_roots(layout: Layout, tmp_path: Path) -> None:
    url = arguments(layout, "people")["--database-url"]
    assert url.endswith("/people?sslmode=verify-full&sslrootcert=rds")
    artifacts = cloud_package.build(tmp_path, wheels=False)
    for name in (artifacts["code"], artifacts["api"]):
        with zipfile.ZipFile(tmp_path / str(name)) as archive:
            bundle = archive.read("pipeline/sinks/postgres/rds-ca-rsa2048-g1.pem").decode()
        assert f"# Amazon RDS {REGION} Root CA RSA2048 G1" in bundle
    assert only(layout, "aws_db_instance")["ca_cert_identifier"] == "rds-ca-rsa2048-g1"


# 15. Step Functions Developer Guide, "Execution status change events": FAILED, TIMED_OUT and ABORTED are the bad ends.
def test_a_set_that_ends_badly_in_any_way_raises_an_alert(layout: Layout) -> None:
    pattern = json.loads(only(layout, "aws_cloudwatch_event_rule", "set_state")["event_pattern"])
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]


# 17. "Actions, resources, and condition keys for AWS Glue": each of these actions needs the ARNs of catalog, database
# and, but for GetDatabase, table. Glue Developer Guide, "AWS Glue job parameters": a run's own arguments come on top.
def test_a_job_registers_tables_in_its_environment_s_database_only(layout: Layout) -> None:
    glue = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    here = [f"{glue}:catalog", f"{glue}:database/partner_data_prod", f"{glue}:table/partner_data_prod/orders"]
    mine = layout.roles()[f"{PREFIX}-explode_json-job"]
    for action in ("GetDatabase", "GetTable", "CreateTable", "UpdateTable", "CreatePartition", "UpdatePartition"):
        assert all(allowed(mine, f"glue:{action}", resource) for resource in here)
        assert not allowed(mine, f"glue:{action}", f"{glue}:table/partner_data_dev/orders")
        assert not allowed(mine, f"glue:{action}", f"{glue}:database/default")
        assert not allowed(layout.roles()[f"{PREFIX}-race_stats-job"], f"glue:{action}", here[1])
    for action in ("DeleteTable", "DeleteDatabase", "CreateDatabase", "GetTables"):
        assert not any(allowed(mine, f"glue:{action}", resource) for resource in here)


# The layout has catalog.iceberg = ["split_columns"]. pyiceberg's Glue catalog drops a table by DeleteTable.
def test_only_a_job_with_tables_of_iceberg_deletes_tables_and_brings_pyiceberg(layout: Layout) -> None:
    table, roles = f"arn:aws:glue:{REGION}:{ACCOUNT}:table/partner_data_prod/x", layout.roles()
    deleting = [name for name, role in roles.items() if allowed(role, "glue:DeleteTable", table)]
    assert deleting == [f"{PREFIX}-split_columns-job"]
    assert not allowed(roles[deleting[0]], "glue:DeleteTable", table.replace("_prod", "_dev"))
    jobs = layout.of_type("aws_glue_job").values()
    modules = {one["name"]: one["default_arguments"].get("--additional-python-modules", "") for one in jobs}
    assert [name for name, wheels in modules.items() if "/wheels/iceberg-1" in wheels] == [f"{PREFIX}-split_columns"]
    # Files of a table that no snapshot has any more are deleted.
    data = f"{DESTINATION}/split_columns/tables/partner_data_prod/rows/data/r1/part-0.parquet"
    assert allowed(roles[deleting[0]], "s3:DeleteObject", data)
    assert not allowed(roles[f"{PREFIX}-explode_json-job"], "s3:GetObject", data)


def test_sets_of_jobs_with_tables_pass_the_catalog_and_runs_by_hand_do_not(layout: Layout) -> None:
    [variables] = only(layout, "aws_lambda_function", "arrivals")["environment"]
    sets = json.loads(variables["variables"]["SETS"])
    assert {name: one["arguments"].get("--catalog") for name, one in sets.items()} == {
        **dict.fromkeys(("carparks", "explode_json", "people", "restaurants", "split_columns"), "partner_data_prod"),
        **dict.fromkeys(("customer_orders", "race_stats")),
    }
    assert "--catalog" not in arguments(layout, "explode_json")
    # Lambda quotas: 4 KB for all variables of a function.
    assert sum(len(name) + len(value) for name, value in variables["variables"].items()) < 4096


# 18. Athena API Reference, "WorkGroupConfiguration": settings override the client's when they are enforced, at least
# 10,000,000 bytes can be the limit; "Names for tables, databases, and columns": no special character but underscore.
def test_queries_cannot_leave_the_workgroup_s_place_key_and_limit(layout: Layout) -> None:
    assert only(layout, "aws_glue_catalog_database")["name"] == "partner_data_prod"
    [settings] = only(layout, "aws_athena_workgroup")["configuration"]
    assert settings["enforce_workgroup_configuration"] is True
    assert settings["bytes_scanned_cutoff_per_query"] == 10 * 1024**3
    [results] = settings["result_configuration"]
    assert results["output_location"] == f"s3://{PREFIX}-{ACCOUNT}-queries/"
    assert results["encryption_configuration"][0] == {"encryption_option": "SSE_KMS", "kms_key_arn": KEY}
    life = only(layout, "aws_s3_bucket_lifecycle_configuration", "module.catalog")
    assert [rule["expiration"][0]["days"] for rule in life["rule"] if rule["id"] == "everything"] == [30]


# 16. Secrets Manager: a deleted secret keeps its name during the recovery window. S3: life cycle rules select by prefix
# or tag. RDS: the log groups /aws/rds/instance/NAME/LOG. KMS: who uploads under a key needs GenerateDataKey (and
# Decrypt).
def test_files_of_runs_expire_by_their_tag(layout: Layout) -> None:
    life = only(layout, "aws_s3_bucket_lifecycle_configuration", "destination")
    [rule] = [one for one in life["rule"] if one["id"] == "tagged-run-files"]
    assert rule["filter"][0]["tag"][0] == {"key": "run-files", "value": "true"}
    assert rule["expiration"][0]["days"] == 90
    given = arguments(layout, "people")
    assert "spark.executorEnv.RUN_FILES_TAG=run-files" in given["--conf"].split(" --conf ")
    assert "CUSTOMER_RUN_FILES_TAG=run-files" in given["--customer-driver-env-vars"].split(",")
    mine = layout.roles()[f"{PREFIX}-people-job"]
    assert allowed(mine, "s3:PutObjectTagging", f"{DESTINATION}/people/20240229/_runs/r/report.json")


def test_a_partner_s_account_uploads_under_its_prefixes_only(layout: Layout) -> None:
    policy = json.loads(only(layout, "aws_s3_bucket_policy", "source")["policy"])["Statement"]
    [upload] = [one for one in policy if one["Sid"].startswith("Upload")]
    partner = {"AWS": "arn:aws:iam::210987654321:root"}
    assert upload["Principal"] == partner
    assert allowed([upload], "s3:PutObject", f"{SOURCE}/customer_orders/items_20240229.csv")
    assert not allowed([upload], "s3:PutObject", f"{SOURCE}/people/people_20240229.csv")
    assert not allowed([upload], "s3:GetObject", f"{SOURCE}/customer_orders/items_20240229.csv")
    [use] = [one for one in key_policy(layout) if one["Sid"] == "Partners"]
    assert (use["Principal"]["AWS"], use["Action"]) == ([partner["AWS"]], ["kms:GenerateDataKey", "kms:Decrypt"])
    assert use["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}


def test_the_logs_of_the_database_are_managed_and_a_short_lived_secret_goes_at_once(layout: Layout) -> None:
    names = {values["name"] for values in layout.of_type("aws_cloudwatch_log_group").values()}
    wanted = {f"/aws/rds/instance/{PREFIX}/{log}" for log in ("postgresql", "upgrade")}
    assert wanted <= names
    secrets = layout.of_type("aws_secretsmanager_secret").values()
    assert {values["name"]: values["recovery_window_in_days"] for values in secrets} == {
        f"{PREFIX}/read-api-key": 7,
        f"{PREFIX}/cache": 7,
    }
    for module in ("read-api", "cache"):
        source = (TERRAFORM / "modules" / module / "main.tf").read_text(encoding="utf-8")
        assert re.search(r"recovery_window_in_days += var\.force_destroy \? 0 : 7\n", source)


# ElastiCache User Guide, "Role-Based Access Control (RBAC)": the only way to control access to serverless caches; users
# of a group of the engine valkey log in by password or IAM.
def test_the_cache_is_reached_by_tls_with_a_password_and_a_user_with_three_commands(layout: Layout) -> None:
    [environment] = only(layout, "aws_lambda_function", "read_api")["environment"]
    assert environment["variables"]["CACHE_URL"].startswith("valkeys://")
    assert ":secret:" in environment["variables"]["CACHE_SECRET_ARN"]
    user = only(layout, "aws_elasticache_user")
    assert user["access_string"] == "on ~read-api:* resetchannels -@all +get +set +del"
    assert user["authentication_mode"][0]["type"] == "password"
    cache, group = only(layout, "aws_elasticache_serverless_cache"), only(layout, "aws_elasticache_user_group")
    assert (cache["user_group_id"], group["user_ids"]) == (group["user_group_id"], [user["user_id"]])
    assert cache["kms_key_id"] == KEY
    login = json.loads(only(layout, "aws_secretsmanager_secret_version")["secret_string"])
    assert login["username"] == user["user_name"]
    assert login["password"] == user["authentication_mode"][0]["passwords"][0]
