"""Scenarios `restaurants`, `orders`, `explode`, `documents`, `dlt`: contenders do the same work, and results are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import explode as explode_contenders
from benchmarks import generate_documents, generate_orders, generate_pages, orders, restaurants
from benchmarks.harness import (
    HEADERS,
    Contender,
    Contest,
    Settings,
    bytes_of,
    concluded,
    contender,
    embedded_job,
    job,
    made,
)
from benchmarks.results import AT_LEAST, EMBEDDED, MEMORY, SPARK, Section, Target


def pages(settings: Settings) -> Path:
    """The generated pages, one a line, made when they are not there."""
    size = settings.megabytes
    return made(settings.work / f"lines_{size:g}", lambda folder: generate_pages.generate(folder, size, 8, "lines"))


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
    own: dict[str, Callable[..., list[str]]] = {"ours": partial(job, memory=settings.heap), "embedded": embedded_job}
    found = [
        Contender(name, [*command(*ours), "--destination", str(out / name)], size, out / name)
        for name, command in own.items()
        if name == "ours" or name in settings.contenders
    ]
    for name in settings.contenders:
        if name not in own:
            found.append(Contender(name, [*theirs(name), "--out", str(out / name)], size, out / name))
    return Contest(work, found, settings)


def targets(done: Contest, work: str, plain: float, duckdb: float) -> list[Target]:
    """The figures to reach: plain PySpark's time to ours on Spark, the embedded engine's to DuckDB's, peaks of memory."""
    return [
        Target(f"{work}: time to DuckDB's", duckdb, done.ratio("embedded", "duckdb"), row=work, engine=EMBEDDED),
        Target(f"{work}: plain PySpark's time to ours", plain, done.ratio("plain", "ours"), AT_LEAST, work, SPARK),
        Target(f"{work}: MB to DuckDB's", 2.0, done.memory_ratio("embedded", "duckdb"), row=MEMORY, engine=EMBEDDED),
        Target(
            f"{work}: MB, heap of {done.settings.heap}",
            1500,
            done.figure("ours", done.megabytes),
            row=MEMORY,
            engine=SPARK,
        ),
    ]


def without_dlt(settings: Settings) -> Settings:
    """Everybody but dlt, which makes tables of documents and nothing else."""
    return replace(settings, contenders=tuple(name for name in settings.contenders if name != "dlt"))


def restaurants_contest(settings: Settings) -> Contest:
    """Restaurants, all outputs; all read the same pages, one a line."""
    lines, sheet = pages(settings), codes(settings)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("restaurants", name, "--pages", str(lines), "--codes", sheet, memory=settings.heap)

    ours = ("restaurants", "--restaurants", str(lines), "--country-codes", sheet)
    return contest(without_dlt(settings), "restaurants", "out", lines, ours, theirs)


def restaurants_section(settings: Settings) -> Section:
    """The restaurants job against everybody."""
    done = restaurants_contest(settings).run().compare(restaurants.outputs)
    result = Section(
        "Restaurants, all outputs",
        "Search pages, one a line, to details, events and ratings; details and events are compared. The floor is Spark parsing"
        " the columns that the job needs, to nowhere.",
        HEADERS,
        done.rows(),
        targets(done, "restaurants", 2.5, 1.0),
        equal=done.equal,
    )
    return concluded(
        result,
        settings,
        f"{bytes_of(pages(settings)) / 1e6:.0f} MB of pages, heap of {settings.heap} for all that run on Spark",
        done,
        sizes=("megabytes",),
    )


def orders_section(settings: Settings) -> Section:
    """The customer orders job against everybody."""
    source = day(settings, settings.customers)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("orders", name, "--day", str(source), memory=settings.heap)

    ours = ("customer_orders", "--source", str(source))
    done = contest(without_dlt(settings), "customer_orders", "out_orders", source, ours, theirs)
    done.run().compare(orders.outputs)
    what = (
        f"{settings.customers:,} customers, three orders each, three items an order, heap of {settings.heap} for all that run on"
        " Spark"
    )
    result = Section(
        "Customer orders, messages in order",
        "Customers, orders and items to one message per customer. The floor is Spark scanning the three files, to nowhere.",
        HEADERS,
        done.rows(),
        targets(done, "customer_orders", 1.6, 1.5),
        equal=done.equal,
    )
    return concluded(result, settings, what, done, sizes=("customers",))


def explode_contest(
    settings: Settings, what: str, source: Path, able: Sequence[str] = ("embedded", "floor", "plain", "duckdb")
) -> Contest:
    """explode_json to Parquet against those that are able to, on pages or deep documents."""
    chosen = tuple(name for name in able if name in settings.contenders)

    def theirs(name: str) -> list[str]:
        """The command of a contender."""
        return contender("explode", name, "--what", what, "--source", str(source), memory=settings.heap)

    ours = ("explode_json", "--source", str(source), "--root", what, "--format", "parquet")
    work = f"explode {what}" + (", dlt" if "dlt" in able else "")
    return contest(
        replace(settings, contenders=chosen), work, f"out_{work}".replace(" ", "_"), source, ours, theirs
    ).run()


EXPLODED = (
    "Types found, tables planned and written. The floor is Spark parsing everything with a full declared schema, to nowhere."
    " Row counts of all tables and sums over values are compared; DuckDB numbers its rows where ours carry keys made of"
    " content."
)


def exploded_section(settings: Settings, what: str, source: Path, shown: str, most: float) -> Section:
    """explode_json, inference included, on pages or deep documents; `most`: the aim of its time to DuckDB's."""
    done = explode_contest(settings, what, source).compare(explode_contenders.outputs)
    result = Section(
        f"explode_json to Parquet tables: {shown}",
        EXPLODED,
        HEADERS,
        done.rows(),
        targets(done, f"explode {what}", 1.0, most),
        equal=done.equal,
    )
    return concluded(
        result,
        settings,
        f"{bytes_of(source) / 1e6:.0f} MB of {shown}, heap of {settings.heap} for all that run on Spark",
        done,
        sizes=("megabytes",),
    )


def explode_section(settings: Settings) -> Section:
    """explode_json on wide pages."""
    return exploded_section(settings, "pages", pages(settings), "pages", 1.0)


def documents_section(settings: Settings) -> Section:
    """explode_json on deep documents: a quarter of the size of the pages."""
    size = settings.megabytes / 4
    source = made(settings.work / f"documents_{size:g}", lambda folder: generate_documents.generate(folder, size))
    return exploded_section(settings, "documents", source, "deep documents", 1.5)


def dlt_section(settings: Settings) -> Section:
    """explode_json against dlt, on a size that dlt does."""
    source = pages(replace(settings, megabytes=settings.dlt_megabytes))
    done = explode_contest(settings, "pages", source, ("embedded", "dlt"))
    done.compare(explode_contenders.outputs)
    row = "explode pages"
    result = Section(
        "explode_json and dlt",
        "The same pages to Parquet tables: dlt to files in a folder, with a key and a parent's key of its own in each row, with"
        " two workers to normalise. Row counts of all tables and sums over values are compared.",
        HEADERS,
        done.rows(),
        [
            Target("dlt's time to ours", 4.0, done.ratio("dlt", "embedded"), AT_LEAST, row, EMBEDDED),
            Target("dlt's time to ours on Spark", 1.0, done.ratio("dlt", "ours"), AT_LEAST),
        ],
        equal=done.equal,
    )
    return concluded(
        result,
        settings,
        f"{bytes_of(source) / 1e6:.0f} MB of pages, heap of {settings.heap} for all that run on Spark",
        done,
        sizes=("dlt_megabytes",),
    )
