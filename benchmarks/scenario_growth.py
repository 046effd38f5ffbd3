"""Scenario `growth`: the same work on one, two and four times the input, and on skewed input."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import generate_pages, orders
from benchmarks.harness import (
    HEADERS,
    Contender,
    Contest,
    Settings,
    bytes_of,
    concluded,
    contender,
    job,
    made,
    published,
)
from benchmarks.results import Section, Target
from benchmarks.scenario_tables import codes, day, pages

TIMES = (1, 2, 4)
# The driver's heap: the same for all sizes, so that growth has to show.
HEAP = "1g"
# A page is one record: the largest has to fit.
LARGE_HEAP = "4g"


def page_folders(settings: Settings) -> list[Path]:
    """Pages of each size, made when they are not there."""
    found = []
    for times in TIMES:
        found.append(pages(replace(settings, megabytes=settings.growth_megabytes * times)))
    return found


def days(settings: Settings) -> list[Path]:
    """Days of each size, made when they are not there."""
    return [day(settings, settings.growth_customers * t) for t in TIMES]


def skewed_pages(settings: Settings) -> tuple[Path, Path]:
    """One page with very many restaurants, and the same restaurants in pages of twenty."""
    folders, many = [], settings.skew_restaurants
    for name, per_page in (("one_page", many), ("ordinary", 20)):
        write = partial(_write_pages, per_page=per_page, count=many // per_page)
        folders.append(made(settings.work / f"skew_{name}_{many}", write))
    return folders[0], folders[1]


def _write_pages(folder: Path, per_page: int, count: int) -> None:
    folder.mkdir(parents=True)
    with (folder / "pages.jsonl").open("w", encoding="utf-8") as out:
        found = generate_pages.pages(1, random.Random(7), per_page)
        out.writelines(next(found) + "\n" for _ in range(count))


def restaurants_job(settings: Settings, name: str, source: Path, sheet: str, memory: str = HEAP) -> Contender:
    """The restaurants job on a folder of pages."""
    out = settings.work / "out_growth" / name
    given = ("--restaurants", str(source), "--country-codes", sheet, "--destination", str(out))
    return Contender(name, job("restaurants", *given, memory=memory), bytes_of(source), out)


def orders_job(settings: Settings, name: str, source: Path) -> Contender:
    """The customer orders job on a day."""
    out = settings.work / "out_growth" / name
    given = ("--source", str(source), "--destination", str(out))
    return Contender(name, job("customer_orders", *given, memory=HEAP), bytes_of(source), out)


def pandas_contest(settings: Settings, folders: Sequence[Path]) -> Contest:
    """Pandas on the smallest and the largest size, for its memory."""
    found = []
    for times, folder in ((TIMES[0], folders[0]), (TIMES[-1], folders[-1])):
        out = settings.work / "out_growth" / f"pandas x{times}"
        words = ("--pages", str(folder), "--codes", codes(settings), "--out", str(out))
        found.append(Contender(f"pandas x{times}", contender("restaurants", "pandas", *words), bytes_of(folder), out))
    return Contest("restaurants growth", found, settings).run(1)


def slope(contest: Contest, first: str, last: str) -> float | None:
    """MB of memory more a MB of input more; None when one of the runs failed."""
    if contest.failed(first) or contest.failed(last):
        return None
    size = {one.name: one.size / 1e6 for one in contest.contenders}
    return (contest.megabytes(last) - contest.megabytes(first)) / (size[last] - size[first])


def growth_targets(work: str, contest: Contest) -> list[Target]:
    """Time for each doubling, and memory from the smallest to the largest."""
    memory = (
        contest.megabytes("x4") / contest.megabytes("x1")
        if not (contest.failed("x1") or contest.failed("x4"))
        else None
    )
    return [
        Target(f"{work}: time of x2 to x1", 2.0, contest.ratio("x2", "x1")),
        Target(f"{work}: time of x4 to x2", 2.0, contest.ratio("x4", "x2")),
        Target(f"{work}: peak memory of x4 to x1", 1.25, memory),
    ]


def section(settings: Settings) -> Section:
    """Sizes of both kinds."""
    folders = page_folders(settings)
    many = [restaurants_job(settings, f"x{t}", f, codes(settings)) for t, f in zip(TIMES, folders, strict=True)]
    paged = Contest("restaurants growth", many, settings).run()
    of_orders = [orders_job(settings, f"x{t}", f) for t, f in zip(TIMES, days(settings), strict=True)]
    ordered = Contest("orders growth", of_orders, settings).run()
    pandas = pandas_contest(settings, folders) if "pandas" in settings.contenders else None
    targets = [*growth_targets("restaurants", paged), *growth_targets("customer_orders", ordered)]
    ours, theirs = slope(paged, "x1", "x4"), slope(pandas, "pandas x1", "pandas x4") if pandas else None
    share = ours / theirs if ours is not None and theirs else None
    targets.append(Target("restaurants: memory growth to that of pandas", 0.1, share))
    result = Section(
        "Growth",
        f"The same jobs on one, two and four times the input. Memory is that of the whole process tree, driver and executor"
        f" in one, with a heap of {HEAP}.",
        HEADERS,
        [*paged.rows("x1"), *ordered.rows("x1"), *(pandas.rows("pandas x1") if pandas else [])],
        targets,
        equal=paged.equal and ordered.equal,
    )
    return concluded(
        result,
        settings,
        f"x1 is {settings.growth_megabytes:.0f} MB of pages, {settings.growth_customers:,} customers",
        paged,
        ordered,
        sizes=("growth_megabytes", "growth_customers"),
    )


def skew_section(settings: Settings) -> Section:
    """One customer with half of all orders; one page with very many restaurants."""
    count = settings.growth_customers * 2
    even = day(settings, count)
    uneven = day(settings, count, skew=0.5)
    of_orders = [orders_job(settings, "even", even), orders_job(settings, "one customer with half", uneven)]
    ordered = Contest("orders skew", of_orders, settings).run()
    one_page, ordinary = skewed_pages(settings)
    sheet = settings.work / "skew_codes.csv"
    lines = (f"{code},{name}\n" for code, name in generate_pages.COUNTRIES.items())
    sheet.write_text("Country Code,Country\n" + "".join(lines), encoding="utf-8")
    of_pages = [
        restaurants_job(settings, "ordinary pages", ordinary, str(sheet), LARGE_HEAP),
        restaurants_job(settings, "one page", one_page, str(sheet), LARGE_HEAP),
    ]
    paged = Contest("pages skew", of_pages, settings).run().compare(published)
    made = orders.outputs(settings.work / "out_growth" / "one customer with half") if ordered.equal else {}
    largest = max((count for count, _ in made.values()), default=0)
    result = Section(
        "Skew",
        f"Half of all orders belong to one customer, against the same number spread evenly; one page with {settings.skew_restaurants:,}"
        " restaurants, against the same restaurants in pages of twenty.",
        HEADERS,
        [*ordered.rows("even"), *paged.rows("ordinary pages")],
        [
            Target(
                "customer with half of all orders: time to even", 1.5, ordered.ratio("one customer with half", "even")
            ),
            Target("one page: time to ordinary pages", 1.5, paged.ratio("one page", "ordinary pages")),
        ],
        notes=[f"The message of the largest customer counts {largest:,} orders."],
        equal=paged.equal and ordered.equal,
    )
    return concluded(
        result,
        settings,
        f"{count:,} customers; {bytes_of(one_page) / 1e6:.0f} MB in one page",
        paged,
        ordered,
        sizes=("growth_customers", "skew_restaurants"),
    )
