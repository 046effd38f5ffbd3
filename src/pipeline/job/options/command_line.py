"""A job's arguments as an object of its options class, and `--help`."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pipeline import storage
from pipeline.engines.glue import without_glue_arguments
from pipeline.errors import UsageError
from pipeline.job.options.every_job import CSV_OPTIONS, JobOptions, Options
from pipeline.job.options.fields import SPEC, Spec
from pipeline.job.options.inputs import CsvInput, Input
from pipeline.job.options.values import boolean, comma_separated
from transforms.text import near_names


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See {self.prog} --help")


class _Once(argparse.Action):
    """An option that takes one value: another one is refused; the last would win in silence."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        given = vars(namespace).setdefault(f"{self.dest} given", values)
        if given != values:
            both = re.sub(r"(?<=:)[^:/@]*(?=@)|(?<=password=)\S+", "***", f"{given} and {values}")
            if dataclasses.is_dataclass(values) and type(values).__str__ is object.__str__:
                both = "two different values"  # of which only the parts are left
            raise argparse.ArgumentError(self, f"given as {both}, one of them is expected")
        setattr(namespace, self.dest, values)


@dataclass(frozen=True)
class _Field:
    """A field of an options class: its name, type and specification."""

    name: str
    type: Any
    spec: Spec

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_input(self) -> bool:
        """Whether the field is an input."""
        return isinstance(self.type, type) and issubclass(self.type, Input)


def _fields(options: type[JobOptions]) -> list[_Field]:
    types = typing.get_type_hints(options)
    own = [_Field(f.name, types[f.name], f.metadata[SPEC]) for f in dataclasses.fields(options) if SPEC in f.metadata]
    if not any(one.type is CsvInput for one in own):
        own = [one for one in own if one.name not in CSV_OPTIONS]
    return own


def _shown_default(spec: Spec) -> str:
    if spec.default in (None, False, (), ""):
        return ""
    text = ", ".join(spec.default) if isinstance(spec.default, tuple) else str(spec.default)
    return f" (default: {text})"


def _add(group: argparse._ArgumentGroup, one: _Field) -> None:
    spec = one.spec
    text = (spec.help + _shown_default(spec)).replace("%", "%%")
    if one.is_input:
        group.add_argument(one.flag, action="append", default=[], metavar="PATH", help=text)
    elif one.type is bool:
        group.add_argument(
            one.flag, action=_Once, nargs="?", const=True, type=boolean, default=spec.default, metavar="true|false",
            help=text,
        )  # fmt: skip
    elif spec.split is not None:
        group.add_argument(one.flag, action="append", default=None, metavar=spec.metavar or "VALUE", help=text)
    else:
        choices = spec.choices or None
        name = spec.metavar or (None if choices else getattr(spec.parse, "__name__", "value").upper())
        group.add_argument(
            one.flag, action=_Once, type=spec.parse, default=spec.default, choices=choices, metavar=name, help=text
        )


def build_parser(job: str, options: type[JobOptions]) -> argparse.ArgumentParser:
    """The parser of one job; `--help` needs no engine."""
    fields = _fields(options)
    common = {one.name for one in dataclasses.fields(JobOptions)}
    inputs = [one for one in fields if one.is_input]
    given = " ".join(f"{one.flag} PATH" for one in inputs if one.spec.required)
    started = sys.argv[0] if sys.argv[0].startswith("partner-jobs") else f"python jobs/{job}.py"
    usage = f"{started} {given + ' ' if given else ''}--destination DIR [options]"
    summary = (options.__doc__ or "").strip()
    parser = _Parser(prog=job, usage=usage, description=summary, allow_abbrev=False)
    groups = (
        ("inputs: a file, a folder or a glob, plain or compressed, local or s3://, several with commas", inputs),
        ("options of this job", [one for one in fields if not one.is_input and one.name not in common]),
        ("options of every job", [one for one in fields if one.name in common]),
    )
    for title, members in groups:
        group = parser.add_argument_group(title)
        for one in members:
            _add(group, one)
    return parser


def _value(one: _Field, given: Any) -> Any:
    """The value of a field; `given` is what the parser found."""
    if one.is_input:
        whole = [[text] if "," in text and storage.exists(text) else comma_separated([text]) for text in given]
        return one.type(one.name, tuple(path for paths in whole for path in paths), **one.spec.of_input)
    if one.spec.split is None:
        return given
    try:
        return one.spec.split(list(one.spec.default or ()) if given is None else given)
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{one.flag} {error}") from error


def parse(job: str, options: type[Options], argv: Sequence[str]) -> Options:
    """Reads a job's arguments; an unknown option is refused with the nearest known one (`UsageError`)."""
    for text in argv:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{text!a}: an argument that is not UTF-8") from None
    parser, fields = build_parser(job, options), _fields(options)
    known, unknown = parser.parse_known_args(without_glue_arguments(argv)[0])
    if unknown:
        names = [flag for action in parser._actions for flag in action.option_strings]
        if not unknown[0].startswith("-"):
            hint = "each value follows its option, several with commas, a glob in quotes"
            raise UsageError(f"unknown argument {unknown[0]}: {hint}. See {parser.prog} --help")
        word = unknown[0].partition("=")[0]
        similar = near_names(word.replace("_", "-"), names, 1)
        meant = f"; did you mean {similar[0]}?" if similar else "."
        raise UsageError(f"unknown option {word}{meant} See {parser.prog} --help")
    made = options(**{one.name: _value(one, getattr(known, one.name)) for one in fields})
    for one in fields:
        if one.is_input and one.spec.required and not getattr(made, one.name):
            raise UsageError(f"{one.flag} PATH is missing. See {parser.prog} --help")
    if made.keep_runs and storage.is_s3(made.destination or "") and not made.has_snapshots:
        raise UsageError("--keep-runs is for local folders; on S3 a lifecycle rule removes what is under _runs/")
    made.quiet = made.quiet or made.json
    if not made.destination and not made.dry_run:
        raise UsageError(f"--destination DIR is missing. See {parser.prog} --help")
    return made
