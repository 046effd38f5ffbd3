"""The table of sets: one item per set and day, changed by conditional writes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from services.arrivals.sets import Arrival, comparable

KEEP_SECONDS = 400 * 86400


@dataclass(frozen=True)
class SetState:
    """What is known of a set: its files by input, the revision that was claimed last, and for which versions."""

    files: dict[str, dict[str, Any]]
    revision: int
    claimed: str
    started: int


def _plain(item: dict[str, Any]) -> SetState:
    files = {name.removeprefix("file:"): value for name, value in item.items() if name.startswith("file:")}
    for file in files.values():
        file["size"] = int(file["size"])
    return SetState(files, int(item.get("revision", 0)), str(item.get("claimed", "")), int(item.get("started", 0)))


def _refused(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


class SetStore:
    """Reads and changes sets in a DynamoDB table (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def read(self, id_: str) -> SetState:
        """The set as it is now (a consistent read)."""
        return _plain(self._table.get_item(Key={"id": id_}, ConsistentRead=True).get("Item", {}))

    def record(self, id_: str, input_: str, arrival: Arrival, now: int) -> bool:
        """Notes a file. False when this version is known already, or a later one is (events repeat and come late)."""
        return self._update(
            id_,
            "SET #file = :file, expires = :expires",
            "attribute_not_exists(#file) OR (#file.#sequencer <= :sequencer AND #file.#version <> :version)",
            {"#file": f"file:{input_}", "#sequencer": "sequencer", "#version": "version"},
            {
                ":file": {**arrival.as_item(), "sequencer": comparable(arrival.sequencer)},
                ":sequencer": comparable(arrival.sequencer),
                ":version": arrival.version,
                ":expires": now + KEEP_SECONDS,
            },
        )

    def claim(self, id_: str, state: SetState, print_: str, *, restart: bool = False) -> bool:
        """Takes the next revision for the versions in `state`. False when another worker was first or a file changed.

        With `restart` the same versions may be claimed once more (a redrive).
        """
        names = {"#revision": "revision"}
        values: dict[str, Any] = {":claimed": print_, ":old": state.revision, ":new": state.revision + 1}
        conditions = ["(attribute_not_exists(#revision) OR #revision = :old)"]
        if not restart:
            conditions.append("(attribute_not_exists(claimed) OR claimed <> :claimed)")
        for at, (input_, file) in enumerate(sorted(state.files.items())):
            names |= {f"#f{at}": f"file:{input_}", "#version": "version"}
            values[f":v{at}"] = file["version"]
            conditions.append(f"#f{at}.#version = :v{at}")
        return self._update(id_, "SET #revision = :new, claimed = :claimed", " AND ".join(conditions), names, values)

    def mark_started(self, id_: str, revision: int) -> None:
        """Notes that a revision's execution exists; never goes back to an older revision."""
        self._update(
            id_, "SET started = :revision", "attribute_not_exists(started) OR started < :revision",
            {}, {":revision": revision},
        )  # fmt: skip

    def mark_reported(self, id_: str, what: str, now: int) -> bool:
        """True for the first to report `what` of a set."""
        return self._update(
            id_, "SET #reported = :now, expires = :expires", "attribute_not_exists(#reported)",
            {"#reported": f"reported:{what}"}, {":now": now, ":expires": now + KEEP_SECONDS},
        )  # fmt: skip

    def _update(self, id_: str, change: str, condition: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        request: dict[str, Any] = {
            "Key": {"id": id_},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            self._table.update_item(**request)
        except ClientError as error:
            if _refused(error):
                return False
            raise
        return True
