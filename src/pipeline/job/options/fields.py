"""How a field of an options class says what it is on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

SPEC = "option"


@dataclass(frozen=True)
class Spec:
    """How one field is asked for on the command line."""

    help: str
    parse: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] = ()
    metavar: str = ""
    split: Callable[[list[str]], Any] | None = None
    required: bool = False
    of_input: dict[str, Any] = field(default_factory=dict)


def _spec_field(spec: Spec) -> Any:
    return field(default=None, kw_only=True, metadata={SPEC: spec})


def csv_input(help: str, *, required: bool = True, columns: Sequence[str] = ()) -> Any:
    """An input of CSV files: `--name PATH[,PATH...]`; files without these columns are refused at once."""
    return _spec_field(Spec(help, required=required, of_input={"columns": tuple(columns)}))


def json_input(help: str, *, required: bool = True, may_be_empty: bool = False) -> Any:
    """An input of JSON files: `--name PATH[,PATH...]`; files that hold nothing are refused unless it `may_be_empty`."""
    return _spec_field(Spec(help, required=required, of_input={"may_be_empty": may_be_empty}))


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
    return _spec_field(Spec(help, parse, default, tuple(choices), metavar, split))
