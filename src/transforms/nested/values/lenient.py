"""Nearly-JSON to JSON: comments, trailing commas, single quotes and NaN, when a person asks for it."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<single>'(?:[^'\\]|\\.)*')"""
    r"""|(?P<constant>[-+]?(?:NaN|Infinity)\b)"""
    r"""|(?P<mark>[\[\]{}:,])"""
    r"""|(?P<word>[^\s\[\]{}:,"'/]+)""",
    re.DOTALL,
)
_ESCAPED_QUOTE = re.compile(r"""\\(.)|(")""", re.DOTALL)


def _double_quoted(single: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        """The text of an escape, or of a double quote, in a string with double quotes."""
        if match[2]:
            return '\\"'
        return "'" if match[1] == "'" else match[0]

    return '"' + _ESCAPED_QUOTE.sub(replaced, single[1:-1]) + '"'


def strict_text(text: str) -> str | None:
    """The strict JSON of a lenient document, None when it has a token of neither.

    Comments and trailing commas go, single-quoted strings become strings, NaN, Infinity and -Infinity become the
    strings of that name: a number they are not, and null would hide them.

    >>> strict_text("{'a': [1, NaN,], /* b */ }")
    '{"a":[1,"NaN"]}'
    """
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at, kind, token = match.end(), match.lastgroup, match[0]
        if kind == "blank":
            continue
        if token in ("]", "}") and parts[-1:] == [","] and parts[-2:-1] not in (["["], ["{"], [","], []):
            parts.pop()
        if kind == "single":
            token = _double_quoted(token)
        elif kind == "constant":
            token = json.dumps(token.lstrip("+"))
        elif kind == "word" and parts and parts[-1][-1:] not in "[]{}:,":
            return None  # two adjacent words must not grow into one
        parts.append(token)
    return "".join(parts)
