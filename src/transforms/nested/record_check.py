"""The first look at a record: is it JSON, what are its keys, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.nested.rows.router import digest
from transforms.nested.schema.rules import Rule, parse_path
from transforms.nested.schema.stats import Place
from transforms.nested.values.parse import NotJsonError, Parser, canonical

DEPTH = 100
# Values are looked at while the processor's cache still holds them.
_SEEN_BYTES = 128 << 10


@dataclass(frozen=True)
class Reading:
    """How documents are read: the decisions per path, the levels that become tables, the root's key columns.

    `separated` says that blanks and commas may follow a document in `_raw`, as a reader of arrays leaves them.
    """

    rules: Rule = field(default_factory=Rule)
    depth: int = DEPTH
    lenient: bool = False
    keys: tuple[str, ...] = ()
    separated: bool = False

    def document(self, raw: str) -> str:
        """The document in a record's text."""
        return raw.rstrip(" \t\r\n,") if self.separated else raw


def _key_of(value: Any, paths: Sequence[tuple[str, ...]]) -> str:
    found = []
    for path in paths:
        item = value
        for step in path:
            item = item.get(step) if isinstance(item, dict) else None
        if item is None:
            raise NotJsonError("missing_key", f"no value for the key {'.'.join(path)}")
        found.append(item)
    return digest(canonical(found))


class Check:
    """Checks records one after the other, and sees what is in some of them at once."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._parser = reading, Parser(reading.lenient)
        self._paths = [parse_path(key) for key in reading.keys]
        self._place = Place(reading.rules)
        self._values: list[Any] = []
        self._size = 0

    def record(self, text: str | None) -> tuple[Any, ...]:
        """One record: reason and detail when it is refused, else its key, content hash and repeated keys."""
        try:
            value = self._parser.parse(self._reading.document(text or ""))
            content = canonical(value)
            identity = digest(content)
            key = _key_of(value, self._paths) if self._paths else identity
        except NotJsonError as error:
            return error.reason, str(error), None, None, None
        self._values.append(value)
        self._size += len(content)
        if self._size > _SEEN_BYTES:
            self.seen()
        return None, None, key, identity, ", ".join(sorted(set(self._parser.repeated(content)))) or None

    def seen(self) -> Place:
        """What was seen so far."""
        self._place.see(self._values, self._reading.depth)
        self._values, self._size = [], 0
        return self._place
