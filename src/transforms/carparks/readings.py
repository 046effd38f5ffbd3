"""Answers of the availability API to rows of readings, a batch of answers at a time.

An answer is `{"items": [{"timestamp": ..., "carpark_data": [{"carpark_number": ..., "update_datetime": ...,
"carpark_info": [{"lot_type": ..., "total_lots": ..., "lots_available": ...}]}]}]}`; all figures and times are texts.
Times without a zone are +08:00, and are shown so.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.typed_text import only_where
from transforms.render import json_text
from transforms.row_errors import ERROR, ERROR_ARROW, ERROR_TYPE, REJECTED, error_array, error_value

TEXTS = ("car_park_no", "lot_type", "total_lots", "lots_available", "update_datetime", "timestamp")
READING_ROWS = (
    "car_park_no string, lot_type string, total_lots long, available_lots long, updated_at timestamp,"
    " updated_text string, answered_at timestamp, reading struct<" + ",".join(f"{name}:string" for name in TEXTS) + ">,"
    f" _source_file int, _source_offset long, {ERROR} {ERROR_TYPE}"
)
_TIMESTAMP = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    [
        ("car_park_no", pa.string()), ("lot_type", pa.string()), ("total_lots", pa.int64()),
        ("available_lots", pa.int64()), ("updated_at", _TIMESTAMP), ("updated_text", pa.string()),
        ("answered_at", _TIMESTAMP), ("reading", pa.struct([pa.field(name, pa.string()) for name in TEXTS])),
        ("_source_file", pa.int32()), ("_source_offset", pa.int64()), (ERROR, ERROR_ARROW),
    ]
)  # fmt: skip

_MICROSECONDS = 1_000_000
_OFFSET = 8 * 3600
_TIME = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9]|[+-]18:00)?$"
)
_FORM = "%Y-%m-%dT%H:%M:%S"


def local_times(texts: pa.Array) -> pa.Array:
    """Times as the source writes them, `2021-05-23T17:23:34`, as timestamps; without a zone they are +08:00.

    Null rule: null, and a text that is no such time, gives null. Digits behind microseconds go.

    >>> times = local_times(pa.array(["2021-05-23T17:23:34", "2021-05-23T09:23:34Z", "2021-02-29T00:00:00", "now"]))
    >>> times.cast(pa.int64()).to_pylist()
    [1621761814000000, 1621761814000000, None, None]
    """
    parts = pc.extract_regex(texts, _TIME)
    day, clock, fraction, zone = (pc.struct_field(parts, name) for name in ("day", "clock", "fraction", "zone"))
    written = pc.binary_join_element_wise(day, clock, "T")
    seconds = pc.strptime(written, _FORM, "s", error_is_null=True)
    # February 29 of another year, or second 60, comes back as the time that follows.
    is_time = pc.equal(pc.strftime(seconds, _FORM), written)
    number = pc.cast(pc.if_else(is_time, seconds, None), pa.int64())
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(fraction, 6, "0"), 0, 6)
    utc = pc.multiply(pc.subtract(number, _zone_seconds(zone)), _MICROSECONDS)
    return pc.add(utc, pc.cast(digits, pa.int64())).cast(_TIMESTAMP)


def _zone_seconds(zone: pa.Array) -> pa.Array:
    """The offsets from UTC that `Z`, `+08:00` and no zone at all mean."""
    full = pc.if_else(pc.equal(zone, ""), "+08:00", pc.if_else(pc.equal(zone, "Z"), "+00:00", zone))
    hours, minutes = (pc.cast(pc.utf8_slice_codeunits(full, at, at + 2), pa.int64()) for at in (1, 4))
    size = pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60))
    return pc.if_else(pc.starts_with(full, "-"), pc.negate(size), size)


def time_texts(times: pa.Array) -> pa.Array:
    """Timestamps as text at +08:00, without fractions; null stays null.

    >>> time_texts(local_times(pa.array(["2021-05-23T09:23:34.9Z"]))).to_pylist()
    ['2021-05-23T17:23:34+08:00']
    """
    local = pc.add(whole_seconds(times), _OFFSET).cast(pa.timestamp("s"))
    return pc.strftime(local, f"{_FORM}+08:00").cast(pa.string())


def whole_seconds(times: pa.Array) -> pa.Array:
    """Timestamps as seconds since 1970, fractions cut off towards the past."""
    return pc.floor_temporal(times, unit="second").cast(pa.timestamp("us")).cast(pa.timestamp("s")).cast(pa.int64())


def _lots(texts: pa.Array) -> pa.Array:
    """Figures as numbers; what is no whole number from 0 on, of up to nine digits, is null."""
    return pc.cast(only_where(pc.match_substring_regex(texts, r"^[0-9]{1,9}\z"), texts), pa.int64())


def _explode(lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The row of each element, and the elements."""
    return pc.list_parent_indices(lists), pc.list_flatten(lists)


def _explode_outer(lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The same; a null or empty list has one element, null."""
    rows, elements = _explode(lists)
    is_empty = pc.equal(pc.fill_null(pc.list_value_length(lists), 0), 0)
    empty = pc.indices_nonzero(is_empty).cast(rows.type)
    nulls = pa.nulls(len(empty), elements.type)
    return pa.concat_arrays([rows, empty]), pa.concat_arrays([elements, nulls])


def _trimmed(structs: pa.Array, name: str) -> pa.Array:
    return pc.utf8_trim(pc.struct_field(structs, name), " ")


def _reading_texts(batch: pa.RecordBatch) -> tuple[dict[str, pa.Array], pa.Array, pa.Array]:
    """The texts of all readings, whether each is a lot at all, and the row of its answer."""
    answer, items = _explode(batch.column("items"))
    item, parks = _explode(pc.struct_field(items, "carpark_data"))
    park, lots = _explode_outer(pc.struct_field(parks, "carpark_info"))
    # Texts alone are repeated for each reading: lists would be, whole.
    of_item = item.take(park)
    texts = {
        "car_park_no": _trimmed(parks, "carpark_number").take(park),
        "lot_type": _trimmed(lots, "lot_type"),
        "total_lots": _trimmed(lots, "total_lots"),
        "lots_available": _trimmed(lots, "lots_available"),
        "update_datetime": _trimmed(parks, "update_datetime").take(park),
        "timestamp": _trimmed(items, "timestamp").take(of_item),
    }
    return texts, pc.is_valid(lots), answer.take(of_item)


def _error(texts: dict[str, str | None], values: dict[str, Any], is_lot: bool) -> dict[str, str]:
    """What is wrong with a reading of which something is: `values` has what its figures and times are, null for none.

    >>> texts = dict.fromkeys(TEXTS, "1") | {"car_park_no": "A", "lot_type": "C", "total_lots": "many"}
    >>> _error(texts, {"total_lots": None}, True)["detail"]
    'reading of A C: total_lots: ["many"] is not a whole number from 0 on'
    """
    number, lot_type = texts["car_park_no"], texts["lot_type"]
    where = f"reading of {'?' if number is None else number}" + ("" if lot_type is None else f" {lot_type}")
    if not is_lot and number is not None:
        return _rejected("no_lots", where)
    for name, text in texts.items():
        if not text:
            return _rejected("missing_value", f"{where}: {name} is absent")
    name = next(name for name, value in values.items() if value is None)
    kind = "time like 2021-05-23T17:23:34" if name in TEXTS[4:] else "whole number from 0 on"
    return _rejected("wrong_type", f"{where}: {name}: [{json_text(str(texts[name]))}] is not a {kind}")


def _rejected(code: str, detail: str) -> dict[str, str]:
    return error_value(REJECTED, code, detail)


def _errors(texts: dict[str, pa.Array], values: dict[str, pa.Array], is_lot: pa.Array) -> pa.Array:
    """The `_error` of each reading, null for one that is fine."""
    fine = pc.fill_null(pc.and_(pc.not_equal(texts["car_park_no"], ""), pc.not_equal(texts["lot_type"], "")), False)
    for value in values.values():
        fine = pc.and_(fine, pc.is_valid(value))
    bad = pc.indices_nonzero(pc.invert(fine))
    found: list[dict[str, str] | None] = [None] * len(fine)
    columns = [pa.RecordBatch.from_pydict(some).take(bad).to_pylist() for some in (texts, values)]
    for index, text, value, lot in zip(bad.to_pylist(), *columns, is_lot.take(bad).to_pylist(), strict=True):
        found[index] = _error(text, value, lot)
    return error_array(found)


def reading_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of answers (`items`, `_source_file`, `_source_offset`) as the rows of `READING_ROWS`."""
    texts, is_lot, answer = _reading_texts(batch)
    values = {name: _lots(texts[name]) for name in TEXTS[2:4]}
    values |= {name: local_times(texts[name]) for name in TEXTS[4:]}
    updated = values["update_datetime"]
    columns = [
        texts["car_park_no"], texts["lot_type"], values["total_lots"], values["lots_available"], updated,
        time_texts(updated), values["timestamp"],
        pa.StructArray.from_arrays([texts[name] for name in TEXTS], names=list(TEXTS)),
        *[batch.column(name).take(answer) for name in ("_source_file", "_source_offset")],
        _errors(texts, values, is_lot),
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def with_time_texts(batch: pa.RecordBatch, name: str) -> pa.RecordBatch:
    """The batch with one of its timestamp columns as text, in its place."""
    at = batch.schema.get_field_index(name)
    columns = [*batch.columns[:at], time_texts(batch.column(at)), *batch.columns[at + 1 :]]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def with_ages(batch: pa.RecordBatch, stale_after: int) -> pa.RecordBatch:
    """Readings (`car_park_no` to `updated_at`, and `_now`, which goes) with `age_seconds`, `stale` and `impossible`."""
    age = pc.subtract(whole_seconds(batch.column("_now")), whole_seconds(batch.column("updated_at")))
    impossible = pc.greater(batch.column("available_lots"), batch.column("total_lots"))
    columns = [*batch.columns[:-1], age, pc.greater(age, stale_after), impossible]
    names = [*batch.schema.names[:-1], "age_seconds", "stale", "impossible"]
    return pa.RecordBatch.from_arrays(columns, names=names)
