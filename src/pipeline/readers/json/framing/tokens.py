"""JSON text that comes in blocks, token by token, with quick ways over whole values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

from pipeline.readers.json.framing.recovery import TOKEN, may_go_on
from pipeline.readers.json.framing.structural_index import structure

STRING, SCALAR, END = -2, -3, 0
OPENING = (0x7B, 0x5B)
# Up to a bracket or behind a whole string, where nothing can be wrong.
_STEP = re.compile(
    rb'[^"{}\[\]]*(?:([{\[])|([}\]])|"[^"\\\x00-\x1f]*(?:\\["\\/bfnrtu][^"\\\x00-\x1f]*)*"(?=[,:}\]\s]))'
)
_BLANKS = re.compile(rb"[ \t\r\n]*")
# A value of so many steps is skipped one by one: the index costs as much as 200 of them, however short the text.
_STEPS = 200
_WINDOW = 16 << 10
# What was read is kept this far back for the text of a document that is refused.
KEEP = 1 << 20


class DamagedError(Exception):
    """The text goes wrong at this place of what was read; `cut_off` when it just ends."""

    def __init__(self, place: int, cut_off: bool) -> None:
        super().__init__(place)
        self.place, self.cut_off = place, cut_off


class TokenReader:
    """Text from offset `at` of the file: `rest` is what is held of it, `pos` how far of that was read.

    Text from `keep` (offset in the file) on is held, `most` bytes of it.
    """

    def __init__(self, blocks: Iterator[bytes], at: int) -> None:
        self.blocks, self.at, self.keep = blocks, at, at
        self.rest, self.pos, self.final = b"", 0, False
        self.most = KEEP

    def more(self) -> bool:
        """Reads on; False at the end of the text."""
        block = None if self.final else next(self.blocks, None)
        self.final = block is None
        if block is not None:
            kept = self.keep - self.at
            drop = max(kept, 0) if self.pos - kept < self.most else self.pos
            drop = min(drop, self.pos)
            self.rest, self.at, self.pos = self.rest[drop:] + block, self.at + drop, self.pos - drop
        return block is not None

    def token(self) -> tuple[int, int]:
        """What the next token is (a mark's byte, STRING, SCALAR, or END) and where it starts in the file."""
        while True:
            found = TOKEN.match(self.rest, self.pos)
            # A number at the end of what was read may go on.
            if found and (found.end() < len(self.rest) or found.lastindex == 1 or self.final):
                kind = found.lastindex or 0
                start, self.pos = found.start(kind), found.end()
                return (self.rest[start] if kind == 1 else -kind), self.at + start
            if not found and not may_go_on(self.rest, self.pos, len(self.rest)):
                raise DamagedError(self.pos, False)
            if not self.more() and not found:
                if self.rest[self.pos :].strip():
                    raise DamagedError(self.pos, True)
                self.pos = len(self.rest)
                return END, self.at + self.pos

    def passes(self, mark: bytes) -> bool:
        """Whether the next byte that is no blank is this mark; then it is read."""
        while (at := _BLANKS.match(self.rest, self.pos).end()) == len(self.rest):  # type: ignore[union-attr]
            self.pos = at
            if not self.more():
                return False
        self.pos = at
        found = self.rest.startswith(mark, self.pos)
        self.pos += found
        return found

    def text(self, start: int) -> bytes:
        """From offset `start` of the file, or from where the text is still held, up to what was read."""
        return self.rest[max(start - self.at, 0) : self.pos]

    def name(self, start: int) -> str:
        """The string token that starts at `start`, as text."""
        return str(json.loads(self.text(start).decode(errors="replace")))

    def skip(self, start: int) -> None:
        """Goes behind the object or array whose opening bracket was read at `start`, checking nothing but brackets."""
        if not self._skip_short():
            self._skip_long()

    def _skip_short(self) -> bool:
        """Goes behind a short, sound value; False, and nothing done, for another."""
        depth, at = 1, self.pos
        for _ in range(_STEPS):
            step = _STEP.match(self.rest, at)
            if step is None:
                return False
            at = step.end()
            if step.lastindex:
                depth += 1 if step.lastindex == 1 else -1
                if not depth:
                    self.pos = at
                    return True
        return False

    def _skip_long(self) -> None:
        depth, inside, escaped, window = 1, False, False, _WINDOW
        while True:
            # In windows that grow: the end may be near, and a lot may be held.
            part = memoryview(self.rest)[self.pos : self.pos + window]
            behind = self.rest[self.pos + len(part) : self.pos + len(part) + 1]
            found = structure(part, inside=inside, escaped=escaped, following=behind[0] if behind else 0)
            deep = depth + np.cumsum(3 - (found.kinds & 6).astype(np.int8), dtype=np.int64)
            ends = np.flatnonzero(deep == 0)
            if len(ends):
                self.pos += int(found.at[ends[0]]) + 1
                return
            if found.trouble < len(part):
                raise DamagedError(self.pos + found.trouble, False)
            depth, inside, escaped = (int(deep[-1]) if len(deep) else depth), found.inside, found.escaped
            self.pos, window = self.pos + len(part), window * 4
            if self.pos == len(self.rest) and not self.more():
                raise DamagedError(self.pos, True)
