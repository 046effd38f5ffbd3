"""Bytes of files for the scan: ranges of local and s3:// files, gzip as a stream."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

from pipeline.errors import InputError
from pipeline.scan_plan import Piece

BLOCK = 8 << 20


def read_range(path: str, start: int, length: int) -> bytes:
    """At most `length` bytes of the file from `start`; fewer only at its end."""
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(length)


def blocks(piece: Piece, start: int, block: int = BLOCK) -> Iterator[bytes]:
    """The file's bytes from `start` to its end, a block at a time; whoever reads stops when it has enough."""
    with open(piece.path, "rb") as file:
        if os.fstat(file.fileno()).st_size != piece.size:
            raise InputError(f"{piece.path}: changed while it was read: {os.fstat(file.fileno()).st_size} bytes, expected {piece.size}")
        file.seek(start)
        if not piece.is_gzip:
            while data := file.read(block):
                yield data
            return
        machine = zlib.decompressobj(31)
        while data := file.read(block):
            while data:
                out = machine.decompress(data, block)
                if out:
                    yield out
                data = machine.unconsumed_tail
                if machine.eof:
                    data = machine.unused_data
                    machine = zlib.decompressobj(31)
