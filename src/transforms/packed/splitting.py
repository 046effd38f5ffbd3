"""One column that packs several attributes, in its header and in its cells, split into columns of their own.

    item_name quantity total_price          item_name        quantity  total_price
    Blue Widget XL 2 20               ->    Blue Widget XL   2         20.00

One piece may be greedy: it holds the separator itself (`Blue Widget XL`). It is declared, or found where the types of
the other pieces leave one way only to split a cell. A cell that does not split in exactly one way is rejected by name:
`too_few_pieces`, `too_many_pieces`, `wrong_type`, each with the number of pieces found in the detail.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from transforms.kernels.row_steps import (
    BatchErrors,
    RowStep,
    apply_steps,
    as_mask,
    replaced,
    replaced_schema,
    text_column,
)
from transforms.kernels.typed_text import POINT, typed
from transforms.kernels.types import arrow_type, known_type, spark_type
from transforms.packed.cells import able_to_be_greedy, greedy_field, number_found, place_pieces
from transforms.packed.model import TOO_FEW, TOO_MANY, WRONG_TYPE, Field, Packed


def packed_column(
    header: str,
    *,
    separator: str = " ",
    regex: bool = False,
    greedy: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    quote: str = "",
    marks: tuple[str, str] = POINT,
) -> Packed:
    """The packed column that a header describes: `order_status order_reference` names two pieces.

    `greedy` and `types` may name pieces of other columns too. Raises ValueError for a header that does not name at
    least two different pieces, two greedy pieces, a separator that matches the empty text, or an unknown type.

    >>> packed_column("name quantity", greedy=["name"], types={"quantity": "int"}).fields
    (Field(name='name', type='string'), Field(name='quantity', type='int'))
    """
    if regex:
        check_expression(separator)
    if not separator or (regex and re.search(f"^(?:{separator})$", "")):
        raise ValueError(f"the separator '{separator}' matches the empty text")
    names = _parts(header, separator) if regex else header.split(separator)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"column '{header}' does not name two or more different pieces separated by '{separator}'")
    chosen = [name for name in names if name in greedy]
    if len(chosen) > 1:
        raise ValueError(f"column '{header}' can have one greedy piece, not {' and '.join(chosen)}")
    pieces = tuple(Field(name, known_type((types or {}).get(name, "string"))) for name in names)
    return Packed(header, pieces, separator, regex, chosen[0] if chosen else None, quote, marks)


def check_expression(separator: str) -> None:
    """ValueError for a separator that is no regular expression."""
    try:
        re.compile(separator, re.ASCII)
    except re.error as error:
        raise ValueError(f"the separator '{separator}' is not a regular expression: {error}") from None


def split(frame: DataFrame, packed: Packed) -> DataFrame:
    """Replaces a packed column by its pieces, typed, in its place.

    In: `packed.column` string. Out: one column per piece; rows that do not split are rejected in `_error`. A null cell
    has no pieces. Grain: unchanged. Raises ValueError when a piece would take the name of another column.

    >>> frame = spark.createDataFrame([(1, "Blue Widget 2"), (2, "Widget")], "id int, `name quantity` string")
    >>> split(frame, packed_column("name quantity", types={"quantity": "int"})).show(truncate=False)
    +---+-----------+--------+------------------------------------------------------------------------+
    |id |name       |quantity|_error                                                                |
    +---+-----------+--------+------------------------------------------------------------------------+
    |1  |Blue Widget|2       |NULL                                                                    |
    |2  |NULL       |NULL    |{rejected, too_few_pieces, pieces found: 1, expected: 2 (name quantity)}|
    +---+-----------+--------+------------------------------------------------------------------------+
    <BLANKLINE>
    """
    return apply_steps(frame, [split_step(frame.schema, packed)])


def split_step(schema: T.StructType, packed: Packed) -> RowStep:
    """`split` for batches of frames with this schema."""
    taken = sorted(set(packed.names) & set(schema.fieldNames()))
    if taken:
        raise ValueError(f"piece {', '.join(taken)} of column '{packed.column}' is the name of another column")
    new = {packed.column: [(piece.name, spark_type(piece.type)) for piece in packed.fields]}
    return RowStep(replaced_schema(schema, new), functools.partial(split_batch, packed=packed))


def split_batch(batch: pa.RecordBatch, packed: Packed) -> pa.RecordBatch:
    """`split` for a batch of rows."""
    cells = text_column(batch, packed.column)
    pieces = place_pieces(cells, packed)
    kinds = [arrow_type(piece.type) for piece in packed.fields]
    values = [typed(text, kind, packed.marks) for text, kind in zip(pieces.texts, kinds, strict=True)]
    errors = BatchErrors.of(batch)
    number = functools.partial(_number_detail, cells, packed)
    errors.reject(~pieces.enough, TOO_FEW, number)
    errors.reject(pieces.enough & ~pieces.placed, TOO_MANY, lambda row: number(row) + _hint(cells[row].as_py(), packed))
    for piece, text, value in zip(packed.fields, pieces.texts, values, strict=True):
        if value.null_count > text.null_count:
            wrong = pieces.placed & as_mask(value.is_null())
            errors.reject(wrong, WRONG_TYPE, functools.partial(_misfit, cells, packed, piece, text))
    new = list(zip(packed.names, values, strict=True))
    return replaced(batch, {packed.column: new}, errors)


def _parts(header: str, separator: str) -> list[str]:
    # re.split would put the text of the separator's groups between the names.
    cuts = [match.span() for match in re.finditer(separator, header, re.ASCII)]
    starts, ends = [0, *[end for _, end in cuts]], [*[start for start, _ in cuts], len(header)]
    return [header[start:end] for start, end in zip(starts, ends, strict=True)]


def _number_detail(cells: pa.Array, packed: Packed, row: int) -> str:
    found = number_found(cells[row].as_py(), packed)
    return f"pieces found: {found}, expected: {len(packed.fields)} ({' '.join(packed.names)})"


def _misfit(cells: pa.Array, packed: Packed, piece: Field, text: pa.Array, row: int) -> str:
    found = number_found(cells[row].as_py(), packed)
    return f"column {piece.name}: '{text[row].as_py()}' is not {piece.type}; pieces found: {found}"


def _hint(cell: str, packed: Packed) -> str:
    """Why a cell with enough pieces could not be split."""
    if greedy_field(packed) or number_found(cell, packed) == len(packed.fields):
        return "; the separator fits in more than one way"
    able = able_to_be_greedy(packed)
    return f"; {' or '.join(able)} may be the greedy piece: declare it" if len(able) > 1 else ""
