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
    the number of lines before the header. `header`: the columns of files without one. `comment`: what lines begin with
    that are no records. `escape`: what makes the character behind it text; an unquoted `\\N` is then null.
    `decimal`, `thousands`: what is before the decimals of numbers, and between their thousands.
    """

    delimiter: str = ","
    quote: str = '"'
    multi_line: bool = False
    encoding: str = "utf-8"
    skip_lines: int = 0
    header: tuple[str, ...] = ()
    comment: tuple[str, ...] = ()
    escape: str = ""
    decimal: str = "."
    thousands: str = ""

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
            found.append(self._bare(bare) if quoted is None else self._unescaped(quoted, self.quote * 2) or None)
            at, more = match.end(), behind != ""
        return found

    def has_marks(self, text: bytes) -> bool:
        """Whether quotes or escapes are in the text."""
        return any(mark.encode() in text for mark in (self.quote, self.escape) if mark)

    @property
    def header_line(self) -> str:
        """The header of files without one, as a line of the dialect."""
        quoted = [f"{self.quote}{name.replace(self.quote, self.quote * 2)}{self.quote}" for name in self.header]
        return self.delimiter.join(quoted if self.quote else self.header)

    def _unescaped(self, text: str, doubled: str) -> str:
        if not self.escape or self.escape not in text:
            return text.replace(doubled, self.quote) if doubled else text
        pairs = (
            re.escape(self.escape) + "(.)" + (f"|({re.escape(self.quote)}){re.escape(self.quote)}" if doubled else "")
        )
        return re.sub(pairs, lambda pair: pair[pair.lastindex or 0], text, flags=re.DOTALL)

    def _bare(self, text: str) -> str | None:
        return None if self.escape and text == f"{self.escape}N" else self._unescaped(text, "") or None


RFC_4180 = Dialect()


def _texts(dialect: Dialect, but: str = "") -> tuple[str, str]:
    """The text in a quoted and in an unquoted value, as expressions; the latter holds none of the characters `but`."""
    quote, escape = re.escape(dialect.quote), re.escape(dialect.escape)
    outside, inside = f"[^{re.escape(dialect.delimiter)}{but}{escape}]", f"[^{quote}{escape}]|{quote}{quote}"
    if escape:
        # A lone one at the end of a record is text.
        outside, inside = f"(?:{outside}|{escape}(?:[^\n]|\\Z))", f"{inside}|{escape}."
    return (f"(?:{inside})*+", f"(?!{quote}){outside}*+") if quote else ("(?!)", f"{outside}*+")


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
