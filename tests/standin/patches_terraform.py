"""Patches without which Terraform's provider cannot apply, or sees changes for ever. Each `p*` returns nothing.

Every patch is one function; `tests/standin/test_patches.py` shows, without the patch, what is wrong in plain moto.
"""

from __future__ import annotations

import json
from typing import Any


def p1_state_machines() -> None:
    """Step Functions: ValidateStateMachineDefinition and ListStateMachineVersions are missing."""
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend
    from moto.stepfunctions.responses import StepFunctionResponse

    def validate(self: Any) -> str:
        try:
            StepFunctionsParserBackend._validate_definition(definition=self._get_param("definition"))
        except Exception as error:
            found = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": str(error)}
            return json.dumps({"result": "FAIL", "diagnostics": [found]})
        return json.dumps({"result": "OK", "diagnostics": []})

    StepFunctionResponse.validate_state_machine_definition = validate
    StepFunctionResponse.list_state_machine_versions = lambda self: json.dumps({"stateMachineVersions": []})


def p2_queues() -> None:
    """SQS: RedriveAllowPolicy is dropped; RedrivePolicy comes back with blanks that it was not given."""
    from moto.sqs.models import Queue

    plain = Queue.attributes.fget

    def attributes(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = plain(self)
        if "RedrivePolicy" in found:
            found["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        return {name: value for name, value in found.items() if value or name != "RedriveAllowPolicy"}

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    Queue.attributes = property(attributes)


def p3_bucket_policies() -> None:
    """S3: a bucket policy's Deny counts even when its condition does not hold, so TLS-only refuses everything."""
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        kept = [s for s in policy["Statement"] if not (s["Effect"] == "Deny" and "Condition" in s)]
        return IAMPolicy(json.dumps({**policy, "Statement": kept})).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


def p4_bucket_notifications() -> None:
    """S3: GetBucketNotificationConfiguration does not tell that EventBridge is on."""
    from moto.s3.responses import S3Response

    plain = S3Response.serialized

    def serialized(self: Any, result: Any) -> Any:
        if self.data.get("Action") == "GetBucketNotificationConfiguration":
            configuration = self.backend.get_bucket(self.bucket_name).notification_configuration
            if configuration is not None and configuration.event_bridge is not None:
                result._result["EventBridgeConfiguration"] = {}
        return plain(self, result)

    S3Response.serialized = serialized


def p5_functions() -> None:
    """Lambda: DeadLetterConfig and LoggingConfig are forgotten."""
    from moto.awslambda.models import LambdaFunction

    plain_init, plain_get = LambdaFunction.__init__, LambdaFunction.get_configuration

    def init(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        plain_init(self, account_id, spec, *rest, **named)
        self.kept = {name: spec[name] for name in ("DeadLetterConfig", "LoggingConfig") if spec.get(name)}

    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:
        return {**plain_get(self, on_create), **self.kept}

    LambdaFunction.__init__, LambdaFunction.get_configuration = init, get_configuration


def p6_connections() -> None:
    """Glue: a connection forgets its type and cannot be deleted."""
    from moto.glue.models import FakeConnection
    from moto.glue.responses import GlueResponse

    plain = FakeConnection.as_dict

    def as_dict(self: Any, hide_password: bool = False) -> dict[str, Any]:
        return {**plain(self, hide_password), "ConnectionType": self.connection_input["ConnectionType"]}

    def delete_connection(self: Any) -> str:
        self.glue_backend.connections.pop(self._get_param("ConnectionName"), None)
        return "{}"

    FakeConnection.as_dict = as_dict
    GlueResponse.delete_connection = delete_connection


def p7_builds() -> None:
    """CodeBuild: a project that gets its source from CodePipeline is refused for want of a location."""
    from moto.codebuild import responses

    for name in ("_validate_required_params_source", "_validate_required_params_artifacts"):
        plain = getattr(responses, name)
        setattr(responses, name, lambda given, plain=plain: None if given["type"] == "CODEPIPELINE" else plain(given))


def p8_pipelines() -> None:
    """CodePipeline: times are text where the protocol has numbers."""
    from moto.codepipeline.models import CodePipeline

    plain = CodePipeline.metadata.fget

    def metadata(self: Any) -> dict[str, Any]:
        times = {"created": self._created.timestamp(), "updated": self._updated.timestamp()}
        return {**plain(self), **times}

    CodePipeline.metadata = property(metadata)


def p9_queuing() -> None:
    """Glue: a job forgets that its runs wait for one another (JobRunQueuingEnabled)."""
    from moto.glue.models import FakeJob
    from moto.glue.responses import GlueResponse

    plain_create, plain_dict = GlueResponse.create_job, FakeJob.as_dict

    def create_job(self: Any) -> Any:
        answer = plain_create(self)
        self.glue_backend.get_job(self._get_param("Name")).queuing = bool(self._get_param("JobRunQueuingEnabled"))
        return answer

    GlueResponse.create_job = create_job
    FakeJob.as_dict = lambda self: {**plain_dict(self), "JobRunQueuingEnabled": getattr(self, "queuing", False)}


def p10_security_group_rules() -> None:
    """EC2: a rule that names another group or a prefix list forgets its description."""
    from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule

    def keeping(plain: Any) -> Any:
        def authorize(self: Any, *given: Any, **named: Any) -> Any:
            rules, group = plain(self, *given, **named)
            places = [*named.get("source_groups", []), *named.get("prefix_list_ids", [])]
            for rule, place in zip(rules, places, strict=False):
                rule.described = place.get("Description")
            return rules, group

        return authorize

    for name in ("authorize_security_group_ingress", "authorize_security_group_egress"):
        setattr(SecurityGroupBackend, name, keeping(getattr(SecurityGroupBackend, name)))
    either = property(lambda self: self.ip_range.get("Description") or getattr(self, "described", None))
    SecurityGroupRule.description = either


def p11_build_keys() -> None:
    """CodeBuild: a project forgets its own key."""
    from moto.codebuild.responses import CodeBuildResponse

    plain = CodeBuildResponse.create_project

    def create_project(self: Any) -> Any:
        answer = plain(self)
        if key := self._get_param("encryptionKey"):
            self.codebuild_backend.codebuild_projects[self._get_param("name")].project_metadata["encryptionKey"] = key
        return answer

    CodeBuildResponse.create_project = create_project


def p12_delete_markers() -> None:
    """S3: an object with a delete marker cannot be deleted for good once versioning is suspended."""
    from moto.s3.models import FakeDeleteMarker

    FakeDeleteMarker.dispose = lambda self: None


def p13_databases() -> None:
    """RDS: parameters do not tell that they were set by the user; Performance Insights is forgotten."""
    from moto.rds.models import DBInstance, DBParameterGroup

    plain_init, plain_update = DBInstance.__init__, DBParameterGroup.update_parameters

    def init(self: Any, *given: Any, **named: Any) -> None:
        plain_init(self, *given, **named)
        self.performance_insights_enabled = bool(named.get("enable_performance_insights"))
        self.performance_insights_kms_key_id = named.get("performance_insights_kms_key_id")
        self.performance_insights_retention_period = 7 if self.performance_insights_enabled else None

    def update_parameters(self: Any, new_parameters: Any) -> None:
        plain_update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    DBInstance.__init__, DBParameterGroup.update_parameters = init, update_parameters


PATCHES = (
    p1_state_machines, p2_queues, p3_bucket_policies, p4_bucket_notifications,
    p5_functions, p6_connections, p7_builds, p8_pipelines, p9_queuing,
    p10_security_group_rules,
    p11_build_keys,
    p12_delete_markers,
    p13_databases,
)  # fmt: skip
