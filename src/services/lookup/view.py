"""How car parks look on a terminal: one in full, several as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

LOT_TYPES = {"C": "cars", "H": "heavy vehicles", "Y": "motorcycles"}

_LABELS = {
    "address": "Address",
    "car_park_type": "Type",
    "type_of_parking_system": "Parking system",
    "short_term_parking": "Short-term parking",
    "free_parking": "Free parking",
    "night_parking": "Night parking",
    "car_park_decks": "Decks",
    "gantry_height": "Gantry height (m)",
    "car_park_basement": "Basement",
    "x_coord": "X (SVY21)",
    "y_coord": "Y (SVY21)",
}


def _free(row: dict[str, Any]) -> str:
    return "no reading" if row["total_lots"] is None else f"{row['available_lots']} of {row['total_lots']}"


def _marks(row: dict[str, Any]) -> Text:
    marks = [name for name in ("stale", "impossible") if row.get(name)]
    return Text(", ".join(marks), style="yellow")


class View:
    """Writes to the terminal, or plainly into a pipe."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False)

    def welcome(self, count: int) -> None:
        """The first line of a conversation."""
        self.console.print(f"{count} car parks.", style="dim")

    def one(self, park: dict[str, Any]) -> None:
        """A car park in full: all that is known, then its lots."""
        self.console.print(Text(f"\n{park['car_park_no']}", style="bold"), Text(park["address"] or "(no information)"))
        facts = Table.grid(padding=(0, 2))
        for name, label in _LABELS.items():
            if park.get(name) is not None and name != "address":
                facts.add_row(Text(label, style="dim"), Text(str(park[name])))
        odd = any(lot["stale"] or lot["impossible"] for lot in park["lots"])
        free = _free(park) + (" (odd readings included)" if odd else "")
        facts.add_row(Text("Free lots", style="dim"), Text(free, style="bold green"))
        self.console.print(facts)
        if park["lots"]:
            self.console.print(self._lots(park["lots"]))
        self.console.print()

    @staticmethod
    def _lots(lots: Sequence[dict[str, Any]]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("Lots", "Free", "Total", "Updated (+08:00)", ""):
            table.add_column(title, justify="right" if title in ("Free", "Total") else "left")
        for lot in lots:
            kind = LOT_TYPES.get(lot["lot_type"])
            name = f"{lot['lot_type']} ({kind})" if kind else lot["lot_type"]
            figures = (str(lot["available_lots"]), str(lot["total_lots"]))
            table.add_row(name, *figures, lot["updated_at"][:19].replace("T", " "), _marks(lot))
        return table

    def several(self, parks: Sequence[dict[str, Any]], count: int) -> None:
        """Car parks as a table, and how many more there are."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Number", no_wrap=True, style="bold")
        table.add_column("Address", overflow="fold")
        table.add_column("Type", overflow="fold")
        table.add_column("Free lots", justify="right", no_wrap=True)
        table.add_column("")
        for park in parks:
            cells = (park["car_park_no"], park["address"] or "", park.get("car_park_type") or "", _free(park))
            table.add_row(*[Text(cell) for cell in cells], _marks(park))
        self.console.print(table)
        more = f", {count - len(parks)} more: add a word to narrow it down" if count > len(parks) else ""
        self.console.print(f"{count} car parks{more}.\n", style="dim")

    def nothing(self, hint: str, numbers: Sequence[str], addresses: Sequence[str]) -> None:
        """What was not found, and what to ask instead."""
        self.console.print(Text(hint))
        close = [("numbers like it", numbers), ("addresses with", addresses)]
        for label, suggestions in close:
            if suggestions:
                self.console.print(Text(f"  {label}: "), Text(", ".join(suggestions), style="bold"), sep="")
        self.console.print()
