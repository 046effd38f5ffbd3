"""The first pass over a record: whether it is JSON, its keys, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.nested.rows.router import digest
from transforms.nested.schema.rules import Rule, dotted, parse_path
from transforms.nested.schema.stats import DEPTH, PathStats
from transforms.nested.unpack import Unpacker
from transforms.nested.values.dates import date_format
from transforms.nested.values.parse import MAX_DEPTH, NotJsonError, Parser, canonical
from transforms.text import suggest

# Values are counted while the processor's cache still holds them.
_BUFFER_BYTES = 128 << 10


@dataclass(frozen=True)
class ParseOptions:
    """How documents are read: the decisions per path, the levels that become tables, the root's key columns.

    `separated` says that blanks and commas may follow a document in `_raw`, as a reader of arrays leaves them.
    `choices`: the `PATH=CHOICE` texts; those of `UNPACKED` change a document before it is counted (`unpack`),
    and so do `folders`, the values that the folders of each file add, `takes`, where records have `_around`, and
    `names`, what a person calls the place of the names in it. `formats`: the types that texts may get.
    """

    rules: Rule = field(default_factory=Rule)
    depth: int = DEPTH
    lenient: bool = False
    keys: tuple[str, ...] = ()
    separated: bool = False
    choices: tuple[str, ...] = ()
    names: str = ""
    folders: tuple[Mapping[str, str | None], ...] = ()
    takes: bool = False
    formats: Callable[[str], str] = date_format

    def unpacker(self) -> Unpacker:
        """What opens documents, and adds what they take."""
        return Unpacker(self.choices, self.lenient, self.names, self.folders, self.takes)

    def document(self, raw: str) -> str:
        """The document in a record's text."""
        return raw.rstrip(" \t\r\n,") if self.separated else raw


def _paths(value: Any, depth: int) -> Iterator[tuple[str, ...]]:
    """The paths of the values in an object, this many levels deep."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (key,)
        if depth > 1:
            yield from ((key, *below) for below in _paths(item, depth - 1))


def _key_of(value: Any, paths: Sequence[tuple[str, ...]]) -> str:
    found = []
    for path in paths:
        item = value
        for step in path:
            item = item.get(step) if isinstance(item, dict) else None
        if item is None:
            there = [dotted(one) for one in _paths(value, len(path))]
            near = ": null" if dotted(path) in there else suggest(dotted(path), there)
            raise NotJsonError("missing_key", f"no value for the key {dotted(path)}{near}")
        found.append(item)
    return digest(canonical(found))


class Check:
    """Checks records one after the other, and counts what is in them, some records at once."""

    def __init__(self, options: ParseOptions) -> None:
        self._options, self._parser = options, Parser(options.lenient)
        self._unpacker = options.unpacker()
        self._paths = [parse_path(key) for key in options.keys]
        self._stats = PathStats(options.rules, options.formats)
        self._values: list[Any] = []
        self._size = 0

    def record(
        self, text: str | None, plain: bool | None = False, file: int = 0, around: str | None = None
    ) -> tuple[Any, ...]:
        """One record: reason and detail when it is refused, else its key, content hash and repeated keys.

        `plain` is what `are_plain` says of the text; `file` and `around` say what it takes.
        """
        try:
            value = self._parser.parse(self._options.document(text or ""), plain)
            content = self._parser.canonical(value)
            repeated = self._parser.repeated(content)
            if self._unpacker:
                value = self._unpacker.unpack(value, file, around)
                content = canonical(value)
            identity = digest(content)
            key = _key_of(value, self._paths) if self._paths else identity
        except NotJsonError as error:
            return error.reason, str(error), None, None, None
        self._values.append(value)
        self._size += len(content)
        if self._size > _BUFFER_BYTES:
            self.stats()
        return None, None, key, identity, ", ".join(sorted(set(repeated))) or None

    def stats(self) -> PathStats:
        """What was in the records so far."""
        # A recursive document needs few levels of tables, however deep it is: the plan cuts what is too deep.
        self._stats.observe(self._values, self._options.depth if self._options.depth < DEPTH else MAX_DEPTH)
        self._values, self._size = [], 0
        self._stats.opened |= self._unpacker.opened
        return self._stats
