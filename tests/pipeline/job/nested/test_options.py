"""What a job that explodes nested JSON is asked for: kept fields, folders, rules, and what a locked schema allows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.errors import InputError, UsageError
from pipeline.job.nested.options import NestedOptions, folder_values, kept_fields
from pipeline.job.options import JsonInput, json_input, parse
from transforms.nested.schema.plan import Column, Table
from transforms.nested.schema.stats import PathStats

LOCKED = [Table("root", None, (), "record", (Column("p__x", ("p", "x"), "integer", "number"),))]


@dataclass
class Options(NestedOptions):
    """Nested JSON to tables."""

    source: JsonInput = json_input("JSON")


def given(*argv: str) -> Options:
    return parse("explode", Options, ["--source", "in.json", "--destination", "out", *argv])


def test_a_kept_field_gets_its_path_or_the_name_that_it_is_given() -> None:
    assert kept_fields(["page", 'meta."x.y"', "meta.id=batch"]) == {
        ("page",): ("page",),
        ("meta", "x.y"): ("meta", "x.y"),
        ("meta", "id"): ("batch",),
    }


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (["a=b=c"], "--keep a=b=c is not PATH or PATH=NAME"),
        (["a", "b=a"], "--keep b=a: a is kept already; PATH=NAME gives a name"),
        (["a.b", "c=a"], "--keep c=a: a.b is kept already; PATH=NAME gives a name"),
    ],
)
def test_a_kept_field_that_takes_the_place_of_another_is_refused(keep: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}$"):
        kept_fields(keep)


def test_folders_give_each_file_its_values_decoded_as_hive_writes_them(tmp_path: Path) -> None:
    for folder in ("dt=2024-05-01/town=S%C3%A3o", "dt=__HIVE_DEFAULT_PARTITION__/town=x"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "in.json").write_text("{}")
    source = JsonInput("source", (str(tmp_path),))
    assert folder_values(source, ["dt", "town"]) == ({"dt": "2024-05-01", "town": "São"}, {"dt": None, "town": "x"})
    assert folder_values(source, []) == ()
    with pytest.raises(UsageError, match=r"^--folders twon: no file is in a folder twon=...; near: town$"):
        folder_values(source, ["dt", "twon"])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--path", "a=colums"], "--path, --only, --keep, --names: 'a=colums' is not PATH=CHOICE"),
        (["--keep", "page"], "--keep and --names PATH are for what is around --records PATH"),
        (["--names", "firts"], "--keep and --names PATH are for what is around --records PATH; near: first"),
        (["--records", "a.b", "--keep", "a"], "a is on the way to --records a.b, or in a record"),
        (["--merge"], "--merge needs --key PATH and --format iceberg"),
        (["--depth", "0"], "--depth 0 is not between 1 and 900"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        given(*argv).prepare()
    assert str(refused.value).startswith(message)


def test_fields_that_are_added_are_wanted_with_the_paths_that_are_asked_for() -> None:
    rules = given("--only", "a.b", "--records", "data", "--keep", "page", "--folders", "dt").rules()
    assert [rules.wants(path) for path in (["a", "b"], ["page"], ["dt"], ["c"])] == [True, True, True, False]


def test_a_choice_against_the_locked_schema_is_refused_with_its_table() -> None:
    with pytest.raises(UsageError, match=r"^--path p=json: the locked schema lock.json has a column root.p__x$"):
        given("--schema", "lock.json", "--path", "q=json,p=json").parse_options(JsonInput("source"), LOCKED)


def test_new_fields_that_the_locked_schema_does_not_allow_end_the_run() -> None:
    options = given("--schema", "lock.json", "--on-drift", "fail")
    stats = PathStats(options.rules())
    stats.observe([{"p": {"x": 1}, "town": "x"}], 100)
    with pytest.raises(InputError, match=r"^--schema lock.json: the records do not match the locked schema: new field"):
        options.plan(stats, LOCKED)
    assert options.added == ()
    assert given("--lineage", "--ordinal").added == ("_source_file", "_source_position", "_ordinal")
