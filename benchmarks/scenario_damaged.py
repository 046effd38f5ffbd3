"""Scenario `damaged`: our jobs on damaged inputs, and the others on what is left of them when the damage is taken out.

The others have no accounts: they get the lines and restaurants that are accepted, and have to publish what ours publish.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import generate_orders, generate_pages, orders, restaurants
from benchmarks.harness import HEADERS, Contest, Settings, concluded, contender, made
from benchmarks.results import Section
from benchmarks.scenario_tables import contest, without_dlt

DAMAGED = 0.04
NOT_JSON, NO_LIST, VOTES, SOUND = "not JSON", "restaurants is no list", "votes are no number", "sound"


def day(folder: Path, customers: int) -> None:
    """A damaged day in `damaged`, and in `accepted` the same without the damaged lines."""
    generate_orders.generate(folder / "damaged", customers, damaged=DAMAGED)
    spoiled: dict[str, set[int]] = {}
    with (folder / "damaged" / "damaged.csv").open(encoding="utf-8", newline="") as notes:
        for row in csv.DictReader(notes):
            spoiled.setdefault(row["file"], set()).add(int(row["line"]))
    (folder / "damaged" / "damaged.csv").rename(folder / "damaged.csv")
    (folder / "accepted").mkdir()
    for path in (folder / "damaged").iterdir():
        with path.open("rb") as lines, (folder / "accepted" / path.name).open("wb") as out:
            out.writelines(line for number, line in enumerate(lines, 1) if number not in spoiled.get(path.name, ()))


def damaged_page(number: int, text: str) -> tuple[str, str, str]:
    """A page as it is sent, what of it is accepted (empty: nothing), and what is wrong with it."""
    if number % 50 == 7:
        return text[:-40], "", NOT_JSON
    if number % 50 == 17:
        return json.dumps({"restaurants": 7}), "", NO_LIST
    if number % 10 == 3:
        page = json.loads(text)
        page["restaurants"][1]["restaurant"]["user_rating"]["votes"] = "many"
        sent = json.dumps(page, ensure_ascii=False)
        del page["restaurants"][1]
        return sent, json.dumps(page, ensure_ascii=False), VOTES
    return text, text, SOUND


def pages(folder: Path, megabytes: float) -> None:
    """Damaged pages in `damaged`, one a line, and in `accepted` what is accepted of them."""
    generate_pages.generate(folder / "sound", megabytes, 1, "lines")
    sent, accepted, kinds = [], [], dict[str, int]()
    for path in (folder / "sound").glob("*.jsonl"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            one, kept, kind = damaged_page(number, line)
            sent.append(one)
            accepted += [kept] if kept else []
            kinds[kind] = kinds.get(kind, 0) + 1
    for name, lines in (("damaged", sent), ("accepted", accepted)):
        (folder / name).mkdir()
        (folder / name / "pages.jsonl").write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    (folder / "kinds.json").write_text(json.dumps(kinds), encoding="utf-8")


def customers_of(folder: Path) -> set[str]:
    """The references of a day's customers."""
    lines = next(folder.glob("customers_*.csv")).read_text(encoding="utf-8").splitlines()[1:]
    return {line.rpartition(",")[2].partition(" ")[0] for line in lines}


def everything(out: Path) -> dict[str, str]:
    """Digests of all data files that a run left, quarantine and excluded lines too, the run's id aside."""
    run = json.loads((out / "report.json").read_text(encoding="utf-8"))["run_id"]
    found = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.suffix in {".csv", ".jsonl"}:
            name = path.relative_to(out).as_posix().replace(run, "RUN")
            found[name] = hashlib.sha256(path.read_bytes().replace(run.encode(), b"RUN")).hexdigest()
    return found


def compared(done: Contest, outputs: Callable[[Path], Any]) -> Contest:
    """Every contender against ours, and our two engines in every byte."""
    done.run(1).compare(outputs)
    places = {one.name: one.out for one in done.contenders if one.out and not done.failed(one.name)}
    if {"ours", "embedded"} <= places.keys() and everything(places["ours"]) != everything(places["embedded"]):
        done.results["embedded"] = "differs"
    return done


def rejected(done: Contest) -> int:
    """How many records our job rejected, which is the first of the contenders."""
    own = next(iter(done.contenders), None)
    if own is None or own.out is None or done.failed(own.name):
        return 0
    out = own.out
    inputs = json.loads((out / "report.json").read_text(encoding="utf-8"))["inputs"]
    return sum(sum(one["rejected"].values()) for one in inputs.values())


def section(settings: Settings) -> Section:
    """Both jobs on damaged inputs of a twentieth of the customers and a tenth of the pages."""
    customers, megabytes = max(settings.customers // 20, 100), settings.megabytes / 10
    chosen = without_dlt(replace(settings, contenders=tuple(one for one in settings.contenders if one != "floor")))
    of_day = made(settings.work / f"damaged_day_{customers}", lambda folder: day(folder, customers))
    of_pages = made(settings.work / f"damaged_pages_{megabytes:g}", lambda folder: pages(folder, megabytes))
    everyone = ("--max-rejected", "100%")
    sheet = str(of_pages / "country_codes.csv")
    ordered = contest(
        chosen,
        "damaged orders",
        "out_damaged_orders",
        of_day / "damaged",
        ("customer_orders", "--source", str(of_day / "damaged"), *everyone),
        lambda name: contender("orders", name, "--day", str(of_day / "accepted")),
    )
    paged = contest(
        chosen,
        "damaged pages",
        "out_damaged_pages",
        of_pages / "damaged",
        ("restaurants", "--restaurants", str(of_pages / "damaged"), "--country-codes", sheet, *everyone),
        lambda name: contender("restaurants", name, "--pages", str(of_pages / "accepted"), "--codes", sheet),
    )
    known = customers_of(of_day / "accepted")

    def messages(out: Path) -> dict[str, Any]:
        # The messages about orders and items without a parent are of ours alone.
        return {reference: found for reference, found in orders.outputs(out).items() if reference in known}

    contests = (compared(ordered, messages), compared(paged, restaurants.outputs))
    spoiled = len((of_day / "damaged.csv").read_text(encoding="utf-8").splitlines()) - 1
    kinds = json.loads((of_pages / "kinds.json").read_text(encoding="utf-8"))
    result = Section(
        "Damaged inputs, equality",
        "Our jobs get damaged inputs. The others have no accounts: they get what is accepted of them, and have to come to the"
        " same rows. The files of our two engines, quarantine and excluded records too, are equal in every byte.",
        HEADERS,
        [row for one in contests for row in one.rows()],
        notes=[
            f"Orders: {spoiled:,} of {customers * 13:,} lines are damaged, in four ways; {rejected(ordered):,} are rejected,"
            " those without a parent included.",
            f"Pages: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}; {rejected(paged):,} records are"
            " rejected.",
        ],
        equal=all(one.equal for one in contests),
    )
    return concluded(
        result,
        settings,
        f"{customers:,} customers, {megabytes:.0f} MB of pages",
        *contests,
        sizes=("customers", "megabytes"),
    )
