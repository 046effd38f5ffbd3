"""Ratings: classes by colour, thresholds by class."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession

from tests.support.frames import assert_same_rows
from transforms.restaurants import ratings
from transforms.restaurants.ratings import RatingCount, Summary

COUNTS = [
    RatingCount("Excellent", "3F7E00", "Excellent", Decimal("4.5"), 2),
    RatingCount("Excellent", "3F7E00", "Terbaik", Decimal("4.6"), 1),
    RatingCount("Not rated", "CBCBC8", "Not rated", Decimal("0.0"), 3),
    RatingCount("Poor", "FF7800", "Poor", None, 1),
    RatingCount(None, "123456", "?", Decimal("3.0"), 4),
    RatingCount(None, None, None, None, 5),
]


def test_the_colour_gives_the_class_in_any_case_and_an_unknown_one_none(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [("3F7E00", "a", 4.9), ("3F7E00", "a", 4.9), ("ffba00", "b", 2.5), ("000000", "c", 1.0), (None, None, None)],
        "rating_color string, rating_text string, rating double",
    )
    expected = spark.createDataFrame(
        [
            ("Excellent", "3F7E00", "a", 4.9, 2),
            ("Average", "ffba00", "b", 2.5, 1),
            (None, "000000", "c", 1.0, 1),
            (None, None, None, None, 1),
        ],
        "rating_class string, rating_color string, rating_text string, rating double, restaurants long",
    )
    assert_same_rows(ratings.count_ratings(frame), expected)


def test_thresholds_are_lowest_highest_and_the_mean_with_six_decimals_half_up() -> None:
    assert dict(ratings.thresholds(COUNTS)) == {
        "Excellent": Summary(Decimal("4.5"), Decimal("4.6"), Decimal("4.533333"), 3),
        "Very Good": Summary(None, None, None, 0),
        "Good": Summary(None, None, None, 0),
        "Average": Summary(None, None, None, 0),
        "Poor": Summary(None, None, None, 1),
        "Not rated": Summary(None, None, None, 3),
    }


def test_the_thresholds_are_published_as_csv_with_na_for_what_is_absent() -> None:
    rows = [["Excellent", "4.5", "4.6", "4.533333", 3], ["Not rated", None, None, None, 12]]
    assert ratings.thresholds_csv(rows) == (
        b"Rating,Lowest,Highest,Mean,Count\nExcellent,4.5,4.6,4.533333,3\nNot rated,NA,NA,NA,12\n"
    )


def test_figures_are_texts_with_their_decimals_and_nothing_where_there_are_none() -> None:
    assert ratings.figures(Summary(Decimal("4.0"), Decimal("4.6"), Decimal("4.500000"), 3)) == [
        "4.0",
        "4.6",
        "4.500000",
        3,
    ]
    assert ratings.figures(Summary(None, None, None, 7)) == [None, None, None, 7]


def test_the_raw_table_keeps_every_text_with_its_class() -> None:
    assert [(text, name, s.count) for text, name, s in ratings.by_text(COUNTS)] == [
        ("Excellent", "Excellent", 2),
        ("Terbaik", "Excellent", 1),
        ("Poor", "Poor", 1),
        ("Not rated", "Not rated", 3),
        (None, None, 5),
        ("?", None, 4),
    ]


def test_the_tables_on_the_terminal_are_texts_as_sent_texts_by_class_and_thresholds() -> None:
    texts, classes, final = ratings.rating_tables(COUNTS)
    assert texts[:2] == ("Rating texts as sent", ["text", "class", "lowest", "highest", "mean", "count"])
    assert texts[2][1] == ["Terbaik", "Excellent", "4.6", "4.6", "4.600000", 1]
    assert classes[:2] == ("Rating texts folded into English", ["rating", "lowest", "highest", "mean", "count"])
    assert classes[2][-1] == ["Not rated", "0.0", "0.0", "0.000000", 3]
    assert final[:2] == ("Rating thresholds", ["rating", "lowest", "highest", "mean", "count"])
    assert final[2][-1] == ["Not rated", None, None, None, 3]


def test_an_unknown_colour_is_reported_and_never_guessed() -> None:
    assert ratings.unknown_colours(COUNTS) == {"123456": 4, "absent": 5}


def test_bins_hold_the_rated_restaurants_of_one_class() -> None:
    assert ratings.bins(COUNTS, "Excellent") == {4.5: 2, 4.6: 1}
    assert ratings.bins(COUNTS, "Poor") == {}
