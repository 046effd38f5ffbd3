"""CSV records: lines of text to typed columns, every row that does not fit tagged with its reason."""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.errors import InputError
from transforms.problems import PROBLEM, PROBLEM_TYPE, REJECTED, problem

BOOKKEEPING = ("_file", "_position", PROBLEM)
_CORRUPT = "_corrupt"
_TYPE_NAMES = {"bigint": "integer", "int": "integer", "smallint": "integer", "tinyint": "integer"}


def quoted(name: str) -> str:
    """A column name as SQL takes it, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def header_names(line: str, delimiter: str = ",") -> list[str]:
    """The names in a header line: RFC 4180 quoting, blanks around a name dropped."""
    cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]


def check_header(names: Sequence[str], wanted: Sequence[str], file: str) -> None:
    """Raises `InputError` naming file, missing and present columns, with the nearest present name."""
    missing = [name for name in wanted if name not in names]
    if missing:
        near = {name: difflib.get_close_matches(name, names, n=1) for name in missing}
        hints = [f"{found[0]!r} looks like {name!r}" for name, found in near.items() if found]
        text = f"{file}, line 1: missing column {', '.join(missing)}; have {', '.join(names) or 'nothing'}"
        raise InputError(text + (f" ({'; '.join(hints)})" if hints else ""))
    twice = sorted({name for name in wanted if list(names).count(name) > 1})
    if twice:
        raise InputError(f"{file}, line 1: column {', '.join(twice)} stands there more than once")


def cells(raw: Column, names: Sequence[str], wanted: Sequence[str], delimiter: str) -> Column:
    """A line as struct of the wanted columns (string) and `_corrupt`, set when the number of fields differs."""
    schema = ", ".join([f"c{i} string" for i in range(len(names))] + [f"{_CORRUPT} string"])
    options = {
        "sep": delimiter,
        "quote": '"',
        "escape": '"',
        "columnNameOfCorruptRecord": _CORRUPT,
        "mode": "PERMISSIVE",
    }
    parsed = F.from_csv(raw, schema, options)
    chosen = [parsed[f"c{list(names).index(name)}"].alias(name) for name in wanted]
    return F.struct(*chosen, parsed[_CORRUPT].isNotNull().alias(_CORRUPT))


def typed(name: str, kind: T.DataType) -> Column:
    """The string column `name` as `kind`, null where the text is not exactly one: nothing is rounded or cut."""
    if isinstance(kind, T.StringType):
        return F.col(quoted(name))
    cast = F.expr(f"try_cast(trim({quoted(name)}) AS {kind.simpleString()})")
    if isinstance(kind, T.DecimalType):
        text = F.col(quoted(name))
        suspicious = (F.length(text) - F.instr(text, ".") > kind.scale) & (F.instr(text, ".") > 0)
        lossy = (suspicious & text.rlike(rf"\.\d{{{kind.scale}}}\d*[1-9]")) | text.contains("e") | text.contains("E")
        return F.when(~lossy, cast)
    return cast


def _number_of_fields(raw: Column, delimiter: str) -> Column:
    # Quoted values may hold the delimiter: they are taken out before it is counted.
    bare = F.regexp_replace(raw, r'"(?:[^"]|"")*"', "")
    return F.length(bare) - F.length(F.replace(bare, F.lit(delimiter))) + 1


def _absent(text: Column, tokens: Sequence[str]) -> Column:
    if tuple(tokens) == ("",):
        return text == ""
    return F.lower(F.trim(text)).isin([token.lower() for token in tokens])


def _field_problem(field: T.StructField, text: Column, value: Column) -> Column:
    kind = field.dataType.simpleString()
    if not isinstance(field.dataType, T.StringType):
        told = F.concat(
            F.lit(f"column {field.name}: "), F.to_json(F.array(text)), F.lit(f" is not {_TYPE_NAMES.get(kind, kind)}")
        )
        wrong = F.when(text.isNotNull() & value.isNull(), problem(REJECTED, "wrong_type", told))
    else:
        wrong = F.lit(None).cast(PROBLEM_TYPE)
    if field.nullable:
        return wrong
    return F.coalesce(F.when(text.isNull(), problem(REJECTED, "missing_value", f"column {field.name} is empty")), wrong)


def parse_lines(
    lines: DataFrame,
    headers: Sequence[Sequence[str]],
    schema: T.StructType,
    *,
    absent: Sequence[str] = ("",),
    delimiter: str = ",",
) -> DataFrame:
    """Lines of CSV files as typed columns: one row a line, none lost.

    In: `_file` int, `_position` long, `_raw` string (no line end), `_error` string, `_layout` int (index into
    `headers`). Out: the schema's columns, `_file`, `_position`, `_problem`. Texts in `absent` (any case) are null.
    Reasons: what the reader found (`unclosed_quote`, `not_utf8`), `too_few_fields`, `too_many_fields`,
    `missing_value` for
    a null in a field that is not nullable, `wrong_type` for a text that is not exactly of the field's type.
    """
    names = schema.fieldNames()
    raw = F.col("_raw")
    layouts = [cells(raw, header, names, delimiter) for header in headers]
    if len(layouts) == 1:
        chosen = layouts[0]
    else:
        chosen = functools.reduce(
            lambda rest, i: F.when(F.col("_layout") == i, layouts[i]).otherwise(rest),
            range(1, len(layouts)),
            layouts[0],
        )
    width = F.element_at(F.array(*[F.lit(len(header)) for header in headers]), F.col("_layout") + 1)
    split = lines.select("_file", "_position", "_raw", "_error", width.alias("_width"), chosen.alias("_cells"))
    # A null in an unquoted empty field and "" are the same absent value unless the job says otherwise.
    texts = [
        F.when(~_absent(F.col(f"_cells.{quoted(name)}"), absent), F.col(f"_cells.{quoted(name)}")).alias(name)
        for name in names
    ]
    flat = split.select(
        "_file", "_position", "_raw", "_error", "_width", F.col(f"_cells.{_CORRUPT}").alias(_CORRUPT), *texts
    )
    fields = _number_of_fields(raw, delimiter)
    counted = F.concat(fields.cast("string"), F.lit(" fields, expected "), F.col("_width").cast("string"))
    checks = [
        F.when(
            F.col("_error").isNotNull(),
            F.struct(F.lit(REJECTED).alias("kind"), F.col("_error").alias("reason"), F.lit("").alias("detail")).cast(
                PROBLEM_TYPE
            ),
        ),
        F.when(F.col(_CORRUPT) & (fields < F.col("_width")), problem(REJECTED, "too_few_fields", counted)),
        F.when(F.col(_CORRUPT), problem(REJECTED, "too_many_fields", counted)),
        *[
            _field_problem(field, F.col(quoted(field.name)), typed(field.name, field.dataType))
            for field in schema.fields
        ],
    ]
    values = [typed(field.name, field.dataType).alias(field.name) for field in schema.fields]
    return flat.select(*values, "_file", "_position", F.coalesce(*checks).alias(PROBLEM))


def text_schema(names: Sequence[str]) -> T.StructType:
    """Every column as a nullable string."""
    return T.StructType([T.StructField(name, T.StringType()) for name in names])
