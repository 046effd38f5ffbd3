"""Patches that make the chain of events really run: functions, jobs, rules with any target, queue pollers."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import threading
import time
import uuid
from typing import Any

import boto3

from tests.standin import runtime


def client(service: str, region: str = runtime.REGION) -> Any:
    """A client of the stand-in itself."""
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=region)


def in_background(work: Any, *arguments: Any) -> None:
    """AWS delivers later, not within the caller's request."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


def e1_functions() -> None:
    """Lambda: all ways to a function meet in one place, which needs Docker. Run its package in a process instead."""
    from moto.awslambda.models import LambdaFunction

    def _invoke_lambda(self: Any, event: Any = None) -> tuple[str, bool, str]:
        self.logs_backend.ensure_log_group(self.logs_group_name)
        text = event if isinstance(event, str) else json.dumps(event or {})
        # A busy machine starts Python slowly; the limit itself is Lambda's affair.
        seconds, endpoint = max(120, self.timeout), os.environ["AWS_ENDPOINT_URL"]
        variables = {**self.environment_vars, "AWS_LAMBDA_RUNTIME": self.run_time or ""}
        answer = runtime.run_function(self.code_bytes, self.handler, text, seconds, variables, endpoint)
        print(f"[function {self.function_name}] {answer[0][:300]}", flush=True)
        if answer[1]:
            print(answer[2], flush=True)
        return answer

    LambdaFunction._invoke_lambda = _invoke_lambda


class _Mappings(dict[str, Any]):
    """The mappings of a queue; moto would call the function while a message is being sent, so it sees none."""

    def items(self) -> Any:
        return ()


def e1_pollers() -> None:
    """SQS to Lambda: poll like Lambda does, so that a failed message comes again and ends as a dead letter."""
    from moto.awslambda.models import EventSourceMapping
    from moto.sqs.models import Queue

    plain_queue, plain_mapping = Queue.__init__, EventSourceMapping.__init__

    def queue_init(self: Any, *given: Any, **named: Any) -> None:
        plain_queue(self, *given, **named)
        self.lambda_event_source_mappings = _Mappings()

    def mapping_init(self: Any, *given: Any, **named: Any) -> None:
        plain_mapping(self, *given, **named)
        in_background(_poll, self)

    Queue.__init__, EventSourceMapping.__init__ = queue_init, mapping_init


def _poll(mapping: Any) -> None:
    queue_arn = mapping.event_source_arn
    sqs, functions = client("sqs"), client("lambda")
    while True:
        time.sleep(0.3)
        with contextlib.suppress(Exception):  # the queue or the function may be gone: destroy has no order
            if not mapping.enabled:
                continue
            url = sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"]
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=min(10, mapping.batch_size)).get(
                "Messages", []
            )
            if messages:
                _give(functions, sqs, url, queue_arn, mapping.function_arn, messages)


def _give(functions: Any, sqs: Any, url: str, queue_arn: str, function: str, messages: list[Any]) -> None:
    records = [
        {
            "messageId": m["MessageId"],
            "receiptHandle": m["ReceiptHandle"],
            "body": m["Body"],
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
        }
        for m in messages
    ]
    answer = functions.invoke(FunctionName=function, Payload=json.dumps({"Records": records}))
    answered = json.loads(answer["Payload"].read() or b"null") or {}
    failed = {item["itemIdentifier"] for item in answered.get("batchItemFailures", [])}
    for message in messages:
        if "FunctionError" in answer or message["MessageId"] in failed:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        else:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def e2_sync_tasks() -> None:
    """Step Functions: every `.sync` task ends in an error, because a call-back that is None is interrupted.

    Must run before anything else imports the parser: its classes are derived from the module that is mended.
    """
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback as module,
    )

    source = inspect.getsource(module)
    wrong = "            callback_endpoint.interrupt_all()"
    if wrong not in source:
        raise RuntimeError("moto's state_task_service_callback has changed: look whether e2 is still needed")
    mended = source.replace(wrong, "            callback_endpoint and callback_endpoint.interrupt_all()")
    exec(compile(mended, str(module.__file__), "exec"), module.__dict__)


def e3_rules() -> None:
    """EventBridge: a target moto does not know stops the rules after it. Deliver to all of ours."""
    from moto.events.models import Rule

    plain = Rule.send_to_targets

    def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        event = {"ingestion-time": time.time(), **original_event}
        if not self.event_pattern.matches_event(event):
            return
        own = [target for target in self.targets if target["Arn"].split(":")[2] in ("lambda", "states", "sns", "glue")]
        for target in own:
            in_background(_deliver, target, event)
        everything = self.targets
        self.targets = [target for target in everything if target not in own]
        try:
            plain(self, event, transform_input)
        finally:
            self.targets = everything

    Rule.send_to_targets = send_to_targets


def _filled(target: Any, event: Any) -> str:
    """The target's text: a template with the event's values, as EventBridge fills it, or the event itself."""
    if "Input" in target:
        return str(target["Input"])
    answered = {**event, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(event["time"])))}
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(answered)
    text = transformer["InputTemplate"]
    for name, path in transformer.get("InputPathsMap", {}).items():
        value: Any = answered
        for part in path.removeprefix("$.").split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        # As they are: EventBridge does not escape what it puts into a template.
        text = text.replace(f"<{name}>", value if isinstance(value, str) else json.dumps(value))
    text = text.replace("<aws.events.event.json>", json.dumps(answered))
    filled = json.loads(text)
    return filled if isinstance(filled, str) else text


def _deliver(target: Any, event: Any) -> None:
    try:
        text = _filled(target, event)
    except ValueError as error:  # a filled template that is no JSON goes to the dead letters, or is lost
        dead = target.get("DeadLetterConfig", {}).get("Arn", "")
        print(f"[target {target['Arn']}] {error}; dead letters: {dead or 'none'}", flush=True)
        if dead:
            sqs = client("sqs")
            url = sqs.get_queue_url(QueueName=dead.rsplit(":", 1)[1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        return
    arn = target["Arn"]
    service = arn.split(":")[2]
    if service == "lambda":
        client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text)
    elif service == "states":
        client("stepfunctions").start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input=text)
    elif service == "sns":
        client("sns").publish(TopicArn=arn, Message=text)
    else:
        client("glue").start_job_run(JobName=arn.rsplit("/", 1)[1])


def e5_alarms() -> None:
    """CloudWatch: a state set by hand does nothing. Tell the alarm's topics, as CloudWatch does."""
    from moto.cloudwatch.models import CloudWatchBackend

    plain = CloudWatchBackend.set_alarm_state

    def set_alarm_state(self: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        plain(self, alarm_name, reason, reason_data, state_value)
        alarm = self.alarms[alarm_name]
        text = {
            "AlarmName": alarm_name,
            "AlarmDescription": alarm.description,
            "NewStateValue": state_value,
            "NewStateReason": reason,
        }
        for topic in alarm.alarm_actions if state_value == "ALARM" else []:
            in_background(lambda arn: client("sns").publish(TopicArn=arn, Message=json.dumps(text)), topic)

    CloudWatchBackend.set_alarm_state = set_alarm_state


def e6_plain_http() -> None:
    """S3: Spark's S3A will not copy an object that tells of its KMS key over plain HTTP. The stand-in has no HTTPS."""
    from moto.s3.models import FakeKey

    plain = FakeKey.response_dict.fget

    def response_dict(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = plain(self)
        return {name: value for name, value in found.items() if not name.startswith("x-amz-server-side-encryption")}

    FakeKey.response_dict = property(response_dict)


def e7_failures_in_maps() -> None:
    """Step Functions: a task that fails within a Map loses its message, because its error begins with "States."."""
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker

    class AnyErrorName(ErrorName):
        """A name as it is."""

        def __init__(self, error_name: str | None) -> None:
            super().__init__(error_name=error_name)

    iteration_worker.CustomErrorName = AnyErrorName
