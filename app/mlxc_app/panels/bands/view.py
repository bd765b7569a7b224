"""The plot of bands with the density of states beside it, and the gap in words."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from ipywidgets import HTML, Button, Dropdown, HBox, Layout, VBox
from numpy.typing import NDArray

from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.words import WHAT_A_BAR_IS
from mlxc_app.panels.bands.model import NOTHING, Bands, BandsModel, BandsPicture
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.widgets.live_figure import axis, live_figure, mark, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, VERMILLION, see_through
from mlxc_app.widgets.typeset import told

ABOUT = (
    "The energies that an electron can have, along straight lines between special points (Γ, X, …) of the Brillouin "
    "zone. Zero is the Fermi level E<sub>F</sub>: what lies below is filled. An empty strip around zero is a gap; "
    "where lines cross zero, the crystal is a metal. On the right: how many levels there are at each energy."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press “Run bands”: first the ground state of what is chosen on the left is computed, '
    "then its bands, which appear here piece by piece.</p>"
)
SHADED = (
    f"Shaded, and after ±: {WHAT_A_BAR_IS} It is that of the distance from the Fermi level, in a crystal with a gap "
    "from the highest filled level, and counts how the density answers."
)
# Deeper levels belong to cores, higher ones are not converged; the plot can be moved and zoomed all the same.
LOWEST_EV, HIGHEST_EV = -16.0, 10.0
# Strips are narrow, and lie on white ground.
STRIP_OPACITY = 0.4
SPINS = (("", "solid"), (", spin down", "dash"))


def bands_panel(page: Page) -> Panel:
    """The panel of bands."""
    model = BandsModel(page.run, page.choose)

    def look(shown: bool) -> None:
        if shown:
            model.find_others()

    return Panel(
        "Bands",
        f"<p>{ABOUT}</p>",
        lambda: BandsView(model, page.choose, page.messages).widget,
        kinds=("bands",),
        shown=look,
    )


class BandsView:
    """Observes a :class:`BandsModel`."""

    def __init__(self, model: BandsModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._model = model
        start = Button(description="Run bands", button_style="primary", tooltip="Bands of what is chosen")
        self._others = Dropdown(
            options=[("nothing", NOTHING)],
            description="Compare with",
            style={"description_width": "105px"},
            layout=Layout(width="min(560px, 100%)"),
        )
        self._words = HTML()
        picture = model.picture
        self.figure = live_figure(
            traces(picture),
            height=430,
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 70, "r": 20, "t": 50, "b": 55},
            xaxis=axis("k along the path between special points", domain=[0, 0.74], **_path(picture)),
            yaxis=axis("energy − E<sub>F</sub> (eV)", range=_energies(picture)),
            xaxis2=axis("levels per eV and cell", domain=[0.78, 1], range=_states(picture)),
            shapes=fermi_levels(picture),
            annotations=[mark(picture.doubt)],
        )
        cost = StartingView(choose, [Start(start, model.task)], model)
        row = HBox([start, cost.widget, self._others])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([row, self._words, self.figure])
        start.on_click(messages.starting(model.start))
        self._others.observe(messages.guard(self._chosen), "value")
        model.observe(messages.guard(self._show), "picture")
        model.observe(messages.guard(self._show_others), ["others", "other"])
        self._show_others()
        self._show_words(picture)

    def _chosen(self, change: Any) -> None:
        if change["new"] is not None:
            self._model.other = change["new"]

    def _show_others(self, change: Any = None) -> None:
        options = [("nothing", NOTHING), *self._model.others]
        if list(self._others.options) != options:
            other = self._model.other  # new options choose the first of them
            self._others.options = options
            self._model.other = other
        self._others.value = self._model.other
        self._others.disabled = not self._model.others

    def _show(self, change: Any) -> None:
        picture: BandsPicture = change["new"]
        layout = self.figure.layout
        with self.figure.batch_update():
            replace_data(self.figure, traces(picture))
            layout.xaxis.update(_path(picture))
            layout.yaxis.range = _energies(picture)
            layout.xaxis2.range = _states(picture)
            layout.shapes = fermi_levels(picture)
            layout.annotations = [mark(picture.doubt)]
        self._show_words(picture)

    def _show_words(self, picture: BandsPicture) -> None:
        words = f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>"
        if any(bands is not None and bands.deviations is not None for bands in (picture.bands, picture.other)):
            words += f'<p class="mlxc-hint">{SHADED}</p>'
        self._words.value = words if picture.title else _PLACEHOLDER


def traces(picture: BandsPicture) -> list[go.Scatter]:
    """Bands of both runs and spins, in the same order their densities of states and how uncertain they are, and the
    edges of the gap."""
    drawn = (
        (picture.bands, "this run", BLUE),
        (picture.other, picture.other.title if picture.other else "", VERMILLION),
    )
    lines, curves, shades = [], [], []
    for bands, name, colour in drawn:
        for spin, (addition, dash) in enumerate(SPINS):
            known = bands is not None and spin < len(bands.energies)
            style: dict[str, Any] = {"mode": "lines", "line": {"color": colour, "dash": dash, "width": 1.8}}
            x, y = _joined(bands, spin) if bands is not None and known else ((), ())
            lines.append(go.Scatter(x=x, y=y, name=escape(name + addition), visible=known, hoverinfo="y", **style))
            dos = (bands.states[spin], bands.dos_energies) if bands is not None and known else ((), ())
            curves.append(go.Scatter(x=dos[0], y=dos[1], xaxis="x2", showlegend=False, visible=known, **style))
            shades.append(_shade(bands if known else None, spin, colour))
    edges = go.Scatter(
        x=[distance for distance, _ in picture.edges],
        y=[energy for _, energy in picture.edges],
        name="edges of the gap",
        visible=bool(picture.edges),
        mode="markers",
        marker={"color": GREEN, "size": 11, "symbol": "diamond"},
        cliponaxis=False,
    )
    return [*lines, *curves, *shades, edges]


def _shade(bands: Bands | None, spin: int, colour: str) -> go.Scatter:
    """A strip of one standard deviation to either side of each band of one spin."""
    known = bands is not None and bands.deviations is not None
    x, y = _strips(bands, spin) if bands is not None and known else ((), ())
    return go.Scatter(
        x=x,
        y=y,
        name="one standard deviation",
        visible=known,
        showlegend=False,
        hoverinfo="skip",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=see_through(colour, STRIP_OPACITY),
    )


def _strips(bands: Bands, spin: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The outlines of the strips, along the upper edge and back along the lower one; NaN parts those of two bands."""
    assert bands.deviations is not None
    nband = min(bands.energies.shape[-1], bands.deviations.shape[-1])
    levels, deviations = bands.energies[spin, :, :nband], bands.deviations[spin, :, :nband]
    parted = np.full((1, nband), np.nan)
    outline = np.concatenate([levels + deviations, (levels - deviations)[::-1], parted])
    distances = np.concatenate([bands.distances, bands.distances[::-1], [np.nan]])
    return np.tile(distances, nband), outline.T.ravel()


def _joined(bands: Bands, spin: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All bands of one spin as a single line; NaN interrupts it from one band to the next."""
    levels = bands.energies[spin]
    gaps = np.full((1, levels.shape[1]), np.nan)
    distances = np.append(bands.distances, np.nan)
    return np.tile(distances, levels.shape[1]), np.concatenate([levels, gaps]).T.ravel()


def _path(picture: BandsPicture) -> dict[str, Any]:
    """Ticks at the special points, and the whole path in view."""
    places = [place for place, _ in picture.labels] or [0.0, 1.0]
    names = [name for _, name in picture.labels]
    return {"tickmode": "array", "tickvals": places, "ticktext": names, "range": [places[0], places[-1]]}


def _energies(picture: BandsPicture) -> list[float]:
    if picture.bands is None:
        return [LOWEST_EV, HIGHEST_EV]
    return [max(LOWEST_EV, float(picture.bands.energies.min()) - 1), min(HIGHEST_EV, picture.bands.complete_ev)]


def _states(picture: BandsPicture) -> list[float]:
    """The range from zero to the largest density of states in view: those of cores are sharp and high."""
    low, high = _energies(picture)
    largest = [_largest(bands, low, high) for bands in (picture.bands, picture.other) if bands is not None]
    return [0, 1.05 * max([0.0, *largest]) or 1.0]


def _largest(bands: Bands, low: float, high: float) -> float:
    seen = bands.states[:, (bands.dos_energies >= low) & (bands.dos_energies <= high)]
    return float(seen.max()) if seen.size else 0.0


def fermi_levels(picture: BandsPicture) -> list[dict[str, Any]]:
    """Lines across both plots: one at zero, or one for each spin with a level of its own, drawn as its bands are."""
    looks = ["dot"] if len(picture.levels) == 1 else [dash for _, dash in SPINS]
    return [
        {
            "type": "line", "xref": across, "yref": "y", "x0": 0, "x1": 1, "y0": level, "y1": level,
            "line": {"color": GREY, "dash": dash, "width": 1.5},
        }
        for level, dash in zip(picture.levels, looks, strict=True)
        for across in ("x domain", "x2 domain")
    ]  # fmt: skip
