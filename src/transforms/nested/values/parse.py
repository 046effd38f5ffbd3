"""JSON text to exact values and back: every document is accepted or refused as RFC 8259 says, and no digit is lost.

Exact values are None, bool, int within 64 bits, float where a double gives the same number, str that is proper
Unicode without NUL, dict, list; and `BigNumber` for every other number, `NonPortableString` for every other string.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from transforms.nested.values.lenient import strict_text
from transforms.nested.values.plain import canonical_plain, decode_plain

MAX_DEPTH = 1000
_RECURSION = 5000
# Values have no circles: looking for some after every 700 new ones took 40 % of the time of making rows.
_COLLECT_AFTER = 200_000
_INT64 = 2**63
_NON_PORTABLE = re.compile("[\x00\ud800-\udfff]")
_NON_PORTABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
# Marks in the encoder's output: a string cannot begin so otherwise, since NUL makes a string odd; a key can.
_MARK = re.compile(r'(?<!\\)"\\u0000(?:\\u0000((?:[^"\\]|\\.)*")|(-?[0-9][-+.0-9eE]*)")(?!:)')


class NotJsonError(ValueError):
    """A document that is refused; `reason` is a code that never changes, the message is for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class BigNumber:
    """A number that neither 64 bits nor a double hold exactly: its text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def is_integer(self) -> bool:
        """True when it is written without fraction and exponent."""
        return self.text.lstrip("-").isdigit()


class NonPortableString:
    """A string that UTF-8 or a database's text cannot hold (lone surrogates, NUL)."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value


def prepare_process() -> None:
    """Makes documents of `MAX_DEPTH` levels fit the recursion limit, and garbage collection rare; call before parsing.

    Neither is taken back: tasks that run in threads of one process share them.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
    gc.set_threshold(max(gc.get_threshold()[0], _COLLECT_AFTER))


def is_non_portable(text: str) -> bool:
    """True for a string with NUL or a lone surrogate."""
    return _NON_PORTABLE.search(text) is not None


def _integer(text: str) -> int | BigNumber:
    if len(text) < 19:
        return int(text)
    if len(text) > 20:
        return BigNumber(text)
    value = int(text)
    return value if -_INT64 <= value < _INT64 else BigNumber(text)


def _number(text: str) -> float | BigNumber:
    value = float(text)
    # A double holds any 15 digits.
    if len(text) < 17 and "e" not in text and "E" not in text:
        return value
    shortest = repr(value)
    if shortest == text:
        return value
    try:
        return value if Decimal(shortest) == Decimal(text) and abs(value) != float("inf") else BigNumber(text)
    except InvalidOperation:  # an exponent beyond what decimals know
        return BigNumber(text)


def exact_number(text: str) -> int | float | BigNumber | None:
    """The number that is written in a text as JSON writes one; None for any other text.

    >>> exact_number("1e2"), exact_number("+1")
    (100.0, None)
    """
    if _JSON_NUMBER.fullmatch(text) is None:
        return None
    return _integer(text) if text.lstrip("-").isdecimal() else _number(text)


def _refuse_constant(text: str) -> Any:
    raise NotJsonError("malformed_json", f"{text} is not JSON")


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return NonPortableString(value) if is_non_portable(value) else value
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value


def _duplicate_keys(text: str) -> list[str]:
    found: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) != len(pairs):
            found.extend(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)

    json.JSONDecoder(parse_int=str, parse_float=str, object_pairs_hook=keep).decode(text)
    return found


class Parser:
    """Parses records one after the other."""

    def __init__(self, lenient: bool = False) -> None:
        self._lenient = lenient
        self._text, self._plain = "", False
        self._loads = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_refuse_constant).decode

    def repeated(self, content: str) -> list[str]:
        """The duplicate keys in objects of the last document; `content` is its value's `canonical` text.

        Every key has a colon, and a duplicate one leaves one less in `content`: all other colons are in strings.
        """
        text = self._text
        if text.count(":") == content.count(":") and "\\u003" not in text:
            return []
        return _duplicate_keys(text)

    def parse(self, text: str, plain: bool | None = False) -> Any:
        """The value of one document; `NotJsonError` with reason `malformed_json` or `too_deep`.

        `plain` is what `are_plain` says of the text. The last of equal keys wins, as in `json.loads`. Call
        `prepare_process` first.
        """
        self._plain = False
        if plain:
            try:
                value = decode_plain(text)
            except (ValueError, RecursionError):
                return self._carefully(text)
            self._text, self._plain = text, True
            _check_depth(text, value)
            return value
        return self._carefully(text)

    def canonical(self, value: Any) -> str:
        """The `canonical` text of the last document's value."""
        return canonical_plain(value) if self._plain else canonical(value)

    def _carefully(self, text: str) -> Any:
        try:
            return self._strictly(text)
        except NotJsonError as error:
            strict = strict_text(text) if self._lenient and error.reason == "malformed_json" else None
            if strict is None:
                raise
        return self._strictly(strict)

    def _strictly(self, text: str) -> Any:
        self._text = text
        try:
            value = self._loads(text)
        except RecursionError:
            raise too_deep() from None
        except json.JSONDecodeError as error:
            raise _refusal(text, error) from None
        _check_depth(text, value)
        return _marked(value) if _NON_PORTABLE_ESCAPE.search(text) else value


def too_deep() -> NotJsonError:
    """What is said of a document with too many levels."""
    return NotJsonError("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _check_depth(text: str, value: Any) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [v for c in level for v in (c.values() if isinstance(c, dict) else c) if isinstance(v, dict | list)]
        if not level:
            return
    raise too_deep()


def _refusal(text: str, error: json.JSONDecodeError) -> NotJsonError:
    if not text.strip(" \t\r\n"):
        return NotJsonError("malformed_json", "empty")
    excerpt = json.dumps(text[error.pos : error.pos + 20])
    return NotJsonError("malformed_json", f"not JSON from character {error.pos + 1}: {excerpt}")


def _mark(value: Any) -> str:
    return "\0" + value.text if isinstance(value, BigNumber) else "\0\0" + value.value


def _unmark(match: re.Match[str]) -> str:
    return match[2] or '"' + match[1]


def _encoder(ascii_only: bool) -> Callable[[Any], str]:
    # What was parsed has no circles; looking for them takes a quarter of the time.
    return json.JSONEncoder(
        sort_keys=True, separators=(",", ":"), default=_mark, ensure_ascii=ascii_only, check_circular=False
    ).encode


_ascii, _unicode = _encoder(True), _encoder(False)


def canonical(value: Any) -> str:
    """The one text of a value: keys sorted, no blanks, ASCII; numbers as they were written where digits matter."""
    text = _ascii(value)
    return _MARK.sub(_unmark, text) if '"\\u0000' in text else text


def readable(value: Any) -> str:
    """As `canonical`, but letters stay letters; strings that UTF-8 cannot hold are escaped."""
    text = _unicode(value)
    if _NON_PORTABLE.search(text) or '"\\u0000' in text:
        return canonical(value)
    return text


def decimal_size(text: str) -> tuple[int, int] | None:
    """Digits before and after the point that a number needs; None when it is beyond any decimal column.

    >>> decimal_size("-12.50"), decimal_size("1e3"), decimal_size("1e400")
    ((2, 1), (4, 0), None)
    """
    if len(text) > 100:
        return None
    try:
        _, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:  # as in `_number`
        return None
    assert isinstance(exponent, int)
    if abs(exponent) > 200:
        return None
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    exponent += len(digits) - kept
    if digits[:kept] == (0,):
        return 1, 0
    return max(kept + exponent, 1), max(-exponent, 0)
