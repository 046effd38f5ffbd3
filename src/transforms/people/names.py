"""Full names as people write them, split into a first and a last name without losing a letter of the name.

nameparser knows particles (van der, de la), suffixes (Jr.), "Last, First" and the family-first scripts. What it
takes for a title is left out only when it is one of HONORIFICS: Dean, Prince or Judge are names as often as titles.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Sequence

import pyarrow as pa
from nameparser import Lexicon, Parser, Role, Token
from pyspark.sql import DataFrame
from pyspark.sql.types import StringType, StructField, StructType

from transforms.kernels.batches import map_each

# The only words that are dropped from a name, and only where the parser reads them as a title.
_HONORIFICS = """
mr mrs ms miss mx mister madam madame mme mlle monsieur dr dra doctor prof professor sir dame rev
reverend hon capt lt col sgt herr frau fräulein señor señora señorita sra srta senhor senhora signor
signora signorina meneer mevrouw г-н г-жа д-р проф دكتور دكتورة الدكتور الدكتورة डॉ श्री श्रीमती
"""
HONORIFICS = frozenset(_HONORIFICS.split())
JOINERS = frozenset({"and", "&", "und", "et", "y", "e"})
_BETWEEN = re.compile(r"[\s,،、，]+")
_EDGES = " \t,،、，"
_WORD = "[A-Za-zÀ-ÖØ-öø-ɏ]{2,}(?:['’-][A-Za-zÀ-ÖØ-öø-ɏ]{2,})*"
_PLAIN = re.compile(f"({_WORD}) ({_WORD})")
_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_FIRST_ROLES = frozenset({Role.GIVEN, Role.MIDDLE, Role.NICKNAME, Role.TITLE})


def _lexicon() -> Lexicon:
    standard = Lexicon.default()
    titles = {word for word in standard.titles if word not in HONORIFICS}
    return standard.remove(titles=titles, given_name_titles=standard.given_name_titles - HONORIFICS)


_LEXICON = _lexicon()
_PARSER = Parser(lexicon=_LEXICON)
# Every word that means something to the parser; a name of two words outside of it needs no parsing.
_VOCABULARY = frozenset().union(
    _LEXICON.titles,
    _LEXICON.suffix_acronyms,
    _LEXICON.suffix_words,
    _LEXICON.suffix_acronyms_ambiguous,
    _LEXICON.particles,
    _LEXICON.conjunctions,
    _LEXICON.bound_given_names,
    _LEXICON.maiden_markers,
)


def clean_text(text: str | None) -> str | None:
    """The text in NFC, without control and direction marks, single blanks; None when nothing is left."""
    if text is None:
        return None
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip() or None
    kept = (
        " " if unicodedata.category(c) == "Cc" else c for c in unicodedata.normalize("NFC", text) if c not in _MARKS
    )
    return " ".join("".join(kept).split()) or None


def split_name(name: str) -> tuple[str | None, str | None]:
    """First name (with middle names and nickname) and last name (with particles and suffix) of a cleaned full name.

    A name of one part is a first name, unless a title or the script says that it is the family's.

    >>> split_name("Ludwig van der Berg"), split_name("King, Dr. Martin Luther, Jr."), split_name("Madonna")
    (('Ludwig', 'van der Berg'), ('Martin Luther', 'King Jr.'), ('Madonna', None))
    """
    plain = _PLAIN.fullmatch(name)
    if plain and not any(_means_something(word) for word in plain.groups()):
        return plain[1], plain[2]
    return _parsed(name)


def _means_something(word: str) -> bool:
    return word.lower() in _VOCABULARY or any(part in _VOCABULARY for part in re.split("['’-]", word.lower()))


@functools.lru_cache(maxsize=50_000)
def _parsed(name: str) -> tuple[str | None, str | None]:
    tokens = [token for token in _PARSER.parse(name).tokens if token.span is not None]
    if not tokens:
        return name, None
    family = _family_end(name, tokens)
    first: list[str] = []
    last: list[str] = []
    titled = False
    for token, start, piece in zip(tokens, _starts(tokens), _pieces(name, tokens), strict=True):
        word = token.text.strip(".。．").lower()
        if token.role is Role.TITLE and (word in HONORIFICS or (titled and word in JOINERS)):
            titled = True
            piece = piece.replace(token.text, "", 1).strip(_EDGES)
        if piece:
            (first if token.role in _FIRST_ROLES and start >= family else last).append(piece)
    if not first and not last:
        return name, None
    if not first and not titled:
        return _without_given(last)
    return " ".join(first) or None, " ".join(last) or None


def _starts(tokens: Sequence[Token]) -> list[int]:
    return [token.span.start for token in tokens if token.span is not None]


def _family_end(name: str, tokens: Sequence[Token]) -> int:
    """Where the family name ends of `Ash Brook, Lady. (Lucy)`: behind the comma are a title and names in brackets."""
    comma = name.find(",")
    behind = [token.role for token, start in zip(tokens, _starts(tokens), strict=True) if start > comma]
    is_family = comma > 0 and behind[:1] == [Role.TITLE] and set(behind) == {Role.TITLE, Role.NICKNAME}
    return comma if is_family else 0


def _without_given(words: Sequence[str]) -> tuple[str | None, str | None]:
    """A name of which the parser took no part for a given name: the first word is, where there is more than one."""
    given, _, family = " ".join(words).partition(" ")
    return given, family or None


def _pieces(name: str, tokens: Sequence[Token]) -> list[str]:
    """The whole text cut in as many pieces as there are tokens, so that nothing between two tokens is lost.

    What the parser passes over (quotes, a marker such as née, a dash) goes with the token before it when it touches
    that, else with the token after it.
    """
    cuts = [0]
    spans = [token.span for token in tokens if token.span is not None]
    for before, after in itertools.pairwise(spans):
        between = _BETWEEN.search(name, before.end, after.start)
        cuts.append(between.end() if between else after.start)
    return [name[start:end].strip(_EDGES) for start, end in zip(cuts, [*cuts[1:], len(name)], strict=True)]


def split_names(frame: DataFrame, name: str, also_clean: Sequence[str] = ()) -> DataFrame:
    """Adds `first_name` and `last_name` (string, null where there is none) to each row and cleans the columns read.

    Columns in: `name` and `also_clean` (string). They come out in NFC with single blanks, blank text as null; a null
    name has null parts. All other columns and the number of rows stay.

    >>> split_names(spark.createDataFrame([("Maria  de la Rosa",)], "fullname string"), "fullname").show()
    +----------------+----------+----------+
    |        fullname|first_name| last_name|
    +----------------+----------+----------+
    |Maria de la Rosa|     Maria|de la Rosa|
    +----------------+----------+----------+
    <BLANKLINE>
    """
    parts = [StructField("first_name", StringType()), StructField("last_name", StringType())]
    cleaned = [name, *also_clean]
    split = functools.partial(_split_batch, cleaned=cleaned)
    return map_each(frame, split, StructType([*frame.schema.fields, *parts]))


def _split_batch(batch: pa.RecordBatch, cleaned: Sequence[str]) -> pa.RecordBatch:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for column in cleaned:
        texts = [clean_text(text) for text in columns[column].to_pylist()]
        columns[column] = pa.array(texts, columns[column].type)
    pairs = [(None, None) if name is None else split_name(name) for name in columns[cleaned[0]].to_pylist()]
    for at, part in enumerate(("first_name", "last_name")):
        columns[part] = pa.array([pair[at] for pair in pairs], pa.string())
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
