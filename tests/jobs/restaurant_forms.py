"""What the restaurants job publishes; the same pages in every form partners send, and a damaged delivery."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any

OUTPUTS = (
    "restaurant_details.csv",
    "restaurant_events.csv",
    "rating_thresholds.csv",
    "restaurant_ratings_histogram.png",
)


def pages_of(file: pathlib.Path) -> list[Any]:
    """The pages of a file that is one JSON array."""
    pages: list[Any] = json.loads(file.read_text(encoding="utf-8"))
    return pages


def one_line_each(pages: list[Any]) -> bytes:
    """A page on each line."""
    return "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages).encode()


def write_forms(pages: list[Any], folder: pathlib.Path) -> dict[str, str]:
    """Writes the pages as compact array, pretty array, lines, gzip, one file a page; returns each --restaurants."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compact.json").write_text(json.dumps(pages, separators=(",", ":")), encoding="utf-8")
    (folder / "pretty.json").write_text(json.dumps(pages, ensure_ascii=False, indent=4), encoding="utf-8")
    (folder / "lines.jsonl").write_bytes(one_line_each(pages))
    (folder / "lines.jsonl.gz").write_bytes(gzip.compress(one_line_each(pages), mtime=0))
    (folder / "array.json.gz").write_bytes(gzip.compress(json.dumps(pages).encode(), mtime=0))
    (folder / "single").mkdir(exist_ok=True)
    for number, page in enumerate(pages):
        (folder / "single" / f"page {number:03d}.json").write_text(json.dumps(page, indent=1), encoding="utf-8")
    forms = {
        name: str(folder / name)
        for name in ("compact.json", "pretty.json", "lines.jsonl", "lines.jsonl.gz", "array.json.gz")
    }
    halves = (folder / "half1.jsonl", folder / "half2.jsonl")
    halves[0].write_bytes(one_line_each(pages[: len(pages) // 2]))
    halves[1].write_bytes(one_line_each(pages[len(pages) // 2 :]))
    return forms | {
        "folder": str(folder / "single"),
        "glob": str(folder / "single" / "page*.json"),
        "two files": f"{halves[0]},{halves[1]}",
    }


def restaurant(number: int, **fields: Any) -> dict[str, Any]:
    """A restaurant that nothing is wrong with."""
    rating = {"aggregate_rating": "4.1", "votes": "10", "rating_text": "Very Good", "rating_color": "5BA829"}
    whole = {
        "id": str(number),
        "name": f"Place {number}",
        "location": {"city": "Pune", "country_id": 1},
        "user_rating": rating,
    }
    return {"restaurant": whole | fields}


def damaged_lines() -> bytes:
    """Two good pages and nine kinds of damage, a line each."""
    good = [json.dumps({"restaurants": [restaurant(1), restaurant(2)]}), json.dumps({"restaurants": [restaurant(3)]})]
    event = {"event_id": 5, "start_date": "April", "end_date": "2019-04-02"}
    inside = {
        "restaurants": [
            restaurant(4, user_rating={"votes": "many"}),
            {"restaurant": {"name": "no id"}},
            restaurant(5, user_rating=7),
            restaurant(6, zomato_events=[{"event": event}]),
            {"place": 1},
        ]
    }
    lines = [
        good[0].encode(),
        b'{"message": "API limit exceeded", "code": 440}',
        b'{"restaurants": []}',
        b'{"restaurants": [{"restaurant": {"id": "9"',
        b"{'restaurants': []}",
        b"<html>502 Bad Gateway</html>",
        '{"restaurants": [{"restaurant": {"id": "8", "name": "Caf\xe9"}}]}'.encode("latin-1"),
        b'{"restaurants": "none"}',
        json.dumps(inside).encode(),
        b'"a text"',
        good[1].encode(),
    ]
    return b"\n".join(lines) + b"\n"
