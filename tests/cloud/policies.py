"""Reads the roles' policies out of Terraform's own test run, and decides what they allow as AWS would."""

from __future__ import annotations

import fnmatch
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standin.control import TERRAFORM, plugin_mirror

Statement = Mapping[str, Any]
ACCOUNT, REGION, PREFIX = "123456789012", "eu-west-1", "partner-data-prod"
SOURCE, DESTINATION, ARTIFACTS = (
    f"arn:aws:s3:::{PREFIX}-{ACCOUNT}-{kind}" for kind in ("source", "destination", "artifacts")
)


@dataclass(frozen=True)
class Layout:
    """Everything that Terraform's test `everything` set up with its mocked provider."""

    resources: list[dict[str, Any]]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Values of all resources of a type, by address."""
        return {item["address"]: item["values"] for item in self.resources if item["type"] == kind}

    def roles(self) -> dict[str, list[Statement]]:
        """The statements of every role, by the role's name."""
        found: dict[str, list[Statement]] = {}
        for values in self.of_type("aws_iam_role_policy").values():
            found.setdefault(values["role"], []).extend(json.loads(values["policy"])["Statement"])
        return found


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def read_layout(folder: pathlib.Path) -> Layout:
    """Runs Terraform's test of the whole layout and reads what it made; no server and no network is needed."""
    mirror = plugin_mirror()
    environment = {**os.environ, "TF_DATA_DIR": str(folder), "TF_IN_AUTOMATION": "true"}
    if mirror:
        environment["TF_CLI_CONFIG_FILE"] = os.devnull
    init = ["terraform", "init", "-backend=false", "-input=false", *([f"-plugin-dir={mirror}"] if mirror else [])]
    subprocess.run(init, cwd=TERRAFORM, env=environment, check=True, capture_output=True)
    test = ["terraform", "test", "-json", "-verbose", "-filter=tests/layout.tftest.hcl"]
    done = subprocess.run(test, cwd=TERRAFORM, env=environment, check=False, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        if entry.get("type") == "test_state":
            return Layout(list(_resources(entry["test_state"]["root_module"])))
    raise AssertionError(f"terraform test gave no state:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _texts(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _fits(text: str, patterns: Any) -> bool:
    # In IAM only * and ? are wild.
    return any(fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in _texts(patterns))


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    for operator, wanted in conditions.items():
        if operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:") not in (
            "StringEquals",
            "StringLike",
            "ArnEquals",
            "ArnLike",
            "Bool",
        ):
            raise ValueError(f"a policy has the condition {operator}, which this reading does not know")
        for key, patterns in wanted.items():
            if key not in context:
                return False
            exact = operator.endswith("StringEquals") or operator == "Bool"
            if not (context[key] in _texts(patterns) if exact else _fits(context[key], patterns)):
                return False
    return True


def allowed(statements: list[Statement], action: str, resource: str, **context: str) -> bool:
    """Whether the statements allow an action on a resource: one allows it and none denies it.

    Names in `context` have dashes and colons written as one and two underscores: s3__prefix, kms__ViaService.
    """
    known = {key.replace("__", ":"): value for key, value in context.items()}
    fitting = [
        statement["Effect"]
        for statement in statements
        if _fits(action, statement["Action"])
        and _fits(resource, statement["Resource"])
        and _holds(statement.get("Condition", {}), known)
    ]
    return "Allow" in fitting and "Deny" not in fitting


def listing(roles: Mapping[str, list[Statement]]) -> str:
    """What each role may do, a line an action: role, action, resources, conditions. Written to roles.txt."""
    lines = []
    for role, statements in sorted(roles.items()):
        lines.append(role)
        for statement in statements:
            sign = "" if statement["Effect"] == "Allow" else "never "
            resources = " ".join(sorted(_texts(statement["Resource"])))
            conditions = json.dumps(statement["Condition"], sort_keys=True) if "Condition" in statement else ""
            lines.append(f"  {sign}{' '.join(sorted(_texts(statement['Action'])))}")
            lines.append(f"      on {resources}" + (f"  if {conditions}" if conditions else ""))
        lines.append("")
    return "\n".join(lines)
