"""Questions about the chain of events, as in `probes`."""

from __future__ import annotations

import json
import time

from tests.standin.probes import ACCOUNT, ROLE, arrives, bucket, function, queue, topic_to
from tests.support.servers import REGION, Endpoint


def e1_functions(aws: Endpoint) -> bool:
    name = function(aws, "e1", "return event['n'] + 1")
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=b'{"n": 1}')
    return bool(answer["Payload"].read() == b"2")


def e1_pollers(aws: Endpoint) -> bool:
    out = queue(aws, "e1-out")
    body = f"[boto3.client('sqs').send_message(QueueUrl='{out}', MessageBody=r['body']) for r in event['Records']]"
    name = function(aws, "e1-poller", body)
    into = queue(aws, "e1-in")
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:e1-in", FunctionName=name
    )
    aws.client("sqs").send_message(QueueUrl=into, MessageBody="hello")
    return arrives(aws, out) == ["hello"]


def e3_rules(aws: Endpoint) -> bool:
    topic, mail = topic_to(aws, "e3")
    events = aws.client("events")
    events.put_rule(Name="e3", EventPattern=json.dumps({"source": ["e3"]}))
    events.put_targets(Rule="e3", Targets=[{"Id": "t", "Arn": topic}])
    events.put_events(Entries=[{"Source": "e3", "DetailType": "d", "Detail": "{}"}])
    return bool(arrives(aws, mail))


def e4_jobs(aws: Endpoint) -> bool:
    glue = aws.client("glue")
    glue.create_job(Name="e4", Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://nowhere/x.py"})
    run = glue.start_job_run(JobName="e4")["JobRunId"]
    for _ in range(100):
        state = glue.get_job_run(JobName="e4", RunId=run)["JobRun"]["JobRunState"]
        if state in ("SUCCEEDED", "FAILED"):
            return bool(state == "FAILED")  # there is no such script
        time.sleep(0.1)
    return False


def e5_alarms(aws: Endpoint) -> bool:
    topic, mail = topic_to(aws, "e5")
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="e5", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="e5", StateValue="ALARM", StateReason="test")
    return bool(arrives(aws, mail))


def e6_plain_http(aws: Endpoint) -> bool:
    s3 = bucket(aws, "bucket-e6")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}}
    s3.put_bucket_encryption(Bucket="bucket-e6", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="bucket-e6", Key="x", Body=b"")
    return "ServerSideEncryption" not in s3.head_object(Bucket="bucket-e6", Key="x")


EVENT_PROBES = (e1_functions, e1_pollers, e3_rules, e4_jobs, e5_alarms, e6_plain_http)
