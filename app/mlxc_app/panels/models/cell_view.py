"""One solid with one functional: both equations of state, and the densities that make what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, HBox, ToggleButtons, VBox

from mlxc_app.choose.words import functional_in_words, without_folders
from mlxc_app.panels.models.columns import QUANTITIES, solid_label
from mlxc_app.panels.models.model import HAND, Cell, ModelsModel
from mlxc_app.widgets.live_figure import axis, live_figure
from mlxc_app.widgets.message import MessageArea, card
from mlxc_app.widgets.palette import BLUE, DIVERGING, GREEN, VERMILLION

DIFFERENCE, SENSITIVITY = "difference", "sensitivity"
SHOWN = {DIFFERENCE: "What makes the difference", SENSITIVITY: "What it listens to"}
MEANINGS = {
    DIFFERENCE: "Colours say by how many {unit} densities around these r<sub>s</sub> and s move the {quantity}{atoms} "
    "away from that of {against}: blue makes it larger, orange smaller. They add up to {total:+.3g} {unit}.",
    SENSITIVITY: "Colours say by how many {unit} the {quantity}{atoms} would move if the energy density were one "
    "per cent larger in size at densities around these r<sub>s</sub> and s: blue larger, orange smaller. They "
    "add up to {total:+.3g} {unit}.",
}
# A cohesive energy is a difference, and densities of both sides are on one map.
ATOMS = " (of the free atoms less that of the solid, whose densities are both here)"
# Of the largest part: what is less has no colour.
VISIBLE = 0.02
# Of r_s, bohr.
TICKS = (0.3, 0.5, 1, 2, 3, 5, 10)
PER_PERCENT = {DIFFERENCE: "", SENSITIVITY: " per %"}


class CellView:
    """Observes the cell of a :class:`ModelsModel`."""

    def __init__(self, model: ModelsModel, messages: MessageArea) -> None:
        self._model = model
        self._shown = ToggleButtons(
            options=[(label, name) for name, label in SHOWN.items()], style={"button_width": "auto"}
        )
        self._title, self._meaning, self._waiting = HTML(), HTML(), HTML()
        self._one = Button(
            description="Confirm self-consistently", tooltip="Compute the equation of state of this cell"
        )
        self._all = Button(
            description="Confirm for all functionals", tooltip="Compute it for this solid with all that are ticked"
        )
        self._cost = HTML()
        buttons = HBox([self._one, self._all, self._cost, self._waiting])
        buttons.add_class("mlxc-panel-row")
        self._figures = VBox()
        self._parts = (self._title, buttons, self._shown, self._meaning, self._figures)
        self.widget = VBox()
        self.widget.add_class("mlxc-cell")
        self._one.on_click(messages.starting(lambda: self._confirm(all_ticked=False)))
        self._all.on_click(messages.starting(lambda: self._confirm(all_ticked=True)))
        self._shown.observe(messages.guard(self._show), "value")
        model.observe(messages.guard(self._show), "cell")
        model.observe(messages.guard(self._show_cost), "ticked")
        model.confirming.observe(messages.guard(self._show_waiting), "waiting")

    def _confirm(self, all_ticked: bool) -> None:
        cell = self._model.cell
        assert cell is not None
        for name in self._model.ticked if all_ticked else [cell.functional]:
            self._model.confirming.start(name, cell.solid, cell.content["confirmation"])

    def _show(self, change: Any = None) -> None:
        cell = self._model.cell
        if cell is None:
            return
        self.widget.children = self._parts
        self._title.value = (
            f"<h3>{escape(solid_label(cell.solid))} with {escape(self._called(cell))}</h3>{_problem(cell)}"
        )
        content = cell.content
        self._all.disabled = "confirmation" not in content
        self._one.disabled = self._all.disabled or cell.functional == HAND
        self._show_cost()
        self._shown.layout.display = "" if "unit" in content else "none"
        if "curves" not in content:
            self._show_figures([])
            self._meaning.value = ""
            return
        kind = self._shown.value
        if "unit" not in content:
            self._show_figures([_equations_alone(content)])
            self._meaning.value = card("warning", without_folders(content["missing"], cell.functional))
            return
        self._show_figures([_pair(content, kind), *([_alphas(content, kind)] if content["alpha_nodes"] else [])])
        quantity = content["quantity"]
        meaning = MEANINGS[kind].format(
            against=escape(functional_in_words(content["against"])),
            total=_total(content, kind),
            unit=content["unit"],
            quantity=QUANTITIES[quantity].label.lower(),
            atoms=ATOMS if quantity == "cohesive_energy" else "",
        )
        self._meaning.value = f'<p class="mlxc-hint">{meaning.replace("-", "−")}</p>'

    def _show_cost(self, change: Any = None) -> None:
        """What the two buttons cost, before one of them is pressed."""
        cell, told = self._model.cell, []
        if cell is not None and "confirmation" in cell.content:
            task, estimate = cell.content["confirmation"], self._model.confirming.estimate
            one = [] if cell.functional == HAND else [cell.functional]
            every = self._model.ticked if len(self._model.ticked) > len(one) else ()
            costs = [("This one", estimate(one, task))] if one else []
            costs += [(f"All {len(every)} functionals", estimate(every, task))] if every else []
            told = [f"{what}: {cost}." for what, cost in costs if cost]
        self._cost.value = f'<span class="mlxc-muted mlxc-cost">{escape(" ".join(told))}</span>'

    def _show_figures(self, figures: list[go.FigureWidget]) -> None:
        """Put others in the place of those that were there, which are gone for good."""
        gone, self._figures.children = self._figures.children, figures
        for figure in gone:
            figure.close()

    def _called(self, cell: Cell) -> str:
        return self._model.hand.moved.label if cell.functional == HAND else functional_in_words(cell.functional)

    def _show_waiting(self, change: Any) -> None:
        count = len(self._model.confirming.waiting)
        told = f"{count} of these calculations not finished; the result will stand in the cell, underlined."
        self._waiting.value = f'<span class="mlxc-muted" role="status">{told if count else ""}</span>'


def _problem(cell: Cell) -> str:
    return card("error", without_folders(cell.problem, cell.functional)) if cell.problem else ""


def _map(content: Mapping[str, Any], kind: str) -> list[list[float]]:
    values: list[list[float]] = content[kind]
    return values


def _total(content: Mapping[str, Any], kind: str) -> float:
    return sum(map(sum, _map(content, kind)))


def _pair(content: Mapping[str, Any], kind: str) -> go.FigureWidget:
    """The equations of state, and beside them the map."""
    values = _map(content, kind)
    largest = max(abs(value) for row in values for value in row)
    rs = _seen([log10(node) for node in content["rs_nodes"]], values, largest)
    s = _seen(content["s_nodes"], list(zip(*values, strict=True)), largest)
    return live_figure(
        [*_equations(content), _heat(content, values, largest, content["unit"] + PER_PERCENT[kind])],
        height=340,
        width=900,
        showlegend=True,
        legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0},
        margin={"l": 70, "r": 10, "t": 60, "b": 50},
        xaxis=axis("lattice constant a (Å)", domain=[0, 0.42]),
        yaxis=axis("E − E<sub>0</sub> (meV/atom)"),
        xaxis2=axis(
            "Wigner–Seitz radius r<sub>s</sub> (bohr)",
            domain=[0.54, 1],
            anchor="y2",
            range=rs,
            tickvals=[log10(radius) for radius in TICKS],
            ticktext=[f"{radius:g}" for radius in TICKS],
        ),
        yaxis2=axis("reduced gradient s", anchor="x2", range=s),
        shapes=_measured(content),
    )


def _equations_alone(content: Mapping[str, Any]) -> go.FigureWidget:
    """The equations of state of a cell that has no value."""
    return live_figure(
        _equations(content),
        height=340,
        width=500,
        showlegend=True,
        legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0},
        margin={"l": 70, "r": 10, "t": 60, "b": 50},
        xaxis=axis("lattice constant a (Å)"),
        yaxis=axis("E − E<sub>0</sub> (meV/atom)"),
        shapes=_measured(content),
    )


def _seen(nodes: list[float], rows: Sequence[Sequence[float]], largest: float) -> list[float]:
    """The first and the last place where something can be seen, and a little more."""
    places = [index for index, row in enumerate(rows) if any(abs(value) > VISIBLE * largest for value in row)] or [0]
    return [nodes[max(0, places[0] - 1)], nodes[min(len(nodes) - 1, places[-1] + 1)]]


def _equations(content: Mapping[str, Any]) -> list[go.Scatter]:
    traces = []
    for (name, curve), colour in zip(content["curves"].items(), (VERMILLION, BLUE), strict=True):
        label = functional_in_words(name)
        traces.append(
            go.Scatter(
                x=curve["fine_lengths_ang"], y=curve["fine_energies_mev"], name=label, mode="lines", line_color=colour,
                hoverinfo="skip",
            )
        )  # fmt: skip
        traces.append(
            go.Scatter(
                x=curve["lengths_ang"], y=curve["energies_mev"], name=label, mode="markers", showlegend=False,
                marker={"color": colour, "size": 7},
                hovertemplate=f"{label}: %{{x:.3f}} Å, %{{y:.1f}} meV<extra></extra>",
            )
        )  # fmt: skip
    return traces


def _heat(content: Mapping[str, Any], values: list[list[float]], largest: float, unit: str) -> go.Heatmap:
    # Plotly has rows along y: transposed.
    return go.Heatmap(
        x=[log10(node) for node in content["rs_nodes"]],
        y=content["s_nodes"],
        z=[list(column) for column in zip(*values, strict=True)],
        zsmooth="best",
        customdata=[content["rs_nodes"]] * len(content["s_nodes"]),
        zmin=-largest,
        zmax=largest,
        colorscale=[list(stop) for stop in DIVERGING],
        colorbar={"title": {"text": unit}, "thickness": 12},
        xaxis="x2",
        yaxis="y2",
        hovertemplate="r<sub>s</sub> %{customdata:.2f}, s %{y:.2f}: %{z:.2f} " + unit + "<extra></extra>",
    )


def _measured(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line at the measured lattice constant."""
    length = content["measured_ang"]
    if length is None:
        return []
    return [
        {
            "type": "line", "x0": length, "x1": length, "xref": "x", "yref": "y domain", "y0": 0, "y1": 1,
            "line": {"color": GREEN, "dash": "dash"},
            "label": {"text": "measured", "textposition": "end", "textangle": 0, "yanchor": "bottom"},
        }
    ]  # fmt: skip


def _alphas(content: Mapping[str, Any], kind: str) -> go.FigureWidget:
    """The same, resolved over the kind of bond."""
    values = content[f"{kind}_by_alpha"]
    return live_figure(
        [
            go.Bar(
                x=content["alpha_nodes"], y=values, marker_color=[BLUE if value > 0 else VERMILLION for value in values]
            )
        ],
        height=200,
        width=900,
        margin={"l": 70, "r": 10, "t": 10, "b": 50},
        bargap=0.05,
        xaxis=axis("α: 0 a single pair of electrons, 1 a metal, above 1 between closed shells"),
        yaxis=axis(content["unit"] + PER_PERCENT[kind]),
    )
