"""The plot of energy against volume, or area, with reference lines, and the table that compares them."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, VBox

from mlxc_app.eos_model import EquationOfStateModel, EquationOfStatePicture
from mlxc_app.live_figure import axis, live_figure, replace_data
from mlxc_app.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION
from mlxc_app.panel import Page, Panel

ABOUT = (
    "The free energy F at several volumes: the minimum gives the lattice constant a₀, the curvature the bulk modulus B "
    "(how hard the crystal is to compress). Vertical lines are the volumes that other codes and experiment find. "
    "Of a sheet, which has a vacuum on both sides, the area varies and the height of the cell stays."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press “Run equation of state”: a point appears here for each volume, or area.</p>'
)
AXES = {"volume": "volume per atom (Å³)", "area": "area per atom (Å²)"}
# Of a sheet B is the layer modulus A d²E/dA².
MODULI = {"volume": "B (GPa)", "area": "layer modulus B (N/m)"}
LATTICE_CONSTANTS = {"volume": "a₀ (Å)", "area": "a₀ in the plane (Å)"}
# As many lines as there can be references: a figure cannot get traces later.
LINES = ((VERMILLION, "solid"), (GREEN, "dash"), (ORANGE, "dashdot"), (GREY, "dot"), (PURPLE, "longdash"))


def equation_of_state_panel(page: Page) -> Panel:
    """The panel of equations of state."""
    model = EquationOfStateModel(page.run, page.choose)
    return Panel("Equation of state", f"<p>{ABOUT}</p>", lambda: EquationOfStateView(model).widget, kinds=("eos",))


class EquationOfStateView:
    """Observes an :class:`EquationOfStateModel`."""

    def __init__(self, model: EquationOfStateModel) -> None:
        self.figure = live_figure(
            [*_traces(model.picture)],
            height=370,
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 75, "b": 55},
            xaxis=axis(AXES[model.picture.varied]),
            yaxis=axis("F above its minimum (meV per atom)"),
            yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        )
        self._caption = HTML()
        self._table = HTML()
        self.widget = VBox([self._caption, self.figure, self._table])
        self._show_words(model.picture)
        model.observe(self._show, "picture")

    def _show(self, change: Any) -> None:
        with self.figure.batch_update():
            replace_data(self.figure, _traces(change["new"]))
            self.figure.layout.xaxis.title.text = AXES[change["new"].varied]
        self._show_words(change["new"])

    def _show_words(self, picture: EquationOfStatePicture) -> None:
        note = f"<p>{escape(picture.note)}</p>" if picture.note else ""
        self._caption.value = f"<h3>{escape(picture.title)}</h3>{note}" if picture.sizes else _PLACEHOLDER
        self._table.value = comparison_table(picture)


def _traces(picture: EquationOfStatePicture) -> list[go.Scatter]:
    points = go.Scatter(
        x=picture.sizes,
        y=picture.energies,
        mode="markers",
        name="computed",
        visible=bool(picture.sizes),
        marker={"size": 10, "color": BLUE},
    )
    curve = go.Scatter(
        x=picture.curve_sizes,
        y=picture.curve_energies,
        mode="lines",
        name="Birch-Murnaghan fit",
        visible=bool(picture.curve_sizes),
        line={"color": BLUE},
    )
    lines = []
    for index, (colour, dash) in enumerate(LINES):
        known = index < len(picture.references)
        reference = picture.references[index] if known else None
        lines.append(
            go.Scatter(
                x=[reference.volume_per_atom_ang3] * 2 if reference else [],
                y=[0, 1] if reference else [],
                yaxis="y2",
                mode="lines",
                name=reference.label if reference else "",
                visible=known,
                line={"color": colour, "dash": dash},
            )
        )
    return [points, curve, *lines]


def comparison_table(picture: EquationOfStatePicture) -> str:
    """HTML table: this run and the references, with the deviation of this run from each."""
    rows = []
    if picture.size0 is not None:
        rows.append(_row("This run", picture.lattice_constant_ang, picture.size0, picture.modulus, "", "mlxc-strong"))
    for reference in picture.references:
        deviation = ""
        if picture.size0 is not None:
            percent = 100 * ((picture.size0 / reference.volume_per_atom_ang3) ** (1 / 3) - 1)
            deviation = f"{percent:+.2f} %".replace("-", "−")
        rows.append(
            _row(
                reference.label,
                reference.lattice_constant_ang,
                reference.volume_per_atom_ang3,
                reference.bulk_modulus_gpa,
                deviation,
            )
        )
    if not rows:
        return ""
    names = [names[picture.varied] for names in (LATTICE_CONSTANTS, AXES, MODULI)]
    numbers = "".join(f'<th class="mlxc-number">{name}</th>' for name in (*names, "a₀ of this run is off by"))
    heading = f"<tr><th>Source</th>{numbers}</tr>"
    return f'<table class="mlxc-table"><thead>{heading}</thead><tbody>{"".join(rows)}</tbody></table>'


def _row(label: str, a0: float | None, size: float, modulus: float | None, deviation: str, style: str = "") -> str:
    cells = [
        f"{a0:.4f}" if a0 else "–",
        f"{size:.3f}",
        f"{modulus:.1f}" if modulus else "–",
        deviation,
    ]
    numbers = "".join(f'<td class="mlxc-number">{cell}</td>' for cell in cells)
    return f'<tr class="{style}"><td>{escape(label)}</td>{numbers}</tr>'
