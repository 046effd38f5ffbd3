"""The check of words: what it refuses, what it lets pass, and where it looks."""

from __future__ import annotations

import pathlib

import pytest

from tools.words import EXCEPTIONS, ROOT, banned_words, main


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("the caller is told", "told"),
        ("a comma stands here", "stands"),
        ("they settle it", "settle"),
        ("it is settled", "settled"),
        ("a file beside it", "beside"),
        ("Twice as long", "twice"),
        ("two keepers", "keepers"),
        ("nobody looks again", "looks again"),
        ("it hangs on the day", "hangs on"),
        ("nothing doubles", "nothing doubles"),
        ("def _told(x):", "told"),
        ("STANDS_ON = 1", "stands"),
        ("class RowKeeper:", "keeper"),
        ("def settleRows():", "settle"),
        ("scan.look_again(places)", "look again"),
    ],
)
def test_a_banned_word_is_found_in_text_and_in_names(text: str, word: str) -> None:
    assert list(banned_words(text)) == [(1, word)]


@pytest.mark.parametrize("text", ["untold", "standstill", "settlement", "besides", "bookkeeper", "look", "again"])
def test_a_word_that_only_contains_a_banned_one_is_allowed(text: str) -> None:
    assert list(banned_words(text)) == []


def test_lines_are_counted_from_1_and_a_phrase_may_break_over_two_lines() -> None:
    assert list(banned_words("one\ntwo, told\nlook\nagain")) == [(2, "told"), (3, "look again")]


def test_every_place_is_printed_and_the_exit_code_is_1(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x = 1\ntold = 2\n")
    (tmp_path / "Makefile").write_text("run: ## beside\n")
    (tmp_path / "b.tf").write_text("# twice\n")
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == "Makefile:1: beside\nb.tf:1: twice\nsrc/a.py:2: told\n"


def test_clean_files_print_nothing_and_the_exit_code_is_0(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text("Plain words.\n")
    assert main(tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_other_kinds_of_files_and_folders_of_other_tools_are_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "data.csv").write_text("told\n")
    for folder in (".venv", "out", "build"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("told = 1\n")
    assert main(tmp_path) == 0


def test_every_exception_names_a_file_that_exists() -> None:
    assert [name for name in EXCEPTIONS if not (ROOT / name).is_file()] == []
