"""The published car park files as rows for the lookup; read in milliseconds, without Spark."""

from __future__ import annotations

import csv
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline import storage
from pipeline.errors import InputError

CAR_PARKS, LOTS = "carparks.csv", "carpark_lots.csv"

_INTEGERS = frozenset({"total_lots", "available_lots", "age_seconds"})
_FLAGS = frozenset({"stale", "impossible"})
_NEEDED = {
    CAR_PARKS: ("car_park_no", "address", "total_lots", "available_lots", "updated_at", "stale"),
    LOTS: ("car_park_no", "lot_type", "total_lots", "available_lots", "updated_at", "stale", "impossible"),
}


@dataclass(frozen=True)
class CarParks:
    """Rows by car park number: `parks` (columns of carparks.csv), `lots` (rows of carpark_lots.csv); NA is None."""

    parks: dict[str, dict[str, Any]]
    lots: dict[str, list[dict[str, Any]]]

    @property
    def addresses(self) -> dict[str, str | None]:
        """The address of each car park, None where only its lots are known."""
        return {number: park["address"] for number, park in self.parks.items()}

    def whole(self, number: str) -> dict[str, Any]:
        """One car park with its lots: the columns of carparks.csv and `lots`, a list."""
        return {**self.parks[number], "lots": self.lots.get(number, [])}


def _value(column: str, text: str) -> Any:
    if text == "NA":
        return None
    if column in _INTEGERS:
        return int(text)
    return text == "true" if column in _FLAGS else text


def _local_files(folder: str, name: str) -> list[tuple[str, bytes]]:
    path = pathlib.Path(folder) / name
    files = sorted(path.glob("part-*")) if path.is_dir() else [path] if path.is_file() else []
    return [(str(file), file.read_bytes()) for file in files]


def _stored_files(folder: str, name: str) -> list[tuple[str, bytes]]:
    path = storage.join(folder, name)
    found = [info.path for info in storage.list_prefix(path)] or ([path] if storage.exists(path) else [])
    return [(file, storage.read_bytes(file)) for file in sorted(found)]


def _rows(folder: str, name: str) -> Iterator[dict[str, Any]]:
    read: Callable[[str, str], list[tuple[str, bytes]]] = _stored_files if folder.startswith("s3://") else _local_files
    files = read(folder, name)
    if not files:
        raise InputError(f"no {name} in {folder}: run the carparks job with --destination {folder} first")
    for path, content in files:
        try:
            lines = csv.reader(content.decode("utf-8").splitlines(keepends=True))
            header = next(lines, [])
            missing = [column for column in _NEEDED[name] if column not in header]
            if missing:
                raise InputError(f"{path}: missing column {', '.join(missing)}; have {', '.join(header) or 'nothing'}")
            for cells in lines:
                yield {column: _value(column, text) for column, text in zip(header, cells, strict=True)}
        except ValueError as error:
            raise InputError(f"{path}: not a file that the carparks job wrote ({error})") from error


def load(folder: str) -> CarParks:
    """Reads carparks.csv and carpark_lots.csv of the folder (local or s3://); `InputError` when they are not there."""
    parks = {row["car_park_no"]: row for row in _rows(folder, CAR_PARKS)}
    lots: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(folder, LOTS):
        lots.setdefault(row["car_park_no"], []).append(row)
    return CarParks(parks, lots)
