"""Names of columns: for an engine, and as a header."""

from __future__ import annotations

from transforms.text import csv_header, listed, quoted


def test_a_name_is_quoted_whatever_it_holds() -> None:
    assert [quoted(name) for name in ("id", "a b.c", "a`b")] == ["`id`", "`a b.c`", "`a``b`"]


def test_a_header_has_quotes_only_where_they_are_needed() -> None:
    assert csv_header(["id", "a b", 'say "hi"', "a,b"]) == 'id,a b,"say ""hi""","a,b"\n'


def test_a_message_has_thirty_names_and_the_beginning_of_long_ones() -> None:
    assert listed([]) == ""
    assert listed(["id", "a b"]) == "id, a b"
    shown = listed([f"c{number}" for number in range(500)])
    assert (shown[:10], shown[-21:]) == ("c0, c1, c2", "c28, c29 and 470 more")
    assert listed(["id", "x" * 61]) == "id, " + "x" * 60 + "..."
