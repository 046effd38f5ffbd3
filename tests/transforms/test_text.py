"""Names of columns: for an engine, and as a header."""

from __future__ import annotations

from transforms.text import csv_header, quoted


def test_a_name_is_quoted_whatever_it_holds() -> None:
    assert [quoted(name) for name in ("id", "a b.c", "a`b")] == ["`id`", "`a b.c`", "`a``b`"]


def test_a_header_has_quotes_only_where_they_are_needed() -> None:
    assert csv_header(["id", "a b", 'say "hi"', "a,b"]) == 'id,a b,"say ""hi""","a,b"\n'
