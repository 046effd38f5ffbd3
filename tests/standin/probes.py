"""One question a patch, asked of a server: True when AWS's behaviour is there."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from typing import Any

from tests.support.servers import REGION, Endpoint

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/anybody"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
    ],
}
MACHINE = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


def bucket(aws: Endpoint, name: str) -> Any:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def queue(aws: Endpoint, name: str) -> str:
    return str(aws.client("sqs").create_queue(QueueName=name)["QueueUrl"])


def arrives(aws: Endpoint, url: str, seconds: float = 8) -> list[str]:
    """Messages of a queue; an empty list when none comes in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = aws.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
        if found:
            return [str(message["Body"]) for message in found]
        time.sleep(0.2)
    return []


def function(aws: Endpoint, name: str, body: str) -> str:
    """A function with this body; its role exists."""
    iam = aws.client("iam")
    if "anybody" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName="anybody", AssumeRolePolicyDocument=json.dumps(TRUST))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("f.py", f"import boto3, json\ndef handler(event, context):\n    {body}\n")
    made = aws.client("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="f.handler", Code={"ZipFile": package.getvalue()},
        Timeout=30, DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/x"},
    )  # fmt: skip
    return str(made["FunctionArn"])


def topic_to(aws: Endpoint, name: str) -> tuple[str, str]:
    """A topic with a queue that gets what it tells: (topic, queue)."""
    topic, url = aws.client("sns").create_topic(Name=name)["TopicArn"], queue(aws, f"{name}-mail")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-mail")
    return topic, url


# Probes: True when AWS's behaviour is there.


def p1_state_machines(aws: Endpoint) -> bool:
    return bool(aws.client("stepfunctions").validate_state_machine_definition(definition=MACHINE)["result"] == "OK")


def p2_queues(aws: Endpoint) -> bool:
    url = queue(aws, "p2")
    allow = json.dumps({"redrivePermission": "allowAll"})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": allow})
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return bool(attributes.get("RedriveAllowPolicy") == allow)


def p3_bucket_policies(aws: Endpoint) -> bool:
    s3 = bucket(aws, "bucket-p3")
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "arn:aws:s3:::bucket-p3/*"}
    policy = {"Version": "2012-10-17", "Statement": [{**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    s3.put_bucket_policy(Bucket="bucket-p3", Policy=json.dumps(policy))
    s3.put_object(Bucket="bucket-p3", Key="x", Body=b"")
    return True


def p4_bucket_notifications(aws: Endpoint) -> bool:
    s3 = bucket(aws, "bucket-p4")
    s3.put_bucket_notification_configuration(
        Bucket="bucket-p4", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="bucket-p4")


def p5_functions(aws: Endpoint) -> bool:
    function(aws, "p5", "return 1")
    return {"DeadLetterConfig", "LoggingConfig"} <= set(
        aws.client("lambda").get_function_configuration(FunctionName="p5")
    )


def p6_connections(aws: Endpoint) -> bool:
    glue = aws.client("glue")
    glue.create_connection(ConnectionInput={"Name": "p6", "ConnectionType": "NETWORK", "ConnectionProperties": {}})
    kind = glue.get_connection(Name="p6")["Connection"].get("ConnectionType")
    glue.delete_connection(ConnectionName="p6")
    return bool(kind == "NETWORK")


def p7_builds(aws: Endpoint) -> bool:
    aws.client("codebuild").create_project(
        name="p7", serviceRole=ROLE, source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"},
        environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    return True


def p8_pipelines(aws: Endpoint) -> bool:
    function(aws, "p8", "return 1")  # makes the role
    action = {
        "name": "a", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "bucket-p8", "S3ObjectKey": "k"}, "outputArtifacts": [{"name": "o"}],
    }  # fmt: skip
    second = {
        "name": "b",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    aws.client("codepipeline").create_pipeline(
        pipeline={
            "name": "p8", "roleArn": ROLE, "artifactStore": {"type": "S3", "location": "bucket-p8"},
            "stages": [{"name": "one", "actions": [action]}, {"name": "two", "actions": [second]}], "version": 1,
        }
    )  # fmt: skip
    # boto3 reads texts too; Terraform's provider takes numbers only, so look at the answer itself.
    headers = {
        "X-Amz-Target": "CodePipeline_20150709.GetPipeline", "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20240101/{REGION}/codepipeline/aws4_request, "
        "SignedHeaders=host, Signature=x",
    }  # fmt: skip
    request = urllib.request.Request(aws.url, b'{"name": "p8"}', headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return isinstance(json.load(answer)["metadata"]["created"], (int, float))


def p9_queuing(aws: Endpoint) -> bool:
    glue = aws.client("glue")
    glue.create_job(Name="p9", Role=ROLE, Command={"Name": "glueetl"}, JobRunQueuingEnabled=True)
    return bool(glue.get_job(JobName="p9")["Job"].get("JobRunQueuingEnabled"))


def p10_security_group_rules(aws: Endpoint) -> bool:
    ec2 = aws.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="p10", Description="x", VpcId=network)["GroupId"]
    pair = {"GroupId": group, "Description": "each other"}
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return any(one.get("Description") == "each other" for one in rules)


def p11_build_keys(aws: Endpoint) -> bool:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x"
    aws.client("codebuild").create_project(
        name="p11", serviceRole=ROLE, encryptionKey=key, artifacts={"type": "NO_ARTIFACTS"},
        source={"type": "S3", "location": "bucket/key"},
        environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    return bool(aws.client("codebuild").batch_get_projects(names=["p11"])["projects"][0].get("encryptionKey") == key)


def p12_delete_markers(aws: Endpoint) -> bool:
    s3 = bucket(aws, "bucket-p12")
    s3.put_bucket_versioning(Bucket="bucket-p12", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket-p12", Key="x", Body=b"")["VersionId"]
    s3.delete_object(Bucket="bucket-p12", Key="x")
    # Terraform takes the versioning away before it empties the bucket.
    s3.put_bucket_versioning(Bucket="bucket-p12", VersioningConfiguration={"Status": "Suspended"})
    s3.delete_object(Bucket="bucket-p12", Key="x", VersionId=version)
    return True


def p13_databases(aws: Endpoint) -> bool:
    rds, key = aws.client("rds"), f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x"
    rds.create_db_parameter_group(DBParameterGroupName="p13", DBParameterGroupFamily="postgres16", Description="x")
    parameter = {"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="p13", Parameters=[parameter])
    made = rds.create_db_instance(
        DBInstanceIdentifier="p13", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="anybody", ManageMasterUserPassword=True, EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=key,
    )["DBInstance"]  # fmt: skip
    attributes = (made.get("PerformanceInsightsEnabled"), made.get("PerformanceInsightsKMSKeyId"))
    [found] = rds.describe_db_parameters(DBParameterGroupName="p13")["Parameters"]
    return found.get("Source") == "user" and attributes == (True, key)


PROBES = (
    p1_state_machines, p2_queues, p3_bucket_policies, p4_bucket_notifications, p5_functions, p6_connections, p7_builds,
    p8_pipelines, p9_queuing, p10_security_group_rules, p11_build_keys, p12_delete_markers, p13_databases,
)  # fmt: skip
