"""The plot of the energy against the moment, and which moment the crystal wants in words."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, Checkbox, FloatText, HBox, VBox

from mlxc.tasks.moments.range import FEWEST_POINTS, MOST_POINTS
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.moments.model import Line, MomentsModel, MomentsPicture
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.controls import whole_number
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, VERMILLION
from mlxc_app.widgets.typeset import told

ABOUT = (
    "The free energy F of the crystal while its total magnetic moment M is held. To raise M, electrons turn their spin "
    "over: they pay kinetic energy, since low levels are full, and gain exchange energy. Where F has a minimum, M is a "
    "moment that the crystal keeps by itself. If M = 0 is a maximum, the crystal is magnetic: Stoner's criterion."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press “Run energy against moment”: one self-consistent calculation for each moment, '
    "whose points appear here. Spin is switched on for them.</p>"
)
SHORT: dict[str, Any] = {"layout": {"width": "155px"}, "style": {"description_width": "78px"}}


def moments_panel(page: Page) -> Panel:
    """The panel of the energy against the moment."""
    model = MomentsModel(page.run, page.choose)
    return Panel(
        "Moment",
        f"<p>{ABOUT}</p>",
        lambda: MomentsView(model, page.choose, page.messages).widget,
        kinds=("moments",),
    )


class MomentsView:
    """Observes a :class:`MomentsModel`."""

    def __init__(self, model: MomentsModel, choose: ChooseModel, messages: MessageArea) -> None:
        start = Button(
            description="Run energy against moment", button_style="primary", tooltip="Of what is chosen on the left"
        )
        highest = FloatText(description="Up to (μB)", step=0.5, tooltip="The moment of the cell", **SHORT)
        limits, tooltip = (FEWEST_POINTS, MOST_POINTS), "How many, from zero on"
        points = whole_number(model, "points", messages, "Moments", limits, tooltip=tooltip, **SHORT)
        both_ways = Checkbox(
            description="and down again",
            indent=False,
            tooltip="Which shows other branches, if there are some",
            layout={"width": "150px"},
        )
        for trait, widget in {"highest": highest, "both_ways": both_ways}.items():
            bind(model, trait, widget, messages)
        self._words = HTML()
        self.figure = live_figure(
            traces(model.picture),
            height=430,
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 50, "b": 55},
            xaxis=axis("total moment of the cell (μB)"),
            yaxis=axis("F above its minimum (meV/atom)"),
        )
        cost = StartingView(choose, [Start(start, model.task)], model, ["highest", "points", "both_ways"])
        row = HBox([start, highest, points, both_ways, cost.widget])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([row, self._words, self.figure])
        start.on_click(messages.starting(model.start))
        model.observe(messages.guard(self._show), "picture")
        self._show_words(model.picture)

    def _show(self, change: Any) -> None:
        with self.figure.batch_update():
            replace_data(self.figure, traces(change["new"]))
        self._show_words(change["new"])

    def _show_words(self, picture: MomentsPicture) -> None:
        words = f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>"
        self._words.value = words if picture.title else _PLACEHOLDER


def traces(picture: MomentsPicture) -> list[go.Scatter]:
    """The curve, the points of both ways, and the minima."""
    hover = "M = %{x:.3f} μB: %{y:.2f} meV/atom<extra></extra>"
    marked: tuple[tuple[Line, str, dict[str, Any]], ...] = (
        (picture.up, "points", {"color": BLUE, "size": 9, "symbol": "circle"}),
        (picture.down, "other states, on the way down", {"color": VERMILLION, "size": 10, "symbol": "square-open"}),
        (picture.minima, "minima", {"color": GREEN, "size": 14, "symbol": "diamond"}),
    )
    curve = go.Scatter(
        x=picture.curve.moments,
        y=picture.curve.energies,
        name="curve through the lowest",
        visible=bool(picture.curve.moments),
        mode="lines",
        line={"color": BLUE, "width": 1.8},
        hoverinfo="skip",
    )
    points = [
        go.Scatter(
            x=line.moments,
            y=line.energies,
            name=name,
            visible=bool(line.moments),
            mode="markers",
            marker=marker,
            hovertemplate=hover,
        )
        for line, name, marker in marked
    ]
    return [curve, *points]
