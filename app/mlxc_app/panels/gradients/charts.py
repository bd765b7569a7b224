"""What there is to see of a gradient: each chart as data, titles and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import plotly.graph_objects as go

from mlxc_app.panels.density.field import PULL as IN_CRYSTAL
from mlxc_app.panels.gradients.model import GradientPicture
from mlxc_app.widgets.palette import BLUE, GREY, VERMILLION

LAYERS, ADJOINT, UNROLLED = "Gradient by layer", "Convergence of the adjoint", "Gradient by SCF step (unrolled)"
PARAMETERS, PLANES, HEAT_MAP = "Gradient by parameter", "Pull across the cell", "Pull over rₛ and s"
PULL = (
    "The pull says how the loss changes if the exchange-correlation energy is made a little stronger at a point. "
    "Where it is positive the loss grows, where it is negative the loss falls."
)
MAP_EXPLANATION = (
    f"{PULL} Here it is summed over all points with the same density (small r<sub>s</sub>: dense) and reduced gradient "
    "s: these are what the functional sees. White: no pull, or no such point in the crystal."
)

MOST_TICKS = 6


@dataclass(frozen=True)
class Chart:
    """A line, or bars.

    Attributes:
        x, y: The data; names instead of numbers for bars.
        second: A curve in grey on an axis of its own, at the same ``x``.
        explanation: The explanation, as HTML.
        empty: Why there may be no data.
    """

    x: tuple[Any, ...]
    y: tuple[float, ...]
    x_title: str
    y_title: str
    explanation: str
    x_type: str = "linear"
    y_type: str = "log"
    second: tuple[float, ...] = ()
    empty: str = ""

    @property
    def bars(self) -> bool:
        """Whether the chart has bars."""
        return self.x_type == "category"

    @property
    def y_range(self) -> list[float] | None:
        """Powers of ten in which also the shortest bar is a bar; None for what the data say themselves."""
        logarithms = [log10(value) for value in self.y if value > 0] if self.bars else []
        return [floor(min(logarithms)) - 0.5, max(logarithms) + 0.2] if logarithms else None

    @property
    def y_tick(self) -> int | None:
        """Powers of ten from one number on the axis to the next, where plotly would write 2 and 5 between them."""
        logarithms = [log10(value) for value in self.y if value > 0] if self.y_type == "log" else []
        return max(1, ceil((max(logarithms) - min(logarithms)) / MOST_TICKS)) if logarithms else None


def _adjoint(picture: GradientPicture) -> Chart:
    return Chart(
        x=picture.adjoint_steps,
        y=picture.residuals,
        x_title="step of the solution",
        y_title="residual of the adjoint",
        explanation="One linear problem gives the gradient by all parameters at once. Its residual should fall.",
        empty="This loss or mode needs no adjoint.",
    )


def _unrolled(picture: GradientPicture) -> Chart:
    return Chart(
        x=picture.scf_steps,
        y=picture.density_gradients,
        x_title="SCF step",
        y_title="|dL/dn| at this step",
        explanation="Back through every step of the SCF: the gradient starts at the last step, on the right, and fades "
        "towards the first, because a converged density forgets where it has begun.",
        empty="Only in the mode “unrolled” does a gradient pass through the steps.",
    )


def _layers(picture: GradientPicture) -> Chart:
    norms: Mapping[str, float] = picture.result.get("layers") or {}
    return _bars(
        norms, "layer of the functional", "Which layers of the functional the loss would change most.", picture
    )


def _parameters(picture: GradientPicture) -> Chart:
    parameters = picture.result.get("parameters") or {}
    norms = {name: parameter["gradient_norm"] for name, parameter in parameters.items()}
    return _bars(norms, "parameter", "The same for each parameter, or array of parameters.", picture)


def _bars(norms: Mapping[str, float], x_title: str, explanation: str, picture: GradientPicture) -> Chart:
    return Chart(
        x=tuple(map(_short, norms)),
        y=tuple(norms.values()),
        x_title=x_title,
        y_title="|dL/dθ|",
        explanation=explanation,
        x_type="category",
        empty=picture.result.get("message", ""),
    )


def _short(name: str) -> str:
    """The name of a layer or parameter, so short that several stand side by side: ``exchange 0 weight``."""
    return name.replace("_network", "").replace(".", " ").replace("_", " ")


def _planes(picture: GradientPicture) -> Chart:
    average = (picture.result.get("pull") or {}).get("planar_average") or {}
    return Chart(
        x=tuple(average.get("positions_ang", ())),
        y=tuple(average.get("pull_per_ang3", ())),
        x_title="position across the cell (Å)",
        y_title="pull (loss per Å³)",
        explanation=f"{PULL} Blue: its mean over planes; grey: that of the density. As a surface "
        f"among the atoms it is in the panel Density: look at “{IN_CRYSTAL}”.",
        y_type="linear",
        second=tuple(average.get("density_per_ang3", ())),
    )


CHARTS: dict[str, Callable[[GradientPicture], Chart]] = {
    LAYERS: _layers,
    PARAMETERS: _parameters,
    ADJOINT: _adjoint,
    UNROLLED: _unrolled,
    PLANES: _planes,
}


def suggestion(picture: GradientPicture) -> str:
    """The chart on which most is to be seen at present."""
    if picture.result:
        return LAYERS
    return UNROLLED if picture.density_gradients else ADJOINT


def traces(chart: Chart) -> list[Any]:
    """A line, bars and a grey line; those that the chart has not are empty."""
    x, y = (chart.x, chart.y) if not chart.bars else ((), ())
    return [
        go.Scatter(x=x, y=y, visible=not chart.bars, mode="lines+markers", line_color=BLUE, name="gradient"),
        go.Bar(
            x=chart.x if chart.bars else (),
            y=chart.y if chart.bars else (),
            visible=chart.bars,
            marker_color=VERMILLION,
            name="gradient",
            hovertemplate="%{x}: %{y:.3g}<extra></extra>",
        ),
        go.Scatter(
            x=chart.x if chart.second else (),
            y=chart.second,
            visible=bool(chart.second),
            mode="lines",
            line={"color": GREY, "dash": "dot"},
            name="density",
            yaxis="y2",
        ),
    ]


def heat_map(result: Mapping[str, Any]) -> go.Heatmap:
    """The pull over (rs, s); red raises the loss, blue lowers it, and the scale is the same both ways."""
    pull = result.get("pull")
    if pull is None:
        x, y, z, largest = [], [], [], 1.0
    else:
        x, y = pull["rs_edges_bohr"], pull["s_edges"]
        z = [list(row) for row in zip(*pull["by_rs_and_s"], strict=True)]
        largest = max(abs(value) for row in z for value in row) or 1.0
    return go.Heatmap(
        x=x,
        y=y,
        z=z,
        zmin=-largest,
        zmax=largest,
        colorscale="RdBu_r",
        colorbar={"title": {"text": "pull (units of the loss)", "side": "right", "font": {"size": 14}}},
        hovertemplate="r<sub>s</sub> %{x:.2f} bohr, s %{y:.2f}: %{z:.3g}<extra></extra>",
    )
