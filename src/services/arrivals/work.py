"""What happens when a file arrives, when a set is due, and when somebody starts a set again."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from services.arrivals.sets import (
    Arrival,
    SetRule,
    execution_input,
    execution_name,
    find_rule,
    fingerprint,
    set_id,
)
from services.arrivals.store import SetState, SetStore

_ATTEMPTS = 20


@dataclass(frozen=True)
class Settings:
    """The function's configuration."""

    rules: list[SetRule]
    jobs: Mapping[str, str]
    source: str
    destination: str
    state_machine: str
    topic: str
    max_object_bytes: int
    reference_files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Arrivals:
    """The work of the function. `s3`, `sns` and `states` are boto3 clients."""

    settings: Settings
    store: SetStore
    s3: Any
    sns: Any
    states: Any
    now: Callable[[], float] = time.time

    def arrived(self, key: str, version: str, size: int, sequencer: str) -> str:
        """A file arrived: notes it and starts its set when that is complete. Returns what was done, for the log."""
        if key in self.settings.reference_files:
            return f"{key} belongs to no set: jobs take it as it is"
        found = find_rule(self.settings.rules, key)
        if found is None:
            return self._refuse(
                key,
                version,
                "no set has a file of this name",
                "rename the file and send it again, or add it to the variable sets",
            )
        rule, input_, day = found
        if size > self.settings.max_object_bytes:
            limit = self.settings.max_object_bytes
            return self._refuse(
                key,
                version,
                f"{size} bytes are over the limit of {limit}",
                f"send it in parts, or raise max_object_bytes, apply, and run make redrive KEY='{key}'",
            )
        unreadable = self._unreadable(key, version)
        if unreadable:
            return self._refuse(
                key,
                version,
                f"the object cannot be read ({unreadable})",
                f"see its key, storage class and deletion; then send it again or run make redrive KEY='{key}'",
            )
        noted = self.store.record(set_id(rule, day), input_, Arrival(key, version, size, sequencer), int(self.now()))
        return ("" if noted else "known; ") + self.start_if_complete(rule, day)

    def start_if_complete(self, rule: SetRule, day: str, *, restart: bool = False) -> str:
        """Starts a complete set, once for the versions of its files; `restart` starts it in any case."""
        id_ = set_id(rule, day)
        for _ in range(_ATTEMPTS):
            state = self.store.read(id_)
            missing = rule.missing(state.files, day)
            if missing:
                return f"{id_} waits for {', '.join(missing)}"
            print_ = fingerprint(state.files)
            if state.claimed == print_ and not restart:
                if state.started >= state.revision:
                    return f"{id_} was started already as revision {state.revision}"
                # Claimed, but whoever claimed it may have died before the start: the execution's name keeps it single.
                return self._start(rule, day, state, state.revision, print_)
            if self.store.claim(id_, state, print_, restart=restart):
                return self._start(rule, day, state, state.revision + 1, print_)
        raise RuntimeError(f"{id_} changed {_ATTEMPTS} times while it was read")

    def _start(self, rule: SetRule, day: str, state: SetState, revision: int, print_: str) -> str:
        unknown = [job for job in [rule.job, *(step.job for step in rule.then)] if job not in self.settings.jobs]
        if unknown:
            text = f"it needs the job {', '.join(unknown)}, which does not exist"
            self.alert(
                f"Set {set_id(rule, day)} was not started",
                text,
                f"mend the variable sets, apply, and run make redrive SET={set_id(rule, day)}",
            )
            return text
        name = execution_name(rule, day, revision, print_)
        settings = self.settings
        content = execution_input(
            rule, day, revision, name, state.files, settings.jobs, settings.source, settings.destination
        )
        try:
            self.states.start_execution(stateMachineArn=settings.state_machine, name=name, input=json.dumps(content))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
        self.store.mark_started(set_id(rule, day), revision)
        return f"started {name}"

    def due(self, name: str, at: str) -> str:
        """A set's hour has come: reports the files that are missing, once. `at` is an ISO time, UTC."""
        rule = self._rule(name)
        day = (
            datetime.datetime.fromisoformat(at.replace("Z", "+00:00")) + datetime.timedelta(days=rule.day_offset)
        ).strftime("%Y%m%d")
        id_ = set_id(rule, day)
        missing = rule.missing(self.store.read(id_).files, day)
        if not missing:
            return f"{id_} is complete"
        if self.store.mark_reported(id_, "missing", int(self.now())):
            names = ", ".join(missing)
            self.alert(
                f"Set {id_} is not complete",
                f"missing: {names}",
                f"ask the sender for {names}; the set starts by itself when the last file is there",
            )
        return f"{id_} misses {', '.join(missing)}"

    def restart(self, id_: str) -> str:
        """Starts a set again as a new revision."""
        name, _, day = id_.partition("/")
        return self.start_if_complete(self._rule(name), day, restart=True)

    def receive(self, key: str) -> str:
        """Handles a file that lies in the source bucket as if it had just arrived."""
        head = self.s3.head_object(Bucket=self.settings.source, Key=key)
        found = find_rule(self.settings.rules, key)
        known = self.store.read(set_id(found[0], found[2])).files.get(found[1], {}) if found else {}
        # What lies there now is the newest version: as late as the one that is known, and earlier than any to come.
        return self.arrived(key, head.get("VersionId", ""), head["ContentLength"], known.get("sequencer", ""))

    def alert(self, subject: str, what: str, advice: str) -> None:
        """Sends an alert that says what to do."""
        self.sns.publish(
            TopicArn=self.settings.topic, Subject=subject[:100], Message=f"{subject}: {what}.\nWhat to do: {advice}."
        )

    def _rule(self, name: str) -> SetRule:
        for rule in self.settings.rules:
            if rule.name == name:
                return rule
        known = ", ".join(sorted(rule.name for rule in self.settings.rules))
        raise ValueError(f"no set {name}; have {known}")

    def _refuse(self, key: str, version: str, why: str, advice: str) -> str:
        if self.store.mark_reported(f"refused/{key}", version, int(self.now())):
            self.alert("A file was refused", f"s3://{self.settings.source}/{key}: {why}", advice)
        return f"refused {key}: {why}"

    def _unreadable(self, key: str, version: str) -> str:
        wanted = {"VersionId": version} if version else {}
        try:
            head = self.s3.head_object(Bucket=self.settings.source, Key=key, **wanted)
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            # Not an answer about the object: let the queue deliver the event again.
            if code not in (
                "400",
                "403",
                "404",
                "405",
                "AccessDenied",
                "NoSuchKey",
                "NoSuchVersion",
                "InvalidObjectState",
                "KMS.DisabledException",
            ):
                raise
            return code
        archived = head.get("StorageClass") in (
            "GLACIER",
            "DEEP_ARCHIVE",
        ) and 'ongoing-request="false"' not in head.get("Restore", "")
        return "archived" if archived else ""
