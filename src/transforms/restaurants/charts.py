"""Charts from counted bins: nothing here ever sees a row of data."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator


@dataclass(frozen=True)
class Series:
    """One colour of a stacked histogram: its name, its colour and its count in each bin."""

    name: str
    colour: str
    counts: Mapping[float, int]


def stacked_histogram(
    series: Sequence[Series], *, title: str, subtitle: str, x_label: str, y_label: str, bin_width: float
) -> bytes:
    """A stacked histogram as PNG; the same counts give the same bytes."""

    figure = Figure(figsize=(10, 5.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    height = _stack_bars(axes, series, bin_width * 0.9)
    figure.suptitle(title, fontsize=14, fontweight="bold", x=0.01, ha="left")
    axes.set_title(subtitle, fontsize=10, loc="left", color="#444444")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    if height:
        # Outside the axes: no corner of them is free for all data.
        figure.legend(title="Class (restaurants)", frameon=False, loc="outside right upper")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _stack_bars(axes: Axes, series: Sequence[Series], width: float) -> dict[float, int]:
    """Draws the bars of each series upon those before it, and what each stack counts; gives that by bin."""
    height: dict[float, int] = {}
    for one in series:
        bins = sorted(one.counts)
        axes.bar(
            bins,
            [one.counts[b] for b in bins],
            width,
            bottom=[height.get(place, 0) for place in bins],
            color=one.colour,
            edgecolor="#333333",
            linewidth=0.4,
            label=f"{one.name} ({sum(one.counts.values()):,})",
        )
        for place in bins:
            height[place] = height.get(place, 0) + one.counts[place]
    for place, count in height.items():
        axes.annotate(f"{count:,}", (place, count), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7)
    return height
