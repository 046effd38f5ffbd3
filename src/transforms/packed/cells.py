"""Where the pieces of a packed cell begin and end, as columns: from both ends of the text, or as an array.

Both ways tell whether a cell has enough pieces and exactly one place for each, and their texts. Going from the ends
needs no array and is much faster; the array is for separators that are regular expressions, that quotes hide, or that
overlap themselves.
"""

from __future__ import annotations

import re

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.packed.model import Packed
from transforms.packed.types import can_hold, pattern
from transforms.text import quoted

ENOUGH, PLACED = "_enough", "_placed"
_PIECES, _TEXTS = "_pieces", "_texts"


def text_name(piece: str) -> str:
    """The column of a piece's text."""
    return f"_text of {piece}"


def place_pieces(frame: DataFrame, packed: Packed) -> DataFrame:
    """Adds `_enough` and `_placed` boolean, and the text of each piece.

    `_enough`: there are as many pieces as names, or more. `_placed`: there is exactly one way to place them; the texts
    are null where it is false. Both are false or null for a null cell. Grain: unchanged.
    """
    simple = not packed.regex and not packed.quote and not _overlaps_itself(packed.separator)
    return _from_the_ends(frame, packed) if simple else _as_array(frame, packed)


def number_found(packed: Packed) -> Column:
    """The number of pieces in a cell, 0 in a null one."""
    return F.coalesce(F.size(F.split(F.col(quoted(packed.column)), _pattern(packed), -1)), F.lit(0))


def _pattern(packed: Packed) -> str:
    return separator_pattern(packed.separator, regex=packed.regex, quote=packed.quote)


def greedy_field(packed: Packed) -> str | None:
    """The piece that may hold the separator: the declared one, or the only one whose type allows it."""
    if packed.greedy:
        return packed.greedy
    able = [piece.name for piece in packed.fields if can_hold(piece.type, packed.separator, regex=packed.regex)]
    return able[0] if len(able) == 1 else None


def separator_pattern(separator: str, *, regex: bool = False, quote: str = "") -> str:
    """The separator as a regular expression of Java; with `quote`, only outside of quotes."""
    text = separator if regex else "".join(_escaped(character) for character in separator)
    if not quote:
        return text
    q = re.escape(quote)
    return f"(?:{text})(?=(?:[^{q}]*{q}[^{q}]*{q})*[^{q}]*$)"


def _escaped(character: str) -> str:
    # By a backslash rather than a quoted block: Java splits by such a pattern without a matcher.
    return character if character.isalnum() or not 32 < ord(character) < 127 else "\\" + character


def _overlaps_itself(separator: str) -> bool:
    return any(separator.startswith(separator[i:]) for i in range(1, len(separator)))


def _from_the_ends(frame: DataFrame, packed: Packed) -> DataFrame:
    cell, wanted = F.col(quoted(packed.column)), len(packed.fields)
    behind_first = F.substring_index(cell, packed.separator, 1 - wanted)
    enough = frame.withColumn(ENOUGH, F.octet_length(behind_first) < F.octet_length(cell))
    exact = F.octet_length(F.substring_index(cell, packed.separator, wanted)) == F.octet_length(cell)
    greedy = greedy_field(packed)
    if greedy is not None:
        placed = enough.withColumn(PLACED, F.col(ENOUGH))
        texts = _around(packed, packed.names.index(greedy))
    else:
        placed = enough.withColumn(
            _TEXTS, F.when(F.col(ENOUGH), F.when(exact, _each(packed)).otherwise(_only_way(packed)))
        )
        placed = placed.withColumn(PLACED, F.col(_TEXTS).isNotNull())
        texts = [F.col(_TEXTS)[i] for i in range(wanted)]
    chosen = [F.when(F.col(PLACED), text) for text in texts]
    return placed.withColumns({text_name(name): text for name, text in zip(packed.names, chosen, strict=True)})


def _each(packed: Packed) -> Column:
    return F.array(*[_piece(packed, i) for i in range(len(packed.fields))])


def _piece(packed: Packed, index: int) -> Column:
    """The piece at `index`, counted from the start; from the end for a negative one."""
    cell, separator = F.col(quoted(packed.column)), packed.separator
    if index < 0:
        return F.substring_index(F.substring_index(cell, separator, index), separator, 1)
    return F.substring_index(F.substring_index(cell, separator, index + 1), separator, -1)


def _around(packed: Packed, before: int) -> list[Column]:
    """The texts when the piece behind the first `before` takes what the others leave."""
    cell, separator = F.col(quoted(packed.column)), packed.separator
    after = len(packed.fields) - 1 - before
    head = F.length(F.substring_index(cell, separator, before)) + len(separator) if before else F.lit(0)
    tail = F.length(F.substring_index(cell, separator, -after)) + len(separator) if after else F.lit(0)
    middle = cell.substr(head + 1, F.length(cell) - head - tail)
    return [*[_piece(packed, i) for i in range(before)], middle, *[_piece(packed, i - after) for i in range(after)]]


def _only_way(packed: Packed) -> Column:
    """The texts of a cell with more pieces than names, null unless the types leave exactly one way to split it.

    The shortest-first and the longest-first match are the two ends of all possible splits in one order: equal ends
    mean that there is no other.
    """
    cell, cut_at = F.col(quoted(packed.column)), separator_pattern(packed.separator)

    def ways(any_text: str) -> Column:
        """The texts by one whole match, null where there is none."""
        groups = [any_text if piece.type == "string" else f"({pattern(piece.type)})" for piece in packed.fields]
        whole = "(?s)^" + f"(?:{cut_at})".join(groups) + "$"
        return F.when(cell.rlike(whole), F.array(*[F.regexp_extract(cell, whole, i + 1) for i in range(len(groups))]))

    shortest, longest = ways("(.*?)"), ways("(.*)")
    return F.when(shortest == longest, shortest)


def _as_array(frame: DataFrame, packed: Packed) -> DataFrame:
    pieces = F.split(F.col(quoted(packed.column)), _pattern(packed), -1)
    counted = frame.withColumn(_PIECES, pieces).withColumn(ENOUGH, F.size(F.col(_PIECES)) >= len(packed.fields))
    placed = counted.withColumn(_TEXTS, _place(packed)).withColumn(PLACED, F.col(_TEXTS).isNotNull())
    texts = {text_name(name): _unquote(F.col(_TEXTS)[i], packed.quote) for i, name in enumerate(packed.names)}
    return placed.withColumns(texts)


def _place(packed: Packed) -> Column:
    """The texts of the pieces as an array, null when the cell does not have them."""
    pieces, wanted, greedy = F.col(_PIECES), len(packed.fields), greedy_field(packed)
    found = F.size(F.col(_PIECES))
    placed = F.when((found == wanted) & _same_from_both_ends(packed), pieces)
    if greedy is None:
        return placed
    before = packed.names.index(greedy)
    after = wanted - 1 - before
    head = [pieces[i] for i in range(before)]
    tail = [F.element_at(pieces, i - after) for i in range(after)]
    return placed.when(
        (found > wanted) & _nothing_overlaps(packed), F.array(*head, _between(packed, before, after), *tail)
    )


def _between(packed: Packed, before: int, after: int) -> Column:
    """The text between the first `before` and the last `after` pieces, as it was written."""
    cell, pieces = F.col(quoted(packed.column)), F.col(_PIECES)
    # Separators of a regular expression differ in length: the text before and after is measured with its own.
    separators = F.regexp_extract_all(cell, F.lit(_pattern(packed)), 0)

    def side(start: int, count: int) -> Column:
        both = F.concat(F.slice(pieces, start, count), F.slice(separators, start, count))
        return F.array_join(both, "") if count else F.lit("")

    ahead, behind = side(1, before), side(-after, after)
    return cell.substr(F.length(ahead) + 1, F.length(cell) - F.length(ahead) - F.length(behind))


def _same_from_both_ends(packed: Packed) -> Column:
    # A separator that overlaps itself (`||` in `a|||b`) may be found at two places: both ends must agree.
    if packed.regex or not _overlaps_itself(packed.separator):
        return F.lit(True)
    cut_at = separator_pattern(packed.separator[::-1], quote=packed.quote)
    backwards = F.split(F.reverse(F.col(quoted(packed.column))), cut_at, -1)
    return F.reverse(F.transform(backwards, F.reverse)) == F.col(_PIECES)


def _nothing_overlaps(packed: Packed) -> Column:
    # With a greedy piece any of the places may be the one that separates: there must be no more than were split.
    if packed.regex or not _overlaps_itself(packed.separator):
        return F.lit(True)
    places = F.regexp_count(F.col(quoted(packed.column)), F.lit(f"(?={_pattern(packed)})"))
    return places == F.size(F.col(_PIECES)) - 1


def _unquote(text: Column, quote: str) -> Column:
    if not quote:
        return text
    inner = text.substr(F.lit(2), F.length(text) - 2)
    is_quoted = (F.length(text) > 1) & text.startswith(quote) & text.endswith(quote)
    return F.when(is_quoted, F.replace(inner, F.lit(quote * 2), F.lit(quote))).otherwise(text)
