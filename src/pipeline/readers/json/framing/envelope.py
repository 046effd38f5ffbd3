"""Records inside bigger documents: the values at a path of keys, found without holding a document in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.readers.json.framing.around import Around, Members
from pipeline.readers.json.framing.record_splitter import MALFORMED, MOST_RECORD, TOO_LONG, TRUNCATED, JsonReader
from pipeline.readers.json.framing.tokens import END, KEEP, OPENING, STRING, DamagedError, TokenReader
from pipeline.readers.spans import RecordSpans, single
from transforms.row_errors import EMPTY_ARRAY, NULL_RECORD

MISSING_PATH = "missing_path"
# Of a document that is refused so much is kept as the record's text.
_SHOWN = 64 << 10
_OBJECT, _ARRAY = OPENING
_CLOSING = (0x7D, 0x5D)
_NO_VALUE, _ASIDE = -1, -2
NOTHING = Around()


@dataclass
class _Frame:
    """A container around the place that is read: its bracket, how many keys match on the way to it and to its value,
    and its place in the file.
    """

    kind: int
    matched: int
    value: int = _NO_VALUE
    start: int = 0


class EnvelopeReader:
    """Reads documents from offset `base` of the file and gives the value at `keys` in each.

    An array there gives its elements, another value but null is the record itself; arrays on the way are gone through.
    Documents without the path are `missing_path`; with null there and no record `null_record`, with only empty arrays
    `empty_array`.
    Records that start at or behind `end` are left. `stack`: the brackets open around `base`; the innermost is the array
    at the path, whose elements come next. `around`: what records take of their document, of the `members` that an
    earlier reading found.
    """

    def __init__(
        self,
        blocks: Iterator[bytes],
        base: int,
        keys: Sequence[str],
        end: int | None = None,
        stack: bytes = b"",
        around: Around = NOTHING,
        members: Members | None = None,
    ) -> None:
        self.around, self.wanted = around, around.members
        self.members: Members = {} if members is None else members
        self.text, self.keys, self.end = TokenReader(blocks, base), keys, end
        self.frames: list[_Frame] = []
        for kind in stack[:-1]:
            matched = self.frames[-1].value if self.frames else 0
            self.frames.append(_Frame(kind, matched, matched + 1 if kind == _OBJECT else matched))
        # Whether the document gave a record, and what it has at the path in place of one.
        self.given = self.in_array = bool(stack)
        self.without = ""
        self.done = False

    def records(self) -> Iterator[RecordSpans]:
        """Everything there is, in the order of the file."""
        while not self.done:
            try:
                if self.in_array:
                    yield from self._elements()
                else:
                    yield from self._next()
            except DamagedError as damaged:
                yield from self._refuse(damaged)

    def array(self) -> tuple[bytes, int] | None:
        """The brackets around the elements of the first array at the path, and where they begin; None without one."""
        try:
            while not self.done and not self.in_array:
                for _ in self._next():
                    pass
        except DamagedError:
            return None
        return (
            (bytes(frame.kind for frame in self.frames) + b"[", self.text.at + self.text.pos) if self.in_array else None
        )

    def _next(self) -> Iterator[RecordSpans]:
        """One step: the beginning of a value, or the end of a container."""
        if not self.frames:
            self._byte_order_mark()
        kind, start = self.text.token()
        while kind == 0x2C:
            kind, start = self.text.token()
        if kind == END:
            self.done = not self.frames
            if self.frames:
                raise DamagedError(self.text.pos, True)
        elif kind in _CLOSING:
            if not self.frames or self.frames.pop().kind != kind - 2:
                raise DamagedError(start - self.text.at, False)
            yield from self._behind_value()
        elif not self.frames:
            self.text.keep, self.given, self.without = start, False, ""
            yield from self._value(kind, start, 0)
        elif self.frames[-1].kind == _OBJECT:
            yield from self._member(kind, start)
        else:
            yield from self._value(kind, start, self.frames[-1].matched)

    def _byte_order_mark(self) -> None:
        text = self.text
        while len(text.rest) - text.pos < 3 and text.more():
            pass
        if text.rest[text.pos : text.pos + 3] == b"\xef\xbb\xbf":
            text.pos += 3

    def _member(self, kind: int, start: int) -> Iterator[RecordSpans]:
        frame = self.frames[-1]
        name = self.text.name(start) if kind == STRING else None
        colon, place = self.text.token()
        if name is None or colon != 0x3A:
            raise DamagedError(place - self.text.at, colon == END)
        wanted = frame.matched >= 0 and name == self.keys[frame.matched]
        frame.value = frame.matched + 1 if wanted else _ASIDE
        kind, start = self.text.token()
        if kind == END or kind in _CLOSING or kind == 0x2C:
            raise DamagedError(start - self.text.at, kind == END)
        if self.wanted and not wanted and (frame.matched, name) in self.wanted:
            self.members.setdefault(frame.start, {})[name] = self._whole(kind, start)
            yield from self._behind_value()
        else:
            yield from self._value(kind, start, frame.value)

    def _value(self, kind: int, start: int, matched: int) -> Iterator[RecordSpans]:
        if kind in (0x3A, *_CLOSING):
            raise DamagedError(start - self.text.at, False)
        if matched == len(self.keys):
            if kind == _ARRAY:
                self.in_array = not self.text.passes(b"]")
                if self.in_array:
                    return
                self.without = self.without or EMPTY_ARRAY
            else:
                yield from self._record(kind, start)
        elif kind in OPENING and matched >= 0:
            self.frames.append(_Frame(kind, matched, matched, start))
            return
        elif kind in OPENING:
            self.text.skip(start)
        yield from self._behind_value()

    def _behind_value(self) -> Iterator[RecordSpans]:
        if not self.frames and not self.given:
            yield from self._refused(self.without or MISSING_PATH)

    def _record(self, kind: int, start: int) -> Iterator[RecordSpans]:
        """The value at `start` as a record."""
        text = self._whole(kind, start)
        if self.end is not None and start >= self.end:
            self.done = True
        elif text == b"null":
            self.without = NULL_RECORD
        else:
            self.given = True
            found = single(text, start, None) if start >= self.text.at else single(text[:_SHOWN], start, TOO_LONG)
            found.around = self._around()
            yield found

    def _whole(self, kind: int, start: int) -> bytes:
        """The text of the value at `start`."""
        keep, self.text.keep, self.text.most = self.text.keep, start, MOST_RECORD
        try:
            if kind in OPENING:
                self.text.skip(start)
        finally:
            self.text.most = KEEP
        text = self.text.text(start)
        self.text.keep = keep
        return text

    def _around(self) -> str | None:
        """What the records here take of the document."""
        if not self.wanted:
            return None
        objects = {frame.matched: self.members.get(frame.start, {}) for frame in self.frames if frame.kind == _OBJECT}
        return self.around.text(objects)

    def _elements(self) -> Iterator[RecordSpans]:
        """The elements of the array that begins here."""
        text = self.text
        held = text.rest[text.pos :]
        reader = JsonReader(
            itertools.chain([held] if held else [], text.blocks),
            text.at + text.pos,
            self.end,
            level=1,
            ends_with_array=True,
        )
        around = self._around()
        for found in reader.records():
            self.given = self.given or len(found.starts) > 0
            found.around = around
            yield found
        text.rest, text.at, text.pos, text.final = reader.rest, reader.at, 0, reader.final
        self.in_array, self.done = False, not reader.closed
        if not self.done:
            yield from self._behind_value()

    def _refused(self, error: str) -> Iterator[RecordSpans]:
        """The document up to what was read, or what is still held of it, as a record with an error."""
        text = self.text
        place = max(text.keep, text.at)
        yield single(text.text(place).rstrip(b" \t\r\n,")[:_SHOWN], place, error)

    def _refuse(self, damaged: DamagedError) -> Iterator[RecordSpans]:
        """Refuses the rest of a document up to the end of the line; what comes then is a new document."""
        text = self.text
        text.pos = damaged.place
        while not damaged.cut_off and (stop := text.rest.find(b"\n", text.pos)) < 0:
            text.pos = len(text.rest)
            if not text.more():
                break
        text.pos = len(text.rest) if damaged.cut_off or stop < 0 else stop
        self.frames, self.given = [], True
        yield from self._refused(TRUNCATED if damaged.cut_off else MALFORMED)
        text.keep = text.at + text.pos
