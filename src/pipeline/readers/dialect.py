"""How the text of CSV files is written: what separates values and what quotes them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

# What is wrong with a record: a quote that nothing closes, text behind a closing quote.
UNCLOSED, STRAY = "unclosed_quote", "stray_quote"


@dataclass(frozen=True)
class Dialect:
    """The form of CSV inputs; its characters are ASCII. Without `quote` quotes are text.

    `multi_line`: quoted values may hold line ends. `encoding`: that of files without a byte order mark. `skip_lines`:
    the number of lines before the header.
    """

    delimiter: str = ","
    quote: str = '"'
    multi_line: bool = False
    encoding: str = "utf-8"
    skip_lines: int = 0

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
                return UNCLOSED if _unclosed(self).match(record, at) else STRAY
            quoted, bare, behind = match.groups()
            found.append((bare if quoted is None else quoted.replace(self.quote * 2, self.quote)) or None)
            at, more = match.end(), behind != ""
        return found


RFC_4180 = Dialect()


def _texts(dialect: Dialect, but: str = "") -> tuple[str, str]:
    """The text in a quoted and in an unquoted value, as expressions; the latter holds none of the characters `but`."""
    quote = re.escape(dialect.quote)
    outside = f"[^{re.escape(dialect.delimiter)}{but}]*+"
    return (f"(?:[^{quote}]|{quote}{quote})*+", f"(?!{quote}){outside}") if quote else ("(?!)", outside)


@functools.cache
def _value(dialect: Dialect) -> re.Pattern[str]:
    """A value, and what is behind it: a delimiter, or the end of the record."""
    (inside, outside), quote = _texts(dialect), re.escape(dialect.quote)
    return re.compile(f"(?s)(?:{quote}({inside}){quote}|({outside}))({re.escape(dialect.delimiter)}|\\Z)")


def _rest(dialect: Dialect) -> str:
    """A quote that nothing closes, and all that is behind it."""
    return f"{re.escape(dialect.quote)}{_texts(dialect)[0]}\\Z"


@functools.cache
def _unclosed(dialect: Dialect) -> re.Pattern[str]:
    return re.compile("(?s)" + _rest(dialect))


@functools.cache
def record_patterns(dialect: Dialect) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A record up to its line end; and text that ends within a quoted value of its first record. With a quote only."""
    (inside, outside), quote = _texts(dialect, "\n"), re.escape(dialect.quote)
    value = f"(?:{quote}{inside}{quote}|{outside})"
    before = f"(?s)(?:{value}{re.escape(dialect.delimiter)})*+"
    # An unquoted value may have taken the \r of its line end.
    return re.compile(f"{before}{value}(?:(?=\r?\n)|\\Z)".encode()), re.compile((before + _rest(dialect)).encode())
