"""Values as they are typed: what each kind of option takes, and the message for anything else."""

from __future__ import annotations

import argparse
import codecs
import datetime
import re
from collections.abc import Callable, Sequence


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return int(text)


def boolean(text: str) -> bool:
    """Reads true or false (Glue passes every flag as text)."""
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "": True}
    if text.strip().lower() not in known:
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return known[text.strip().lower()]


def run_id(text: str) -> str:
    """A run id names a folder, so it is kept to letters, digits, dot, dash and underscore."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", text):
        raise argparse.ArgumentTypeError(f"'{text}' may hold only letters, digits, '.', '-' and '_', at most 128")
    return text


def duration(text: str) -> int:
    """Seconds from `90s`, `30m`, `24h` or `2d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration like 90s, 30m, 24h or 2d")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def day(text: str) -> datetime.date:
    """A day as YYYY-MM-DD, or YYYYMMDD as in the names of files."""
    try:
        form = "%Y%m%d" if re.fullmatch(r"\d{8}", text) else "%Y-%m-%d"
        return datetime.datetime.strptime(text, form).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day (YYYY-MM-DD)") from None


def comma_separated(values: Sequence[str]) -> tuple[str, ...]:
    """Comma-separated or repeated, or both: `a,b` and `a` `b` are the same list; order kept, blanks dropped."""
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def words(values: Sequence[str]) -> tuple[str, ...]:
    """As `comma_separated`, but a comma in parentheses does not separate: `decimal(18,2)` is one word."""
    return tuple(item.strip() for text in values for item in re.split(r",(?![^()]*\))", text) if item.strip())


def named_values(*allowed: str) -> Callable[[Sequence[str]], dict[str, str]]:
    """For items `name=value` of a repeated or comma-separated option; values other than `allowed` are refused."""

    def split(values: Sequence[str]) -> dict[str, str]:
        """The values by name."""
        found: dict[str, str] = {}
        for item in words(values):
            name, equals, value = item.rpartition("=")
            if not equals or (allowed and value not in allowed):
                raise ValueError(f"{item}: expected NAME={'|'.join(allowed) or 'TYPE'}")
            if found.setdefault(name.strip(), value.strip()) != value.strip():
                raise ValueError(f"{item}: {name.strip()} is {found[name.strip()]} already")
        return found

    return split


def separator(text: str) -> str:
    """A separator as it was typed: `\\t` is a tab."""
    return text.replace("\\t", "\t")


def character(text: str) -> str:
    """One ASCII character as it was typed: `\\t` is a tab."""
    found = separator(text)
    if len(found) != 1 or not found.isascii() or found in '"\r\n':
        raise argparse.ArgumentTypeError(f"one ASCII character is expected, not '{text}'")
    return found


def character_or_none(text: str) -> str:
    """A character, or nothing for `none`."""
    return "" if text == "none" else text if text == '"' else character(text)


def character_or_nothing(text: str) -> str:
    """One ASCII character, or nothing."""
    return character(text) if text else ""


def encoding(text: str) -> str:
    """The name of a text encoding that Python knows."""
    try:
        found = codecs.lookup(text)
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"unknown encoding '{text}', expected one like utf-8, cp1252, utf-16"
        ) from None
    if not found._is_text_encoding:
        raise argparse.ArgumentTypeError(f"'{text}' is no encoding of text, expected one like utf-8, cp1252, utf-16")
    return found.name.removesuffix("-sig")


def whole_number(text: str) -> int:
    """0 or more."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0")
    return int(text)
