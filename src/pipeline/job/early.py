"""What is known of inputs before an engine starts: that they are there and hold text, and the headers of tables."""

from __future__ import annotations

from pipeline.errors import InputError, UsageError
from pipeline.job.options import CsvInput, JobOptions, JsonInput
from pipeline.readers.csv import typed
from pipeline.readers.csv.headers import no_header
from pipeline.readers.dialect import Dialect
from pipeline.readers.file_heads import for_each, is_blank
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
            elif isinstance(source, JsonInput) and not source.may_be_empty:
                _check_text(source)
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


def _check_text(source: JsonInput) -> None:
    files = source.files()
    if len(files) <= _MOST_FILES and all(for_each(is_blank, whole_files(files))):
        raise InputError(f"{', '.join(info.path for info in files[:3])}: empty, there is no record")


def _check_headers(source: CsvInput, dialect: Dialect) -> None:
    files, headers = source.files(), source.headers(dialect)
    found = headers.of_files(_MOST_FILES)
    if not found.lines and len(files) <= _MOST_FILES:
        raise no_header([info.path for info in files])
    for line, place in zip(found.lines, found.places, strict=True):
        names = typed.header_names(line, place, headers.dialect)
        typed.check_header(names, source.columns, place, typed.hint(line, headers.dialect))
