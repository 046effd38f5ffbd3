"""Makes deep documents, one a line: six levels of objects in arrays, and arrays in arrays. The same options, the same bytes.

python -m benchmarks.generate_documents --destination /tmp/documents --megabytes 100
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

# The arrays of objects, outermost first, and how many entries each has at most.
LEVELS = (("divisions", 3), ("units", 3), ("teams", 3), ("members", 4), ("skills", 3), ("levels", 3))


def schema() -> str:
    """The documents' schema in Spark's words."""
    inner = "year:bigint,level:double"
    for name, _ in reversed(LEVELS[1:]):
        inner = f"code:string,share:double,{name}:array<struct<{inner}>>"
    return f"id bigint, region string, matrix array<array<array<bigint>>>, divisions array<struct<{inner}>>"


def entry(level: int, number: int, rng: random.Random) -> dict[str, Any]:
    """One object of a level, with all that is in it; arrays may be empty."""
    if level == len(LEVELS):
        return {"year": 2000 + number % 25, "level": round(rng.random() * 10, 2)}
    name, most = LEVELS[level]
    below = [entry(level + 1, number * most + k, rng) for k in range(rng.randrange(most + 1))]
    return {"code": f"{name}-{number:x}", "share": round(rng.random(), 4), name: below}


def document(number: int, rng: random.Random) -> dict[str, Any]:
    """One document of a few kilobytes."""
    matrix = [[[rng.randrange(1000) for _ in range(rng.randrange(4))] for _ in range(3)] for _ in range(3)]
    name, most = LEVELS[0]
    below = [entry(1, number * most + k, rng) for k in range(1 + rng.randrange(most))]
    return {"id": number, "region": rng.choice(("nord", "süd", "öst", "west")), "matrix": matrix, name: below}


def generate(folder: Path, megabytes: float, files: int = 8) -> None:
    """Writes the documents into files of like size."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, number = random.Random(11), 0
    for index in range(files):
        with (folder / f"documents_{index:02d}.jsonl").open("w", encoding="utf-8") as out:
            written = 0
            while written < megabytes * 1e6 / files:
                written += out.write(json.dumps(document(number, rng), ensure_ascii=False) + "\n")
                number += 1


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--destination", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--files", type=int, default=8)
    chosen = parser.parse_args()
    generate(chosen.destination, chosen.megabytes, chosen.files)


if __name__ == "__main__":
    main()
