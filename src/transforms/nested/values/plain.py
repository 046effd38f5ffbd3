"""Plain JSON: texts whose values a fast library reads and writes exactly as the careful way of `parse` does.

Not plain are numbers with more than 15 digits or an exponent, fractions below 0.0001, NUL, DEL and surrogates.
"""

from __future__ import annotations

import codecs
from json.encoder import encode_basestring_ascii
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

# A double holds any 15 digits, 64 bits any 18. Small fractions and DEL are written in different ways.
_LONG = "|".join(f"[0-9]{{{whole}}}[.][0-9]{{{16 - whole}}}" for whole in range(1, 16))
_NUMBER = rf"(?:^|[:,\[\s])-?(?:[0-9]{{19}}|[0-9]{{16,}}[.]|{_LONG}|[0-9.]+[eE])"
_NOT_PLAIN = rf"{_NUMBER}|0[.]0000|\\u(?:0000|007[fF]|[dD][89a-fA-F])|\x7f"
_ESCAPES = "partner-data-json-escapes"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPES, _escaped)


def are_plain(texts: pa.Array) -> pa.BooleanArray:
    """Which texts are plain, should they be JSON at all; null for a null."""
    return pc.invert(pc.match_substring_regex(texts, _NOT_PLAIN))


def decode_plain(text: str) -> Any:
    """The value of a plain text; `ValueError` or `RecursionError` when it is none: the careful way says why."""
    return _decode(text)


def canonical_plain(value: Any) -> str:
    """What `canonical` gives for the value of a plain text."""
    text = _encode(value).decode()
    return text if text.isascii() else text.encode("ascii", _ESCAPES).decode("ascii")
