"""Search pages to rows of restaurants, a batch of pages at a time.

A page is `{"restaurants": [{"restaurant": {...}}, ...]}` or an error such as `{"message": ..., "code": ...}`. Scalars
are read as text, since partners send `votes` and `aggregate_rating` as text in one record and as a number in the next.
A page is decoded as a whole; one that does not fit is decoded again restaurant by restaurant, so that only the one at
fault is lost.
"""

from __future__ import annotations

import decimal
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.typed_text import only_where
from transforms.row_errors import ERROR, ERROR_ARROW, ERROR_TYPE, EXCLUDED, REJECTED, error_array, error_value

EVENT = "struct<event_id:string,title:string,start_date:string,end_date:string,photo_url:string>"
RESTAURANT_ROWS = (
    "_source_file int, _source_offset long, _index int, id long, name string, country_id int, city string, votes long,"
    f" rating decimal(2,1), rating_text string, rating_color string, cuisines string, events array<{EVENT}>,"
    f" {ERROR} {ERROR_TYPE}"
)
_EVENT_FIELDS = ("event_id", "title", "start_date", "end_date", "photo_url")
_EVENT_TYPE = pa.struct([pa.field(name, pa.string()) for name in _EVENT_FIELDS])
_SCHEMA = pa.schema(
    [
        ("_source_file", pa.int32()), ("_source_offset", pa.int64()), ("_index", pa.int32()), ("id", pa.int64()),
        ("name", pa.string()), ("country_id", pa.int32()), ("city", pa.string()), ("votes", pa.int64()),
        ("rating", pa.decimal128(2, 1)), ("rating_text", pa.string()), ("rating_color", pa.string()),
        ("cuisines", pa.string()), ("events", pa.list_(_EVENT_TYPE)), (ERROR, ERROR_ARROW),
    ]
)  # fmt: skip
# The columns of a restaurant's values, and whether it is a number.
_VALUES = ("id", "name", "country_id", "city", "votes", "rating", "rating_text", "rating_color", "cuisines", "events")
_NUMBERS = {"id": "id", "country_id": "country_id", "votes": "votes", "rating": "aggregate_rating"}
_WHOLE = r"^[+-]?[0-9]{1,19}$"
_RATING = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class _Photo(msgspec.Struct, gc=False):
    url: Any = None


class _PhotoItem(msgspec.Struct, gc=False):
    photo: _Photo | None = None


class _Event(msgspec.Struct, gc=False):
    event_id: Any = None
    title: Any = None
    start_date: Any = None
    end_date: Any = None
    photos: list[_PhotoItem | None] | None = None


class _EventItem(msgspec.Struct, gc=False):
    event: _Event | None = None


class _Location(msgspec.Struct, gc=False):
    city: Any = None
    country_id: Any = None


class _Rating(msgspec.Struct, gc=False):
    aggregate_rating: Any = None
    votes: Any = None
    rating_text: Any = None
    rating_color: Any = None


class _Restaurant(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    cuisines: Any = None
    location: _Location | None = None
    user_rating: _Rating | None = None
    zomato_events: list[_EventItem | None] | None = None


class _Element(msgspec.Struct, gc=False):
    restaurant: _Restaurant | None = None


class _Page(msgspec.Struct, gc=False):
    message: Any = None
    code: Any = None
    restaurants: list[_Element | None] | None = None


class _RawPage(msgspec.Struct, gc=False):
    """A page whose restaurants are looked at one by one."""

    message: Any = None
    code: Any = None
    restaurants: list[msgspec.Raw] | None = None


# Numbers that are not whole come as the text that was sent.
_PAGE = msgspec.json.Decoder(_Page, float_hook=str)
_RAW_PAGE = msgspec.json.Decoder(_RawPage, float_hook=str)
_ELEMENT = msgspec.json.Decoder(_Element | None, float_hook=str)
_OBJECT = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_NOTHING, _NO_LOCATION, _NO_RATING = _Restaurant(), _Location(), _Rating()

Error = dict[str, str]


def _text(value: Any) -> str | None:
    """A scalar as text, None for an absent or blank one; objects and arrays are compact JSON."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()  # as deep as what was decoded, where `json` gives up earlier
    return str(value)


def _texts(values: list[Any]) -> pa.Array:
    """Scalars as texts, null for absent and blank ones."""
    try:
        texts = pa.array(values, pa.string())
    except pa.ArrowTypeError:  # not all are texts
        texts = pa.array([one if type(one) is str or one is None else _text(one) for one in values], pa.string())
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0)
    return only_where(pc.invert(blank), texts) if pc.any(blank).as_py() else texts


def _whole_numbers(values: list[Any], kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """Scalars as integers, null for what is none, and as texts."""
    texts = _texts(values)
    trimmed = pc.utf8_trim_whitespace(texts)
    fits = pc.match_substring_regex(trimmed, _WHOLE)
    numbers = pc.cast(only_where(fits, pc.utf8_ltrim(trimmed, "+")), pa.decimal128(19, 0))
    limit = 1 << (kind.bit_width - 1)
    within = pc.and_(pc.less(numbers, decimal.Decimal(limit)), pc.greater_equal(numbers, decimal.Decimal(-limit)))
    return pc.cast(pc.if_else(within, numbers, None), kind), texts


def _rating(text: str | None) -> decimal.Decimal | None:
    """A rating with at most one digit on either side of the point; None for any other text."""
    if text is None or len(text) > 40 or not _RATING.fullmatch(text := text.strip()):
        return None
    value = decimal.Decimal(text)
    if abs(value) >= 10:
        return None
    shown = value.quantize(decimal.Decimal("0.1"))
    return shown if shown == value and abs(shown) < 10 else None


def _ratings(values: list[Any]) -> tuple[pa.Array, pa.Array]:
    """Scalars as decimals with one digit on either side of the point, null for what is none, and as texts."""
    texts = _texts(values)
    # There are some dozens of different ratings.
    coded = texts.dictionary_encode()
    known = pa.array(list(map(_rating, coded.dictionary.to_pylist())), pa.decimal128(2, 1))
    return known.take(coded.indices), texts


def _event_arrays(lists: list[list[_EventItem | None] | None]) -> pa.Array:
    """Lists of events; items without one are left out, and an absent list is null."""
    ends, events = [0], list[_Event]()
    for items in lists:
        if items:
            events += [item.event for item in items if item is not None and item.event is not None]
        ends.append(len(events))
    photos = [event.photos[0] if event.photos else None for event in events]
    urls = [first.photo.url if first is not None and first.photo is not None else None for first in photos]
    scalars = [_texts([getattr(event, name) for event in events]) for name in _EVENT_FIELDS[:-1]]
    values = pa.StructArray.from_arrays([*scalars, _texts(urls)], names=list(_EVENT_FIELDS))
    absent = pa.array([items is None for items in lists], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, type=pa.list_(_EVENT_TYPE), mask=absent)


@dataclass
class _Rows:
    """Rows in the making, a list for each column; `errors` by row."""

    files: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    indexes: list[int | None] = field(default_factory=list)
    scalars: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _VALUES})
    errors: dict[int, Error] = field(default_factory=dict)

    def add(self, file: int, offset: int, index: int | None, found: _Restaurant | None, error: Error | None) -> None:
        """Adds a row; without a restaurant it has no values."""
        if error is not None:
            self.errors[len(self.files)] = error
        self.add_all(file, offset, (index,), (found or _NOTHING,))

    def add_all(self, file: int, offset: int, indexes: Sequence[int | None], rows: Sequence[_Restaurant]) -> None:
        """Adds restaurants of one page. Only their values are kept: objects by the million are slow to hold."""
        places, rated = [row.location or _NO_LOCATION for row in rows], [row.user_rating or _NO_RATING for row in rows]
        self.files += [file] * len(rows)
        self.offsets += [offset] * len(rows)
        self.indexes += indexes
        into = self.scalars
        into["id"] += [row.id for row in rows]
        into["name"] += [row.name for row in rows]
        into["country_id"] += [place.country_id for place in places]
        into["city"] += [place.city for place in places]
        into["votes"] += [one.votes for one in rated]
        into["rating"] += [one.aggregate_rating for one in rated]
        into["rating_text"] += [one.rating_text for one in rated]
        into["rating_color"] += [one.rating_color for one in rated]
        into["cuisines"] += [row.cuisines for row in rows]
        into["events"] += [row.zomato_events for row in rows]

    def values(self) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
        """The columns of values, and the texts of those that are numbers."""
        found, texts = self.scalars, dict[str, pa.Array]()
        columns = {name: _texts(found[name]) for name in ("name", "city", "rating_text", "rating_color", "cuisines")}
        columns["rating_color"] = pc.utf8_upper(columns["rating_color"])
        columns["events"] = _event_arrays(found["events"])
        for name, kind in (("id", pa.int64()), ("country_id", pa.int32()), ("votes", pa.int64())):
            columns[name], texts[name] = _whole_numbers(found[name], kind)
        columns["rating"], texts["rating"] = _ratings(found["rating"])
        return columns, texts

    def as_batch(self) -> pa.RecordBatch:
        """The rows of `RESTAURANT_ROWS`."""
        columns, texts = self.values()
        self._check_numbers(columns, texts)
        rows = len(self.files)
        errors = error_array([*map(self.errors.get, range(rows))]) if self.errors else pa.nulls(rows, ERROR_ARROW)
        head = [pa.array(values, kind) for values, kind in zip(
            (self.files, self.offsets, self.indexes), (pa.int32(), pa.int64(), pa.int32()), strict=True
        )]  # fmt: skip
        return pa.RecordBatch.from_arrays([*head, *[columns[name] for name in _VALUES], errors], schema=_SCHEMA)

    def _check_numbers(self, columns: dict[str, pa.Array], texts: dict[str, pa.Array]) -> None:
        """Rejects rows with a number that is none, or without id, unless they have an error already."""
        wrong = {name: pc.and_(pc.is_valid(texts[name]), pc.is_null(columns[name])) for name in _NUMBERS}
        odd = functools.reduce(pc.or_, wrong.values(), pc.is_null(columns["id"]))
        for row in pc.indices_nonzero(odd).to_pylist():
            if row in self.errors:
                continue
            names = [name for name in _NUMBERS if wrong[name][row].as_py()]
            shown = "; ".join(f"{_NUMBERS[name]}: '{texts[name][row].as_py()}'" for name in names)
            missing = ("missing_value", "restaurant without id")
            self.errors[row] = error_value(REJECTED, *(("wrong_type", shown) if names else missing))


def _add_page(rows: _Rows, file: int, offset: int, raw: bytes) -> None:
    """Adds the rows of a page."""
    text = raw.strip(b" \t\r\n,")
    if not text.startswith(b"{"):
        rows.add(file, offset, None, None, error_value(REJECTED, "not_an_object", raw.decode()[:80]))
        return
    try:
        _add_object(rows, file, offset, text)
    except (msgspec.DecodeError, RecursionError):
        detail = "not a JSON value as RFC 8259 defines it"
        rows.add(file, offset, None, None, error_value(REJECTED, "malformed_json", detail))


def _add_object(rows: _Rows, file: int, offset: int, text: bytes) -> None:
    try:
        page = _PAGE.decode(text)
    except msgspec.ValidationError:
        # What is behind the first wrong shape has not been looked at: it may be no JSON.
        _add_one_by_one(rows, file, offset, text, _OBJECT.decode(text))
        return
    if not page.restaurants:
        rows.add(file, offset, None, None, _without_list(page.message, page.code, page.restaurants is None))
        return
    elements = [one for one in page.restaurants if one is not None]
    found = [one.restaurant for one in elements if one.restaurant is not None]
    if len(found) == len(page.restaurants):
        rows.add_all(file, offset, range(len(found)), found)
        return
    for index, element in enumerate(page.restaurants):
        _add_element(rows, file, offset, index, element)


def _add_element(rows: _Rows, file: int, offset: int, index: int, element: _Element | None) -> None:
    found = element.restaurant if element is not None else None
    error = None if found is not None else error_value(REJECTED, "not_a_restaurant", f"element {index}")
    rows.add(file, offset, index, found, error)


def _without_list(message: Any, code: Any, is_absent: bool) -> Error:
    parts = [_text(message) or ("" if message == "" else None), None if code is None else f"code {_text(code) or ''}"]
    shown = ", ".join(part for part in parts if part is not None)
    if is_absent and shown:
        return error_value(REJECTED, "api_error", shown)
    return error_value(EXCLUDED, "empty_page", "")


def _add_one_by_one(rows: _Rows, file: int, offset: int, text: bytes, found: dict[str, Any]) -> None:
    """Adds the rows of a page in which something has another shape; `found` is all of it."""
    try:
        page = _RAW_PAGE.decode(text)
    except msgspec.ValidationError:
        error = _without_list(found.get("message"), found.get("code"), True)
        wrong = error_value(REJECTED, "wrong_type", "restaurants is not a list")
        rows.add(file, offset, None, None, error if error["code"] == "api_error" else wrong)
        return
    for index, item in enumerate(page.restaurants or ()):
        try:
            _add_element(rows, file, offset, index, _ELEMENT.decode(item))
        except msgspec.ValidationError as misfit:  # it says what is where: `$.restaurant.user_rating`
            rows.add(file, offset, index, None, error_value(REJECTED, "wrong_type", str(misfit)))


def restaurant_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of pages (`_source_file`, `_source_offset`, `_raw`, `_error`) as the rows of `RESTAURANT_ROWS`."""
    rows = _Rows()
    places = [batch.column(name).to_pylist() for name in ("_source_file", "_source_offset", ERROR)]
    texts = batch.column("_raw").cast(pa.binary()).to_pylist()
    for file, offset, error, raw in zip(*places, texts, strict=True):
        if error is None:
            _add_page(rows, file, offset, raw)
        else:
            rows.add(file, offset, None, None, error)
    return rows.as_batch()
