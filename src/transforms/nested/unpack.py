"""Values that stand in another form, opened before anything is counted: JSON in a text, attributes of DynamoDB."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from transforms.nested.schema.rules import UNPACKED, dotted, parse_choice
from transforms.nested.values.parse import NonPortableString, NotJsonError, Parser, exact_number, readable, too_deep

_SHOWN = 60


def packed_places(choices: Iterable[str]) -> list[tuple[tuple[str, ...], str]]:
    """Path and form of every `PATH=parse` and `PATH=dynamodb`, those nearer to the root first."""
    found = [parse_choice(text) for text in choices]
    return sorted(((path, form) for path, form in found if form in UNPACKED), key=lambda one: len(one[0]))


class Unpacker:
    """Opens the values at `PATH=parse` and `PATH=dynamodb` of one record after the other; gives the elements of an
    array their `names`, and adds the fields of the `folders` and of what a record `takes` of its document.
    """

    def __init__(
        self,
        choices: Iterable[str] = (),
        lenient: bool = False,
        names: str = "",
        folders: Sequence[Mapping[str, str | None]] = (),
        takes: bool = False,
    ) -> None:
        self._parser = Parser(lenient)
        self.opened: set[tuple[str, ...]] = set()  # the paths where a text was opened
        self._steps = [
            (path, functools.partial(self._parsed, path) if form == "parse" else _item)
            for path, form in packed_places(choices)
        ]
        self._names, self._folders, self._takes = names, folders, takes
        self._around, self._taken = "", dict[str, Any]()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._steps or self._folders or self._takes)

    def unpack(self, value: Any, file: int = 0, around: str | None = None) -> Any:
        """The value as it is counted; `NotJsonError` with reason `not_json`, `not_dynamodb`, `too_deep`,
        `not_an_array`, `missing_names`, `wrong_width`, `not_an_object` or `conflicting_field`.
        """
        try:
            if around is not None and around != self._around:
                # Records of one document come one after the other.
                self._taken, self._around = self._parser.parse(around), around
            if self._names:
                value = _named(value, self._taken.get("names"), self._names)
            for path, opened in self._steps:
                value = value if path else _opened(value, path, path, opened)
            if kept := self._taken.get("keep"):
                value = _with_fields(value, kept, "document; --keep PATH=NAME gives a name")
            if self._folders and (named := self._folders[file]):
                value = _with_fields(value, named, "folder")
            for path, opened in self._steps:
                value = _opened(value, path, path, opened) if path else value
        except RecursionError:
            raise too_deep() from None
        return value

    def _parsed(self, path: tuple[str, ...], value: Any) -> Any:
        if isinstance(value, NonPortableString):
            raise NotJsonError("not_json", f"{readable(value)[:_SHOWN]} is not JSON")
        if not isinstance(value, str):
            return value
        try:
            found = self._parser.parse(value)
        except NotJsonError as error:
            raise NotJsonError("not_json" if error.reason == "malformed_json" else error.reason, str(error)) from None
        self.opened.add(path)
        return found


def _named(value: Any, names: Any, place: str) -> Any:
    """An array's elements by their names."""
    if not isinstance(value, list):
        raise NotJsonError("not_an_array", f"the names at {place} are for records that are arrays")
    texts = [name if isinstance(name, str) else readable(name) for name in (names if isinstance(names, list) else ())]
    if not texts or len(set(texts)) < len(texts):
        raise NotJsonError("missing_names", f"no different names at {place}: {readable(names)[:_SHOWN]}")
    if len(texts) != len(value):
        raise NotJsonError("wrong_width", f"{len(value)} values for {len(texts)} names")
    return dict(zip(texts, value, strict=True))


def _with_fields(value: Any, fields: Mapping[str, Any], around: str) -> Any:
    """An object with more fields of what is `around` it, in front of its own."""
    if not isinstance(value, dict):
        raise NotJsonError("not_an_object", f"only an object takes {', '.join(fields)}")
    for name in fields.keys() & value.keys():
        if readable(value[name]) != readable(fields[name]):
            raise NotJsonError("conflicting_field", f"the record has another {name} than its {around}")
    return {**fields, **value}


def _opened(value: Any, path: tuple[str, ...], whole: tuple[str, ...], opened: Callable[[Any], Any]) -> Any:
    """A copy with the places at `path` opened; arrays are gone through, `*` is any key."""
    if isinstance(value, list):
        return [_opened(item, path, whole, opened) for item in value]
    if path and isinstance(value, dict):
        keys = list(value) if path[0] == "*" else {path[0]} & value.keys()
        return value | {key: _opened(value[key], path[1:], whole, opened) for key in keys}
    try:
        return value if path else opened(value)
    except NotJsonError as error:
        raise NotJsonError(error.reason, f"{dotted(whole) or 'the record'}: {error}") from None


def _no_attribute(value: Any) -> NotJsonError:
    return NotJsonError("not_dynamodb", f"{readable(value)[:_SHOWN]} is no DynamoDB value")


def _item(value: Any) -> Any:
    """An item: attribute values by name; null stays null, as the image before an insert is."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _no_attribute(value)
    return {name: _attribute(one) for name, one in value.items()}


def _attribute(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        raise _no_attribute(value)
    [(kind, content)] = value.items()
    found = _ATTRIBUTES.get(kind, _never)(content)
    if found is _NONE:
        raise _no_attribute(value)
    return found


_NONE = object()  # what is no attribute value of its type


def _never(content: Any) -> Any:
    return _NONE


def _text(content: Any) -> Any:
    return content if isinstance(content, str | NonPortableString) else _NONE


def _number(content: Any) -> Any:
    number = exact_number(content) if isinstance(content, str) else None
    return _NONE if number is None else number


def _binary(content: Any) -> Any:
    """Bytes stay the Base64 text that they are written in."""
    try:
        return content if isinstance(content, str) and base64.b64decode(content, validate=True) is not None else _NONE
    except (binascii.Error, ValueError):
        return _NONE


def _set_of(member: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def members(content: Any) -> Any:
        """A set as an array, in the order that it is written in."""
        found = [member(one) for one in content] if isinstance(content, list) else [_NONE]
        return _NONE if any(one is _NONE for one in found) else found

    return members


_ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": lambda content: content if isinstance(content, bool) else _NONE,
    "NULL": lambda content: None if content is True else _NONE,
    "M": lambda content: _item(content) if isinstance(content, dict) else _NONE,
    "L": lambda content: [_attribute(one) for one in content] if isinstance(content, list) else _NONE,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}
