"""Sets of files: which key belongs to which file of which set and day, and what a complete set starts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A set without {day} in its files has one day for ever.
NO_DAY = "current"


@dataclass(frozen=True)
class Step:
    """A job that runs after the set's own, with its arguments."""

    job: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class SetRule:
    """What makes a set: `files` maps an input of the job to a key with at most one `{day}`."""

    name: str
    job: str
    files: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)
    then: tuple[Step, ...] = ()
    day_offset: int = 0

    def match(self, key: str) -> tuple[str, str] | None:
        """(input, day) of a key, or None when it is no file of this set. A file may also come as .gz, .zst or .bz2."""
        for name, template in self.files.items():
            before, marker, after = template.partition("{day}")
            day = r"(\d{8})" if marker else "()"
            if found := re.fullmatch(f"{re.escape(before)}{day}{re.escape(after)}(?i:\\.(?:gz|zst|bz2))?", key):
                return name, found[1] or NO_DAY
        return None

    def missing(self, have: Mapping[str, Any], day: str) -> list[str]:
        """The keys that are still to come for a day, in order."""
        return [template.replace("{day}", day) for name, template in sorted(self.files.items()) if name not in have]


@dataclass(frozen=True)
class Arrival:
    """One version of one file. `sequencer` orders the versions of a key."""

    key: str
    version: str
    size: int
    sequencer: str

    def as_item(self) -> dict[str, Any]:
        """As an attribute of the table of sets."""
        return {"key": self.key, "version": self.version, "size": self.size, "sequencer": self.sequencer}


def read_rules(text: str) -> list[SetRule]:
    """The rules from the function's configuration, a JSON object by set name."""
    rules = []
    for name, rule in json.loads(text).items():
        then = tuple(Step(step["job"], step["arguments"]) for step in rule.get("then") or ())
        rules.append(
            SetRule(name, rule["job"], rule["files"], rule.get("arguments") or {}, then, rule.get("day_offset") or 0)
        )
    return rules


def find_rule(rules: list[SetRule], key: str) -> tuple[SetRule, str, str] | None:
    """(rule, input, day) of a key, or None when no set knows it."""
    for rule in rules:
        if found := rule.match(key):
            return rule, *found
    return None


def set_id(rule: SetRule, day: str) -> str:
    """The name people use for a set: customer_orders/20220130."""
    return f"{rule.name}/{day}"


def comparable(sequencer: str) -> str:
    """S3's sequencers are hexadecimal and of different lengths: they compare when padded on the right."""
    return sequencer.ljust(32, "0")


def fingerprint(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Which versions of which files a run is about."""
    versions = json.dumps([[name, file["key"], file["version"]] for name, file in sorted(files.items())])
    return hashlib.sha256(versions.encode()).hexdigest()


def execution_name(rule: SetRule, day: str, revision: int, print_: str) -> str:
    """Unique for a revision of a set: the state machine refuses a second execution of the same name."""
    return f"{rule.name}-{day}-r{revision}-{print_[:12]}"


def execution_input(
    rule: SetRule, day: str, revision: int, name: str, files: Mapping[str, Mapping[str, Any]],
    jobs: Mapping[str, str], source: str, destination: str,
) -> dict[str, Any]:  # fmt: skip
    """What the state machine gets: the jobs in sequence, each with its arguments."""
    results = f"s3://{destination}/{rule.job}/{day}"
    known = {"{day}": day, "{source}": f"s3://{source}", "{destination}": results}
    inputs = {f"--{input_}": f"s3://{source}/{file['key']}" for input_, file in sorted(files.items())}
    first = inputs | {"--destination": results, "--run-id": name} | _filled(rule.arguments, known)
    steps = [{"job": jobs[rule.job], "arguments": first}]
    for step in rule.then:
        own = {"--destination": f"s3://{destination}/{step.job}/{rule.name}/{day}", "--run-id": name}
        steps.append({"job": jobs[step.job], "arguments": own | _filled(step.arguments, known)})
    return {"set": set_id(rule, day), "revision": str(revision), "steps": steps}


def _filled(arguments: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    done = dict(arguments)
    for name, value in known.items():
        done = {option: text.replace(name, value) for option, text in done.items()}
    return done
