"""What records take from around them: fields of the document that they are in, and the names of their columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

FIRST = "first"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])

# The texts of members of objects, by where the object begins in its file.
Members = dict[int, dict[str, bytes]]
_Tree = dict[str, "bytes | _Tree"]


@dataclass(frozen=True)
class Around:
    """What is wanted: the paths of fields, each with the keys that it gets in the record, and the path of the names
    (`FIRST`: the first record of the file has them), all in documents whose records are at `records`.
    """

    records: tuple[str, ...] = ()
    fields: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    names: tuple[str, ...] | str = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.names)

    @property
    def in_envelope(self) -> bool:
        """Whether anything is wanted of the document."""
        return bool(self.fields) or (bool(self.names) and self.names != FIRST)

    def on_the_way(self) -> tuple[str, ...]:
        """A wanted path that holds the records, or is in them; empty without any."""
        paths = [*self.fields, *([self.names] if isinstance(self.names, tuple) and self.names else [])]
        return next((path for path in paths if all(a == b for a, b in zip(path, self.records, strict=False))), ())

    @property
    def members(self) -> frozenset[tuple[int, str]]:
        """How deep the wanted members are on the way to the records, and their names."""
        paths = [*self.fields, *([self.names] if isinstance(self.names, tuple) and self.names else [])]
        return frozenset((level, path[level]) for path in paths for level in [self._level(path)])

    def _level(self, path: Sequence[str]) -> int:
        """The number of keys that a path shares with that of the records."""
        pairs = zip(path, self.records, strict=False)
        return next((level for level, (own, other) in enumerate(pairs) if own != other), 0)

    def text(self, members: Mapping[int, Mapping[str, bytes]]) -> str:
        """The JSON object `{"keep": {...}, "names": [...]}` of what is there: `members` by level."""
        found: _Tree = {}
        kept: _Tree = {}
        for path, label in self.fields.items():
            values = _values(members, path, self._level(path))
            if len(values) == 1:
                _set(kept, label, values[0])
        if kept:
            found["keep"] = kept
        if isinstance(self.names, tuple) and self.names:
            names = _values(members, self.names, self._level(self.names), through_arrays=True)
            found["names"] = names[0] if names[:1] and names[0].startswith(b"[") else b"[" + b",".join(names) + b"]"
        return _written(found).decode(errors="backslashreplace")


def with_names(text: str | None, first: bytes) -> str:
    """What records take, with the file's first record as the names."""
    rest = (text or "{}")[1:]
    return f'{{"names":{first.decode(errors="backslashreplace")}{"," * (rest != "}")}{rest}'


def _values(
    members: Mapping[int, Mapping[str, bytes]], path: Sequence[str], level: int, through_arrays: bool = False
) -> list[bytes]:
    values = [members[level][path[level]]] if path[level] in members.get(level, {}) else []
    for key in path[level + 1 :]:
        try:
            if through_arrays:
                values = [bytes(i) for v in values for i in (_ARRAY.decode(v) if v.startswith(b"[") else [v])]
            objects = [_OBJECT.decode(value) for value in values if value.startswith(b"{")]
        except (msgspec.DecodeError, RecursionError):
            return values  # what is damaged is refused with its record
        values = [bytes(one[key]) for one in objects if key in one]
    return values


def _set(tree: _Tree, label: Sequence[str], value: bytes) -> None:
    for key in label[:-1]:
        below = tree.setdefault(key, {})
        assert isinstance(below, dict)
        tree = below
    tree[label[-1]] = value


def _written(tree: _Tree | bytes) -> bytes:
    if isinstance(tree, bytes):
        return tree
    return b"{" + b",".join(json.dumps(key).encode() + b":" + _written(value) for key, value in tree.items()) + b"}"
