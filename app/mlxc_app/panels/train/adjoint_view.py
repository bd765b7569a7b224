"""The adjoints of a training: how Dyson's equation is solved for each solid whose loss needs a response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, VBox

from mlxc_app.panels.train.solids import formula_of
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.palette import BLUE, BROWN, GREEN, LILAC, OCHRE, OLIVE, ORANGE, PURPLE, SKY, VERMILLION

# As many solids as can be told apart; more than these take too long on the page anyway.
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, OCHRE, LILAC, OLIVE, BROWN)
MEANING = (
    "What is learned depends on the functional through self-consistency. One solution of Dyson's equation for each "
    "solid, the adjoint, tells how; here is its residual, step by step, for the last gradient."
)


def adjoints_of(records: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The residuals of the last adjoint of each solid, by its formula.

    Args:
        records: The records of the steps of all adjoints, in the order in which they came.
    """
    found: dict[str, list[float]] = {}
    for record in records:
        residuals = found.setdefault(formula_of(record["solid"]), [])
        if record["iteration"] == 1:
            residuals.clear()
        residuals.append(record["residual"])
    return found


class AdjointView:
    """A figure that is made when the first adjoint is there.

    Attributes:
        widget: The figure and what it means; empty before.
    """

    def __init__(self) -> None:
        self._figure: go.FigureWidget | None = None
        self.widget = VBox()
        self.widget.add_class("mlxc-train-adjoints")

    def show(self, adjoints: Mapping[str, Sequence[float]]) -> None:
        """Draw these; without any, draw nothing."""
        if not adjoints:
            gone, self._figure, self.widget.children = self._figure, None, ()
            if gone is not None:
                gone.close()
            return
        if self._figure is None:
            self._figure = live_figure(
                adjoint_traces(adjoints),
                height=240,
                width=760,
                showlegend=True,
                legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                margin={"l": 70, "r": 16, "t": 30, "b": 46},
                xaxis=axis("step of the adjoint", dtick=2),
                yaxis=axis("residual", type="log", exponentformat="power"),
            )
            self.widget.children = (HTML(f'<p class="mlxc-hint">{MEANING}</p>'), self._figure)
            return
        with self._figure.batch_update():
            replace_data(self._figure, adjoint_traces(adjoints))


def adjoint_traces(adjoints: Mapping[str, Sequence[float]]) -> list[go.Scatter]:
    """All traces that there will ever be; those of which there is nothing yet are empty."""
    known = list(adjoints.items())[: len(COLOURS)]
    found = []
    for index, colour in enumerate(COLOURS):
        name, residuals = known[index] if index < len(known) else ("", ())
        found.append(
            go.Scatter(
                x=list(range(1, len(residuals) + 1)),
                y=[value or None for value in residuals],
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                visible=bool(residuals),
                hovertemplate=f"{name}, step %{{x}}: %{{y:.1e}}<extra></extra>",
            )
        )
    return found
