"""The heat map of a density slice with the atoms in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, VBox

from mlxc_app.binding import bind
from mlxc_app.density_model import PLANES, WINDOW_ANG, DensityModel, DensitySlice
from mlxc_app.live_figure import axis, live_figure
from mlxc_app.message import MessageArea
from mlxc_app.panel import Page, Panel

ABOUT = (
    "Where the valence electrons are: brighter means more. The core electrons are part of the pseudopotential, so "
    "there is no peak at the nuclei (white circles). Look for the bonds in diamond and the even sea of electrons in "
    "sodium."
)
WIDE: dict[str, Any] = {"style": {"description_width": "80px"}, "layout": {"width": "270px"}}
PLANE_HINT = "x, y and z point along the edges of a cubic crystal; in graphene, z points out of the layer."
HEIGHT_HINT = "Distance of the plane from the first atom. Atoms within 0.4 Å of the plane are drawn."
_PLACEHOLDER = '<p class="mlxc-placeholder">The density appears here when a run has ended.</p>'


def density_panel(page: Page) -> Panel:
    """The panel of the density; its file is read when somebody looks."""
    return Panel("Density", f"<p>{ABOUT}</p>", lambda: DensityView(DensityModel(page.run), page.messages).widget)


class DensityView:
    """Observes a :class:`DensityModel`, and offers plane and height."""

    def __init__(self, model: DensityModel, messages: MessageArea) -> None:
        self._model = model
        half = WINDOW_ANG / 2
        self.figure = live_figure(
            _traces(model.slice),
            height=440,
            width=560,
            margin={"l": 70, "r": 10, "t": 10, "b": 55},
            xaxis=axis(_titles(model.slice)[0], range=[-half, half], constrain="domain"),
            yaxis=axis(_titles(model.slice)[1], range=[-half, half], scaleanchor="x", constrain="domain"),
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
        beside = HBox([self.figure, controls])
        beside.add_class("mlxc-beside")
        self.widget = VBox([self._caption, beside])
        self._show_words()
        model.observe(self._show, "slice")

    def _show(self, change: Any) -> None:
        heat, nuclei = self.figure.data
        new_heat, new_nuclei = _traces(self._model.slice)
        with self.figure.batch_update():
            heat.x, heat.y, heat.z = new_heat.x, new_heat.y, new_heat.z
            nuclei.x, nuclei.y, nuclei.text = new_nuclei.x, new_nuclei.y, new_nuclei.text
            layout = self.figure.layout
            layout.xaxis.title.text, layout.yaxis.title.text = _titles(self._model.slice)
        self._show_words()

    def _show_words(self) -> None:
        self._caption.value = f"<h3>{escape(self._model.title)}</h3>" if self._model.slice else _PLACEHOLDER


def _titles(cut: DensitySlice | None) -> tuple[str, str]:
    return (f"{cut.right_name} (Å)", f"{cut.up_name} (Å)") if cut else ("x (Å)", "y (Å)")


def _traces(cut: DensitySlice | None) -> tuple[go.Heatmap, go.Scatter]:
    if cut is None:
        return _heat_map([], [], []), _nuclei(())
    return _heat_map(cut.right, cut.up, cut.density), _nuclei(cut.atoms)


def _heat_map(x: Any, y: Any, density: Any) -> go.Heatmap:
    return go.Heatmap(
        x=x,
        y=y,
        z=density,
        colorscale="Cividis",
        zsmooth="best",
        colorbar={"title": {"text": "electrons per Å³", "side": "right", "font": {"size": 14}}},
        hovertemplate="%{x:.2f} Å, %{y:.2f} Å: %{z:.3f} electrons per Å³<extra></extra>",
    )


def _nuclei(atoms: Sequence[tuple[float, float, str]]) -> go.Scatter:
    return go.Scatter(
        x=[x for x, _, _ in atoms],
        y=[y for _, y, _ in atoms],
        text=[symbol for _, _, symbol in atoms],
        mode="markers+text",
        textfont={"color": "black", "size": 12},
        marker={"size": 24, "color": "rgba(255,255,255,0.85)", "line": {"color": "black", "width": 1.5}},
        hovertemplate="%{text} nucleus<extra></extra>",
    )


def _hint(text: str) -> HTML:
    return HTML(f'<p class="mlxc-hint">{escape(text)}</p>')
