"""The heat map of a density slice with the atoms in it."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, VBox

from mlxc_app.binding import bind
from mlxc_app.density_model import PLANES, WINDOW_ANG, DensityModel
from mlxc_app.live_figure import axis, live_figure
from mlxc_app.message import MessageArea

HINT = (
    "Where the valence electrons are: brighter means more. The core electrons are part of the pseudopotential, so "
    "there is no peak at the nuclei (white circles). Look for the bonds in diamond and the even sea of electrons in "
    "sodium."
)
WIDE: dict[str, Any] = {"style": {"description_width": "80px"}, "layout": {"width": "270px"}}
PLANE_HINT = "x, y and z point along the edges of a cubic crystal; in graphene, z points out of the layer."
HEIGHT_HINT = "Distance of the plane from the first atom. Atoms within 0.4 Å of the plane are drawn."
_PLACEHOLDER = '<p class="mlxc-placeholder">The density appears here when a run has ended.</p>'


class DensityView:
    """Observes a :class:`DensityModel`, and offers plane and height."""

    def __init__(self, model: DensityModel, messages: MessageArea) -> None:
        self._model = model
        half = WINDOW_ANG / 2
        self.figure = live_figure(
            [_heat_map(), _nuclei()],
            height=440,
            width=560,
            margin={"l": 70, "r": 10, "t": 10, "b": 55},
            xaxis=axis("x (Å)", range=[-half, half], constrain="domain"),
            yaxis=axis("y (Å)", range=[-half, half], scaleanchor="x", constrain="domain"),
        )
        plane = Dropdown(options=list(PLANES), description="Plane", **WIDE)
        height = FloatSlider(
            min=-3, max=3, step=0.1, description="Height (Å)", readout_format=".1f", continuous_update=False, **WIDE
        )
        bind(model, "plane", plane, messages)
        bind(model, "height_ang", height, messages)
        controls = VBox([plane, _hint(PLANE_HINT), height, _hint(HEIGHT_HINT)])
        controls.add_class("mlxc-controls")
        self._caption = HTML()
        self.widget = VBox([_hint(HINT), self._caption, HBox([self.figure, controls])])
        self._show()
        model.observe(self._show, "slice")

    def _show(self, change: Any = None) -> None:
        cut = self._model.slice
        self._caption.value = f"<h3>{escape(self._model.title)}</h3>" if cut else _PLACEHOLDER
        heat, nuclei = self.figure.data
        with self.figure.batch_update():
            if cut is None:
                heat.x, heat.y, heat.z = [], [], []
                nuclei.x, nuclei.y, nuclei.text = [], [], []
                return
            heat.x, heat.y, heat.z = cut.right, cut.up, cut.density
            nuclei.x = [x for x, _, _ in cut.atoms]
            nuclei.y = [y for _, y, _ in cut.atoms]
            nuclei.text = [symbol for _, _, symbol in cut.atoms]
            self.figure.layout.xaxis.title.text = f"{cut.right_name} (Å)"
            self.figure.layout.yaxis.title.text = f"{cut.up_name} (Å)"


def _heat_map() -> go.Heatmap:
    return go.Heatmap(
        x=[],
        y=[],
        z=[],
        colorscale="Cividis",
        zsmooth="best",
        colorbar={"title": {"text": "electrons per Å³", "side": "right", "font": {"size": 14}}},
        hovertemplate="%{x:.2f} Å, %{y:.2f} Å: %{z:.3f} electrons per Å³<extra></extra>",
    )


def _nuclei() -> go.Scatter:
    return go.Scatter(
        x=[],
        y=[],
        text=[],
        mode="markers+text",
        textfont={"color": "black", "size": 12},
        marker={"size": 24, "color": "rgba(255,255,255,0.85)", "line": {"color": "black", "width": 1.5}},
        hovertemplate="%{text} nucleus<extra></extra>",
    )


def _hint(text: str) -> HTML:
    return HTML(f'<p class="mlxc-hint">{escape(text)}</p>')
