"""Command lines: what is accepted, what is refused, and the typed options that a job gets."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.engines.glue import is_glue_run, without_glue_arguments
from pipeline.errors import InputError, UsageError
from pipeline.job import options
from pipeline.job.options import (
    CsvInput,
    JobOptions,
    JsonInput,
    comma_separated,
    csv_input,
    json_input,
    named_values,
    option,
    words,
)


@dataclass
class Options(JobOptions):
    """People of 50% of the towns."""

    people: CsvInput = csv_input("a file")
    extra: JsonInput = json_input("more", required=False)
    key: tuple[str, ...] = option("columns", ("name", "age"), split=comma_separated)
    types: dict[str, str] = option("types by column", (), split=named_values())
    lenient: bool = option("a flag", False)
    depth: int = option("levels", 3, parse=int)
    since: datetime.date = option("first day", "2019-04-01", parse=options.day, metavar="DAY")


@dataclass
class JsonOptions(JobOptions):
    """A job without CSV inputs."""

    pages: JsonInput = json_input("pages")


NEEDED = ["--people", "p.csv", "--destination", "out"]


def parsed(*argv: str) -> Options:
    return options.parse("people", Options, argv)


def test_inputs_are_comma_separated_or_repeated() -> None:
    found = parsed("--people", "a.csv, b.csv", "--people", "c", "--destination", "out")
    assert found.people == CsvInput("people", ("a.csv", "b.csv", "c"))
    assert found.extra == JsonInput("extra", ())
    assert not found.extra
    assert found.inputs() == [CsvInput("people", ("a.csv", "b.csv", "c")), JsonInput("extra", ())]


def test_options_have_their_types_and_defaults() -> None:
    found = parsed(*NEEDED)
    assert (found.destination, found.run_id, found.files, found.quiet, found.dry_run) == (
        "out",
        None,
        "single",
        False,
        False,
    )
    assert (found.max_rejected.text, found.max_rejected.share, found.max_rejected.count) == ("5%", 0.05, None)
    assert (found.key, found.types, found.depth, found.since) == (("name", "age"), {}, 3, datetime.date(2019, 4, 1))
    assert found.prepare() is found


def test_given_values_replace_the_defaults() -> None:
    found = parsed(
        *(*NEEDED, "--key", "a,b", "--key", "c", "--types", "a=int,b=decimal(18,2)", "--depth", "5"),
        *("--since", "2020-02-29", "--run-id", "r.1", "--max-rejected", "200", "--files=parts"),
    )
    assert (found.key, found.types) == (("a", "b", "c"), {"a": "int", "b": "decimal(18,2)"})
    assert (found.depth, found.since, found.run_id) == (5, datetime.date(2020, 2, 29), "r.1")
    assert (found.max_rejected.share, found.max_rejected.count, found.files) == (None, 200, "parts")


def test_a_day_is_written_as_people_or_as_names_of_files_write_it() -> None:
    assert [parsed(*NEEDED, "--since", text).since for text in ("2020-02-29", "20200229")] == [
        datetime.date(2020, 2, 29), datetime.date(2020, 2, 29),
    ]  # fmt: skip


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
        (["--destinatoin", "x"], "unknown option --destinatoin; did you mean --destination? See people --help"),
        (["--dest", "x"], "unknown option --dest"),
        (["--dept", "x"], "unknown option --dept; did you mean --depth? See people --help"),
        (["--max_rejected", "3"], "unknown option --max_rejected; did you mean --max-rejected?"),
        (
            ["b.csv"],
            "unknown argument b.csv: each value follows its option, several with commas, a glob in quotes. See",
        ),
        (["--zzz"], "unknown option --zzz. See people --help"),
        (["--depth", "x"], "argument --depth: invalid int value: 'x'. See people --help"),
        (["--since", "April"], "argument --since: 'April' is not a day (YYYY-MM-DD)"),
        (["--types", "a"], "--types a: expected NAME=TYPE"),
        (["--max-rejected", "some"], "'some' is neither a percentage"),
        (["--max-rejected", "101%"], "'101%' is neither a percentage"),
        (["--run-id", "../x"], "'../x' may hold only letters"),
        (["--files", "many"], "invalid choice: 'many'"),
        (["--lenient", "maybe"], "'maybe' is neither true nor false"),
        (["--depth", "5", "--depth=3"], "--depth: given as 5 and 3, one of them is expected. See people --help"),
        (["--depth", "3", "--depth", "5"], "argument --depth: given as 3 and 5"),
        (["--destination", "other"], "argument --destination: given as out and other"),
        (["--max-rejected", "5%", "--max-rejected", "9"], "argument --max-rejected: given as 5% and 9"),
        (["--lenient", "--lenient", "false"], "argument --lenient: given as True and False"),
        (["--run-id", "a", "--run-id", "a", "--run-id", "b"], "argument --run-id: given as a and b"),
        (["--types", "a=int", "--types", "b=int, a=text"], "--types a=text: a is int already"),
        (["--destination", "q\udcff"], "'q\\udcff': an argument that is not UTF-8"),
    ],
)
def test_a_wrong_option_is_refused_with_a_hint(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(*NEEDED, *words)
    assert message in str(caught.value)


def test_the_same_value_given_again_is_one_value() -> None:
    found = parsed(*NEEDED, "--depth", "5", "--depth=5", "--lenient", "--lenient", "true", "--types", "a=int,a=int")
    assert (found.depth, found.lenient, found.types) == (5, True, {"a": "int"})


def test_a_message_on_an_option_with_two_values_shows_no_password() -> None:
    urls = ("postgresql://ann:secret1@host/db", "host=h password=secret2")
    with pytest.raises(UsageError, match=r"given as postgresql://ann:\*\*\*@host/db and host=h password=\*\*\*, one"):
        parsed("--people", "p.csv", "--destination", urls[0], "--destination", urls[1])


def test_a_missing_input_or_destination_is_named() -> None:
    with pytest.raises(UsageError, match=r"^--people PATH is missing\. See people --help$"):
        parsed("--destination", "out")
    with pytest.raises(UsageError, match=r"^--destination DIR is missing\. See people --help$"):
        parsed("--people", "p.csv")


def test_a_dry_run_needs_no_destination() -> None:
    assert parsed("--people", "p.csv", "--dry-run").dry_run is True


def test_arguments_added_by_glue_are_separated_from_the_job_s_own() -> None:
    argv = [
        *("--JOB_NAME", "people", "--TempDir=s3://t/", "--enable-metrics", "true", "--enable-job-insights"),
        *(*NEEDED, "--JOB_RUN_ID", "jr_1"),
    ]
    assert without_glue_arguments(argv) == (
        ["--people", "p.csv", "--destination", "out"],
        {
            "JOB_NAME": "people",
            "TempDir": "s3://t/",
            "enable-metrics": "true",
            "enable-job-insights": "",
            "JOB_RUN_ID": "jr_1",
        },
    )
    assert parsed(*argv) == parsed(*NEEDED)
    assert is_glue_run(argv)
    assert not is_glue_run(NEEDED)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86_400), ("2d", 172_800)])
def test_a_duration_is_read_in_seconds(text: str, seconds: int) -> None:
    assert options.duration(text) == seconds


def test_a_comma_in_parentheses_does_not_separate() -> None:
    assert words(["a=decimal(18,2), b=int", "c=date"]) == ("a=decimal(18,2)", "b=int", "c=date")


def test_an_input_has_each_file_once_sorted_by_path(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("id\n", encoding="utf-8")
    given = CsvInput("people", (str(tmp_path / "b.csv"), str(tmp_path)))
    assert [info.path for info in given.files()] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]


def test_a_path_that_gives_no_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        CsvInput("people", (str(tmp_path / "nowhere.csv"),)).files()
    with pytest.raises(InputError, match=r"^--country-codes: no files$"):
        CsvInput("country_codes").files()


def test_help_shows_every_option_with_type_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed("--help")
    shown = capsys.readouterr().out
    assert caught.value.code == 0
    for text in (
        "python jobs/people.py --people PATH --destination DIR [options]",
        "People of 50% of the towns.",
        "--people PATH",
        "--extra PATH",
        "(default: name, age)",
        "--depth INT",
        "(default: 3)",
        "--since DAY",
        "(default: 2019-04-01)",
        "--max-rejected 1%|N",
        "(default: 5%)",
        "--files {single,parts}",
        "--lenient [true|false]",
        "--multi-line",
    ):
        assert text in shown


def test_a_job_without_csv_inputs_has_no_csv_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.parse("pages", JsonOptions, ["--help"])
    assert "--multi-line" not in capsys.readouterr().out
    with pytest.raises(UsageError, match="unknown option --multi-line"):
        options.parse("pages", JsonOptions, ["--pages", "p.json", "--destination", "out", "--multi-line"])
