"""From a file's bytes to its text: compression, known by the first bytes; encoding; line ends."""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Generator, Iterator
from typing import Any

import pyarrow as pa

from pipeline.errors import InputError

GZIP, ZSTD, BZIP2, ZIP = "gzip", "zstd", "bzip2", "zip"
_COMPRESSIONS = (
    (GZIP, re.compile(rb"\x1f\x8b\x08")),
    (ZSTD, re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    (BZIP2, re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")),
    (ZIP, re.compile(rb"PK\x03\x04")),
)
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"} | {
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"
}  # fmt: skip
# So much of a compressed file is decompressed at a time.
SLICE, MOST_OUT = 64 << 10, 8 << 20
TRUNCATED_GZIP, BAD_GZIP = "truncated_gzip", "bad_gzip"


def compression_of(first: bytes) -> str:
    """How a file that begins with these bytes is compressed; empty when it is not."""
    return next((name for name, begins in _COMPRESSIONS if begins.match(first)), "")


def marked_encoding(first: bytes) -> str:
    """The encoding that a text's byte order mark names; empty without one."""
    return next((name for mark, name in _MARKS.items() if first.startswith(mark)), "")


def decompressed(stored: Iterator[bytes], compression: str) -> Generator[bytes, None, str]:
    """Decompresses what is stored, all members or frames; returns what is wrong with its end, or nothing."""
    return _unzipped(stored) if compression == GZIP else _by_arrow(stored, compression)


def _by_arrow(stored: Iterator[bytes], compression: str) -> Generator[bytes, None, str]:
    stream = pa.CompressedInputStream(pa.PythonFile(_File(stored), mode="r"), compression.replace("bzip2", "bz2"))
    try:
        while block := stream.read(SLICE):
            yield block
    except OSError as error:
        return f"{'truncated' if 'runcated' in str(error) else 'bad'}_{compression}"
    return ""


class _File(io.RawIOBase):
    """Blocks as a file that is read once."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._block, self._at = blocks, b"", 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        if self._at == len(self._block):
            self._block, self._at = next(self._blocks, b""), 0
        found = self._block[self._at : self._at + size]
        self._at += len(found)
        return found


def _unzipped(stored: Iterator[bytes]) -> Generator[bytes, None, str]:
    """Decompresses one member after the other, a slice at a time, so that damage costs little of what came before."""
    machine, between = zlib.decompressobj(31), False
    for block in stored:
        for low in range(0, len(block), SLICE):
            data = block[low : low + SLICE]
            while data:
                if between:
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    machine = zlib.decompressobj(31)
                before = machine.copy()
                try:
                    out = machine.decompress(data, MOST_OUT)
                except zlib.error:
                    yield _until_damage(before, data)
                    return BAD_GZIP
                if out:
                    yield out
                between = machine.eof
                data = machine.unused_data if between else machine.unconsumed_tail
    return "" if between else TRUNCATED_GZIP


def _until_damage(machine: Any, data: bytes) -> bytes:
    out = []
    try:
        for place in range(len(data)):
            out.append(machine.decompress(data[place : place + 1]))
    except zlib.error:
        pass
    return b"".join(out)


def _kept(error: UnicodeError) -> tuple[str, int]:
    """Bytes that mean nothing in an encoding: they stay, which is no UTF-8: their record is rejected."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    kept = "".join(chr(byte if byte < 0x80 else 0xDC00 + byte) for byte in wrong)
    return kept if not wrong.isascii() else kept + "\udcff", error.end


codecs.register_error("pipeline.kept", _kept)


def transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Text in another encoding as UTF-8, without byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)("pipeline.kept")
    for block in blocks:
        yield decoder.decode(block).encode(errors="surrogateescape")
    yield decoder.decode(b"", True).encode(errors="surrogateescape")


def with_line_feeds(blocks: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Text whose lines end with \\r with \\n in its place; `InputError` where there is one of both."""
    at = 0
    for block in blocks:
        if b"\n" in block:
            where = at + block.find(b"\n")
            raise InputError(
                f"{path}: lines end with \\r at first, and with \\n at byte {where}; one of them is expected"
            )
        at += len(block)
        yield block.replace(b"\r", b"\n")
