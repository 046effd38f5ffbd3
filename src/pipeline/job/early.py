"""What is known of a run's inputs before an engine starts: that they are there, and the headers of CSV files."""

from __future__ import annotations

from pipeline.errors import InputError, UsageError
from pipeline.job.options import CsvInput, JobOptions
from pipeline.readers.csv import typed
from pipeline.readers.csv.headers import headers_of
from pipeline.readers.dialect import Dialect
from pipeline.readers.splits import whole_files

# The reader looks at the others, before it makes a row.
_MOST_FILES = 100


def check_inputs(options: JobOptions) -> int:
    """The bytes of all inputs; one `InputError` with what is wrong with any of them."""
    problems, size = [], 0
    for source in filter(None, options.inputs()):
        try:
            size += sum(info.size for info in source.files())
            if isinstance(source, CsvInput):
                _check_headers(source, options.dialect())
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    _check_corrections(options)
    return size


def _check_corrections(options: JobOptions) -> None:
    names = [source.name for source in filter(None, options.inputs())]
    for one in options.all_corrections:
        if one.input not in names:
            raise UsageError(f"{one.place}: no input {one.input}, there are {', '.join(names)}")


def _check_headers(source: CsvInput, dialect: Dialect) -> None:
    files = source.files()
    if source.is_sheet():
        return
    found = headers_of(whole_files(files[:_MOST_FILES]), dialect)
    if not found.lines and len(files) <= _MOST_FILES:
        raise InputError(f"{', '.join(info.path for info in files[:3])}: empty, there is not even a header line")
    for line, place in zip(found.lines, found.places, strict=True):
        names = typed.header_names(line, place, dialect)
        typed.check_header(names, source.columns, place, typed.hint(line, dialect))
