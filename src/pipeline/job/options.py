"""Typed options of a job: a dataclass gives the command line, `--help`, defaults, and an object with types.

    @dataclass
    class Options(JobOptions):
        \"\"\"Daily prices as one clean table.\"\"\"

        prices: CsvInput = csv_input("price list: id, price")
        currency: str = option("currency of the prices", "EUR", metavar="CODE")

A field `from_year` is the option `--from-year`. A bool is a flag that also takes true or false.
"""

from __future__ import annotations

import argparse
import codecs
import dataclasses
import datetime
import functools
import re
import sys
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Self, TypeVar

from pipeline import storage
from pipeline.engines import ENGINES
from pipeline.engines.glue import without_glue_arguments
from pipeline.errors import InputError, UsageError
from pipeline.readers.corrections import Correction, read_corrections
from pipeline.readers.csv.headers import FileHeaders, no_header
from pipeline.readers.csv.typed import header_names, hint
from pipeline.readers.dialect import Dialect
from pipeline.readers.xlsx import Sheet, read_sheet
from pipeline.reports.counts import Limit, limit
from transforms.text import near_names

_SPEC = "option"


@dataclass
class Input:
    """An input of a job: its name (dots and underscores as in the report), and the paths that were given for it."""

    name: str
    paths: tuple[str, ...] = ()
    _files: list[storage.FileInfo] = field(default_factory=list, repr=False)

    def __bool__(self) -> bool:
        """True when paths were given."""
        return bool(self.paths)

    def files(self) -> list[storage.FileInfo]:
        """The files of the paths, each once, sorted by path; `InputError` when a path gives none."""
        if not self._files:
            found = {info.path: info for pattern in self.paths for info in storage.list_files(pattern)}
            if not found:
                raise InputError(f"--{self.name.replace('_', '-')}: no files")
            self._files = [found[path] for path in sorted(found, key=str.encode)]
        return self._files

    def keep(self, files: list[storage.FileInfo]) -> None:
        """Leaves the input only these of its files."""
        self._files = files


@dataclass
class CsvInput(Input):
    """An input of CSV files (or one .xlsx), and the columns that each file must have."""

    columns: tuple[str, ...] = ()
    _headers: FileHeaders | Sheet | None = field(default=None, init=False, repr=False, compare=False)

    def headers(self, dialect: Dialect) -> FileHeaders | Sheet:
        """The headers of the files, or the one sheet: looked at once for all that asks, without an engine."""
        if self._headers is None:
            files = self.files()
            is_sheet = any(info.path.lower().endswith(".xlsx") for info in files)
            if is_sheet and len(files) > 1:
                names = ", ".join(info.path for info in files[:3])
                raise InputError(f"--{self.name}: one .xlsx file at a time, have {names}")
            self._headers = read_sheet(files[0].path) if is_sheet else FileHeaders(files, dialect)
        return self._headers


@dataclass
class JsonInput(Input):
    """An input of JSON files; `may_be_empty`: files without any text are no error."""

    may_be_empty: bool = False


@dataclass(frozen=True)
class _Spec:
    """How one field is asked for on the command line."""

    help: str
    parse: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] = ()
    metavar: str = ""
    split: Callable[[list[str]], Any] | None = None
    required: bool = False
    of_input: dict[str, Any] = field(default_factory=dict)


def _spec_field(spec: _Spec) -> Any:
    return field(default=None, kw_only=True, metadata={_SPEC: spec})


def csv_input(help: str, *, required: bool = True, columns: Sequence[str] = ()) -> Any:
    """An input of CSV files: `--name PATH[,PATH...]`; files without these columns are refused at once."""
    return _spec_field(_Spec(help, required=required, of_input={"columns": tuple(columns)}))


def json_input(help: str, *, required: bool = True, may_be_empty: bool = False) -> Any:
    """An input of JSON files: `--name PATH[,PATH...]`; files that hold nothing are refused unless it `may_be_empty`."""
    return _spec_field(_Spec(help, required=required, of_input={"may_be_empty": may_be_empty}))


def option(
    help: str,
    default: Any = None,
    *,
    parse: Callable[[str], Any] = str,
    choices: Sequence[str] = (),
    metavar: str = "",
    split: Callable[[list[str]], Any] | None = None,
) -> Any:
    """An option of the job. A default that is text is parsed as a given value is.

    With `split` the option may be repeated, and `split` makes one value of all the texts (`comma_separated`). What
    `parse` and `split` refuse with `ValueError` or `UsageError` is a usage error that names the option.
    """
    return _spec_field(_Spec(help, parse, default, tuple(choices), metavar, split))


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return int(text)


def boolean(text: str) -> bool:
    """Reads true or false (Glue passes every flag as text)."""
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "": True}
    if text.strip().lower() not in known:
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return known[text.strip().lower()]


def run_id(text: str) -> str:
    """A run id names a folder, so it is kept to letters, digits, dot, dash and underscore."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", text):
        raise argparse.ArgumentTypeError(f"'{text}' may hold only letters, digits, '.', '-' and '_', at most 128")
    return text


def duration(text: str) -> int:
    """Seconds from `90s`, `30m`, `24h` or `2d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration like 90s, 30m, 24h or 2d")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def day(text: str) -> datetime.date:
    """A day as YYYY-MM-DD."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day (YYYY-MM-DD)") from None


def comma_separated(values: Sequence[str]) -> tuple[str, ...]:
    """Comma-separated or repeated, or both: `a,b` and `a` `b` are the same list; order kept, blanks dropped."""
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def words(values: Sequence[str]) -> tuple[str, ...]:
    """As `comma_separated`, but a comma in parentheses does not separate: `decimal(18,2)` is one word."""
    return tuple(item.strip() for text in values for item in re.split(r",(?![^()]*\))", text) if item.strip())


def named_values(*allowed: str) -> Callable[[Sequence[str]], dict[str, str]]:
    """For items `name=value` of a repeated or comma-separated option; values other than `allowed` are refused."""

    def split(values: Sequence[str]) -> dict[str, str]:
        """The values by name."""
        found = {}
        for item in words(values):
            name, equals, value = item.rpartition("=")
            if not equals or (allowed and value not in allowed):
                raise ValueError(f"{item}: expected NAME={'|'.join(allowed) or 'TYPE'}")
            found[name.strip()] = value.strip()
        return found

    return split


def separator(text: str) -> str:
    """A separator as it was typed: `\\t` is a tab."""
    return text.replace("\\t", "\t")


def character(text: str) -> str:
    """One ASCII character as it was typed: `\\t` is a tab."""
    found = separator(text)
    if len(found) != 1 or not found.isascii() or found in '"\r\n':
        raise argparse.ArgumentTypeError(f"one ASCII character is expected, not '{text}'")
    return found


def character_or_none(text: str) -> str:
    """A character, or nothing for `none`."""
    return "" if text == "none" else text if text == '"' else character(text)


def character_or_nothing(text: str) -> str:
    """One ASCII character, or nothing."""
    return character(text) if text else ""


def encoding(text: str) -> str:
    """The name of a text encoding that Python knows."""
    try:
        found = codecs.lookup(text)
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"unknown encoding '{text}', expected one like utf-8, cp1252, utf-16"
        ) from None
    if not found._is_text_encoding:
        raise argparse.ArgumentTypeError(f"'{text}' is no encoding of text, expected one like utf-8, cp1252, utf-16")
    return found.name.removesuffix("-sig")


def whole_number(text: str) -> int:
    """0 or more."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0")
    return int(text)


# The options of jobs with CSV inputs.
CSV_OPTIONS = (
    "multi_line",
    "delimiter",
    "quote",
    "encoding",
    "skip_lines",
    "header",
    "comment",
    "escape",
    "decimal",
    "thousands",
)


@dataclass
class JobOptions:
    """The options that every job has; a job's own class adds its inputs and options, its docstring is the summary."""

    destination: str = option("folder or s3:// prefix that gets the outputs", metavar="DIR")
    run_id: str | None = option("name of this run; default: time and a short random tail", parse=run_id, metavar="ID")
    max_rejected: Limit = option(
        "rejected records allowed in each input: a share or a number", "5%", parse=limit, metavar="1%|N"
    )
    files: str = option("one named file per output, or a folder of parts", "single", choices=("single", "parts"))
    engine: str = option(
        "embedded: in this process, without Java; spark: local or on a cluster", "auto", choices=ENGINES
    )
    dry_run: bool = option("read and check everything, show what would be written, write and send nothing", False)
    quiet: bool = option("print nothing but errors", False)
    json: bool = option("print the content of report.json on stdout, and else nothing but errors", False)
    keep_runs: int | None = option(
        "keep the folders of so many finished runs under DIR/_runs, this one included", parse=positive, metavar="N"
    )
    new_only: bool = option(
        "read only files that no finished run of this destination has read; each run's outputs in DIR/run=ID", False
    )
    corrections: str = option(
        "lines as quarantine has them, with mended raw: read in place of the files'", "", metavar="FILE"
    )
    multi_line: bool = option("quoted values of CSV inputs may hold line breaks (slower)", False)
    delimiter: str = option("what separates the columns of CSV inputs (\\t: tab)", ",", parse=character)
    quote: str = option("what quotes values of CSV inputs; none: quotes are text", '"', parse=character_or_none)
    encoding: str = option("encoding of CSV inputs without a byte order mark", "utf-8", parse=encoding)
    skip_lines: int = option("lines before the header of each CSV input", 0, parse=whole_number, metavar="N")
    header: tuple[str, ...] = option("columns of CSV inputs without a header line: a,b,c", split=comma_separated)
    comment: tuple[str, ...] = option("what lines of CSV inputs begin with that are no records: '#,Total'", split=words)
    escape: str = option("what makes the next character text in CSV inputs: \\", "", parse=character_or_nothing)
    decimal: str = option("what is before the decimals in number columns of CSV inputs", ".", parse=character)
    thousands: str = option("what is between thousands in number columns of CSV inputs", "", parse=character_or_nothing)
    notes: list[str] = field(default_factory=list, kw_only=True)

    # Inputs that --new-only reads whole each time: what the others are joined with.
    reference_inputs: ClassVar[tuple[str, ...]] = ()

    @property
    def has_snapshots(self) -> bool:
        """Whether runs are kept in tables."""
        return False

    def prepare(self) -> Self:
        """Checks the options as a whole, before an engine starts; returns them, changed where that is needed."""
        return self

    def dialect(self) -> Dialect:
        """How the CSV inputs are written."""
        if self.decimal == self.thousands:
            raise UsageError(f"--decimal and --thousands are both '{self.decimal}'")
        taken = [one.name for one in dataclasses.fields(Dialect)]
        return Dialect(**{name: getattr(self, name) for name in taken})

    def header_of(self, source: CsvInput) -> tuple[list[str], str]:
        """The names in an input's first header, and the end of a message where it looks like another dialect's.

        Needs no engine.
        """
        headers = source.headers(self.dialect())
        # Nearly always the first file has one.
        found = headers.of_files(1) if headers.of_files(1).lines else headers.of_files()
        if not found.lines:
            raise no_header([info.path for info in source.files()])
        line = found.lines[0]
        return header_names(line, found.places[0], headers.dialect), hint(line, headers.dialect)

    @functools.cached_property
    def all_corrections(self) -> list[Correction]:
        """What `--corrections` has, read once."""
        return read_corrections(self.corrections) if self.corrections else []

    def corrections_of(self, name: str) -> list[Correction]:
        """What `--corrections` has for an input."""
        return [one for one in self.all_corrections if one.input == name]

    def inputs(self) -> list[Input]:
        """The job's inputs, in order."""
        values = [getattr(self, one.name) for one in dataclasses.fields(self)]
        return [value for value in values if isinstance(value, Input)]


Options = TypeVar("Options", bound=JobOptions)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See {self.prog} --help")


@dataclass(frozen=True)
class _Field:
    """A field of an options class: its name, type and specification."""

    name: str
    type: Any
    spec: _Spec

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
    own = [_Field(f.name, types[f.name], f.metadata[_SPEC]) for f in dataclasses.fields(options) if _SPEC in f.metadata]
    if not any(one.type is CsvInput for one in own):
        own = [one for one in own if one.name not in CSV_OPTIONS]
    return own


def _shown_default(spec: _Spec) -> str:
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
            one.flag, nargs="?", const=True, type=boolean, default=spec.default, metavar="true|false", help=text
        )
    elif spec.split is not None:
        group.add_argument(one.flag, action="append", default=None, metavar=spec.metavar or "VALUE", help=text)
    else:
        choices = spec.choices or None
        name = spec.metavar or (None if choices else getattr(spec.parse, "__name__", "value").upper())
        group.add_argument(one.flag, type=spec.parse, default=spec.default, choices=choices, metavar=name, help=text)


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
    parser, fields = build_parser(job, options), _fields(options)
    known, unknown = parser.parse_known_args(without_glue_arguments(argv)[0])
    if unknown:
        names = [flag for action in parser._actions for flag in action.option_strings]
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
