"""The place in a listing where the next chunk begins, as text that only this API can read and that proves itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import uuid
from dataclasses import dataclass

_VERSION = 1
_LAYOUT = struct.Struct(">BH16s")
_CHECK = 5
# 24 bytes as base64 without padding.
PATTERN = r"^[A-Za-z0-9_-]{32}$"


@dataclass(frozen=True)
class Cursor:
    """After which id to go on, and how many rows a chunk has."""

    after: uuid.UUID
    num_records: int

    def __str__(self) -> str:
        packed = _LAYOUT.pack(_VERSION, self.num_records, self.after.bytes)
        return base64.urlsafe_b64encode(packed + _check(packed)).decode()


def _check(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()[:_CHECK]


def parse(text: str) -> Cursor | None:
    """The cursor that a text encodes; None when it was not given by this API."""
    try:
        content = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    packed, check = content[: _LAYOUT.size], content[_LAYOUT.size :]
    if len(packed) != _LAYOUT.size or check != _check(packed):
        return None
    version, num_records, after = _LAYOUT.unpack(packed)
    return Cursor(uuid.UUID(bytes=after), num_records) if version == _VERSION else None
