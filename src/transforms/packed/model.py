"""What a packed column is: its name, its fields in order, and what separates them."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.kernels.typed_text import POINT

TOO_FEW, TOO_MANY, WRONG_TYPE = "too_few_pieces", "too_many_pieces", "wrong_type"


@dataclass(frozen=True)
class Field:
    """One attribute of a packed column: its name and its Spark type."""

    name: str
    type: str = "string"


@dataclass(frozen=True)
class Packed:
    """A packed column: its name in the frame, its pieces in order, what separates them, and which one is greedy.

    `quote`: pieces may be quoted as CSV fields are, and a separator between quotes does not separate.
    `marks`: what is before the decimals and between thousands of numbers.
    """

    column: str
    fields: tuple[Field, ...]
    separator: str = " "
    regex: bool = False
    greedy: str | None = None
    quote: str = ""
    marks: tuple[str, str] = POINT

    @property
    def names(self) -> list[str]:
        """The names of the pieces, in order."""
        return [piece.name for piece in self.fields]
