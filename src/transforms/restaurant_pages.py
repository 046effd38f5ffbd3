"""Search pages to rows of restaurants, a batch of pages at a time.

A page is `{"restaurants": [{"restaurant": {...}}, ...]}` or an error such as `{"message": ..., "code": ...}`. Scalars
are read as text, since partners send `votes` and `aggregate_rating` as text in one record and as a number in the next.
A page is decoded as a whole; one that does not fit is decoded again restaurant by restaurant, so that only the one at
fault is lost.
"""

from __future__ import annotations

import decimal
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa

from transforms.row_errors import ERROR, ERROR_TYPE, EXCLUDED, REJECTED, error_array

EVENT = "struct<event_id:string,title:string,start_date:string,end_date:string,photo_url:string>"
RESTAURANT_ROWS = (
    "_source_file int, _source_offset long, _index int, id long, name string, country_id int, city string, votes long,"
    f" rating decimal(2,1), rating_text string, rating_color string, cuisines string, events array<{EVENT}>,"
    f" {ERROR} {ERROR_TYPE}"
)
_EVENT_FIELDS = ("event_id", "title", "start_date", "end_date", "photo_url")
_EVENT_TYPE = pa.struct([pa.field(name, pa.string()) for name in _EVENT_FIELDS])
_ERROR_TYPE = pa.struct([pa.field(name, pa.string()) for name in ("kind", "code", "detail")])
_SCHEMA = pa.schema(
    [
        ("_source_file", pa.int32()), ("_source_offset", pa.int64()), ("_index", pa.int32()), ("id", pa.int64()),
        ("name", pa.string()), ("country_id", pa.int32()), ("city", pa.string()), ("votes", pa.int64()),
        ("rating", pa.decimal128(2, 1)), ("rating_text", pa.string()), ("rating_color", pa.string()),
        ("cuisines", pa.string()), ("events", pa.list_(_EVENT_TYPE)), (ERROR, _ERROR_TYPE),
    ]
)  # fmt: skip
_VALUES = len(_SCHEMA) - 4
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class _Photo(msgspec.Struct):
    url: Any = None


class _PhotoItem(msgspec.Struct):
    photo: _Photo | None = None


class _Event(msgspec.Struct):
    event_id: Any = None
    title: Any = None
    start_date: Any = None
    end_date: Any = None
    photos: list[_PhotoItem | None] | None = None


class _EventItem(msgspec.Struct):
    event: _Event | None = None


class _Location(msgspec.Struct):
    city: Any = None
    country_id: Any = None


class _Rating(msgspec.Struct):
    aggregate_rating: Any = None
    votes: Any = None
    rating_text: Any = None
    rating_color: Any = None


class _Restaurant(msgspec.Struct):
    id: Any = None
    name: Any = None
    cuisines: Any = None
    location: _Location | None = None
    user_rating: _Rating | None = None
    zomato_events: list[_EventItem | None] | None = None


class _Element(msgspec.Struct):
    restaurant: _Restaurant | None = None


class _Page(msgspec.Struct):
    message: Any = None
    code: Any = None
    restaurants: list[_Element | None] | None = None


class _RawPage(msgspec.Struct):
    """A page whose restaurants are looked at one by one."""

    message: Any = None
    code: Any = None
    restaurants: list[msgspec.Raw] | None = None


# Numbers that are not whole come as the text that was sent.
_PAGE = msgspec.json.Decoder(_Page, float_hook=str)
_RAW_PAGE = msgspec.json.Decoder(_RawPage, float_hook=str)
_ELEMENT = msgspec.json.Decoder(_Element | None, float_hook=str)
_OBJECT = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_NO_LOCATION, _NO_RATING = _Location(), _Rating()

Row = tuple[Any, ...]


def _text(value: Any) -> str | None:
    """A scalar as text, None for an absent or blank one; objects and arrays are compact JSON."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _whole(text: str | None, bits: int) -> int | None:
    """The integer of so many bits that a text is; None for any other text."""
    if text is None or not _WHOLE.fullmatch(text := text.strip()):
        return None
    value = int(text)
    return value if -(1 << (bits - 1)) <= value < 1 << (bits - 1) else None


def _rating(text: str | None) -> decimal.Decimal | None:
    """A rating with at most one digit on either side of the point; None for any other text."""
    if text is None or len(text) > 40 or not _NUMBER.fullmatch(text := text.strip()):
        return None
    value = decimal.Decimal(text)
    shown = value.quantize(decimal.Decimal("0.1")) if abs(value) < 10 else value
    return shown if shown == value and abs(value) < 10 else None


def _events(items: list[_EventItem | None] | None) -> list[dict[str, str | None]] | None:
    if items is None:
        return None
    return [_event(item.event) for item in items if item is not None and item.event is not None]


def _event(event: _Event) -> dict[str, str | None]:
    first = event.photos[0] if event.photos else None
    url = first.photo.url if first is not None and first.photo is not None else None
    values = (event.event_id, event.title, event.start_date, event.end_date, url)
    return dict(zip(_EVENT_FIELDS, map(_text, values), strict=True))


def _row(index: int, element: _Element | None) -> Row:
    """`_index`, the values and the error of one restaurant."""
    found = element.restaurant if element is not None else None
    if found is None:
        return (index, *[None] * _VALUES, _error(REJECTED, "not_a_restaurant", f"element {index}"))
    location, rated = found.location or _NO_LOCATION, found.user_rating or _NO_RATING
    texts = (_text(found.id), _text(location.country_id), _text(rated.votes), _text(rated.aggregate_rating))
    numbers = (_whole(texts[0], 64), _whole(texts[1], 32), _whole(texts[2], 64), _rating(texts[3]))
    error = None
    if texts != (None, None, None, None) and any(
        t is not None and n is None for t, n in zip(texts, numbers, strict=True)
    ):
        names = ("id", "country_id", "votes", "aggregate_rating")
        wrong = [
            f"{name}: '{t}'" for name, t, n in zip(names, texts, numbers, strict=True) if t is not None and n is None
        ]
        error = _error(REJECTED, "wrong_type", "; ".join(wrong))
    elif numbers[0] is None:
        error = _error(REJECTED, "missing_value", "restaurant without id")
    colour = _text(rated.rating_color)
    return (
        index, numbers[0], _text(found.name), numbers[1], _text(location.city), numbers[2], numbers[3],
        _text(rated.rating_text), colour.upper() if colour else None, _text(found.cuisines),
        _events(found.zomato_events), error,
    )  # fmt: skip


def _error(kind: str, code: str, detail: str) -> dict[str, str]:
    return {"kind": kind, "code": code, "detail": detail}


def _no_parts(error: dict[str, str]) -> list[Row]:
    return [(None, *[None] * _VALUES, error)]


def page_rows(raw: str) -> list[Row]:
    """The rows of a page: `_index`, the values of `RESTAURANT_ROWS` from id to events, and the error."""
    text = raw.strip(" \t\r\n,")
    if not text.startswith("{"):
        return _no_parts(_error(REJECTED, "not_an_object", raw[:80]))
    try:
        page = _PAGE.decode(text)
    except msgspec.ValidationError:
        return _one_by_one(text)
    except (msgspec.DecodeError, RecursionError):
        return _no_parts(_error(REJECTED, "malformed_json", "not a JSON value as RFC 8259 defines it"))
    if not page.restaurants:
        return _no_parts(_without_list(page.message, page.code, page.restaurants is None))
    return [_row(index, element) for index, element in enumerate(page.restaurants)]


def _without_list(message: Any, code: Any, is_absent: bool) -> dict[str, str]:
    parts = [_text(message) or ("" if message == "" else None), None if code is None else f"code {_text(code) or ''}"]
    shown = ", ".join(part for part in parts if part is not None)
    if is_absent and shown:
        return _error(REJECTED, "api_error", shown)
    return _error(EXCLUDED, "empty_page", "")


def _one_by_one(text: str) -> list[Row]:
    """The rows of a page in which something has another shape."""
    try:
        page = _RAW_PAGE.decode(text)
    except msgspec.ValidationError:
        found = _OBJECT.decode(text)
        error = _without_list(found.get("message"), found.get("code"), True)
        wrong = _error(REJECTED, "wrong_type", "restaurants is not a list")
        return _no_parts(error if error["code"] == "api_error" else wrong)
    return [_one(index, item) for index, item in enumerate(page.restaurants or ())]


def _one(index: int, item: msgspec.Raw) -> Row:
    try:
        return _row(index, _ELEMENT.decode(item))
    except msgspec.ValidationError:
        error = _error(REJECTED, "wrong_type", "a field of the restaurant has another shape")
        return (index, *[None] * _VALUES, error)


def _all_rows(batch: pa.RecordBatch) -> Iterator[Row]:
    columns = [batch.column(name).to_pylist() for name in ("_source_file", "_source_offset", "_raw", ERROR)]
    for file, offset, raw, error in zip(*columns, strict=True):
        for row in page_rows(raw) if error is None else _no_parts(error):
            yield (file, offset, *row)


def restaurant_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of pages (`_source_file`, `_source_offset`, `_raw`, `_error`) as the rows of `RESTAURANT_ROWS`."""
    rows = list(_all_rows(batch))
    *columns, errors = zip(*rows, strict=True) if rows else [()] * len(_SCHEMA)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=False)]
    return pa.RecordBatch.from_arrays([*arrays, error_array(errors)], schema=_SCHEMA)
