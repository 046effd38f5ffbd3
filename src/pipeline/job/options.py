"""Command lines: one parser for every job, strict about what it does not know and lenient about what Glue adds."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pipeline.errors import UsageError

# What AWS Glue adds to the arguments of a job's script by itself, or takes for itself and still passes on.
GLUE_ARGUMENTS = frozenset(
    [
        "JOB_NAME",
        "JOB_ID",
        "JOB_RUN_ID",
        "TempDir",
        "SECURITY_CONFIGURATION",
        "encryption-type",
        "RedshiftTempDir",
        "WORKFLOW_NAME",
        "WORKFLOW_RUN_ID",
        "job-bookmark-option",
        "job-bookmark-from",
        "job-bookmark-to",
        "job-language",
        "class",
        "scriptLocation",
        "extra-py-files",
        "extra-jars",
        "extra-files",
        "user-jars-first",
        "use-postgres-driver",
        "conf",
        "python-modules-installer-option",
        "additional-python-modules",
        "python-version",
        "library-set",
        "datalake-formats",
        "continuous-log-logGroup",
        "continuous-log-logStreamPrefix",
        "continuous-log-conversionPattern",
        "continuous-log-logLevel",
        "customer-driver-env-vars",
        "customer-executor-env-vars",
        "custom-logGroup-prefix",
        "spark-event-logs-path",
        "write-shuffle-files-to-s3",
        "write-shuffle-spills-to-s3",
        "executor-cores",
        "number-of-workers",
        "worker-type",
        "disable-proxy-v2",
        "executionClass",
    ]
)

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Input:
    """A job's input: becomes `--name PATH[,PATH...]`."""

    name: str
    help: str
    kind: str = "csv"
    required: bool = True


@dataclass(frozen=True)
class Option:
    """A job's own option: becomes `--name VALUE`; a bool is a flag that also takes true or false."""

    name: str
    type: Any
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    repeated: bool = False
    metavar: str = ""


@dataclass(frozen=True)
class Limit:
    """How many records of an input may be rejected: a share of the records read, or a number."""

    text: str
    share: float | None
    count: int | None

    def exceeded(self, rejected: int, read: int) -> bool:
        """True when `rejected` of `read` records are more than this limit allows."""
        return rejected > (self.count if self.count is not None else (self.share or 0.0) * read)


def limit(text: str) -> Limit:
    """Reads `1%` or `200`; anything else is a usage error."""
    text = text.strip()
    if match := _PERCENT.fullmatch(text):
        share = float(match[1]) / 100
        if share <= 1:
            return Limit(text, share, None)
    elif text.isdigit():
        return Limit(text, None, int(text))
    raise argparse.ArgumentTypeError(f"'{text}' is neither a percentage (5%) nor a number of records (200)")


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


def split_list(values: Sequence[str]) -> list[str]:
    """Comma-separated or repeated, or both: `a,b` and `a` `b` are the same list; order kept, blanks dropped."""
    return [item.strip() for value in values for item in value.split(",") if item.strip()]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See {self.prog} --help")


def common_options(inputs: Sequence[Input]) -> list[Option]:
    """The options that every job has."""
    options = [
        Option("destination", str, None, "folder or s3:// prefix that gets the outputs", metavar="DIR"),
        Option("run-id", run_id, None, "name of this run; default: time and a short random tail", metavar="ID"),
        Option(
            "max-rejected", limit, "5%", "rejected records allowed in each input: a share or a number", metavar="1%|N"
        ),
        Option("files", str, "single", "one named file an output, or a folder of parts", choices=("single", "parts")),
        Option("dry-run", bool, False, "read and check everything, show what would be written, write and send nothing"),
        Option("quiet", bool, False, "print nothing but errors"),
    ]
    if any(item.kind == "csv" for item in inputs):
        options.append(Option("multi-line", bool, False, "quoted values of CSV inputs may hold line breaks (slower)"))
    return options


def _add(parser: argparse._ArgumentGroup, option: Option) -> None:
    flag, shown = f"--{option.name}", "" if option.default in (None, False, ()) else f" (default: {option.default})"
    text = (option.help + shown).replace("%", "%%")
    if option.type is bool:
        parser.add_argument(
            flag, nargs="?", const=True, type=boolean, default=option.default, metavar="true|false", help=text
        )
    elif option.repeated:
        parser.add_argument(
            flag, action="append", default=[], type=option.type, metavar=option.metavar or "VALUE", help=text
        )
    else:
        choices = option.choices or None
        name = option.metavar or (None if choices else getattr(option.type, "__name__", "value").upper())
        parser.add_argument(flag, type=option.type, default=option.default, choices=choices, metavar=name, help=text)


def build_parser(
    name: str, summary: str, inputs: Sequence[Input], options: Sequence[Option]
) -> argparse.ArgumentParser:
    """The parser of one job; `--help` needs no Spark."""
    usage = (
        f"spark-submit jobs/{name}.py "
        + " ".join(f"--{i.name} PATH" for i in inputs if i.required)
        + " --destination DIR [options]"
    )
    parser = _Parser(prog=name, usage=usage, description=summary, allow_abbrev=False)
    sources = parser.add_argument_group(
        "inputs: a file, a folder or a glob, plain or .gz, local or s3://, several with commas"
    )
    for item in inputs:
        sources.add_argument(
            f"--{item.name}", action="append", default=[], metavar="PATH", help=item.help.replace("%", "%%")
        )
    own = parser.add_argument_group("options of this job")
    for option in options:
        _add(own, option)
    common = parser.add_argument_group("options of every job")
    taken = {option.name for option in options}
    for option in common_options(inputs):
        if option.name not in taken:
            _add(common, option)
    return parser


def without_glue_arguments(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Splits Glue's own arguments (known names and `enable-*`) from the job's: (the job's, Glue's by name)."""
    kept: list[str] = []
    glue: dict[str, str] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not (name in GLUE_ARGUMENTS or name.startswith("enable-")):
            kept.append(word)
            continue
        # The installer's options are dashes themselves; everything else that begins so is the next option.
        if not has_value and rest and (not rest[0].startswith("--") or name == "python-modules-installer-option"):
            value = rest.pop(0)
        glue[name] = value
    return kept, glue


def parse(parser: argparse.ArgumentParser, inputs: Sequence[Input], argv: Sequence[str]) -> argparse.Namespace:
    """Reads a job's arguments; an unknown option is refused with the nearest known one (`UsageError`)."""
    kept, glue = without_glue_arguments(argv)
    known, unknown = parser.parse_known_args(kept)
    if unknown:
        names = [flag for action in parser._actions for flag in action.option_strings]
        word = unknown[0].partition("=")[0]
        near = difflib.get_close_matches(word.replace("_", "-"), names, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise UsageError(f"unknown option {word}{hint} See {parser.prog} --help")
    for item in inputs:
        name = item.name.replace("-", "_")
        setattr(known, name, split_list(getattr(known, name)))
        if item.required and not getattr(known, name):
            raise UsageError(f"--{item.name} PATH is missing. See {parser.prog} --help")
    if not known.destination and not known.dry_run:
        raise UsageError(f"--destination DIR is missing. See {parser.prog} --help")
    if isinstance(known.max_rejected, str):
        known.max_rejected = limit(known.max_rejected)
    known.glue = glue
    return known
