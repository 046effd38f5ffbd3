"""Looks up car parks in the output of the carparks job: by a prompt, or one question on the command line.

    partner-jobs lookup --data out/carparks
    partner-jobs lookup --data out/carparks --number A10
    partner-jobs lookup --data out/carparks --address "ang mo kio" --json

Exit codes: 0 something was found (or the prompt was left), 1 nothing fits, 2 wrong usage or no data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import PipelineError, UsageError
from services.lookup.data import CarParks, load
from services.lookup.search import SHORTEST, close_numbers, close_queries, find_addresses, long_enough, same_number
from services.lookup.view import View

DEFAULT_DATA = "out/carparks"
SHOWN = 20
QUIT = frozenset({"quit", "exit"})
ASK = "Number, part of an address, or quit: "


@dataclass(frozen=True)
class SearchResult:
    """What one question found: numbers, best first; else what to ask instead."""

    found: list[str]
    numbers: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    hint: str = ""


def by_number(data: CarParks, query: str) -> SearchResult:
    """The car park with this number, else numbers that look like it."""
    found = [number for number in data.parks if same_number(query, number)]
    if found:
        return SearchResult(found)
    return SearchResult([], close_numbers(query, data.parks), hint=f"No car park {query.strip()!r}.")


def by_address(data: CarParks, query: str) -> SearchResult:
    """The car parks whose address holds all words of the query, else similar queries that find something."""
    if not long_enough(query):
        return SearchResult([], hint=f"An address takes {SHORTEST} characters or more, got {query.strip()!r}.")
    found = find_addresses(query, data.addresses)
    hint = f"No address with {query.strip()!r}."
    return SearchResult(found) if found else SearchResult([], [], close_queries(query, data.addresses), hint)


def by_either(data: CarParks, query: str) -> SearchResult:
    """What a person typed: a number if there is one like that, otherwise part of an address."""
    number = by_number(data, query)
    if number.found:
        return number
    address = by_address(data, query)
    if address.found or not long_enough(query):
        return address if address.found else SearchResult([], number.numbers, hint=f"{number.hint} {address.hint}")
    hint = f"No car park number and no address with {query.strip()!r}."
    return SearchResult([], number.numbers, address.addresses, hint)


def as_json(data: CarParks, answer: SearchResult) -> str:
    """The answer for scripts: `car_parks` (all columns, absent values null, and their lots) and `suggestions`."""
    found: dict[str, Any] = {"car_parks": [data.whole(number) for number in answer.found]}
    found["suggestions"] = {"numbers": answer.numbers, "addresses": answer.addresses}
    if answer.hint:
        found["message"] = answer.hint
    return json.dumps(found, ensure_ascii=False, indent=2)


def show(view: View, data: CarParks, answer: SearchResult, limit: int | None = None) -> None:
    """One hit in full, several as a table, none with what to ask instead."""
    if len(answer.found) == 1:
        view.one(data.whole(answer.found[0]))
    elif answer.found:
        view.several([data.parks[number] for number in answer.found[:limit]], len(answer.found))
    else:
        view.nothing(answer.hint, answer.numbers, answer.addresses)


def converse(view: View, data: CarParks) -> None:
    """Asks until the person quits, by word, Ctrl-D or Ctrl-C."""
    if sys.stdin.isatty():
        # Only here: loading it changes how every later input() reads, which is for a person's terminal alone.
        import readline  # noqa: F401
    view.welcome(len(data.parks))
    while True:
        try:
            query = input(ASK).strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if query.casefold() in QUIT:
            return
        if query:
            show(view, data, by_either(data, query), SHOWN)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message}. See partner-jobs lookup --help")


def parser() -> argparse.ArgumentParser:
    """The command line of the lookup."""
    summary = "Looks up car parks in the output of the carparks job."
    found = _Parser(prog="partner-jobs lookup", description=summary, allow_abbrev=False)
    data = os.environ.get("CARPARKS_DATA", DEFAULT_DATA)
    found.add_argument("--data", default=data, metavar="DIR", help=f"destination of the carparks job (default: {data})")
    question = found.add_mutually_exclusive_group()
    question.add_argument("--number", metavar="NUMBER", help="the car park with this number, any case")
    question.add_argument("--address", metavar="TEXT", help=f"part of an address, {SHORTEST} characters or more")
    found.add_argument("--json", action="store_true", help="print JSON; with --number or --address")
    return found


def answer_once(options: argparse.Namespace) -> int:
    """Does what the options ask for and returns the exit code."""
    asked = options.number is not None or options.address is not None
    if options.json and not asked:
        raise UsageError("--json needs --number or --address. See partner-jobs lookup --help")
    if options.address is not None and not long_enough(options.address):
        raise UsageError(f"--address: {options.address!r} is too short, {SHORTEST} characters or more are needed")
    data = load(options.data)
    answer = by_number(data, options.number) if options.number is not None else by_address(data, options.address or "")
    if options.json:
        print(as_json(data, answer))
        return 0 if answer.found else 1
    view = View()
    if not asked:
        converse(view, data)
        return 0
    show(view, data, answer)
    return 0 if answer.found else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the lookup; a `PipelineError` becomes one line on stderr and its exit code."""
    try:
        return answer_once(parser().parse_args(argv))
    except PipelineError as error:
        print(f"lookup: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
