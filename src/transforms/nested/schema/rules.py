"""What a person decides per path: `a.b=table|columns|json|map|skip`, and which paths are wanted at all."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

CHOICES = ("table", "columns", "json", "map", "recursive", "skip")
# The choice of records: arrays of scalars are columns, others tables.
ROW = "row"
# The step to an array's elements, where arrays are not gone through anyway.
ELEMENTS = "[]"
# What is opened before anything is counted: see `unpack`.
UNPACKED = ("parse", "dynamodb")
_STEP = re.compile(r'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<plain>[^."]+)')


class RuleError(ValueError):
    """A path or a choice that is not written as it should be."""


@dataclass
class Rule:
    """The decision at one place of the documents and below it.

    `choice` is None where the place decides for itself; `wanted` is False where only named paths below are wanted;
    `known` are keys that stay columns whatever their number (a locked schema has them).
    """

    choice: str | None = None
    below: dict[str, Rule] = field(default_factory=dict)
    wanted: bool = True
    known: frozenset[str] = frozenset()

    def step(self, key: str) -> Rule | None:
        """The rule of the value at `key`; None when it is skipped. `*` means the keys of a map."""
        rule = self.below.get(key) or self.below.get("*")
        if rule is None:
            return _FREE if self.wanted else None
        return None if rule.choice == "skip" else rule

    def names(self, key: str) -> bool:
        """Whether the key stays a column, however many others make a map: a choice or a locked schema names it."""
        return key in self.known or key in self.below

    def items(self) -> Rule:
        """The rule of an array's elements: the paths below, without the array's own choice but with that of `[]`."""
        if not self.below and self.wanted and not self.known:
            return _FREE
        own = self.below.get(ELEMENTS)
        if own is None:
            return Rule(None, self.below, self.wanted, self.known)
        others = {key: rule for key, rule in self.below.items() if key != ELEMENTS}
        return Rule(own.choice, others | own.below, self.wanted or own.wanted, self.known | own.known)

    def entries(self) -> Rule:
        """The rule of the values of a map."""
        return self.step("*") or Rule("skip")

    def kept(self, value: Any) -> Any:
        """A value without what is skipped in it, and without objects of which nothing is left; not changed itself."""
        if self.wanted and not self.below:
            return value
        if isinstance(value, list):
            items = self.items()
            return [items.kept(item) for item in value if items.wants_value(item)]
        if not isinstance(value, dict):
            return value
        rules = ((key, item, rule) for key, item in value.items() if (rule := self.step(key)) is not None)
        found = ((key, item, rule.kept(item)) for key, item, rule in rules if rule.wants_value(item))
        return {key: kept for key, item, kept in found if kept or not item}

    def wants_value(self, value: Any) -> bool:
        """Whether a value here may be published: where only paths below are wanted, objects and arrays alone."""
        return self.wanted or isinstance(value, dict | list)

    def wants(self, path: Iterable[str]) -> bool:
        """Whether nothing on the way to a path, or there, is skipped."""
        rule: Rule | None = self
        for key in path:
            rule = rule and rule.step(key)
        return rule is not None

    def know(self, path: Sequence[str], key: str) -> None:
        """Makes `key` of the object at `path` a column for good, unless the path is not wanted."""
        if self.wants(path):
            self.at(path).known |= {key}

    def at(self, path: Iterable[str], *, chosen: bool = False) -> Rule:
        """The rule at a path below this one, made when it is not there: as that of `*`, where there is one.

        A person who names the path decides it anew (`chosen`): what was said below `*` holds, its own choice does not.
        """
        rule = self
        for key in path:
            if key not in rule.below:
                rule.below[key] = copy.deepcopy(rule.below.get("*")) or Rule(wanted=rule.wanted)
                rule.below[key].choice = None if chosen else rule.below[key].choice
            rule = rule.below[key]
        return rule


_FREE = Rule()


def parse_path(text: str) -> tuple[str, ...]:
    """The keys of a dotted path; a key with dots goes in double quotes, `*` is any key of a map, `[]` any element of an
    array.

    >>> parse_path('a."x.y".b')
    ('a', 'x.y', 'b')
    """
    keys: list[str] = []
    at = 0
    while at <= len(text):
        match = _STEP.match(text, at)
        if match is None or (match.end() < len(text) and text[match.end()] != "."):
            raise RuleError(f"path {text!r} is not keys joined by dots (a key with a dot goes in double quotes)")
        keys.append(json.loads(match["quoted"]) if match["quoted"] else match["plain"])
        at = match.end() + 1
    return tuple(keys)


def dotted(path: Iterable[str | int]) -> str:
    """The text that `parse_path` reads.

    >>> dotted(("a", "x.y"))
    'a."x.y"'
    """
    return ".".join(json.dumps(key) if re.search('[."]', key) else key for key in map(str, path))


def build_rules(choices: Iterable[str] = (), only: Iterable[str] = ()) -> Rule:
    """The rules of `path=choice` texts and of the wanted paths (all paths when there are none).

    >>> build_rules(["a.b=skip"]).step("a").step("b") is None
    True
    """
    choices = list(choices)
    _refuse_contradictions(choices)
    root = Rule()
    for path in only:
        root.wanted = False
        rule = root
        for key in parse_path(path):
            rule = rule.below.setdefault(key, Rule(wanted=False))
        rule.wanted = True
    # What is said of `*` holds for the keys that others name, in whatever order they are given.
    for place, choice in sorted(map(parse_choice, choices), key=lambda chosen: "*" not in chosen[0]):
        if choice in CHOICES:
            root.at(place, chosen=True).choice = choice
    return root


def _refuse_contradictions(choices: Iterable[str]) -> None:
    """A value has one choice, and is opened in one way, but that a text may hold an item."""
    made: dict[tuple[tuple[str, ...], bool], str] = {}
    for path, choice in map(parse_choice, choices):
        before = made.setdefault((path, choice in UNPACKED), choice)
        if before != choice and (before, choice) != UNPACKED:
            raise RuleError(f"{dotted(path) or 'the record'} is both {before} and {choice}")


def parse_choice(text: str) -> tuple[tuple[str, ...], str]:
    """The path and the choice of a `PATH=CHOICE`; an empty path is the record itself: an array as columns, an item.

    >>> parse_choice("a.b=skip")
    (('a', 'b'), 'skip')
    """
    path, mark, choice = text.rpartition("=")
    if not mark or choice not in (*CHOICES, *UNPACKED):
        raise RuleError(f"{text!r} is not PATH=CHOICE; choices: {', '.join((*CHOICES, *UNPACKED))}")
    if not path and choice not in ("columns", "dynamodb"):
        raise RuleError(f"{text!r}: an empty path is the record itself, which takes only columns or dynamodb")
    keys = parse_path(path) if path else ()
    if keys[-1:] == (ELEMENTS,) and choice in ("skip", "table", "recursive"):
        raise RuleError(f"{text!r}: the elements of an array are rows; {choice} is for the array itself")
    return keys, choice
