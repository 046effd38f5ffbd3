"""Makes restaurant search pages: the same options give the same bytes.

    python -m benchmarks.generate_pages --destination /tmp/pages --megabytes 500 --files 8 --form lines

Forms: `lines` (one page per line), `array` (each file one array), `small` (--files many small files, one page array each).
With --skew one page holds 100,000 restaurants. A country sheet (country_codes.csv) is written next to the pages.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLASSES = [
    ("3F7E00", ("Excellent", "Terbaik", "Excelente"), 45, 49),
    ("5BA829", ("Very Good", "Muito Bom", "Velmi dobré"), 40, 44),
    ("9ACD32", ("Good", "Bueno"), 35, 39),
    ("CDD614", ("Average",), 25, 34),
    ("FF7800", ("Poor",), 18, 24),
]
CUISINES = ["Cafe", "Bakery", "Turkish", "Thai", "North Indian", "Continental", "Fast Food", "Seafood", "Korean"]
COUNTRIES = {1: "India", 30: "Brazil", 94: "Indonesia", 184: "Singapore", 208: "Turkey", 215: "United Kingdom"}
WORDS = ["the", "old", "corner", "house", "of", "spice", "smoke", "river", "garden", "night", "market", "café", "grill"]
FILLER = "https://images.example/data/pictures/{}/{}.jpg?fit=around%7C200%3A200&crop=200%3A200%3B%2A%2C%2A"


def event(number: int, rng: random.Random) -> dict[str, Any]:
    """One event; about half of them touch April 2019."""
    month = rng.choice((2, 3, 4, 5, 6))
    photos = [
        {"photo": {"url": FILLER.format(number, k), "order": k, "type": "FEATURED"}} for k in range(rng.randrange(3))
    ]
    title = f'{rng.choice(WORDS)} night, "{rng.choice(WORDS)}"\nround {number % 7}'
    return {
        "event_id": number,
        "title": title,
        "start_date": f"2019-{month:02d}-{rng.randrange(1, 28):02d}",
        "end_date": f"2019-{min(month + rng.randrange(3), 12):02d}-28",
        "description": " ".join(rng.choice(WORDS) for _ in range(30)),
        "photos": photos,
        "share_data": {"should_show": 0},
    }


def restaurant(number: int, rng: random.Random) -> dict[str, Any]:
    """One restaurant of about two kilobytes, most of it fields that no job reads."""
    colour, texts, low, high = CLASSES[min(int(rng.expovariate(0.7)), 4)]
    rating = rng.randrange(low, high + 1) / 10
    found: dict[str, Any] = {
        "R": {"res_id": number},
        "apikey": "0" * 32,
        "id": str(number),
        "name": f"{rng.choice(WORDS)} {rng.choice(WORDS)} {number}",
        "url": FILLER.format("url", number),
        "location": {
            "address": " ".join(rng.choice(WORDS) for _ in range(12)),
            "city": rng.choice(("Pune", "São Paulo", "İstanbul", "London")),
            "country_id": 17 if number % 65 == 0 else rng.choice(list(COUNTRIES)),
            "latitude": f"{rng.uniform(-60, 60):.10f}",
            "longitude": f"{rng.uniform(-180, 180):.10f}",
        },
        "cuisines": ", ".join(rng.sample(CUISINES, 3)),
        "average_cost_for_two": rng.randrange(100, 4000),
        "offers": [],
        "thumb": FILLER.format("thumb", number),
        "user_rating": {
            "aggregate_rating": rating if number % 50 == 0 else f"{rating:.1f}",
            "rating_text": rng.choice(texts),
            "rating_color": colour,
            "votes": number % 5000 if number % 3 == 0 else str(number % 5000),
        },
        "photos_url": FILLER.format("photos", number),
        "menu_url": FILLER.format("menu", number),
        "featured_image": FILLER.format("featured", number),
        "establishment_types": [],
    }
    if number % 7 == 0:
        found["zomato_events"] = [{"event": event(number * 10 + k, rng)} for k in range(1 + number % 2)]
    return found


def pages(first: int, rng: random.Random, size: int = 20) -> Iterator[str]:
    """Pages of `size` restaurants, numbered from `first`, without end."""
    while True:
        found = [{"restaurant": restaurant(first + k, rng)} for k in range(size)]
        page = {"results_found": 1_000_000, "results_start": first, "results_shown": size, "restaurants": found}
        yield json.dumps(page, ensure_ascii=False)
        first += size


def write_file(path: Path, form: str, size: int, first: int, rng: random.Random, per_page: int = 20) -> int:
    """Writes pages until the file has `size` bytes; returns the number after the last restaurant."""
    with path.open("w", encoding="utf-8") as out:
        written = out.write("[" if form == "array" else "")
        for index, page in enumerate(pages(first, rng, per_page)):
            separator = ("," if form == "array" else "\n") if index else ""
            written += out.write(separator + page)
            first += per_page
            if written >= size:
                break
        out.write("]\n" if form == "array" else "\n")
    return first


def generate(folder: Path, megabytes: float, files: int, form: str, skew: bool = False) -> None:
    """Writes the pages and the country sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, first = random.Random(7), 1
    size = int(megabytes * 1_000_000 / files)
    for number in range(files):
        path = folder / f"pages_{number:05d}.{'jsonl' if form == 'lines' else 'json'}"
        first = write_file(path, "array" if form == "small" else form, size, first, rng)
    if skew:
        write_file(folder / "pages_skewed.jsonl", "lines", 1, first, rng, per_page=100_000)
    sheet = "Country Code,Country\n" + "".join(f"{code},{name}\n" for code, name in COUNTRIES.items())
    (folder.parent / "country_codes.csv").write_text(sheet, encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--destination", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--form", choices=("lines", "array", "small"), default="lines")
    parser.add_argument("--skew", action="store_true")
    chosen = parser.parse_args()
    generate(chosen.destination, chosen.megabytes, chosen.files, chosen.form, chosen.skew)


if __name__ == "__main__":
    main()
