"""How the text of CSV files is written: what separates, quotes and escapes, and which lines are no records."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

# What is wrong with a record: a quote that nothing closes, text behind a closing quote, an escape before the line end.
UNCLOSED, STRAY, STRAY_ESCAPE = "unclosed_quote", "stray_quote", "stray_escape"


@dataclass(frozen=True)
class Dialect:
    """The form of all CSV inputs of a run; its characters are ASCII, an empty one is not in use.

    `multi_line`: quoted values may hold line ends. `encoding`: that of files without a byte order mark. `skip_lines`
    lines are before the header, `skip_footer` records at the end are left out. `header`: names for files without one.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    multi_line: bool = False
    encoding: str = "utf-8"
    skip_lines: int = 0
    skip_footer: int = 0
    header: tuple[str, ...] = ()

    def fields(self, record: str) -> list[str | None] | str:
        """The fields of one record, null for an empty one; or the reason why it has none.

        >>> Dialect().fields('1,"a, ""b"" c",,5" pipe')
        ['1', 'a, "b" c', None, '5" pipe']
        >>> Dialect().fields('"a"b,2'), Dialect().fields('1,"a,2')
        ('stray_quote', 'unclosed_quote')
        """
        found: list[str | None] = []
        value, at, more = _value(self), 0, True
        while more:
            match = value.match(record, at)
            if not match:
                if _unclosed(self).match(record, at):
                    return UNCLOSED
                return STRAY if self.quote and record.startswith(self.quote, at) else STRAY_ESCAPE
            quoted, bare, behind = match.groups()
            found.append(self._plain(quoted, bare) or None)
            at, more = match.end(), behind != ""
        return found

    def _plain(self, quoted: str | None, bare: str | None) -> str:
        if quoted is not None:
            if self.escape:
                return re.sub(f"(?s){self.quote}({self.quote})|{re.escape(self.escape)}(.)", _either, quoted)
            return quoted.replace(self.quote * 2, self.quote)
        text = bare or ""
        # \N alone is how databases write null.
        if self.escape and self.escape in text and text != self.escape + "N":
            return re.sub(f"(?s){re.escape(self.escape)}(.)", r"\1", text)
        return text


RFC_4180 = Dialect()


def _either(match: re.Match[str]) -> str:
    return match[1] or match[2]


def _texts(dialect: Dialect, but: str = "") -> tuple[str, str]:
    """The text in a quoted and in an unquoted value, as expressions; the latter holds none of the characters `but`."""
    quote, escape = re.escape(dialect.quote), re.escape(dialect.escape)
    escaped = f"|{escape}." if escape else ""
    inside = f"(?:[^{quote}{escape}]|{quote}{quote}{escaped})*+" if quote else "(?!)"
    outside = f"(?:[^{re.escape(dialect.delimiter)}{escape}{but}]{escaped})*+"
    return inside, f"(?!{quote}){outside}" if quote else outside


@functools.cache
def _value(dialect: Dialect) -> re.Pattern[str]:
    """A value, and what is behind it: a delimiter, or the end of the record."""
    (inside, outside), quote = _texts(dialect), re.escape(dialect.quote)
    return re.compile(f"(?s)(?:{quote}({inside}){quote}|({outside}))({re.escape(dialect.delimiter)}|\\Z)")


def _rest(dialect: Dialect) -> str:
    """A quote that nothing closes, and all that is behind it."""
    if not dialect.quote:
        return "(?!)"
    last = re.escape(dialect.escape) + "?" if dialect.escape else ""
    return f"{re.escape(dialect.quote)}{_texts(dialect)[0]}{last}\\Z"


@functools.cache
def _unclosed(dialect: Dialect) -> re.Pattern[str]:
    return re.compile("(?s)" + _rest(dialect))


@functools.cache
def record_patterns(dialect: Dialect, line_end: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A record up to its line end; and text that ends within a quoted value of its first record."""
    end = line_end.decode()
    (inside, outside), quote = _texts(dialect, end), re.escape(dialect.quote)
    value = f"(?:{quote}{inside}{quote}|{outside})" if quote else f"(?:{outside})"
    before = f"(?s)(?:{value}{re.escape(dialect.delimiter)})*+"
    behind = "\r?\n" if end == "\n" else end
    # An unquoted value may have taken the \r of its line end.
    return re.compile(f"{before}{value}(?:(?={behind})|\\Z)".encode()), re.compile((before + _rest(dialect)).encode())
