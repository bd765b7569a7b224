"""The plots of a diagnosis, drawn as all others of the page are."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import plotly.graph_objects as go

from mlxc.tasks.diagnosis.finding import Curve, Plot
from mlxc_app.widgets.live_figure import axis, live_figure
from mlxc_app.widgets.palette import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from mlxc_app.widgets.typeset import typeset_html

LOOKS = ((BLUE, "solid"), (VERMILLION, "dash"), (GREEN, "dashdot"), (PURPLE, "dot"), (ORANGE, "longdash"))
SHADE = "rgba(127, 139, 149, 0.25)"


def figure_of(plot: Plot) -> go.FigureWidget:
    """A figure of one plot, complete: nothing in it changes later."""
    logarithmic = {name: {"type": "log"} if name in plot.logarithmic else {} for name in "xy"}
    return live_figure(
        [
            *(_trace(curve, *look) for curve, look in zip(plot.curves, _looks(len(plot.curves)), strict=True)),
            *_name_of_shade(plot),
        ],
        height=320,
        width=900,
        title={"text": _printed(plot.title), "font": {"size": 14}, "x": 0, "xref": "paper", "y": 0.98},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 80, "r": 20, "t": 70, "b": 55},
        xaxis=axis(_printed(plot.x_label), exponentformat="power", **logarithmic["x"]),
        yaxis=axis(_printed(plot.y_label), exponentformat="power", **logarithmic["y"]),
        shapes=list(_shade(plot)),
    )


def _looks(count: int) -> list[tuple[str, str]]:
    return [LOOKS[index % len(LOOKS)] for index in range(count)]


def _trace(curve: Curve, colour: str, dash: str) -> go.Scatter:
    drawn: dict[str, Any] = {"mode": "lines", "line": {"color": colour, "dash": dash, "width": 2}}
    if curve.kind == "points":
        drawn = {"mode": "markers", "marker": {"color": colour, "size": 9}, "cliponaxis": False}
    elif curve.kind == "steps":
        drawn["line"]["shape"] = "hvh"
    name = _printed(curve.name)
    return go.Scatter(
        x=list(curve.x),
        y=list(curve.y),
        name=name,
        hovertemplate=f"{name}: %{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        **drawn,
    )


def _shade(plot: Plot) -> Iterable[dict[str, Any]]:
    """The range of x that stands out."""
    if plot.shaded is None:
        return
    places = [x for curve in plot.curves for x in curve.x]
    first, last = plot.shaded
    low, high = min(places), max(places)
    yield {
        "type": "rect", "layer": "below", "xref": "x", "yref": "paper", "y0": 0, "y1": 1,
        "x0": low if first is None else max(low, first), "x1": high if last is None else min(high, last),
        "fillcolor": SHADE, "line": {"width": 0},
    }  # fmt: skip


def _name_of_shade(plot: Plot) -> Iterable[go.Scatter]:
    """What the shade is, in the legend, where no curve runs through it."""
    if plot.shaded is not None:
        marker = {"symbol": "square", "size": 14, "color": SHADE}
        yield go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=_printed(plot.shaded_name))


def _printed(text: str) -> str:
    return typeset_html(escape(text))
