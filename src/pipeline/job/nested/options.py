"""Options of a job that explodes nested JSON: what becomes of which path, what records take from around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from pipeline import storage
from pipeline.errors import InputError, UsageError
from pipeline.job.options import JsonInput, comma_separated
from pipeline.job.options.fields import option
from pipeline.job.tables.options import ICEBERG, TableOptions
from pipeline.readers.json.framing.around import FIRST, Around
from transforms import nested
from transforms.text import suggest

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass
class NestedOptions(TableOptions):
    """The options of such a job other than its input."""

    root: str = option("name of the root table; child tables are NAME__child", "root", metavar="NAME")
    key: tuple[str, ...] = option(
        "value of the root that makes its key; default: its content", split=comma_separated, metavar="PATH"
    )
    records: str = option("path of the records in an envelope, e.g. items.data", "", metavar="PATH")
    path: tuple[str, ...] = option(
        "'a.b=table|columns|json|map|recursive|skip'; parse: opens JSON in a text, dynamodb: an item's values",
        split=comma_separated, metavar="PATH=CHOICE",
    )  # fmt: skip
    keep: tuple[str, ...] = option(
        "fields around --records that each record gets: 'page,meta.id', or PATH=NAME",
        split=comma_separated, metavar="PATH",
    )  # fmt: skip
    names: str = option(
        "names for records that are arrays: their path in the envelope; first: the first record of each file has them",
        "", metavar="PATH|first",
    )  # fmt: skip
    folders: tuple[str, ...] = option(
        "columns from the folders of the files: dt takes 2024-05-01 of dt=2024-05-01/",
        split=comma_separated, metavar="NAME",
    )  # fmt: skip
    only: tuple[str, ...] = option("explode only this path", split=comma_separated, metavar="PATH")
    depth: int = option(
        "levels that become tables; what is deeper stays JSON text", nested.DEPTH, parse=int, metavar="N"
    )
    dates: bool = option("texts that are all ISO dates, or timestamps, of one format become typed columns", False)
    numbers: bool = option("texts that are all numbers, as a type writes them, become columns of that type", False)
    separator: str = option("joins the keys in names", "__", metavar="TEXT")
    lenient: bool = option("also take comments, trailing commas, single quotes, NaN (as text)", False)
    lineage: bool = option("add _source_file and _source_position to the root table", False)
    merge: bool = option("rows replace those with the same --key in tables of Iceberg; the others stay", False)
    ordinal: bool = option("add _ordinal to the root table: the record's place in the input, from 0", False)

    def prepare(self) -> Self:
        """Refuses what cannot be meant; tables of Iceberg always have a locked schema."""
        if self.format == ICEBERG and self.destination and not self.schema:
            self.schema = storage.join(self.destination, f"{self.root_table}.schema.json")
        try:
            self.rules()
        except nested.RuleError as error:
            raise UsageError(f"--path, --only, --keep, --names: {error}") from None
        if self.merge and not (self.key and self.format == ICEBERG):
            raise UsageError("--merge needs --key PATH and --format iceberg")
        if not 1 <= self.depth <= 900:
            raise UsageError(f"--depth {self.depth} is not between 1 and 900")
        return super().prepare()

    @property
    def root_table(self) -> str:
        """The name of the root table."""
        return nested.clean(self.root)

    @property
    def merges(self) -> bool:
        """As the option says."""
        return self.merge

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that the root table has on request."""
        return (*((nested.FILE, nested.POSITION) if self.lineage else ()), *((nested.ORDINAL,) if self.ordinal else ()))

    def around(self) -> Around:
        """What records take of the document that they are in; `UsageError` where that is not around them."""
        names = self.names if self.names in ("", FIRST) else nested.parse_path(self.names)
        around = Around(tuple(self.records.split(".")), kept_fields(self.keep), names)
        if around.in_envelope and not self.records:
            first = suggest(self.names, [FIRST])
            raise UsageError(f"--keep and --names PATH are for what is around --records PATH{first}")
        if on_the_way := around.on_the_way():
            raise UsageError(f"{nested.dotted(on_the_way)} is on the way to --records {self.records}, or in a record")
        return around

    def rules(self) -> nested.Rule:
        """The choices; what is added to records is wanted."""
        added = [nested.dotted(path) for path in (*self.around().fields.values(), *((name,) for name in self.folders))]
        return nested.build_rules(self.path, [*self.only, *added] if self.only else ())

    def parse_options(self, source: JsonInput, locked: Sequence[nested.Table] | None) -> nested.ParseOptions:
        """How documents are read, as the options say and the locked tables have it; `UsageError` where they differ."""
        known = locked or ()
        for choice, what in nested.conflicts(self.path, self.only, known):
            raise UsageError(f"{choice}: the locked schema {self.schema} has {what}")
        rules = nested.lock_rules(self.rules(), known)
        # A schema that has a table for the elements of records keeps it.
        if not nested.has_elements(known):
            rules.choice = rules.choice or nested.ROW
        return nested.ParseOptions(
            rules, self.depth, self.lenient, self.key, separated=True, choices=self.path, names=self.names,
            folders=folder_values(source, self.folders), takes=bool(self.around()),
            formats=nested.text_formats(self.dates, self.numbers, known),
        )  # fmt: skip

    def plan(self, stats: nested.PathStats, locked: Sequence[nested.Table] | None) -> nested.TablePlan:
        """The tables of records with these statistics; `InputError` where the locked ones do not allow them."""
        typed = self.dates or self.numbers
        try:
            return nested.plan_with_lock(
                stats, self.root_table, self.separator, locked, typed, self.on_drift, self.added, self.depth
            )
        except nested.SchemaError as error:
            raise InputError(f"--schema {self.schema}: {error}") from None


def kept_fields(keep: Sequence[str]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The paths of the texts `PATH` and `PATH=NAME`, each with the keys that it gets in the record.

    `UsageError` where one would take the place of another.

    >>> kept_fields(["page", "meta.id=batch"])
    {('page',): ('page',), ('meta', 'id'): ('batch',)}
    """
    fields: dict[tuple[str, ...], tuple[str, ...]] = {}
    for text in keep:
        place, _, name = text.partition("=")
        path = nested.parse_path(place)
        label = (name,) if name else path
        if "=" in name:
            raise UsageError(f"--keep {text} is not PATH or PATH=NAME")
        for other, one in fields.items():
            if other == path or one[: len(label)] == label[: len(one)]:
                raise UsageError(f"--keep {text}: {nested.dotted(one)} is kept already; PATH=NAME gives a name")
        fields[path] = label
    return fields


def folder_values(source: JsonInput, names: Sequence[str]) -> tuple[dict[str, str | None], ...]:
    """What the folders `NAME=value` of each file say, as Hive writes them; `UsageError` for a name that no file has."""
    found, known = [], set[str]()
    for file in source.files() if names else ():
        steps = [step.partition("=") for step in file.path.split("/")[:-1]]
        values = {unquote(name): None if value == _NO_VALUE else unquote(value) for name, mark, value in steps if mark}
        known |= values.keys()
        found.append({name: values[name] for name in names if name in values})
    missing = [f"--folders {name}: no file is in a folder {name}=...{suggest(name, sorted(known))}" for name in names]
    if problems := [text for name, text in zip(names, missing, strict=True) if name not in known]:
        raise UsageError("; ".join(problems))
    return tuple(found)
