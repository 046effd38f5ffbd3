"""What became of every record: counted for each input, checked before anything is published."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pipeline import storage
from pipeline.errors import AccountingError, InputError, RejectedError
from transforms.row_errors import EXCLUDED, REJECTED

FOLDERS = {REJECTED: "quarantine", EXCLUDED: "excluded"}
# What may be said of CSV files whose lines have these errors.
_CSV_OPTIONS = {
    "not_utf8": "for --encoding cp1252 or another",
    "unclosed_quote": "for --multi-line where values hold line breaks, or --quote none",
}
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Limit:
    """How many records of an input may be rejected: a share of the records read, or a number."""

    text: str
    share: float | None
    count: int | None

    def __str__(self) -> str:
        return self.text

    def exceeded(self, rejected: int, read: int) -> bool:
        """True when `rejected` of `read` records are more than this limit allows."""
        return rejected > (self.count if self.count is not None else (self.share or 0.0) * read)


def limit(text: str) -> Limit:
    """Reads `1%` or `200`; ValueError for anything else."""
    text = text.strip()
    if match := _PERCENT.fullmatch(text):
        share = float(match[1]) / 100
        if share <= 1:
            return Limit(text, share, None)
    elif text.isdigit():
        return Limit(text, None, int(text))
    raise argparse.ArgumentTypeError(f"'{text}' is neither a percentage (5%) nor a number of records (200)")


@dataclass
class RecordCounts:
    """One input's records: read = used + excluded by a named rule + rejected for a named reason.

    `read` comes from where records are made, the others from where rows leave the job's checks.
    """

    name: str
    read: int = 0
    used: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    may_be_empty: bool = False
    corrected: int = 0
    files: list[str] = field(default_factory=list)
    hint: str = ""  # the end of a message that too few are used
    unit: str = "byte"  # what positions in its files count: bytes or lines

    @property
    def rejected_total(self) -> int:
        """All rejected records."""
        return sum(self.rejected.values())

    @property
    def excluded_total(self) -> int:
        """All excluded records."""
        return sum(self.excluded.values())

    def as_dict(self) -> dict[str, Any]:
        """The counts as report.json shows them."""
        corrected = {"corrected": self.corrected} if self.corrected else {}
        return corrected | {
            "read": self.read,
            "used": self.used,
            "excluded": dict(sorted(self.excluded.items())),
            "rejected": dict(sorted(self.rejected.items())),
        }

    def check(self, limit: Limit) -> None:
        """Raises `AccountingError`, `InputError` (no usable record) or `RejectedError` (over the limit)."""
        found = self.used + self.excluded_total + self.rejected_total
        if self.read != found:
            raise AccountingError(
                f"input {self.name}: {self.read} records read, but {self.used} used + {self.excluded_total} excluded"
                f" + {self.rejected_total} rejected = {found}"
            )
        if self.used == 0 and not self.may_be_empty:
            raise InputError(f"input {self.name}: no usable record ({self._summary()}){self._hints()}")
        if limit.exceeded(self.rejected_total, self.read):
            raise RejectedError(
                f"input {self.name}: {self.rejected_total} of {self.read} records rejected ({_shown(self.rejected)}),"
                f" more than --max-rejected {limit.text}{self._hints()}"
            )

    def _hints(self) -> str:
        """What may help, as the end of a message."""
        options = _CSV_OPTIONS.items() if self.unit == "line" else ()
        return self.hint + "".join(f"; {reason}: {text}" for reason, text in options if reason in self.rejected)

    def _summary(self) -> str:
        if self.read == 0:
            return f"nothing to read in {', '.join(self.files[:3]) or 'the files'}"
        rules = f" ({_shown(self.excluded)})" if self.excluded else ""
        reasons = f": {_shown(self.rejected)}" if self.rejected else ""
        return f"{self.read} read, {self.excluded_total} excluded{rules}, {self.rejected_total} rejected{reasons}"


def _shown(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counted.items()))


def check_counts(counts: Sequence[RecordCounts], allowed: Limit, run_folder: str) -> None:
    """Checks all inputs. The error of too many rejected names each such input, its first record and its quarantine."""
    failed: list[tuple[InputError | RejectedError, str]] = []
    unused = {one.name for one in counts if not one.used}
    for one in counts:
        if not one.read and one.name.rpartition(".")[0] in unused:
            continue  # no record, no part of one: that is said of the records
        try:
            one.check(allowed)
        except (InputError, RejectedError) as error:
            failed.append((error, _first(one, run_folder)))
    if failed:
        raise type(failed[0][0])("; ".join(f"{error}{first}" for error, first in failed)) from failed[0][0]


def _first(counts: RecordCounts, run_folder: str) -> str:
    """The first rejected record of an input, as the end of a message; empty without one or without a run folder."""
    path = storage.join(run_folder, FOLDERS[REJECTED], f"{counts.name}.jsonl")
    if not (run_folder and counts.rejected):
        return ""
    row = msgspec.json.decode(next(storage.read_lines(path)))
    reason = row["reason"] + (f" ({row['detail']})" if row["detail"] else "")
    return (
        f"; first {row['file']}, {counts.unit} {row['position']}: {reason}: {(row['raw'] or '')[:60]!r}; all in {path}"
    )
