"""Command lines: what is taken, what is refused and how it is said."""

from __future__ import annotations

import argparse

import pytest

from pipeline.errors import UsageError
from pipeline.job import options
from pipeline.job.options import Input, Option

INPUTS = [Input("people", "a file"), Input("extra", "more", required=False)]
OPTIONS = [
    Option("key", str, [], "columns", repeated=True),
    Option("lenient", bool, False, "a flag"),
    Option("depth", int, 3, "levels"),
]
NEEDED = ["--people", "p.csv", "--destination", "out"]


def parsed(*argv: str) -> argparse.Namespace:
    return options.parse(options.build_parser("people", "People.", INPUTS, OPTIONS), INPUTS, argv)


def test_inputs_are_comma_separated_or_repeated() -> None:
    assert parsed("--people", "a.csv, b.csv", "--people", "c", "--destination", "out").people == ["a.csv", "b.csv", "c"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([], False),
        (["--lenient"], True),
        (["--lenient", "true"], True),
        (["--lenient", "false"], False),
        (["--lenient=FALSE"], False),
    ],
)
def test_a_flag_also_takes_true_and_false(words: list[str], value: bool) -> None:
    assert parsed(*NEEDED, *words).lenient is value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--destinatoin", "x"], "unknown option --destinatoin; did you mean --destination?"),
        (["--dest", "x"], "unknown option --dest"),
        (["--dept", "x"], "unknown option --dept; did you mean --depth?"),
        (["--max_rejected", "3"], "unknown option --max_rejected; did you mean --max-rejected?"),
        (["--depth", "x"], "argument --depth: invalid int value: 'x'"),
        (["--max-rejected", "some"], "'some' is neither a percentage"),
        (["--max-rejected", "101%"], "'101%' is neither a percentage"),
        (["--run-id", "../x"], "'../x' may hold only letters"),
        (["--files", "many"], "invalid choice: 'many'"),
        (["--lenient", "maybe"], "'maybe' is neither true nor false"),
    ],
)
def test_a_wrong_option_is_refused_with_a_hint(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(*NEEDED, *words)
    assert message in str(caught.value)


def test_a_missing_input_or_destination_is_named() -> None:
    with pytest.raises(UsageError, match="--people PATH is missing"):
        parsed("--destination", "out")
    with pytest.raises(UsageError, match="--destination DIR is missing"):
        parsed("--people", "p.csv")


def test_a_dry_run_needs_no_destination() -> None:
    assert parsed("--people", "p.csv", "--dry-run").dry_run is True


def test_the_arguments_that_glue_adds_are_taken_and_kept_apart() -> None:
    found = parsed(
        "--JOB_NAME",
        "people",
        "--TempDir=s3://t/",
        "--enable-metrics",
        "true",
        "--enable-job-insights",
        *NEEDED,
        "--JOB_RUN_ID",
        "jr_1",
    )
    assert found.glue == {
        "JOB_NAME": "people",
        "TempDir": "s3://t/",
        "enable-metrics": "true",
        "enable-job-insights": "",
        "JOB_RUN_ID": "jr_1",
    }
    assert found.people == ["p.csv"]


def test_the_limit_is_a_share_or_a_number() -> None:
    assert options.limit("5%").exceeded(6, 100)
    assert not options.limit("5%").exceeded(5, 100)
    assert options.limit("2").exceeded(3, 1_000_000)
    assert not options.limit("0").exceeded(0, 0)


def test_help_shows_every_option_with_type_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed("--help")
    shown = capsys.readouterr().out
    assert caught.value.code == 0
    for words in (
        "--people PATH",
        "--depth INT",
        "(default: 3)",
        "--max-rejected 1%|N",
        "(default: 5%)",
        "--files {single,parts}",
        "--lenient [true|false]",
        "--multi-line",
    ):
        assert words in shown
