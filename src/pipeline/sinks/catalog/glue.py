"""The Glue Data Catalog: tables made or updated, and a partition per day where a day is known."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline import storage
from pipeline.errors import UsageError
from pipeline.sinks.catalog.athena import DAY, RUN, TableFile, merge, partition_key

ERRORS = (BotoCoreError, ClientError)
_ATTEMPTS = 5
_AGAIN = ("AlreadyExistsException", "ConcurrentModificationException", "VersionMismatchException")
_MISSING = "EntityNotFoundException"


def _client() -> Any:
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 6})
    return boto3.client("glue", config=config)


def check_database(database: str) -> None:
    try:
        _client().get_database(Name=database)
    except ERRORS as error:
        raise UsageError(f"--catalog {database}: {error}") from error


@dataclass(frozen=True)
class Place:
    """A destination as the catalog sees it: all there is at `base`, or one `folder` of it, a partition with a value."""

    base: str
    folder: str = ""
    key: str = ""
    value: str = ""

    def of_files(self, file: TableFile) -> str:
        """The folder of this run's files."""
        return "/".join(part for part in (self.base, self.folder, file.file) if part) + "/"

    def of_table(self, file: TableFile) -> str:
        """The folder of the table."""
        return f"{self.base}/" if self.key else self.of_files(file)


def _place(destination: str) -> Place:
    """A day, or a run with a folder of its own, that the destination ends with is a partition."""
    path = storage.normalise(destination).rstrip("/")
    base, _, last = path.rpartition("/")
    if run := re.fullmatch(r"run=(.+)", last):
        return Place(base, last, RUN, run[1])
    if found := re.fullmatch(r"(?:day=|date=)?(?:(\d{4})(\d\d)(\d\d)|(\d{4})-(\d\d)-(\d\d))", last):
        try:
            day = datetime.date(*(int(part) for part in found.groups() if part))
            return Place(base, last, DAY, day.isoformat())
        except ValueError:
            pass
    return Place(path)


@dataclass(frozen=True)
class Catalog:
    """A database of the catalog, for the tables of one run at a place."""

    client: Any
    database: str
    place: Place
    run: dict[str, str]

    @classmethod
    def of_run(cls, database: str, destination: str, job: str, run_id: str) -> Catalog:
        """The catalog as a run with this destination sees it."""
        return cls(_client(), database, _place(destination), {"job": job, "run_id": run_id})

    def check(self, file: TableFile) -> None:
        """`UsageError` for what cannot be registered."""
        self._plan(file, self._known(file))

    def _known(self, file: TableFile) -> dict[str, Any] | None:
        """The table as it is now."""
        try:
            table: dict[str, Any] = self.client.get_table(DatabaseName=self.database, Name=file.name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == _MISSING:
                return None
            raise
        return table

    def _plan(self, file: TableFile, known: dict[str, Any] | None) -> dict[str, Any]:
        """The table as it will be; `UsageError` for a change that cannot be made."""
        stored = file.storage(self.place.of_table(file))
        key = partition_key(file, self.place.key)
        keys = [{"Name": key, "Type": "date" if self.place.key == DAY else "string"}] if key else []
        if known is not None:
            keys = self._same_place(file, known)
            stored["Columns"] = merge(file, known)
            own = set(file.names())
            gone = known["StorageDescriptor"]["SerdeInfo"].get("Parameters", {})
            settings = stored["SerdeInfo"]["Parameters"]
            stored["SerdeInfo"]["Parameters"] = {
                name: value for name, value in gone.items() if name.removeprefix("mapping.") not in own
            } | settings
        parameters = {"EXTERNAL": "TRUE", "classification": file.form, "job": self.run["job"]}
        parameters |= {"skip.header.line.count": "1"} if file.form == "csv" else {}
        return {
            "Name": file.name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters | ({} if keys else self.run),
            "StorageDescriptor": stored,
            "PartitionKeys": keys,
        }

    def _same_place(self, file: TableFile, known: dict[str, Any]) -> list[dict[str, Any]]:
        """The partition keys of a table that is in this place too."""
        keys: list[dict[str, Any]] = known.get("PartitionKeys", [])
        names, key = [one["Name"] for one in keys], self.place.key
        place, there = self.place.of_table(file), known["StorageDescriptor"].get("Location", "")
        if names not in ([[key], [f"partition_{key}"]] if key else [[]]) or there.rstrip("/") != place.rstrip("/"):
            kind = f"a table by {', '.join(names)}" if names else "one table"
            raise UsageError(f"{file.name} is {kind} in {there}, not in {place}: take another database, or drop it")
        if set(names) & set(file.names()):
            raise UsageError(f"{file.name}: column {names[0]} has the name of the partition")
        return keys

    def register(self, file: TableFile) -> None:
        """Makes or updates the table, then the partition; what another run did at the same time is looked at again."""
        for attempt in range(_ATTEMPTS):
            known = self._known(file)
            table = self._plan(file, known)
            try:
                if known is None:
                    self.client.create_table(DatabaseName=self.database, TableInput=table)
                else:
                    version = {"VersionId": known["VersionId"]} if known.get("VersionId") else {}
                    self.client.update_table(DatabaseName=self.database, TableInput=table, SkipArchive=True, **version)
                break
            except ClientError as error:
                if error.response["Error"]["Code"] not in _AGAIN or attempt == _ATTEMPTS - 1:
                    raise
        if self.place.key:
            self._register_partition(file, table)

    def _register_partition(self, file: TableFile, table: dict[str, Any]) -> None:
        # A partition has its files' own types; Athena makes the table's of them.
        own = {column["Name"]: column for column in file.described()}
        columns = [own.get(column["Name"], column) for column in table["StorageDescriptor"]["Columns"]]
        stored = table["StorageDescriptor"] | {"Columns": columns, "Location": self.place.of_files(file)}
        value = self.place.value
        partition = {"Values": [value], "Parameters": self.run, "StorageDescriptor": stored}
        where = {"DatabaseName": self.database, "TableName": file.name, "PartitionInput": partition}
        try:
            self.client.create_partition(**where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            self.client.update_partition(PartitionValueList=[value], **where)
