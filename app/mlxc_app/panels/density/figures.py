"""The plots of a density: a cut as a heat map with the atoms in it, and planar averages as a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mlxc_app.panels.density.model import DensityModel
from mlxc_app.panels.density.slice import WINDOW_ANG
from mlxc_app.widgets.live_figure import axis, live_figure, mark, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, DIVERGING, GREY, SEQUENTIAL

HALF = WINDOW_ANG / 2


class SliceFigure:
    """The cut of a :class:`DensityModel`."""

    def __init__(self, model: DensityModel, messages: MessageArea) -> None:
        self._model = model
        titles = self._titles()
        self.figure = live_figure(
            self._traces(),
            height=370,
            width=420,
            margin={"l": 70, "r": 10, "t": 10, "b": 55},
            xaxis=axis(titles[0], range=[-HALF, HALF], constrain="domain"),
            yaxis=axis(titles[1], range=[-HALF, HALF], scaleanchor="x", constrain="domain"),
            annotations=[mark(model.doubt)],
        )
        model.observe(messages.guard(self._show), "slice")

    def _show(self, change: Any) -> None:
        with self.figure.batch_update():
            for trace, new in zip(self.figure.data, self._traces(), strict=True):
                trace.update(new)
            layout = self.figure.layout
            layout.xaxis.title.text, layout.yaxis.title.text = self._titles()
            layout.annotations = [mark(self._model.doubt)]

    def _titles(self) -> tuple[str, str]:
        cut = self._model.slice
        return (f"{cut.right_name} (Å)", f"{cut.up_name} (Å)") if cut else ("x (Å)", "y (Å)")

    def _traces(self) -> list[Any]:
        cut, field = self._model.slice, self._model.field
        if cut is None or field is None:
            return [_heat_map([], [], np.zeros((0, 0)), "", False), _nuclei(())]
        return [_heat_map(cut.right, cut.up, cut.values, field.unit, field.is_signed), _nuclei(cut.atoms)]


def _heat_map(x: Any, y: Any, values: Any, unit: str, is_signed: bool) -> Any:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if is_signed:  # zero is in the middle of the colours
        high = max(-low, high)
        low = -high
    return go.Heatmap(
        x=x,
        y=y,
        z=values,
        zmin=low,
        zmax=high,
        colorscale=DIVERGING if is_signed else SEQUENTIAL,
        zsmooth="best",
        # The empty line keeps the unit apart from the numbers.
        colorbar={
            "exponentformat": "power",
            "title": {"text": f"&nbsp;<br>{unit}", "side": "right", "font": {"size": 14}},
        },
        hovertemplate="%{x:.2f} Å, %{y:.2f} Å: %{z:.3g} " + unit + "<extra></extra>",
    )


def _nuclei(atoms: tuple[tuple[float, float, str], ...]) -> Any:
    return go.Scatter(
        x=[x for x, _, _ in atoms],
        y=[y for _, y, _ in atoms],
        text=[symbol for _, _, symbol in atoms],
        mode="markers+text",
        # Beside the nucleus, where most of a spin density is, and readable on any colour.
        textposition="top right",
        textfont={"color": "black", "size": 12, "shadow": ", ".join(["0px 0px 3px white"] * 3)},
        marker={"size": 8, "symbol": "circle-open", "color": "black", "line": {"width": 1.5}},
        hovertemplate="%{text} nucleus<extra></extra>",
        # Those at the edge of the cut are whole.
        cliponaxis=False,
    )


class AverageFigure:
    """The planar average of a :class:`DensityModel`."""

    def __init__(self, model: DensityModel, messages: MessageArea) -> None:
        self._model = model
        titles = self._titles()
        self.figure = live_figure(
            self._traces(),
            height=260,
            margin={"l": 80, "r": 20, "t": 10, "b": 55},
            xaxis=axis(titles[0]),
            yaxis=axis(titles[1], exponentformat="power"),
            yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
            annotations=[mark(model.doubt)],
        )
        model.observe(messages.guard(self._show), "average")

    def _show(self, change: Any) -> None:
        with self.figure.batch_update():
            replace_data(self.figure, self._traces())
            layout = self.figure.layout
            layout.xaxis.title.text, layout.yaxis.title.text = self._titles()
            layout.annotations = [mark(self._model.doubt)]

    def _titles(self) -> tuple[str, str]:
        unit = self._model.field.unit if self._model.field else ""
        return f"height along {self._model.axis}, at right angles to the planes (Å)", f"average ({unit})"

    def _traces(self) -> list[Any]:
        average = self._model.average
        positions, values, atoms = (average.positions, average.values, average.atoms) if average else ([], [], ())
        return [
            go.Scatter(x=positions, y=values, mode="lines", line={"color": BLUE}, name="average"),
            go.Scatter(
                x=[place for place, _ in atoms],
                y=[0.05] * len(atoms),
                text=[symbol for _, symbol in atoms],
                yaxis="y2",
                mode="markers+text",
                textposition="top center",
                marker={"size": 10, "color": GREY},
                name="atoms",
                hovertemplate="%{text} at %{x:.2f} Å<extra></extra>",
            ),
        ]
