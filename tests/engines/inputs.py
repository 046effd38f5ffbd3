"""Inputs in which much is wrong, and documents without a plan: the same bytes each time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.generate_orders import customers, items, orders

# What is wrong with a damaged line of items, in turn.
DAMAGE: list[Callable[[str], str]] = [
    lambda line: line.rpartition(" ")[0].rpartition(" ")[0],  # too few pieces
    lambda line: f"x{line}",  # the id is no number
    lambda line: line.rpartition(",")[0],  # too few fields
    lambda line: f"{line},more",  # too many fields
    lambda line: f"{line}x",  # the price is no number
    lambda line: line.replace(",", ',"', 1),  # a quote that nothing closes
    lambda line: line.replace(",", ",nobody", 1),  # an order that is in no file
    lambda line: line.replace(" ", "\udcff ", 1),  # bytes that are not UTF-8
]


def damaged_day(folder: Path, count: int = 5_000) -> None:
    """A day of `count` customers; of nine items a customer more than half are damaged, in eight ways."""
    rng = random.Random("damaged day")
    bad = iter(range(1 << 30))

    def spoiled(lines: Iterator[str]) -> Iterator[str]:
        yield next(lines)
        for line in lines:
            yield DAMAGE[next(bad) % 8](line) if rng.random() < 0.6 else line
            if rng.random() < 0.01:
                yield line

    written = {
        "customers": customers(count, random.Random(1)),
        "orders": orders(3 * count, count + 50, random.Random(2), 0.1),
        "items": spoiled(items(9 * count, 3 * count, random.Random(3))),
    }
    folder.mkdir()
    for name, lines in written.items():
        text = "".join(f"{line}\n" for line in lines)
        (folder / f"{name}_20240229.csv").write_bytes(text.encode(errors="surrogateescape"))


VALUES: list[Any] = [None, True, 7, -1, 2**70, 1.5, 1e300, "", "7", "2019-04-02", "ä", [], {}, [1], {"id": 1}]
FIELDS = ("id", "name", "location", "user_rating", "zomato_events", "cuisines")


def wrong_pages(path: Path) -> None:
    """Search pages, a line each: restaurants whose fields in turn hold a value of each kind."""
    sound: dict[str, Any] = {
        "id": "1",
        "name": "Ann",
        "location": {"country_id": 1, "city": "Rome"},
        "user_rating": {"votes": "12", "aggregate_rating": "4.1", "rating_text": "Good", "rating_color": "5BA829"},
        "cuisines": "Pizza",
        "zomato_events": [{"event": {"event_id": 3, "title": "Jazz", "start_date": "2019-04-02"}}],
    }
    inner = [
        ("location", "country_id"),
        ("location", "city"),
        *[("user_rating", name) for name in sound["user_rating"]],
    ]
    lines, number = [], 10
    for at in [*[(name,) for name in FIELDS], *inner]:
        for value in VALUES:
            changed = json.loads(json.dumps({**sound, "id": str(number)}))
            target = changed if len(at) == 1 else changed[at[0]]
            target[at[-1]] = value
            lines.append(
                {
                    "results_found": 1,
                    "restaurants": [{"restaurant": changed}, {"restaurant": {**sound, "id": f"9{number}"}}],
                }
            )
            number += 1
    lines += [{"restaurants": value} for value in VALUES] + [{"restaurants": [value]} for value in VALUES]
    path.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")


def documents(path: Path, count: int = 500) -> None:
    """Documents without a plan, a line each: keys of few letters, so that types meet and differ."""
    rng = random.Random("documents")

    def value(depth: int) -> Any:
        kind = rng.random()
        if depth and kind < 0.25:
            return {rng.choice("abcdef") * rng.choice([1, 1, 1, 2]): value(depth - 1) for _ in range(rng.randrange(5))}
        if depth and kind < 0.45:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        return rng.choice([*VALUES[:11], "x,y", 'say "no"', "a\nb", 0, 12345678901234567890, 0.1])

    rows = [{"key": number, **{name: value(4) for name in "abcd"[: rng.randrange(1, 5)]}} for number in range(count)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
