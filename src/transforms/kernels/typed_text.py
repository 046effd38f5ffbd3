"""Texts as typed values, strictly: a text that is not exactly of its type is null, never an approximation.

Nearly every column is plain: its texts hold nothing but the characters of numbers, and Arrow parses them as they are.
What is left is looked at by regular expressions, and the few odd texts (signs, blanks, leading zeros, more digits) are
made plain first.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What may be around a number, as Java takes it: blanks and control characters.
_BLANKS = "".join(map(chr, range(33)))
# The decimal and the thousands mark of numbers in code.
POINT = (".", "")
_DIGITS = b"0123456789-"
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
FLOATING = NUMBER + r"(?:[eE][+-]?[0-9]+)?"
BOOLEAN = r"(?i:true|false)"
DATE = r"[0-9]{4}-[0-9][0-9]-[0-9][0-9]"
_ZONE = r"(?:Z|[+-][0-9][0-9]:[0-9][0-9])"
TIMESTAMP = DATE + rf"[ T][0-9][0-9]:[0-9][0-9](?::[0-9][0-9](?:\.[0-9]{{1,6}})?{_ZONE}?)?"
_PARTS = (
    r"^(?P<date>[0-9-]{10})[ T](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:\.(?P<micro>[0-9]{1,6}))?(?:Z|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):(?P<zone_minute>[0-9]{2}))?)?\z"
)
# The first second of year 1 and the last one of year 9999, from 1970.
_YEARS = (-62_135_596_800, 253_402_300_799)
_NAMES = ("date", "hour", "minute", "second", "micro", "sign", "zone_hour", "zone_minute")


def typed(texts: pa.Array, kind: pa.DataType, marks: tuple[str, str] = POINT) -> pa.Array:
    """The texts as the type, null where a text is not exactly one: nothing is rounded, cut or guessed.

    Whole numbers: a sign and digits, within the range of the type. Decimals: no exponent, and no more decimals than the
    scale unless they are zeros; blanks around either do not count. Floating numbers that the type can hold, true and
    false (any case), dates (`2024-02-29`) and timestamps (`2024-02-29 10:00`, or `10:00:00[.0]` with Z, an offset or
    nothing, which is UTC), both of the years 1 to 9999, are taken as they are written, without blanks. Null stays null.
    Digits are those of ASCII. `marks`: what is before the
    decimals and between thousands of numbers.

    >>> typed(pa.array(["12.5", "12.505", "1e2", "+7.000 "]), pa.decimal128(18, 2)).to_pylist()
    [Decimal('12.50'), None, None, Decimal('7.00')]
    """
    if pa.types.is_string(kind):
        return texts
    if marks != POINT and (pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind)):
        texts = plain_numbers(texts, *marks)
    if pa.types.is_integer(kind):
        return _integers(texts, kind)
    if pa.types.is_decimal(kind):
        return _decimals(texts, kind)
    if pa.types.is_boolean(kind):
        return pc.equal(pc.ascii_lower(_matching(texts, BOOLEAN)), "true")
    if pa.types.is_floating(kind):
        numbers = pc.cast(_matching(texts, FLOATING), kind)
        return pc.if_else(pc.is_finite(numbers), numbers, pa.nulls(len(numbers), kind))
    return _dates(texts) if pa.types.is_date(kind) else _timestamps(texts)


def plain_numbers(texts: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Numbers with other marks as `typed` takes them; null for texts that are none.

    >>> plain_numbers(pa.array(["1.234,50", "1234,5", "1.23,4", "1,5e3"]), ",", ".").to_pylist()
    ['1234.50', '1234.5', None, '1.5e3']
    """
    shaped = _matching(
        texts, rf" *[+-]?(?:{whole_part(thousands)})(?:{re.escape(decimal)}[0-9]*)?(?:[eE][+-]?[0-9]+)? *"
    )
    return pc.replace_substring(pc.replace_substring(shaped, thousands, "") if thousands else shaped, decimal, ".")


def whole_part(thousands: str) -> str:
    """The digits before the decimals, as a regular expression."""
    return "[0-9]*" + (f"|[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+" if thousands else "")


def only_where(condition: pa.Array, texts: pa.Array) -> pa.Array:
    """The texts where the condition holds; null where it does not or is null.

    >>> only_where(pa.array([True, False]), pa.array(["a", "b", "c"]).slice(1)).to_pylist()
    ['b', None]
    """
    # Not a null scalar: with one and a slice of an array, Arrow up to 22 gives texts of zero bytes.
    return pc.if_else(condition, texts, pa.nulls(len(texts), texts.type))


def _matching(texts: pa.Array, pattern: str) -> pa.Array:
    """The texts that match as a whole; null for the others."""
    return only_where(pc.match_substring_regex(texts, rf"^(?:{pattern})\z"), texts)


def _is_made_of(texts: pa.Array, characters: bytes) -> bool:
    """Whether the texts hold no other characters than these ASCII ones."""
    if texts.null_count == len(texts):
        return True
    _, offsets, content = texts.buffers()
    places = np.frombuffer(offsets, np.int32)
    used = content[int(places[texts.offset]) : int(places[texts.offset + len(texts)])] if content else b""
    return not bytes(used).translate(None, characters)


def _cast(texts: pa.Array, kind: pa.DataType, characters: bytes) -> pa.Array | None:
    """The texts as numbers; None when one of them is not plain."""
    if not _is_made_of(texts, characters):
        return None
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


def _by_part(texts: pa.Array, kind: pa.DataType, plain: str, odd: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The texts as the type: those that match `plain` as they are, the others by way of `odd`."""
    is_plain = pc.match_substring_regex(texts, plain)
    values = pc.cast(only_where(is_plain, texts), kind)
    is_odd = pc.invert(is_plain).fill_null(False)
    return pc.replace_with_mask(values, is_odd, odd(texts.filter(is_odd)))


def _integers(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    found = _cast(texts, kind, _DIGITS)
    if found is not None:
        return found
    digits = {8: 2, 16: 4, 32: 9, 64: 18}[kind.bit_width]
    return _by_part(texts, kind, rf"^-?[0-9]{{1,{digits}}}\z", lambda odd: _odd_integers(odd, kind))


def _odd_integers(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Whole numbers with a sign, blanks around or leading zeros; null for those that are beyond the type's range."""
    bare = pc.utf8_trim(texts, _BLANKS + "\x7f")
    bare = pc.replace_substring_regex(_matching(bare, r"[+-]?[0-9]+"), r"^\+", "")
    bare = pc.replace_substring_regex(bare, r"^(-?)0+([0-9])", r"\1\2")
    wide = pa.decimal128(19, 0)
    numbers = pc.cast(_matching(bare, r"-?[0-9]{1,19}"), wide)
    high = 2 ** (kind.bit_width - 1)
    low, top = (pa.scalar(end, pa.int64()).cast(wide) for end in (-high, high - 1))
    fits = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, top))
    return pc.cast(pc.if_else(fits, numbers, pa.scalar(None, wide)), kind)


def _decimals(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    whole, scale = kind.precision - kind.scale, kind.scale
    # Arrow's own check of the range fails unseen where a number has more than 38 digits once it has its scale.
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    found = _cast(texts, kind, _DIGITS + b".") if longest + scale <= 38 else None
    if found is not None:
        return found
    if whole == 0:
        return _odd_decimals(texts, kind)
    plain = rf"^-?[0-9]{{1,{whole}}}(?:\.[0-9]{{0,{scale}}})?\z"
    return _by_part(texts, kind, plain, lambda odd: _odd_decimals(odd, kind))


def _odd_decimals(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Decimals with a sign, blanks around, zeros at either end or no digit on one side of the point."""
    whole, scale = kind.precision - kind.scale, kind.scale
    bare = _matching(pc.utf8_trim(texts, _BLANKS), NUMBER)
    bare = _matching(bare, rf"[+-]?0*[0-9]{{0,{whole}}}(?:\.[0-9]{{0,{scale}}}0*)?")
    bare = pc.replace_substring_regex(bare, r"^\+", "")
    bare = pc.replace_substring_regex(bare, r"^(-?)0+([0-9])", r"\1\2")
    bare = pc.replace_substring_regex(bare, r"^(-?)\.", r"\10.")
    bare = pc.replace_substring_regex(bare, rf"(\.[0-9]{{{scale}}})0+\z", r"\1")
    return pc.cast(bare, kind)


def _number(texts: pa.Array) -> pa.Array:
    return pc.cast(texts, pa.int32())


def _dates(texts: pa.Array) -> pa.Array:
    shaped = _matching(texts, DATE)
    year, month, day = (_number(pc.utf8_slice_codeunits(shaped, a, b)) for a, b in ((0, 4), (5, 7), (8, 10)))
    # 30 days, or 31: odd months up to July and even ones from August. February has 28, or 29 in a leap year.
    long = pc.bit_wise_and(pc.add(month, pc.shift_right(month, 3)), 1)
    leap = pc.and_(_divides(4, year), pc.or_(pc.invert(_divides(100, year)), _divides(400, year)))
    days = pc.if_else(pc.equal(month, 2), pc.if_else(leap, 29, 28), pc.add(long, 30))
    exists = [pc.greater_equal(year, 1), _between(month, 1, 12), pc.greater_equal(day, 1), pc.less_equal(day, days)]
    return pc.cast(only_where(_all(*exists), shaped), pa.date32())


def _divides(divisor: int, numbers: pa.Array) -> pa.Array:
    return pc.equal(pc.multiply(pc.divide(numbers, divisor), divisor), numbers)


def _between(numbers: pa.Array, low: int, high: int) -> pa.Array:
    return pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))


def _all(first: pa.Array, *others: pa.Array) -> pa.Array:
    for one in others:
        first = pc.and_(first, one)
    return first


def _timestamps(texts: pa.Array) -> pa.Array:
    """Microseconds since 1970 in UTC, added up of the parts of the texts."""
    found = pc.extract_regex(texts, _PARTS).flatten()
    parts = {name: part.fill_null("") for name, part in zip(_NAMES, found, strict=True)}
    days = _dates(parts["date"]).cast(pa.int32()).cast(pa.int64())
    numbers = {name: _part(parts[name]) for name in ("hour", "minute", "second", "zone_hour", "zone_minute")}
    micro = _part(pc.utf8_rpad(parts["micro"], 6, "0"))
    seconds = _seconds(numbers["hour"], numbers["minute"], numbers["second"])
    zone = _seconds(numbers["zone_hour"], numbers["zone_minute"], pa.scalar(0, pa.int64()))
    zone = pc.if_else(pc.equal(parts["sign"], "-"), pc.negate(zone), zone)
    exists = [_between(numbers["hour"], 0, 23)]
    exists += [_between(numbers[name], 0, 59) for name in ("minute", "second", "zone_minute")]
    exists.append(_between(zone, -18 * 3600, 18 * 3600))
    total = pc.add(pc.multiply(days, 86400), pc.subtract(seconds, zone))
    # An offset takes the first and the last day out of the years that other programs can show.
    exists.append(_between(total, *_YEARS))
    micros = pc.add(pc.multiply(total, 1_000_000), micro)
    return pc.if_else(_all(*exists), micros, pa.scalar(None, pa.int64())).cast(pa.timestamp("us", "UTC"))


def _part(digits: pa.Array) -> pa.Array:
    return pc.cast(pc.if_else(pc.equal(digits, ""), "0", digits), pa.int64())


def _seconds(hours: pa.Array, minutes: pa.Array, seconds: pa.Array) -> pa.Array:
    return pc.add(pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60)), seconds)
