from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from chispa import assert_df_equality
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from transforms.people import names
from transforms.people.names import clean_text, split_name, split_names

PARTS = [
    ("John Doe", "John", "Doe"),
    ("Ludwig van der Berg", "Ludwig", "van der Berg"),
    ("van der Berg, Ludwig", "Ludwig", "van der Berg"),
    ("Maria de la Rosa", "Maria", "de la Rosa"),
    ("José da Silva e Souza", "José", "da Silva e Souza"),
    ("Shaun O'Neil", "Shaun", "O'Neil"),
    ("Mary-Jane O’Connor", "Mary-Jane", "O’Connor"),
    ("D'Angelo O'Neil", "D'Angelo", "O'Neil"),
    ("Martin Luther King Jr.", "Martin Luther", "King Jr."),
    ("Martin Luther King, Jr.", "Martin Luther", "King Jr."),
    ("King Jr., Martin Luther", "Martin Luther", "King Jr."),
    ("John Smith PhD", "John", "Smith PhD"),
    ("Madonna", "Madonna", None),
    ("Prince", "Prince", None),
    ("Dr. Jane Smith", "Jane", "Smith"),
    ("Prof. Dr. Hans Müller", "Hans", "Müller"),
    ("Lt. Col. John Smith", "John", "Smith"),
    ("Mr. & Mrs. John Smith", "John", "Smith"),
    ("Mr. Smith", None, "Smith"),
    ("Sir Ian", "Ian", None),
    ("Smith, Dr. John Q., Jr.", "John Q.", "Smith Jr."),
    ("Smith,John", "John", "Smith"),
    ("Smith,", "Smith", None),
    ("Ash Brook, Lady. (Name)", "Lady. (Name)", "Ash Brook"),
    ("John Smith, Dr.", "John", "Smith"),
    ("J. R. R. Tolkien", "J. R. R.", "Tolkien"),
    ("Abdul Rahman ibn Said", "Abdul Rahman", "ibn Said"),
    ('John "Jack" Kennedy', 'John "Jack"', "Kennedy"),
    ("John Kennedy (Jack)", "John (Jack)", "Kennedy"),
    ("Jane née Smith Doe", "Jane", "née Smith Doe"),
    ("Anna Müller geb. Schmidt", "Anna", "Müller geb. Schmidt"),
    ("Nguyễn Thị Minh Khai", "Nguyễn Thị Minh", "Khai"),
    ("Лев Николаевич Толстой", "Лев Николаевич", "Толстой"),
    ("محمد علي", "محمد", "علي"),
    ("山田 太郎", "太郎", "山田"),
    ("김철수", "철수", "김"),
    ("王小明", "王小明", None),
    ("- -", "- -", None),
]
NOT_TITLES = [
    ("Dean Martin", "Dean", "Martin"),
    ("Judge Reinhold", "Judge", "Reinhold"),
    ("Prince Rogers Nelson", "Prince Rogers", "Nelson"),
    ("Queen Latifah", "Queen", "Latifah"),
    ("Ma. Teresa Cruz", "Ma. Teresa", "Cruz"),
    ("St. John Smith", "St. John", "Smith"),
]


@pytest.mark.parametrize(("name", "first", "last"), PARTS)
def test_a_name_is_split_into_first_and_last(name: str, first: str | None, last: str | None) -> None:
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(("name", "first", "last"), NOT_TITLES)
def test_a_word_that_is_a_name_as_often_as_a_title_stays(name: str, first: str, last: str) -> None:
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  John \t Doe\n", "John Doe"),
        ("Jose\u0301", "José"),
        ("A\u00a0B", "A B"),
        ("A\u202eB", "AB"),
        ("A\x00B", "A B"),
        (" ", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_cleaned(text: str | None, cleaned: str | None) -> None:
    assert clean_text(text) == cleaned


def letters(*texts: str | None) -> Counter[str]:
    """The letters, marks and digits of the texts, in any order."""
    return Counter(c for text in texts for c in text or "" if unicodedata.category(c)[0] in "LMN")


def without_honorifics(name: str) -> Counter[str]:
    return letters(*(word for word in name.split() if word.strip(".,").lower() not in names.HONORIFICS | names.JOINERS))


some_words = st.one_of(
    st.sampled_from(
        [
            "van",
            "der",
            "de",
            "la",
            "Jr.",
            "III",
            "Dr.",
            "Mr",
            "and",
            "née",
            "geb.",
            "(Jack)",
            '"Jo"',
            "-",
            ",",
            "O'Neil",
        ]
    ),
    st.sampled_from(
        ["Prince", "Ma.", "St.", "山田", "김철수", "さん", "محمد", "John", "Smith,", "ibn", "PhD", "V", "z", "domu"]
    ),
    st.text(min_size=1, max_size=8),
)
some_names = st.lists(some_words, min_size=1, max_size=7).map(" ".join).map(clean_text).filter(bool)


@settings(max_examples=1000, deadline=None)
@given(some_names)
@example("Dr. - Dr. née")
def test_first_and_last_joined_lose_no_letter_but_those_of_titles(name: str) -> None:
    first, last = split_name(name)
    joined = letters(first, last)
    assert joined <= letters(name), "a letter that was not there"
    assert without_honorifics(name) <= joined, "a letter is lost"
    assert first or last


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "van",
                "de",
                "mac",
                "Smith",
                "O'Neil",
                "Mary-Jane",
                "Ma",
                "Jr",
                "Dr",
                "Dean",
                "Abdul",
                "ÉLISE",
                "Müller",
                "PhD",
                "Esq",
            ]
        )
        | st.from_regex("[A-Z][a-z]{1,8}", fullmatch=True),
        min_size=2,
        max_size=2,
    ).map(" ".join)
)
def test_the_short_way_for_plain_names_agrees_with_the_parser(name: str) -> None:
    assert split_name(name) == names._parsed(name)


@given(st.text(max_size=40))
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


def test_split_names_adds_two_columns_and_keeps_the_others(spark: SparkSession) -> None:
    rows = [("Maria  de la Rosa", 31, " New\u00a0York "), (None, 1, None), ("Madonna", None, "")]
    frame = spark.createDataFrame(rows, "fullname string, age int, location string")
    expected = spark.createDataFrame(
        [
            ("Maria de la Rosa", 31, "New York", "Maria", "de la Rosa"),
            (None, 1, None, None, None),
            ("Madonna", None, None, "Madonna", None),
        ],
        "fullname string, age int, location string, first_name string, last_name string",
    )
    assert_df_equality(split_names(frame, "fullname", ["location"]), expected, ignore_row_order=False)
