"""One column that packs several attributes, in its header and in its cells, split into columns of their own.

    item_name quantity total_price          item_name        quantity  total_price
    Blue Widget XL 2 20               ->    Blue Widget XL   2         20.00

One piece may be greedy: it holds the separator itself (`Blue Widget XL`). It is declared, or found where the types of
the other pieces leave one way only to split a cell. A cell that does not split in exactly one way is rejected by name:
`too_few_pieces`, `too_many_pieces`, `wrong_type`, each with the number of pieces found in the detail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.packed.cells import ENOUGH, PLACED, greedy_field, number_found, place_pieces, text_name
from transforms.packed.model import TOO_FEW, TOO_MANY, WRONG_TYPE, Field, Packed
from transforms.packed.types import can_hold, known_type, typed
from transforms.row_errors import ERROR, REJECTED, row_error
from transforms.text import quoted


def packed_column(
    header: str,
    *,
    separator: str = " ",
    regex: bool = False,
    greedy: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    quote: str = "",
) -> Packed:
    """The packed column that a header describes: `order_status order_reference` names two pieces.

    `greedy` and `types` may name pieces of other columns too. Raises ValueError for a header that does not name at
    least two different pieces, two greedy pieces, a separator that matches the empty text, or an unknown type.

    >>> packed_column("name quantity", greedy=["name"], types={"quantity": "int"}).fields
    (Field(name='name', type='string'), Field(name='quantity', type='int'))
    """
    if not separator or (regex and re.search(f"^(?:{separator})$", "")):
        raise ValueError(f"the separator '{separator}' matches the empty text")
    names = _parts(header, separator) if regex else header.split(separator)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"column '{header}' does not name two or more different pieces separated by '{separator}'")
    chosen = [name for name in names if name in greedy]
    if len(chosen) > 1:
        raise ValueError(f"column '{header}' can have one greedy piece, not {' and '.join(chosen)}")
    pieces = tuple(Field(name, known_type((types or {}).get(name, "string"))) for name in names)
    return Packed(header, pieces, separator, regex, chosen[0] if chosen else None, quote)


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
    taken = sorted(set(packed.names) & set(frame.columns))
    if taken:
        raise ValueError(f"piece {', '.join(taken)} of column '{packed.column}' is the name of another column")
    values = {piece.name: typed(text_name(piece.name), piece.type) for piece in packed.fields}
    columns: list[Column] = []
    for name in frame.columns:
        if name == packed.column:
            columns += [F.col(quoted(piece)) for piece in packed.names]
        elif name != ERROR:
            columns.append(F.col(quoted(name)))
    found = _error(packed)
    if ERROR in frame.columns:
        found = F.coalesce(F.col(ERROR), found)
    # Spark would push a filter on the error below the split and split each cell once more; the partition id stops it.
    pinned = F.when(F.spark_partition_id() >= 0, found)
    return place_pieces(frame, packed).withColumns(values).select(*columns, pinned.alias(ERROR))


def _parts(header: str, separator: str) -> list[str]:
    # re.split would put the text of the separator's groups between the names.
    cuts = [match.span() for match in re.finditer(separator, header)]
    starts, ends = [0, *[end for _, end in cuts]], [*[start for start, _ in cuts], len(header)]
    return [header[start:end] for start, end in zip(starts, ends, strict=True)]


def _error(packed: Packed) -> Column:
    # Plain concatenation: an expression that cannot be compiled would slow every row down, not just the rejected ones.
    reason = F.when(F.coalesce(~F.col(ENOUGH), F.lit(True)), TOO_FEW).when(~F.col(PLACED), TOO_MANY)
    misfits: Column = F.when(F.lit(False), "")
    for piece in packed.fields:
        if piece.type != "string":
            wrong, text = F.col(quoted(piece.name)).isNull(), F.col(quoted(text_name(piece.name)))
            reason = reason.when(wrong, WRONG_TYPE)
            misfit = F.concat(F.lit(f"column {piece.name}: '"), text, F.lit(f"' is not {piece.type}; "))
            misfits = misfits.when(wrong, misfit)
    number = F.concat(F.lit("pieces found: "), number_found(packed).cast("string"))
    expected = F.lit(f", expected: {len(packed.fields)} ({' '.join(packed.names)})")
    overlaps = F.lit(greedy_field(packed) is not None) | (number_found(packed) == len(packed.fields))
    hint = F.when(overlaps, "; the separator fits in more than one way").otherwise(_undecided(packed))
    number_detail = F.concat(number, expected, F.when(F.col(ENOUGH), hint).otherwise(""))
    detail = F.when(F.col(PLACED), F.concat(misfits, number)).otherwise(number_detail)
    return F.when(reason.isNotNull(), row_error(REJECTED, reason, detail))


def _undecided(packed: Packed) -> str:
    able = [piece.name for piece in packed.fields if can_hold(piece.type, packed.separator, regex=packed.regex)]
    if greedy_field(packed) or len(able) < 2:
        return ""
    return f"; {' or '.join(able)} may be the greedy piece: declare it"
