"""Makes a day of customers, orders and items: the same options give the same bytes.

    python -m benchmarks.generate_orders --destination /tmp/day --customers 1000000 --damaged 0.01

writes customers_D.csv, orders_D.csv (three a customer), items_D.csv (three an order) and, with --damaged, damaged.csv
(file, line, kind): the lines that were spoiled on purpose. Orders go to random customers, so that some have none.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

WORDS = [
    "Blue",
    "Red",
    "Green",
    "Widget",
    "Lamp",
    "Chair",
    "XL",
    "Set",
    "Deluxe",
    "Café",
    "Box",
    "Mini",
    "Pro",
    "Wood",
    "Steel",
]
STATUSES = ["Delivered", "Cancelled", "Shipped", "On Hold"]
FIRST, LAST = ["Alex", "Ali", "Chen", "Zoë", "Maria"], ["Richard", "Okafor", "Li", "Müller", "Silva"]
CHUNK = 50_000


def customers(count: int, rng: random.Random) -> Iterator[str]:
    """The lines of the customers' file."""
    yield "id,first_name,last_name,customer_reference status"
    for i in range(count):
        yield f"{i + 1},{rng.choice(FIRST)},{rng.choice(LAST)},{reference('c', i)} Active"


def orders(count: int, of: int, rng: random.Random, skew: float) -> Iterator[str]:
    """The lines of the orders' file; `skew` is the share of orders that one customer has."""
    yield "id,customer_reference,order_status order_reference order_timestamp"
    draw, many = rng.random, int(skew * 1000)
    for i in range(count):
        owner = 0 if i % 1000 < many else int(draw() * of)
        yield f"{i + 1},{reference('c', owner)},{STATUSES[int(draw() * 4)]} {reference('o', i)} {1676539508 + i}"


def items(count: int, of: int, rng: random.Random) -> Iterator[str]:
    """The lines of the items' file: names of one to five words, none to six items an order."""
    yield "id,order_reference,item_name quantity total_price"
    draw = rng.random
    names = [" ".join(rng.choice(WORDS) for _ in range(1 + i % 5)) for i in range(2000)]
    spread = (3, 0, 6, 1, 5, 2, 4)
    i = order = 0
    while i < count:
        for _ in range(spread[order % 7]):
            if i == count:
                break
            cents = int(draw() * 20000)
            price = f"{cents // 100}.{cents % 100:02d}".rstrip("0").rstrip(".")
            yield f"{i + 1},{reference('o', order % of)},{names[int(draw() * 2000)]} {1 + i % 9} {price}"
            i += 1
        order += 1


def reference(kind: str, number: int) -> str:
    """A reference that looks like a hash and is different for every number."""
    return f"{(number * 2654435761 + 97) % 4294967296:08x}-{kind}{number % 97:02d}"


def spoil(line: str, kind: int) -> tuple[str, str]:
    """A line that no longer says what it should, and how it was spoiled."""
    head, _, packed = line.rpartition(",")
    if kind == 0:
        return f"{head},{packed.rpartition(' ')[0].rpartition(' ')[0]}", "too_few_pieces"
    if kind == 1:
        return f"x{line}", "wrong_type"
    if kind == 2:
        return head, "too_few_fields"
    return f"{line},extra", "too_many_fields"


def write(path: Path, lines: Iterator[str], damaged: float, rng: random.Random, notes: list[str]) -> None:
    """Writes the lines with CR LF ends, a share of them spoiled and noted in `notes`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        buffer = [next(lines)]
        every = round(1 / damaged) if damaged else 0
        spoiled_at = rng.randrange(every) if every else -1
        for number, line in enumerate(lines):
            if number == spoiled_at:
                line, kind = spoil(line, rng.randrange(4))
                notes.append(f"{path.name},{number + 2},{kind}")
                spoiled_at = number - number % every + every + rng.randrange(every)
            buffer.append(line)
            if len(buffer) == CHUNK:
                file.write("\r\n".join(buffer) + "\r\n")
                buffer.clear()
        file.write("\r\n".join([*buffer, ""]) if buffer else "")


def generate(
    destination: Path, count: int, *, damaged: float = 0.0, day: str = "20220130", seed: int = 1, skew: float = 0.0
) -> None:
    """Writes the three files of a day, and damaged.csv when lines were spoiled."""
    destination.mkdir(parents=True, exist_ok=True)
    notes = ["file,line,kind"]
    sources = {
        "customers": customers(count, random.Random(f"{seed} customers")),
        "orders": orders(3 * count, count, random.Random(f"{seed} orders"), skew),
        "items": items(9 * count, 3 * count, random.Random(f"{seed} items")),
    }
    for name, lines in sources.items():
        write(destination / f"{name}_{day}.csv", lines, damaged, random.Random(f"{seed} damage of {name}"), notes)
    if damaged:
        (destination / "damaged.csv").write_text("\n".join(notes) + "\n", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--destination", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--damaged", type=float, default=0.0, help="share of lines to spoil")
    parser.add_argument("--skew", type=float, default=0.0, help="share of all orders that one customer has")
    parser.add_argument("--date", default="20220130")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    generate(
        chosen.destination,
        chosen.customers,
        damaged=chosen.damaged,
        day=chosen.date,
        seed=chosen.seed,
        skew=chosen.skew,
    )


if __name__ == "__main__":
    main()
