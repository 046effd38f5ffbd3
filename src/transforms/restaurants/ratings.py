"""Rating texts in any language folded into classes, and the thresholds of each class.

The class comes from the rating's colour, which is the same in every language. Source: the colours and texts of 1,300
restaurants of the public search data, where each colour goes with one class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.restaurants.charts import Series, stacked_histogram

CLASSES = ("Excellent", "Very Good", "Good", "Average", "Poor", "Not rated")
NOT_RATED = "Not rated"
COLOURS = {
    "3F7E00": "Excellent",
    "5BA829": "Very Good",
    "9ACD32": "Good",
    "CDD614": "Average",
    "FFBA00": "Average",
    "FF7800": "Poor",
    "CBCBC8": NOT_RATED,
}
THRESHOLD_COLUMNS = {
    "Rating": "string",
    "Lowest": "decimal(2,1)",
    "Highest": "decimal(2,1)",
    "Mean": "decimal(7,6)",
    "Count": "bigint",
}
# Okabe-Ito colours, best to worst: different for every common colour blindness, and in the order of the legend in
# print.
CLASS_COLOURS = dict(zip(CLASSES, ("#0072B2", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#BBBBBB"), strict=True))


def rating_class(colour: Column) -> Column:
    """The class of a rating colour (six hex digits, any case); null for a colour that is absent or unknown."""
    known = F.create_map(*[F.lit(text) for pair in COLOURS.items() for text in pair])
    return F.try_element_at(known, F.upper(colour))


def count_ratings(restaurants: DataFrame) -> DataFrame:
    """How many restaurants have each rating: one row per (class, colour, text, rating), a bounded few hundred.

    In: `rating_color`, `rating_text` string, `rating` decimal(2,1). Out: `rating_class`, `rating_color`, `rating_text`
    (null where absent or unknown), `rating`, `restaurants` long.

    >>> frame = spark.sql("SELECT '3F7E00' rating_color, 'Terbaik' rating_text, 4.9BD rating")
    >>> count_ratings(frame).show()
    +------------+------------+-----------+------+-----------+
    |rating_class|rating_color|rating_text|rating|restaurants|
    +------------+------------+-----------+------+-----------+
    |   Excellent|      3F7E00|    Terbaik|   4.9|          1|
    +------------+------------+-----------+------+-----------+
    <BLANKLINE>
    """
    keys = [rating_class(F.col("rating_color")).alias("rating_class")]
    keys += [F.col(name) for name in ("rating_color", "rating_text", "rating")]
    return restaurants.groupBy(*keys).agg(F.count(F.lit(1)).alias("restaurants"))


@dataclass(frozen=True)
class RatingCount:
    """One row of `count_ratings`."""

    rating_class: str | None
    rating_color: str | None
    rating_text: str | None
    rating: Decimal | None
    restaurants: int


@dataclass(frozen=True)
class Summary:
    """Lowest, highest and mean rating (None without thresholds) and the number of restaurants."""

    lowest: Decimal | None
    highest: Decimal | None
    mean: Decimal | None
    count: int


def summarize(counts: Iterable[RatingCount]) -> Summary:
    """The figures of a group; the mean has 6 decimals, half up. Absent ratings count, but have no thresholds."""
    rows = list(counts)
    rated = [row for row in rows if row.rating is not None]
    total = sum(row.restaurants for row in rows)
    if not rated:
        return Summary(None, None, None, total)
    number = sum(row.restaurants for row in rated)
    mean = (sum((row.rating or Decimal(0)) * row.restaurants for row in rated) / Decimal(number)).quantize(
        Decimal("0.000001"), ROUND_HALF_UP
    )
    return Summary(
        min(row.rating for row in rated if row.rating is not None),
        max(row.rating for row in rated if row.rating is not None),
        mean,
        total,
    )


def by_text(counts: Iterable[RatingCount]) -> list[tuple[str | None, str | None, Summary]]:
    """(text as sent, class or None, figures), best mean first: the raw table."""
    groups: dict[tuple[str | None, str | None], list[RatingCount]] = {}
    for row in counts:
        groups.setdefault((row.rating_text, row.rating_class), []).append(row)
    found = [(text, name, summarize(rows)) for (text, name), rows in groups.items()]
    return sorted(found, key=lambda g: (CLASSES.index(g[1]) if g[1] else len(CLASSES), -g[2].count, g[0] or ""))


def by_class(counts: Iterable[RatingCount]) -> list[tuple[str, Summary]]:
    """(class, figures) of the six classes in their order, the folded table; a class without restaurants counts 0."""
    rows = list(counts)
    return [(name, summarize(row for row in rows if row.rating_class == name)) for name in CLASSES]


def thresholds(counts: Iterable[RatingCount]) -> list[tuple[str, Summary]]:
    """The final table: as `by_class`, but Not rated has no thresholds."""
    return [(name, Summary(None, None, None, s.count) if name == NOT_RATED else s) for name, s in by_class(counts)]


def unknown_colours(counts: Iterable[RatingCount]) -> dict[str, int]:
    """Restaurants by a colour without a class; an absent colour is `absent`."""
    found: dict[str, int] = {}
    for row in counts:
        if row.rating_class is None:
            name = row.rating_color or "absent"
            found[name] = found.get(name, 0) + row.restaurants
    return dict(sorted(found.items()))


def bins(counts: Iterable[RatingCount], name: str) -> dict[float, int]:
    """Restaurants of a class by rating."""
    found: dict[float, int] = {}
    for row in counts:
        if row.rating_class == name and row.rating is not None:
            found[float(row.rating)] = found.get(float(row.rating), 0) + row.restaurants
    return found


def figures(summary: Summary) -> list[str | int | None]:
    """Lowest and highest with one decimal, mean with six, count: as the tables show them, None for NA."""
    texts = [None if value is None else str(value) for value in (summary.lowest, summary.highest, summary.mean)]
    return [*texts, summary.count]


def rating_tables(counts: Sequence[RatingCount]) -> list[tuple[str, list[str], list[list[str | int | None]]]]:
    """Title, headers and rows of: the texts as sent, the texts by class, and the thresholds."""
    headers = ["lowest", "highest", "mean", "count"]
    texts = [[text, name, *figures(summary)] for text, name, summary in by_text(counts)]
    classes = [[name, *figures(summary)] for name, summary in by_class(counts)]
    final = [[name, *figures(summary)] for name, summary in thresholds(counts)]
    return [
        ("Rating texts as sent", ["text", "class", *headers], texts),
        ("Rating texts folded into English", ["rating", *headers], classes),
        ("Rating thresholds", ["rating", *headers], final),
    ]


def thresholds_csv(rows: Sequence[Sequence[str | int | None]]) -> bytes:
    """rating_thresholds.csv, with the columns `THRESHOLD_COLUMNS`: a line for each class and its `figures`."""
    lines = [",".join(THRESHOLD_COLUMNS)]
    lines += [",".join("NA" if value is None else str(value) for value in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def histogram(counts: Sequence[RatingCount]) -> bytes:
    """Restaurants by aggregate rating, stacked by class, as PNG; the same counts give the same bytes."""
    series = [Series(name, CLASS_COLOURS[name], bins(counts, name)) for name in CLASSES]
    total = sum(row.restaurants for row in counts)
    return stacked_histogram(
        [one for one in series if one.counts],
        title="How diners rate the restaurants",
        subtitle=f"{total:,} restaurants by aggregate rating, 0 to 5; restaurants not rated yet are at 0",
        x_label="aggregate rating (steps of 0.1)",
        y_label="restaurants",
        bin_width=0.1,
    )
