"""Scenarios `restaurants`, `orders` and `explode`: every contender does the same work, and the results are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import explode as explode_contenders
from benchmarks import generate_documents, generate_orders, generate_pages, orders, restaurants
from benchmarks.harness import (
    HEADERS,
    Contender,
    Contest,
    Settings,
    bytes_of,
    contender,
    embedded_job,
    job,
    made,
    setup,
)
from benchmarks.results import AT_LEAST, Section, Target


def pages(settings: Settings, form: str = "lines") -> Path:
    """The generated pages, made when they are not there."""
    size = settings.megabytes
    return made(settings.work / f"{form}_{size:g}", lambda folder: generate_pages.generate(folder, size, 8, form))


def day(settings: Settings, customers: int, skew: float = 0.0) -> Path:
    """The generated files of a day, made when they are not there; `skew`: the share of orders that one customer has."""
    name = f"day_{customers}" + (f"_skew_{skew:g}" if skew else "")
    return made(settings.work / name, lambda folder: generate_orders.generate(folder, customers, skew=skew))


def codes(settings: Settings) -> str:
    """The sheet of countries that is written next to the pages."""
    return str(settings.work / "country_codes.csv")


def contest(
    settings: Settings,
    work: str,
    folder: str,
    source: Path,
    ours: Sequence[str],
    theirs: Callable[[str], Sequence[str]],
) -> Contest:
    """Our job (`ours`: its name and arguments) on both engines, and the chosen contenders by the commands `theirs`;
    each fills its own folder in `folder`.
    """
    size, out = bytes_of(source), settings.work / folder
    own = {"ours": job, "embedded": embedded_job}
    found = [
        Contender(name, [*command(*ours), "--destination", str(out / name)], size, out / name)
        for name, command in own.items()
        if name == "ours" or name in settings.contenders
    ]
    for name in settings.contenders:
        if name not in own:
            found.append(Contender(name, [*theirs(name), "--out", str(out / name)], size, out / name))
    return Contest(work, found, settings)


def restaurants_contest(settings: Settings) -> Contest:
    """Restaurants, all outputs. Job and floor read one page per line, the others the same pages as arrays."""
    lines, array, sheet = pages(settings), pages(settings, "array"), codes(settings)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("restaurants", name, "--pages", str(lines if name == "floor" else array), "--codes", sheet)

    ours = ("restaurants", "--restaurants", str(lines), "--country-codes", sheet)
    return contest(settings, "restaurants", "out", lines, ours, theirs)


def restaurants_section(settings: Settings) -> Section:
    """The restaurants job against everybody."""
    done = restaurants_contest(settings).run().compare(restaurants.outputs)
    return Section(
        "Restaurants, all outputs",
        "Search pages to details, events and ratings. The floor is Spark parsing the columns that the job needs, to nowhere.",
        HEADERS,
        done.rows(),
        [
            Target("plain PySpark's time to ours", 2.5, done.ratio("plain", "ours"), AT_LEAST),
            Target("embedded: time to DuckDB's", 1.0, done.ratio("embedded", "duckdb")),
        ],
        setup=setup(settings, f"{bytes_of(pages(settings)) / 1e6:.0f} MB of pages"),
        equal=done.equal,
    )


def orders_section(settings: Settings) -> Section:
    """The customer orders job against everybody."""
    source = day(settings, settings.customers)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("orders", name, "--day", str(source))

    ours = ("customer_orders", "--source", str(source))
    done = contest(settings, "customer_orders", "out_orders", source, ours, theirs).run().compare(orders.outputs)
    return Section(
        "Customer orders, messages in order",
        "Customers, orders and items to one message per customer. The floor is Spark scanning the three files, to nowhere.",
        HEADERS,
        done.rows(),
        [
            Target("plain PySpark's time to ours", 1.6, done.ratio("plain", "ours"), AT_LEAST),
            Target("embedded: time to DuckDB's", 1.5, done.ratio("embedded", "duckdb")),
        ],
        setup=setup(settings, f"{settings.customers:,} customers, three orders each, three items an order"),
        equal=done.equal,
    )


def explode_contest(settings: Settings, what: str, source: Path) -> Contest:
    """explode_json to Parquet against DuckDB and the floor, on pages or deep documents."""
    able = tuple(name for name in ("embedded", "floor", "plain", "duckdb") if name in settings.contenders)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("explode", name, "--what", what, "--source", str(source))

    ours = ("explode_json", "--source", str(source), "--root", what, "--format", "parquet")
    found = contest(replace(settings, contenders=able), f"explode {what}", f"out_{what}", source, ours, theirs)
    return found.run().compare(explode_contenders.outputs)


def explode_section(settings: Settings) -> Section:
    """explode_json, inference included, on wide pages and on deep documents."""
    size = settings.megabytes / 4
    deep = made(settings.work / f"documents_{size:g}", lambda folder: generate_documents.generate(folder, size))
    wide = explode_contest(settings, "pages", pages(settings))
    nested = explode_contest(settings, "documents", deep)
    return Section(
        "explode_json to Parquet tables",
        "Types found, tables planned and written. The floor is Spark parsing everything with a full declared schema, to"
        " nowhere. Row counts of all tables and sums over values are compared; DuckDB numbers its rows where ours carry keys"
        " made of content.",
        HEADERS,
        [*wide.rows(), *nested.rows()],
        [
            Target("pages: plain PySpark's time to ours", 1.0, wide.ratio("plain", "ours"), AT_LEAST),
            Target("pages, embedded: time to DuckDB's", 1.0, wide.ratio("embedded", "duckdb")),
            Target("deep documents: plain PySpark's time to ours", 1.0, nested.ratio("plain", "ours"), AT_LEAST),
            Target("deep documents, embedded: time to DuckDB's", 1.5, nested.ratio("embedded", "duckdb")),
        ],
        setup=setup(settings, f"{settings.megabytes:.0f} MB of pages, {size:.0f} MB of deep documents"),
        equal=wide.equal and nested.equal,
    )
