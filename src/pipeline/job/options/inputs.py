"""The inputs of a job: the paths that were given, their files, and the headers of tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline import storage
from pipeline.errors import InputError
from pipeline.readers.csv.headers import FileHeaders
from pipeline.readers.dialect import Dialect
from pipeline.readers.xlsx import Sheet, read_sheet


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
