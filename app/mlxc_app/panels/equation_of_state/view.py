"""The panel of equations of state: the plot, which earlier runs to show beside, and the table that compares."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, HBox, SelectMultiple, VBox

from mlxc_app.choose.words import WHAT_A_BAR_IS
from mlxc_app.panels.equation_of_state.curve import EquationOfStateBars, EquationOfStateCurve
from mlxc_app.panels.equation_of_state.figure import AXES, eos_traces
from mlxc_app.panels.equation_of_state.model import (
    MOST_OVERLAID,
    EquationOfStateModel,
    EquationOfStatePicture,
    size_of,
)
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.widgets.live_figure import axis, live_figure, mark, replace_data
from mlxc_app.widgets.message import MessageArea

ABOUT = (
    "The free energy F at several volumes: the minimum gives the lattice constant a₀, the curvature the bulk modulus B "
    "(how hard the crystal is to compress), the asymmetry its derivative B′. Other codes and experiment are the lines; "
    "point at one to see its source. All energies count from the minimum of their own curve. "
    "Of a magnet there may be several branches, whose moments differ; the curve is that of the lowest one. "
    "Of a sheet, which has a vacuum on both sides, the area varies and the height of the cell stays."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press “Run equation of state”: a point appears here for each volume, or area.</p>'
)
_AWAITED = '<p class="mlxc-placeholder">The first of its points appears here as soon as it is computed.</p>'
OVERLAY_HINT = (
    f"Earlier runs to show beside this one, {MOST_OVERLAID} at most; hold Ctrl (or ⌘) to choose several or none."
)
RESIDUAL_HINT = (
    "The lower part of the figure: how far each point is from its fitted curve. Residuals that jump up and down mean "
    "energies that are not precise enough; a smooth wave means that the range of volumes is wide for this curve."
)
BANDS = f"Shaded, at the minimum and after ±: {WHAT_A_BAR_IS} Energies count from the minimum, where the band closes."
NO_BARS = EquationOfStateBars()
# Of a sheet B is the layer modulus A d²E/dA².
MODULI = {"volume": "B₀ (GPa)", "area": "layer modulus B₀ (N/m)"}
LATTICE_CONSTANTS = {"volume": "a₀ (Å)", "area": "a₀ in the plane (Å)"}


def equation_of_state_panel(page: Page) -> Panel:
    """The panel of equations of state."""
    model = EquationOfStateModel(page.run, page.choose)
    return Panel(
        "Equation of state",
        f"<p>{ABOUT}</p>",
        lambda: EquationOfStateView(model, page.messages).widget,
        kinds=("eos",),
    )


class EquationOfStateView:
    """Observes an :class:`EquationOfStateModel`."""

    def __init__(self, model: EquationOfStateModel, messages: MessageArea) -> None:
        self._model = model
        self.figure = live_figure(
            eos_traces(model.picture),
            height=460,
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 75, "b": 55},
            xaxis=axis(AXES[model.picture.varied], anchor="y3"),
            yaxis=axis("F above its minimum (meV/atom)", domain=[0.3, 1], rangemode="tozero"),
            yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
            annotations=[mark(model.picture.own.mark)],
            yaxis3=axis("residual<br>(meV/atom)", domain=[0, 0.22], anchor="x", nticks=4),
        )
        self._caption = HTML()
        self._caption.add_class("mlxc-caption")
        self.note = HTML()
        self._table = HTML()
        self._offering = False
        self.overlay = SelectMultiple(description="Beside it", rows=4, layout={"width": "520px"})
        self._overlay_row = HBox([self.overlay, HTML(f'<p class="mlxc-hint">{OVERLAY_HINT}</p>')])
        self._overlay_row.add_class("mlxc-wrap")
        hint = HTML(f'<p class="mlxc-hint">{RESIDUAL_HINT}</p>')
        self.widget = VBox([self._caption, self.figure, self.note, hint, self._overlay_row, self._table])
        self._show_words(model.picture)
        self._offer()
        self.overlay.observe(messages.guard(self._choose), "value")
        model.observe(messages.guard(self._show), "picture")
        model.observe(messages.guard(self._offer), ["candidates", "selected"])

    def _choose(self, change: Any) -> None:
        if not self._offering:
            self._model.selected = tuple(change["new"])

    def _offer(self, change: Any = None) -> None:
        """New options make the widget forget what is chosen, which must not reach the model.

        The browser may only be told of chosen options that it has.
        """
        candidates, selected = self._model.candidates, self._model.selected
        self._offering = True
        try:
            if tuple(self.overlay.options) != candidates:
                self.overlay.value = ()
                self.overlay.options = candidates
            known = [path for _, path in candidates]
            self.overlay.value = tuple(path for path in selected if path in known)
        finally:
            self._offering = False
        self._overlay_row.layout.display = "flex" if candidates else "none"

    def _show(self, change: Any) -> None:
        with self.figure.batch_update():
            replace_data(self.figure, eos_traces(change["new"]))
            self.figure.layout.xaxis.title.text = AXES[change["new"].varied]
            self.figure.layout.annotations = [mark(change["new"].own.mark)]
        self._show_words(change["new"])

    def _show_words(self, picture: EquationOfStatePicture) -> None:
        title = picture.own.title if picture.own.sizes else picture.awaited
        awaited = _AWAITED if picture.awaited else ""
        self._caption.value = f"<h3>{escape(title)}</h3>{awaited}" if title else _PLACEHOLDER
        caution = f'<p class="mlxc-caution">{escape(picture.own.note)}</p>' if picture.own.note else ""
        has_bars = any(curve.bars.sizes for curve in (picture.own, *picture.others))
        self.note.value = caution + (f'<p class="mlxc-hint">{BANDS}</p>' if has_bars else "")
        self._table.value = comparison_table(picture)


def comparison_table(picture: EquationOfStatePicture) -> str:
    """HTML table: this run, those beside it and the references, with the deviation of this run from each."""
    rows = []
    if picture.own.size0 is not None:
        so_far = f", {picture.own.missing} points to come" if picture.own.missing else ""
        rows.append(_run_row(picture.own, f"This run{so_far}: {picture.own.title}", "", "mlxc-strong"))
    for curve in picture.others:
        rows.append(_run_row(curve, curve.title, _deviation(picture, curve.size0)))
    for reference in picture.references:
        rows.append(
            _row(
                reference.label,
                reference.lattice_constant_ang,
                size_of(reference, picture.varied),
                reference.bulk_modulus_gpa,
                reference.bulk_modulus_derivative,
                None,
                _deviation(picture, size_of(reference, picture.varied)),
                source=reference.source,
            )
        )
    if not rows:
        return ""
    names = [names[picture.varied] for names in (LATTICE_CONSTANTS, AXES, MODULI)]
    columns = (*names, "B₀′", "residual (meV/atom)", "a₀ of this run is off by")
    numbers = "".join(f'<th class="mlxc-number">{name}</th>' for name in columns)
    heading = f"<tr><th>Source</th>{numbers}</tr>"
    body = f"<tbody>{''.join(rows)}</tbody>"
    return f'<table class="mlxc-table"><thead>{heading}</thead>{body}</table>{_sources(picture)}'


def _run_row(curve: EquationOfStateCurve, label: str, deviation: str, style: str = "") -> str:
    fitted = (curve.lattice_constant_ang, curve.size0, curve.modulus, curve.modulus_derivative, curve.rms_residual)
    return _row(f"{label} (bad fit)" if curve.is_bad else label, *fitted, deviation, style, bars=curve.bars)


def _deviation(picture: EquationOfStatePicture, other: float | None) -> str:
    """The deviation of this run's lattice constant, as far as the size of the cell tells it."""
    if picture.own.size0 is None or other is None:
        return ""
    dimensions = {"volume": 3, "area": 2}[picture.varied]
    return f"{100 * ((picture.own.size0 / other) ** (1 / dimensions) - 1):+.2f} %".replace("-", "−")


def _row(
    label: str,
    a0: float | None,
    size: float | None,
    modulus: float | None,
    derivative: float | None,
    residual: float | None,
    deviation: str,
    style: str = "",
    source: str = "",
    bars: EquationOfStateBars = NO_BARS,
) -> str:
    cells = [
        _with_bar(a0, bars.lattice_constant_ang, ".4f"),
        _with_bar(size, bars.size0, ".3f"),
        _with_bar(modulus, bars.modulus, ".1f"),
        _with_bar(derivative, bars.modulus_derivative, ".2f"),
        f"{residual:.2g}" if residual is not None else "–",
        deviation,
    ]
    numbers = "".join(f'<td class="mlxc-number">{cell}</td>' for cell in cells)
    return f'<tr class="{style}"><td title="{escape(source)}">{escape(label)}</td>{numbers}</tr>'


def _with_bar(value: float | None, deviation: float | None, style: str) -> str:
    """A value with its standard deviation, where these are known."""
    if not value:
        return "–"
    return f"{value:{style}}" + ("" if deviation is None else f" ± {deviation:{style}}")


def _sources(picture: EquationOfStatePicture) -> str:
    """The sources of the references, for those who cannot point at a line."""
    sources = dict.fromkeys(reference.source for reference in picture.references)
    items = "".join(f"<li>{escape(source)}</li>" for source in sources)
    return f"<details><summary>Sources</summary><ul>{items}</ul></details>" if items else ""
