"""One column that packs several attributes, in its header and in its cells, split into columns of their own.

    item_name quantity total_price          item_name        quantity  total_price
    Blue Widget XL 2 20               ->    Blue Widget XL   2         20.00

One piece may be elastic: it holds the separator itself (`Blue Widget XL`). It is declared, or found where the types of
the other pieces leave one way only to split a cell. A cell that does not split in exactly one way is rejected by name:
`too_few_pieces`, `too_many_pieces`, `wrong_type`, each with the number of pieces found in the detail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.packed_types import can_hold, known_type, pattern, quoted, typed
from transforms.problems import PROBLEM, REJECTED, problem

TOO_FEW, TOO_MANY, WRONG_TYPE = "too_few_pieces", "too_many_pieces", "wrong_type"
_PIECES, _TEXTS = "_pieces", "_texts"


@dataclass(frozen=True)
class Piece:
    """One attribute of a packed column: its name and its Spark type."""

    name: str
    type: str = "string"


@dataclass(frozen=True)
class Packed:
    """A packed column: its name in the frame, its pieces in order, what separates them, and which one is elastic.

    `quote`: pieces may be quoted as CSV fields are, and a separator between quotes does not separate.
    """

    column: str
    pieces: tuple[Piece, ...]
    separator: str = " "
    regex: bool = False
    elastic: str | None = None
    quote: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the pieces, in order."""
        return [piece.name for piece in self.pieces]


def packed_column(
    header: str,
    *,
    separator: str = " ",
    regex: bool = False,
    elastic: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    quote: str = "",
) -> Packed:
    """The packed column that a header describes: `order_status order_reference` names two pieces.

    `elastic` and `types` may name pieces of other columns too. Raises ValueError for a header that does not name at
    least two different pieces, two elastic pieces, a separator that matches the empty text, or an unknown type.

    >>> packed_column("name quantity", elastic=["name"], types={"quantity": "int"}).pieces
    (Piece(name='name', type='string'), Piece(name='quantity', type='int'))
    """
    if not separator or (regex and re.search(f"^(?:{separator})$", "")):
        raise ValueError(f"the separator '{separator}' matches the empty text")
    names = _parts(header, separator) if regex else header.split(separator)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"column '{header}' does not name two or more different pieces separated by '{separator}'")
    chosen = [name for name in names if name in elastic]
    if len(chosen) > 1:
        raise ValueError(f"column '{header}' can have one elastic piece, not {' and '.join(chosen)}")
    pieces = tuple(Piece(name, known_type((types or {}).get(name, "string"))) for name in names)
    return Packed(header, pieces, separator, regex, chosen[0] if chosen else None, quote)


def split(frame: DataFrame, packed: Packed) -> DataFrame:
    """Replaces a packed column by its pieces, typed, in its place.

    In: `packed.column` string. Out: one column a piece; rows that do not split are rejected in `_problem`. A null cell
    has no pieces. Grain: unchanged. Raises ValueError when a piece would take the name of another column.

    >>> frame = spark.createDataFrame([(1, "Blue Widget 2"), (2, "Widget")], "id int, `name quantity` string")
    >>> split(frame, packed_column("name quantity", types={"quantity": "int"})).show(truncate=False)
    +---+-----------+--------+------------------------------------------------------------------------+
    |id |name       |quantity|_problem                                                                |
    +---+-----------+--------+------------------------------------------------------------------------+
    |1  |Blue Widget|2       |NULL                                                                    |
    |2  |NULL       |NULL    |{rejected, too_few_pieces, pieces found: 1, expected: 2 (name quantity)}|
    +---+-----------+--------+------------------------------------------------------------------------+
    <BLANKLINE>
    """
    taken = sorted(set(packed.names) & set(frame.columns))
    if taken:
        raise ValueError(f"piece {', '.join(taken)} of column '{packed.column}' is the name of another column")
    counted = frame.withColumn(_PIECES, _cut(packed))
    placed = counted.withColumn(_TEXTS, _place(packed))
    texts = {_text_name(piece): _unquote(F.col(_TEXTS)[i], packed.quote) for i, piece in enumerate(packed.pieces)}
    values = {piece.name: typed(_text_name(piece), piece.type) for piece in packed.pieces}
    columns: list[Column] = []
    for name in frame.columns:
        if name == packed.column:
            columns += [F.col(quoted(piece)) for piece in packed.names]
        elif name != PROBLEM:
            columns.append(F.col(quoted(name)))
    found = _problem(packed)
    if PROBLEM in frame.columns:
        found = F.coalesce(F.col(PROBLEM), found)
    # Pushed below the split, a filter on the problem cuts a cell for each use; a use of the partition keeps it above.
    settled = F.when(F.spark_partition_id() >= 0, found)
    return placed.withColumns(texts).withColumns(values).select(*columns, settled.alias(PROBLEM))


def elastic_piece(packed: Packed) -> str | None:
    """The piece that may hold the separator: the declared one, or the only one whose type allows it."""
    if packed.elastic:
        return packed.elastic
    able = [piece.name for piece in packed.pieces if can_hold(piece.type, packed.separator, regex=packed.regex)]
    return able[0] if len(able) == 1 else None


def separator_pattern(separator: str, *, regex: bool = False, quote: str = "") -> str:
    """The separator as a regular expression of Java; with `quote`, only outside of quotes."""
    text = separator if regex else "".join(_escaped(character) for character in separator)
    if not quote:
        return text
    q = re.escape(quote)
    return f"(?:{text})(?=(?:[^{q}]*{q}[^{q}]*{q})*[^{q}]*$)"


def _parts(header: str, separator: str) -> list[str]:
    # re.split would put the text of the separator's groups between the names.
    cuts = [match.span() for match in re.finditer(separator, header)]
    starts, ends = [0, *[end for _, end in cuts]], [*[start for start, _ in cuts], len(header)]
    return [header[start:end] for start, end in zip(starts, ends, strict=True)]


def _escaped(character: str) -> str:
    # By a backslash rather than a quoted block: Java splits by such a pattern without a matcher.
    return character if character.isalnum() or not 32 < ord(character) < 127 else "\\" + character


def _text_name(piece: Piece) -> str:
    return f"_text of {piece.name}"


def _cut(packed: Packed) -> Column:
    cell = F.col(quoted(packed.column))
    return F.split(cell, separator_pattern(packed.separator, regex=packed.regex, quote=packed.quote), -1)


def _place(packed: Packed) -> Column:
    """The texts of the pieces as an array, null when the cell does not have them."""
    pieces, wanted, elastic = F.col(_PIECES), len(packed.pieces), elastic_piece(packed)
    found = F.size(pieces)
    placed = F.when((found == wanted) & _splits_one_way(packed), pieces)
    if elastic is not None:
        before = packed.names.index(elastic)
        after = wanted - 1 - before
        head = [pieces[i] for i in range(before)]
        tail = [F.element_at(pieces, i - after) for i in range(after)]
        middle = _between(packed, before, after)
        return placed.when((found > wanted) & _splits_one_way(packed), F.array(*head, middle, *tail))
    if not packed.regex and not packed.quote:
        return placed.when(found > wanted, _only_way(packed))
    return placed


def _between(packed: Packed, before: int, after: int) -> Column:
    """What stands between the first `before` and the last `after` pieces, as it was written."""
    cell, pieces = F.col(quoted(packed.column)), F.col(_PIECES)
    if not packed.regex and not packed.quote:
        return F.array_join(F.slice(pieces, F.lit(before + 1), F.size(pieces) - (before + after)), packed.separator)
    # Separators of a regular expression differ in length: what stands before and after is measured with its own.
    cut = separator_pattern(packed.separator, regex=packed.regex, quote=packed.quote)
    separators = F.regexp_extract_all(cell, F.lit(cut), 0)

    def side(start: int, count: int) -> Column:
        both = F.concat(F.slice(pieces, start, count), F.slice(separators, start, count))
        return F.array_join(both, "") if count else F.lit("")

    ahead, behind = side(1, before), side(-after, after)
    return cell.substr(F.length(ahead) + 1, F.length(cell) - F.length(ahead) - F.length(behind))


def _splits_one_way(packed: Packed) -> Column:
    # A separator that overlaps itself (`||` in `a|||b`) may be found at two places: both ends must agree.
    text = packed.separator
    if packed.regex or not any(text.startswith(text[i:]) for i in range(1, len(text))):
        return F.lit(True)
    cut = separator_pattern(text[::-1], quote=packed.quote)
    backwards = F.split(F.reverse(F.col(quoted(packed.column))), cut, -1)
    return F.reverse(F.transform(backwards, F.reverse)) == F.col(_PIECES)


def _only_way(packed: Packed) -> Column:
    """The texts of a cell with more pieces than names, null unless the types leave exactly one way to split it.

    The shortest-first and the longest-first match are the two ends of all possible splits in one order: equal ends
    mean that there is no other.
    """
    cell, cut = F.col(quoted(packed.column)), separator_pattern(packed.separator)

    def ways(any_text: str) -> Column:
        groups = [any_text if piece.type == "string" else f"({pattern(piece.type)})" for piece in packed.pieces]
        whole = "(?s)^" + f"(?:{cut})".join(groups) + "$"
        return F.when(cell.rlike(whole), F.array(*[F.regexp_extract(cell, whole, i + 1) for i in range(len(groups))]))

    shortest, longest = ways("(.*?)"), ways("(.*)")
    return F.when(shortest == longest, shortest)


def _unquote(text: Column, quote: str) -> Column:
    if not quote:
        return text
    inner = text.substr(F.lit(2), F.length(text) - 2)
    is_quoted = (F.length(text) > 1) & text.startswith(quote) & text.endswith(quote)
    return F.when(is_quoted, F.replace(inner, F.lit(quote * 2), F.lit(quote))).otherwise(text)


def _problem(packed: Packed) -> Column:
    # Plain concatenation: an expression that cannot be compiled would slow every row down, not just the rejected ones.
    found, wanted = F.coalesce(F.size(F.col(_PIECES)), F.lit(0)), len(packed.pieces)
    number = F.concat(F.lit("pieces found: "), found.cast("string"))
    expected = F.concat(number, F.lit(f", expected: {wanted} ({' '.join(packed.names)})"))
    overlap = F.lit("; the separator stands in more than one way")
    hint = F.when(found == wanted, overlap).otherwise(F.lit(_undecided(packed)))
    checks = F.when(found < wanted, problem(REJECTED, TOO_FEW, expected))
    checks = checks.when(F.col(_TEXTS).isNull(), problem(REJECTED, TOO_MANY, F.concat(expected, hint)))
    for piece in packed.pieces:
        if piece.type != "string":
            text = F.col(quoted(_text_name(piece)))
            told = F.concat(F.lit(f"column {piece.name}: '"), text, F.lit(f"' is not {piece.type}; "), number)
            checks = checks.when(F.col(quoted(piece.name)).isNull(), problem(REJECTED, WRONG_TYPE, told))
    return checks


def _undecided(packed: Packed) -> str:
    able = [piece.name for piece in packed.pieces if can_hold(piece.type, packed.separator, regex=packed.regex)]
    if elastic_piece(packed) or len(able) < 2:
        return ""
    return f"; {' or '.join(able)} may be the elastic piece: declare it"
